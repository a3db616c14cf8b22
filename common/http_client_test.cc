#include "common/http_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "common/scripted_server.h"
#include "common/status.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Answer(const std::string& body, const std::string& head = "200 OK") {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

// A port that nothing listens on: bound and closed again.
int ClosedPort() {
  const ScriptedServer server([](const std::string&) { return ""; });
  return std::stoi(server.Address().substr(server.Address().find(':') + 1));
}

TEST(HttpClientTest, SendsMethodPathHeadersAndBody) {
  std::string seen;
  const ScriptedServer server([&](const std::string& request) {
    seen = request;
    return Answer("made", "201 Created\r\nX-Kind: One\r\nX-Kind: two");
  });
  HttpRequest request;
  request.method = "PATCH";
  request.url = server.Url("/a/../b?x=1");
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  request.body = "{\"a\":1}";
  const auto response = SendHttp(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->body, "made");
  EXPECT_EQ(response->Header("x-kind"), "One");
  EXPECT_EQ(response->Header("absent"), "");
  EXPECT_GT(response->duration, absl::ZeroDuration());
  EXPECT_THAT(seen, testing::StartsWith("PATCH /a/../b?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(seen, HasSubstr("\r\nX-Empty:"));
  EXPECT_THAT(seen, HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_THAT(seen, Not(HasSubstr("Expect:")));
  EXPECT_THAT(seen, testing::EndsWith("{\"a\":1}"));
}

TEST(HttpClientTest, HeadDoesNotWaitForABody) {
  const ScriptedServer server([](const std::string& request) {
    return request.rfind("HEAD ", 0) == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" : Answer("", "400 Bad");
  });
  HttpRequest request;
  request.method = "HEAD";
  request.url = server.Url("/");
  const auto response = SendHttp(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "");
}

TEST(HttpClientTest, EmptyPostSaysItsLength) {
  std::string seen;
  const ScriptedServer server([&](const std::string& request) {
    seen = request;
    return Answer("");
  });
  HttpRequest request;
  request.method = "POST";
  request.url = server.Url("/");
  ASSERT_TRUE(SendHttp(request).ok());
  EXPECT_THAT(seen, HasSubstr("Content-Length: 0"));
  EXPECT_THAT(seen, Not(HasSubstr("Content-Type")));
}

TEST(HttpClientTest, CutsABodyBeyondItsBound) {
  const ScriptedServer server([](const std::string&) { return Answer(std::string(1 << 20, 'x')); });
  HttpRequest request;
  request.url = server.Url("/");
  request.max_body_bytes = 1000;
  const auto response = SendHttp(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body.size(), 1000u);
  EXPECT_TRUE(response->truncated);
}

TEST(HttpClientTest, ABodyOfExactlyTheBoundIsWhole) {
  const ScriptedServer server([](const std::string&) { return Answer("12345"); });
  HttpRequest request;
  request.url = server.Url("/");
  request.max_body_bytes = 5;
  const auto response = SendHttp(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "12345");
  EXPECT_FALSE(response->truncated);
}

TEST(HttpClientTest, AnEventStreamEndsWithItsHead) {
  const ScriptedServer server(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"; });
  HttpRequest request;
  request.url = server.Url("/");
  const auto response = SendHttp(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
  EXPECT_TRUE(response->truncated);
}

TEST(HttpClientTest, RefusesAnEndlessHead) {
  const ScriptedServer server([](const std::string&) {
    std::string head = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 400; ++i) head += "X-" + std::to_string(i) + ": " + std::string(1000, 'h') + "\r\n";
    return head + "\r\n";
  });
  HttpRequest request;
  request.url = server.Url("/");
  const auto response = SendHttp(request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(response.status()), HasSubstr("head exceeds"));
}

TEST(HttpClientTest, FollowsRedirectsOnlyWhenAsked) {
  const ScriptedServer server([](const std::string& request) {
    return request.rfind("GET /old ", 0) == 0 ? Answer("moved", "302 Found\r\nLocation: /new\r\nX-Old: 1")
                                              : Answer("here");
  });
  HttpRequest request;
  request.url = server.Url("/old");
  auto response = SendHttp(request);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 302);
  request.follow_redirects = true;
  response = SendHttp(request);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "here");
  EXPECT_EQ(response->Header("x-old"), "");
}

TEST(HttpClientTest, StopsACircleOfRedirects) {
  const ScriptedServer server([](const std::string&) { return Answer("", "302 Found\r\nLocation: /again"); });
  HttpRequest request;
  request.url = server.Url("/");
  request.follow_redirects = true;
  EXPECT_THAT(Message(SendHttp(request).status()), HasSubstr("redirects"));
}

TEST(HttpClientTest, ConnectsElsewhereAndKeepsTheHost) {
  std::string seen;
  const ScriptedServer server([&](const std::string& request) {
    seen = request;
    return Answer("");
  });
  HttpRequest request;
  request.url = "http://shop.example.invalid/x";
  request.connect_to = server.Address();
  const auto response = SendHttp(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_THAT(seen, HasSubstr("\r\nHost: shop.example.invalid\r\n"));
}

TEST(HttpClientTest, IgnoresAProxyOfTheEnvironment) {
  const ScriptedServer server([](const std::string&) { return Answer("direct"); });
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  HttpRequest request;
  request.url = server.Url("/");
  const auto response = SendHttp(request);
  unsetenv("http_proxy");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->body, "direct");
}

TEST(HttpClientTest, SaysThatAConnectionWasRefused) {
  HttpRequest request;
  request.url = "http://user:geheim@127.0.0.1:" + std::to_string(ClosedPort()) + "/p?token=geheim";
  const auto response = SendHttp(request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(response.status()), HasSubstr("connection refused"));
  EXPECT_THAT(Message(response.status()), Not(HasSubstr("geheim")));
}

TEST(HttpClientTest, SaysThatANameWasNotFound) {
  HttpRequest request;
  request.url = "http://nowhere.invalid/";
  const auto response = SendHttp(request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(response.status()), HasSubstr("name not found"));
}

TEST(HttpClientTest, SaysThatTlsFailed) {
  // Speaks at once and in plain text: the first bytes are no TLS record.
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(0, bind(listener, reinterpret_cast<sockaddr*>(&address), size));
  ASSERT_EQ(0, listen(listener, 1));
  ASSERT_EQ(0, getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size));
  std::thread speaker([listener] {
    const int peer = accept(listener, nullptr, nullptr);
    const std::string text = "220 no TLS is spoken here\r\n";
    EXPECT_EQ(static_cast<ssize_t>(text.size()), send(peer, text.data(), text.size(), MSG_NOSIGNAL));
    char byte = 0;
    while (recv(peer, &byte, 1, 0) > 0) {
    }
    close(peer);
  });
  HttpRequest request;
  request.url = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
  const auto response = SendHttp(request);
  speaker.join();
  close(listener);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Message(response.status()), HasSubstr("TLS failed"));
}

