#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agents/checks/check.h"
#include "agents/checks/test_server.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace http = boost::beast::http;

v1::Check MakeCheck(const std::string& kind, const Json& with, const std::string& service = "gateway") {
  v1::Check check;
  check.set_name(kind + " check");
  check.set_kind(kind);
  check.set_service(service);
  *check.mutable_with() = JsonToStruct(with);
  return check;
}

v1::SystemModel SystemAt(const std::string& base_url) {
  v1::SystemModel system;
  system.set_name("shop");
  v1::Service& gateway = *system.add_services();
  gateway.set_name("gateway");
  gateway.set_base_url(base_url);
  for (const auto& [name, url] :
       {std::pair{"production", "https://shop.example"}, {"staging", "https://staging.shop.example"}}) {
    v1::Origin& origin = *system.add_origins();
    origin.set_name(name);
    origin.set_url(url);
  }
  return system;
}

const v1::CheckResult& Named(const std::vector<v1::CheckResult>& results, const std::string& part) {
  for (const v1::CheckResult& result : results) {
    if (result.name().find(part) != std::string::npos) return result;
  }
  ADD_FAILURE() << "no result named " << part;
  return results.front();
}

TEST(HttpCheckTest, JudgesStatusBodyAndJson) {
  const TestServer server([](const auto& request, auto& response) {
    if (request.target() == "/products") {
      response.body() = R"({"items": [{"id": 7}], "total": 1})";
    } else {
      response.result(http::status::not_found);
      response.body() = "no such page";
    }
  });
  const v1::SystemModel system = SystemAt(server.Url());
  struct Case {
    Json with;
    v1::CheckStatus status;
    std::string summary;
  };
  const std::vector<Case> cases = {
      {{{"path", "/products"}}, v1::CHECK_STATUS_PASSED, "200"},
      {{{"path", "products"}, {"status", "2xx"}}, v1::CHECK_STATUS_PASSED, "200"},
      {{{"path", "/absent"}}, v1::CHECK_STATUS_FAILED, "404, expected any status below 400"},
      {{{"path", "/absent"}, {"status", {404, 410}}}, v1::CHECK_STATUS_PASSED, "404"},
      {{{"path", "/absent"}, {"status", {"2xx", "3xx"}}}, v1::CHECK_STATUS_FAILED, "expected 200 to 399"},
      {{{"url", server.Url("/products")}, {"contains", "items"}}, v1::CHECK_STATUS_PASSED, "200"},
      {{{"path", "/products"}, {"contains", "boots"}}, v1::CHECK_STATUS_FAILED, "does not contain 'boots'"},
      {{{"path", "/products"}, {"json", {{"/items/0/id", 7}}}}, v1::CHECK_STATUS_PASSED, "200"},
      {{{"path", "/products"}, {"json", {{"/items/0/id", 8}}}},
       v1::CHECK_STATUS_FAILED,
       "/items/0/id is 7, expected 8"},
      {{{"path", "/products"}, {"json", {{"/none", 8}}}}, v1::CHECK_STATUS_FAILED, "nothing at /none"},
      {{{"path", "/absent"}, {"status", 404}, {"json", {{"/a", 1}}}}, v1::CHECK_STATUS_FAILED, "no JSON"},
      {{{"path", "/products"}, {"max_ms", 0.0001}}, v1::CHECK_STATUS_FAILED, "expected at most"},
  };
  for (const Case& c : cases) {
    CheckContext context{.system = system, .variables = {}};
    const auto results = RunCheck(MakeCheck("http", c.with), context);
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].status(), c.status) << results[0].ShortDebugString();
    EXPECT_THAT(results[0].summary(), HasSubstr(c.summary));
    EXPECT_EQ(results[0].weight(), 10u);
    EXPECT_TRUE(results[0].has_evaluated_at());
  }
}

TEST(HttpCheckTest, ADeadServerFailsAndABadServiceIsAnError) {
  const v1::SystemModel system = SystemAt("http://127.0.0.1:1");
  CheckContext context{.system = system, .variables = {}};
  auto results = RunCheck(MakeCheck("http", {{"path", "/"}}), context);
  EXPECT_EQ(results[0].status(), v1::CHECK_STATUS_FAILED);
  EXPECT_THAT(results[0].summary(), HasSubstr("connection refused"));
  results = RunCheck(MakeCheck("http", {{"path", "/"}}, "gatway"), context);
  EXPECT_EQ(results[0].status(), v1::CHECK_STATUS_ERROR);
  EXPECT_THAT(results[0].summary(), HasSubstr("which has: gateway"));
}

