#include "agents/checks/http_broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "agents/checks/test_server.h"

namespace omnix {
namespace {

HttpRequest Get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

class HttpBrokerTest : public testing::Test {
 protected:
  HttpBrokerTest()
      : server_([this](const TestServer::Request& request, TestServer::Response& response) {
          ++asked_;
          response.result(request.target() == "/missing" ? 404 : 200);
          response.body() = std::to_string(asked_);
        }) {
    AddService("gateway", server_.Url(), {"backend"});
    AddService("backend", backend_.Url(), {});
  }
  void AddService(const std::string& name, const std::string& url, const std::vector<std::string>& needs) {
    v1::Service* service = system_.add_services();
    service->set_name(name);
    service->set_base_url(url);
    for (const std::string& needed : needs) service->add_depends_on(needed);
  }

  std::atomic<int> asked_ = 0;
  TestServer server_;
  TestServer backend_{[](const TestServer::Request&, TestServer::Response& response) { response.result(204); }};
  v1::SystemModel system_;
  const SystemClock clock_;
};

TEST_F(HttpBrokerTest, RequestsToAServiceAndToWhatItNeedsKeepTheirDistance) {
  HttpBroker broker(system_, {.max_requests_per_second = 20}, [] { return false; });
  const absl::Duration start = clock_.Monotonic();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&broker, i, this] {
        EXPECT_TRUE(broker.Send(Get((i % 2 == 0 ? server_ : backend_).Url("/" + std::to_string(i)))).ok());
      });
    }
  }
  EXPECT_GE(clock_.Monotonic() - start, absl::Milliseconds(5 * 50));
  EXPECT_EQ(broker.sent("gateway"), 3);
  EXPECT_EQ(broker.sent("backend"), 3);
}

TEST_F(HttpBrokerTest, WhatReadsOnlyIsAskedOnce) {
  HttpBroker broker(system_, {.max_requests_per_second = 1000}, [] { return false; });
  EXPECT_EQ(broker.Send(Get(server_.Url("/a")))->body, "1");
  EXPECT_EQ(broker.Send(Get(server_.Url("/a")))->body, "1");
  EXPECT_EQ(broker.SendAnew(Get(server_.Url("/a")))->body, "2");
  HttpRequest from_elsewhere = Get(server_.Url("/a"));
  from_elsewhere.headers = {{"Origin", "https://a.example"}};
  EXPECT_EQ(broker.Send(from_elsewhere)->body, "3");
  HttpRequest post = Get(server_.Url("/a"));
  post.method = "POST";
  EXPECT_EQ(broker.Send(post)->body, "4");
  EXPECT_EQ(broker.Send(post)->body, "5");
}

TEST_F(HttpBrokerTest, LearnsOfOthersWhatItHasNotAskedItself) {
  HttpBroker broker(system_, {.max_requests_per_second = 1000}, [] { return false; });
  broker.Learn("POST", server_.Url("/a"), 201);
  EXPECT_EQ(broker.KnownStatus("POST", server_.Url("/a")), 201);
  HttpRequest post = Get(server_.Url("/a"));
  post.method = "POST";
  EXPECT_TRUE(broker.Send(post).ok());
  broker.Learn("POST", server_.Url("/a"), 404);
  EXPECT_EQ(broker.KnownStatus("POST", server_.Url("/a")), 200);
}

TEST_F(HttpBrokerTest, KnowsWhatWasAnsweredToAMethod) {
  HttpBroker broker(system_, {.max_requests_per_second = 1000}, [] { return false; });
  EXPECT_EQ(broker.KnownStatus("POST", server_.Url("/a")), 0);
  HttpRequest post = Get(server_.Url("/a"));
  post.method = "POST";
  ASSERT_TRUE(broker.Send(post).ok());
  EXPECT_EQ(broker.KnownStatus("POST", server_.Url("/a")), 200);
  EXPECT_EQ(broker.KnownStatus("GET", server_.Url("/a")), 0);
  CheckContext context{.system = system_, .variables = {}, .http = &broker};
  EXPECT_EQ(KnownStatus(context, {"GET", "POST"}, server_.Url("/a")), 200);
}

// A client whose only call is POST /a.
class ClientOfBrokerTest : public HttpBrokerTest {
 protected:
  ClientOfBrokerTest() {
    std::ofstream(file_) << "export const add = () => fetch('/a', { method: 'POST' });\n";
    v1::Client* client = system_.add_clients();
    client->set_name("web");
    client->set_service("gateway");
    client->add_files(file_);
  }
  ~ClientOfBrokerTest() override { std::filesystem::remove(file_); }
  std::vector<v1::CheckResult> Run(HttpBroker* broker, const std::string& kind) {
    v1::Check check;
    check.set_name(kind);
    check.set_kind(kind);
    check.set_service("gateway");
    if (kind == "client_calls") (*check.mutable_with()->mutable_fields())["client"].set_string_value("web");
    CheckContext context{.system = system_, .variables = {}, .http = broker};
    return RunCheck(check, context);
  }
  const std::string file_ = testing::TempDir() + "broker-client-" + std::to_string(getpid()) + ".js";
};

TEST_F(ClientOfBrokerTest, ARouteThatAnotherCheckUsedIsNotAskedFor) {
  HttpBroker broker(system_, {.max_requests_per_second = 1000}, [] { return false; });
  HttpRequest post = Get(server_.Url("/a"));
  post.method = "POST";
  ASSERT_TRUE(broker.Send(post).ok());
  const auto results = Run(&broker, "client_calls");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status(), v1::CHECK_STATUS_PASSED) << results[0].summary();
  EXPECT_EQ(asked_, 1);
}