TEST(HttpClientTest, SaysThatThePeerClosedWithoutAnAnswer) {
  const ScriptedServer server([](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"; });
  HttpRequest request;
  request.url = server.Url("/");
  EXPECT_EQ(SendHttp(request).status().code(), absl::StatusCode::kUnavailable);
}

TEST(HttpClientTest, GivesUpAtItsTimeout) {
  const ScriptedServer server([](const std::string&) { return ScriptedServer::kSilence; });
  HttpRequest request;
  request.url = server.Url("/");
  request.timeout = absl::Milliseconds(50);
  const auto response = SendHttp(request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(Message(response.status()), HasSubstr("waiting for an answer"));
}

TEST(HttpClientTest, RefusesBadRequests) {
  struct Case {
    HttpRequest request;
    std::string message;
  };
  const auto with_url = [](std::string url) {
    HttpRequest request;
    request.url = std::move(url);
    return request;
  };
  HttpRequest split = with_url("http://127.0.0.1:1/");
  split.headers = {{"X-A", "1\r\nX-B: 2"}};
  HttpRequest nameless = with_url("http://127.0.0.1:1/");
  nameless.headers = {{"X A", "1"}};
  HttpRequest method = with_url("http://127.0.0.1:1/");
  method.method = "GET / HTTP/1.1\r\n";
  const std::vector<Case> cases = {{with_url(""), "no URL"},
                                   {with_url("/path"), "bad URL"},
                                   {with_url("http://a b/"), "bad URL"},
                                   {with_url("http://h:99999/"), "bad URL"},
                                   {with_url("file:///etc/passwd"), "only http and https"},
                                   {with_url("http://h/" + std::string(20000, 'a')), "longer than"},
                                   {split, "line break"},
                                   {nameless, "header's name"},
                                   {method, "no HTTP method"}};
  for (const Case& c : cases) {
    const auto response = SendHttp(c.request);
    EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument) << response.status();
    EXPECT_THAT(Message(response.status()), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace omnix