TEST(ValidateCheckTest, RefusesBadParameters) {
  struct Case {
    std::string kind;
    Json with;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"htp", Json::object(), "unknown check kind 'htp'"},
      {"http", Json::object(), "either path"},
      {"http", {{"path", "/"}, {"url", "http://x"}}, "either path"},
      {"http", {{"path", "/"}, {"staus", 200}}, "unknown parameter 'staus'"},
      {"http", {{"path", "/"}, {"status", "ok"}}, "status must be"},
      {"http", {{"path", "/"}, {"status", 99}}, "status must be"},
      {"http", {{"path", 3}}, "path must be a text"},
      {"http", {{"path", "/"}, {"json", {{"id", 1}}}}, "no JSON pointer"},
      {"http", {{"path", "/"}, {"headers", {"a"}}}, "headers must be a mapping"},
      {"http", {{"path", "/"}, {"max_ms", -1}}, "max_ms must be"},
      {"cors", {{"origins", 1}}, "origins must be"},
      {"cors", {{"preflight", "yes"}}, "preflight must be true or false"},
      {"websocket", {{"path", "/"}, {"hold", 3}}, "hold must be a duration"},
      {"websocket", Json::object(), "either path"},
      {"client_calls", Json::object(), "parameter 'client' of kind client_calls is missing"},
      {"dev_proxy", {{"client", 1}}, "client must be a text"},
      {"tcp", Json::object(), "'address'"},
      {"tcp", {{"address", "nowhere"}}, "no address"},
      {"tcp", {{"address", "h:70000"}}, "no address"},
      {"disk", {{"min_free_percent", 101}}, "from 0 to 100"},
      {"memory", {{"min_available_percent", "x"}}, "from 0 to 100"},
      {"tls", {{"min_days", -1}}, "min_days must be"},
      {"process", {{"pid", 1}}, "unknown parameter 'pid'"},
  };
  for (const Case& c : cases) {
    const absl::Status status = ValidateCheck(MakeCheck(c.kind, c.with));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.kind << c.with;
    EXPECT_THAT(Message(status), HasSubstr(c.message)) << c.kind;
  }
  v1::Check capturing = MakeCheck("tcp", {{"address", "h:1"}});
  (*capturing.mutable_capture())["x"] = "/x";
  EXPECT_THAT(Message(ValidateCheck(capturing)), HasSubstr("nothing to capture"));
}

TEST(CorsCheckTest, TellsEachOriginApart) {
  const TestServer server([](const auto& request, auto& response) {
    if (request["Origin"] == "https://shop.example") {
      response.set("Access-Control-Allow-Origin", "https://shop.example");
      response.set("Access-Control-Allow-Methods", "GET, PUT");
    }
  });
  const v1::SystemModel system = SystemAt(server.Url());
  CheckContext context{.system = system, .variables = {}};
  const auto results = RunCheck(MakeCheck("cors", {{"path", "/products"}}), context);
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(Named(results, "production").status(), v1::CHECK_STATUS_PASSED) << Named(results, "production").summary();
  EXPECT_EQ(Named(results, "staging").status(), v1::CHECK_STATUS_FAILED);
  EXPECT_THAT(Named(results, "staging").summary(), HasSubstr("no Access-Control-Allow-Origin"));
  EXPECT_EQ(Named(results, "foreign").status(), v1::CHECK_STATUS_PASSED);
  const auto put =
      RunCheck(MakeCheck("cors", {{"path", "/"}, {"method", "DELETE"}, {"origins", "production"}}), context);
  EXPECT_THAT(Named(put, "production").summary(), HasSubstr("does not hold DELETE"));
}

TEST(CorsCheckTest, AnOpenDoorFails) {
  const TestServer reflecting(
      [](const auto& request, auto& response) { response.set("Access-Control-Allow-Origin", request["Origin"]); });
  const TestServer any([](const auto&, auto& response) { response.set("Access-Control-Allow-Origin", "*"); });
  struct Case {
    const TestServer& server;
    Json with;
    v1::CheckStatus status;
  };
  for (const Case& c : {Case{reflecting, {{"path", "/"}}, v1::CHECK_STATUS_FAILED},
                        Case{reflecting, {{"path", "/"}, {"allow_any_origin", true}}, v1::CHECK_STATUS_FAILED},
                        Case{any, {{"path", "/"}}, v1::CHECK_STATUS_FAILED},
                        Case{any, {{"path", "/"}, {"allow_any_origin", true}}, v1::CHECK_STATUS_WARNING}}) {
    const v1::SystemModel system = SystemAt(c.server.Url());
    CheckContext context{.system = system, .variables = {}};
    const auto results = RunCheck(MakeCheck("cors", c.with), context);
    EXPECT_EQ(Named(results, "foreign").status(), c.status) << Named(results, "foreign").summary();
    EXPECT_EQ(Named(results, "staging").status(), v1::CHECK_STATUS_PASSED);
  }
}