TEST_F(ClientOfBrokerTest, OfManyOriginsTheFirstAndTheLastAskForThePageItself) {
  for (const char* name : {"a", "b", "c"}) {
    v1::Origin* origin = system_.add_origins();
    origin->set_name(name);
    origin->set_url(std::string("https://") + name + ".example");
  }
  HttpBroker broker(system_, {.max_requests_per_second = 1000}, [] { return false; });
  EXPECT_EQ(Run(&broker, "cors").size(), 3u);
  EXPECT_EQ(asked_, 3 + 2);
}

TEST_F(ClientOfBrokerTest, WhereItsOwnMethodIsNotFoundOneMoreIsAsked) {
  std::ofstream(file_) << "export const add = () => fetch('/missing', { method: 'POST' });\n";
  HttpBroker broker(system_, {.max_requests_per_second = 1000}, [] { return false; });
  HttpRequest post = Get(server_.Url("/missing"));
  post.method = "POST";
  ASSERT_TRUE(broker.Send(post).ok());
  const auto results = Run(&broker, "client_calls");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].status(), v1::CHECK_STATUS_FAILED) << results[0].summary();
  EXPECT_EQ(asked_, 2);
}

// Takes connections, and never answers.
class Silent {
 public:
  Silent() : listening_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listening_, 16), 0);
    socklen_t size = sizeof address;
    getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Silent() { Close(); }
  void Close() {
    if (listening_ >= 0) close(listening_);
    listening_ = -1;
  }
  const std::string& url() const { return url_; }

 private:
  int listening_;
  std::string url_;
};

TEST_F(HttpBrokerTest, AnAddressThatRefusesIsNotAskedAgainAtOnce) {
  Silent gone;
  gone.Close();
  AddService("gone", gone.url(), {});
  HttpBroker broker(system_, {.max_requests_per_second = 1000, .refused_for = absl::InfiniteDuration()},
                    [] { return false; });
  for (const char* path : {"/a", "/b"}) {
    const auto response = broker.Send(Get(gone.url() + path));
    EXPECT_TRUE(absl::IsUnavailable(response.status())) << response.status();
    EXPECT_THAT(std::string(response.status().message()), testing::HasSubstr(path));
  }
  EXPECT_EQ(broker.sent("gone"), 1);
  EXPECT_THAT(broker.KnownStatuses("gone", "/a"), testing::IsEmpty());
}

TEST_F(HttpBrokerTest, KnowsWhatIsLateAndWhenNothingElseIsOpen) {
  Silent silent;
  AddService("hung", silent.url(), {});
  std::atomic<bool> cancelled = false;
  HttpBroker broker(system_, {.max_requests_per_second = 1000, .max_timeout = absl::Minutes(1)},
                    [&] { return cancelled.load(); });
  std::atomic<bool> ended = false;
  std::jthread late([&] {
    EXPECT_FALSE(broker.Send(Get(silent.url() + "/v1/slow?x=1")).ok());
    ended = true;
  });
  while (broker.sent("hung") == 0) std::this_thread::yield();
  broker.WaitUntilIdle(absl::Milliseconds(100), [&] { return ended.load(); });
  EXPECT_FALSE(ended);
  EXPECT_THAT(broker.KnownStatuses("hung", "/slow"), testing::ElementsAre(0));
  EXPECT_TRUE(broker.Send(Get(server_.Url("/v1/a"))).ok());
  EXPECT_THAT(broker.KnownStatuses("gateway", "/a"), testing::ElementsAre(200));
  EXPECT_THAT(broker.KnownStatuses("backend", "/a"), testing::IsEmpty());
  const absl::Duration start = clock_.Monotonic();
  broker.WaitUntilIdle(absl::Hours(1), [] { return true; });
  EXPECT_LT(clock_.Monotonic() - start, absl::Minutes(1));
  silent.Close();
}

TEST_F(HttpBrokerTest, AnAddressThatDoesNotAnswerIsLeftAlone) {
  const Silent silent;
  const std::string& url = silent.url();
  AddService("hung", url, {});
  HttpBroker broker(system_, {.max_requests_per_second = 100, .max_timeouts = 2, .max_timeout = absl::Seconds(1)},
                    [] { return false; });
  for (int i = 0; i < 4; ++i) {
    const auto response = broker.Send(Get(url + "/" + std::to_string(i)));
    EXPECT_TRUE(absl::IsDeadlineExceeded(response.status())) << response.status();
    if (i >= 2) {
      EXPECT_THAT(std::string(response.status().message()), testing::HasSubstr("2 requests"));
    }
  }
  EXPECT_EQ(broker.sent("hung"), 2);
  EXPECT_TRUE(broker.Send(Get(server_.Url("/a"))).ok());
}

TEST_F(HttpBrokerTest, WaitingEndsWhenItIsCancelled) {
  std::atomic<bool> cancelled = false;
  HttpBroker broker(system_, {.max_requests_per_second = 0.01}, [&] { return cancelled.load(); });
  EXPECT_TRUE(broker.Send(Get(server_.Url("/a"))).ok());
  cancelled = true;
  EXPECT_TRUE(absl::IsCancelled(broker.Send(Get(server_.Url("/b"))).status()));
}

}  // namespace
}  // namespace omnix