TEST(WebSocketCheckTest, EchoesHoldsAndIsDeclined) {
  const TestServer server([](const auto&, auto& response) { response.result(http::status::not_found); }, "/ws");
  const v1::SystemModel system = SystemAt(server.Url());
  struct Case {
    Json with;
    v1::CheckStatus status;
    std::string summary;
  };
  const std::vector<Case> cases = {
      {{{"path", "/ws"}}, v1::CHECK_STATUS_PASSED, "open for"},
      {{{"path", "/ws"}, {"send", "ahoy"}, {"expect", "ahoy"}, {"hold", "100ms"}}, v1::CHECK_STATUS_PASSED, "open for"},
      {{{"path", "/ws"}, {"send", "close me"}, {"hold", "5s"}}, v1::CHECK_STATUS_FAILED, "closed the connection"},
      {{{"path", "/v1/ws"}}, v1::CHECK_STATUS_FAILED, "404"},
      {{{"url", "ws://127.0.0.1:1/"}}, v1::CHECK_STATUS_FAILED, "connection refused"},
      {{{"url", "ftp://127.0.0.1:1/"}}, v1::CHECK_STATUS_ERROR, "no scheme of a WebSocket"},
  };
  for (const Case& c : cases) {
    CheckContext context{.system = system, .variables = {}};
    const auto results = RunCheck(MakeCheck("websocket", c.with), context);
    EXPECT_EQ(results[0].status(), c.status) << c.with << results[0].summary();
    EXPECT_THAT(results[0].summary(), HasSubstr(c.summary));
  }
  CheckContext hasty{.system = system, .variables = {}, .timeout = absl::Milliseconds(100)};
  const auto silent = RunCheck(MakeCheck("websocket", {{"path", "/ws"}, {"expect", "never"}}), hasty);
  EXPECT_EQ(silent[0].status(), v1::CHECK_STATUS_FAILED);
}

TEST(EndpointsCheckTest, ProbesWhatChangesNothing) {
  std::atomic<int> posts = 0;
  const TestServer server(
      [&](const auto& request, auto& response) {
        if (request.method() == http::verb::post) ++posts;
        if (request.target() == "/private") response.result(http::status::unauthorized);
        if (request.target() == "/gone") response.result(http::status::not_found);
      },
      "/ws");
  v1::SystemModel system = SystemAt(server.Url());
  for (const char* path : {"/ok", "/private", "/gone", "/items/{id}"})
    system.mutable_services(0)->add_endpoints()->set_path(path);
  v1::Endpoint& order = *system.mutable_services(0)->add_endpoints();
  order.set_path("/orders");
  order.set_method("POST");
  v1::Endpoint& ws = *system.mutable_services(0)->add_endpoints();
  ws.set_path("/ws");
  ws.set_websocket(true);
  CheckContext context{.system = system, .variables = {}};
  const auto results = RunCheck(MakeCheck("endpoints", Json::object()), context);
  ASSERT_EQ(results.size(), 6u);
  EXPECT_EQ(Named(results, "/ok").status(), v1::CHECK_STATUS_PASSED);
  EXPECT_EQ(Named(results, "/private").status(), v1::CHECK_STATUS_PASSED);
  EXPECT_EQ(Named(results, "/gone").status(), v1::CHECK_STATUS_FAILED);
  EXPECT_EQ(Named(results, "{id}").status(), v1::CHECK_STATUS_SKIPPED);
  EXPECT_EQ(Named(results, "/orders").status(), v1::CHECK_STATUS_SKIPPED);
  EXPECT_EQ(Named(results, "/ws").status(), v1::CHECK_STATUS_PASSED);
  EXPECT_EQ(posts, 0);
}

TEST(ClientCallsCheckTest, FindsThePrefixThatTheGatewayDoesNotServe) {
  std::atomic<int> posts = 0;
  const TestServer server([&](const auto& request, auto& response) {
    if (request.method() == http::verb::post) ++posts;
    if (request.target() == "/products") return;
    response.result(request.target() == "/login" ? http::status::method_not_allowed : http::status::not_found);
  });
  const std::string folder = std::filesystem::temp_directory_path() / ("omnix-calls-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto write = [&](const std::string& base) {
    std::ofstream(folder + "/httpClient.js")
        << "const API_BASE = '" << base << "';\n"
        << "export const list = () => fetch(`${API_BASE}/products`);\n"
        << "export const login = (b) => fetch(`${API_BASE}/login`, { method: 'POST', body: b });\n";
  };
  v1::SystemModel system = SystemAt(server.Url());
  v1::Client& client = *system.add_clients();
  client.set_name("web");
  client.set_service("gateway");
  client.add_files(folder + "/*.js");
  CheckContext context{.system = system, .variables = {}};
  const v1::Check check = MakeCheck("client_calls", {{"client", "web"}});
  write("/api/v7");
  auto results = RunCheck(check, context);
  ASSERT_EQ(results.size(), 2u);
  for (const auto& result : results) EXPECT_EQ(result.status(), v1::CHECK_STATUS_FAILED) << result.summary();
  write("");
  results = RunCheck(check, context);
  ASSERT_EQ(results.size(), 2u);
  for (const auto& result : results) EXPECT_EQ(result.status(), v1::CHECK_STATUS_PASSED) << result.summary();
  EXPECT_EQ(posts, 0);
  std::filesystem::remove_all(folder);
}

TEST(SuiteTest, LogsInAndUsesTheToken) {
  const TestServer server([](const auto& request, auto& response) {
    if (request.target() == "/login" && request.body() == R"({"password":"correct horse","user":"ann"})") {
      response.body() = R"({"token": "tok-123456789"})";
    } else if (request["Authorization"] != "Bearer tok-123456789") {
      response.result(http::status::unauthorized);
    } else {
      response.body() = "hello tok-123456789";
    }
  });
  const v1::SystemModel system = SystemAt(server.Url());
  setenv("OMNIX_TEST_PASSWORD", "correct horse", 1);
  v1::Suite suite;
  suite.set_name("login");
  (*suite.mutable_variables())["password"] = "${env:OMNIX_TEST_PASSWORD}";
  v1::Check login = MakeCheck(
      "http", {{"method", "POST"}, {"path", "/login"}, {"body", {{"user", "ann"}, {"password", "${password}"}}}});
  (*login.mutable_capture())["token"] = "/token";
  *suite.add_steps() = login;
  *suite.add_steps() =
      MakeCheck("http", {{"path", "/me"}, {"headers", {{"Authorization", "Bearer ${token}"}}}, {"contains", "hello"}});
  CheckContext context{.system = system, .variables = {}};
  const v1::Verdict verdict = RunSuite(suite, context);
  EXPECT_TRUE(verdict.passed()) << verdict.ShortDebugString();
  EXPECT_THAT(verdict.ShortDebugString(), Not(HasSubstr("tok-123456789")));
  EXPECT_THAT(verdict.ShortDebugString(), Not(HasSubstr("correct horse")));

  suite.mutable_steps(0)->mutable_with()->mutable_fields()->at("path").set_string_value("/elsewhere");
  const v1::Verdict broken = RunSuite(suite, context);
  EXPECT_FALSE(broken.passed());
  EXPECT_EQ(broken.results(1).status(), v1::CHECK_STATUS_SKIPPED);
  EXPECT_THAT(broken.results(1).summary(), HasSubstr("${token} has no value"));

  unsetenv("OMNIX_TEST_PASSWORD");
  EXPECT_THAT(RunSuite(suite, context).summary(), HasSubstr("OMNIX_TEST_PASSWORD is not set"));
}

TEST(SuiteTest, TheStabilityWindowSeesAFlappingServer) {
  std::atomic<int> requests = 0;
  std::atomic<int> bad_from = 3;
  const TestServer server([&](const auto&, auto& response) {
    if (++requests >= bad_from) response.result(http::status::bad_gateway);
  });
  const v1::SystemModel system = SystemAt(server.Url());
  v1::Suite suite;
  suite.set_name("stable");
  *suite.add_steps() = MakeCheck("http", {{"path", "/"}});
  *suite.mutable_stability()->mutable_window() = ToProto(absl::Seconds(30));
  *suite.mutable_stability()->mutable_interval() = ToProto(absl::Milliseconds(10));
  CheckContext context{.system = system, .variables = {}};
  const v1::Verdict flapping = RunSuite(suite, context);
  EXPECT_FALSE(flapping.passed());
  EXPECT_EQ(flapping.runs(), 3u);

  bad_from = 1 << 30;
  *suite.mutable_stability()->mutable_window() = ToProto(absl::Milliseconds(100));
  const v1::Verdict stable = RunSuite(suite, context);
  EXPECT_TRUE(stable.passed()) << stable.summary();
  EXPECT_GT(stable.runs(), 2u);

  *suite.mutable_stability()->mutable_window() = ToProto(absl::Seconds(30));
  context.cancelled = [&, limit = requests + 3] { return requests >= limit; };
  const v1::Verdict cancelled = RunSuite(suite, context);
  EXPECT_FALSE(cancelled.passed());
  EXPECT_THAT(cancelled.summary(), HasSubstr("cancelled"));
}

}  // namespace
}  // namespace omnix
