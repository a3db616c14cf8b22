// Diagnoses of faults at the edge: a real nginx before real programs, with the logs that users left.
#include <gmock/gmock.h>

#include "agents/investigation/faulty_edge.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

using EdgeFaultsTest = FaultyEdge;

TEST_F(EdgeFaultsTest, OneCopyRunsAnOlderVersion) {
  const int a = FreePort(), b = FreePort();
  Serve(a, "        self.answer(200)");
  Serve(b, "        self.answer(404 if self.path == '/new' else 200)");
  v1::Service* shop = AddService("shop", a, {"/new", "/old"});
  for (const int port : {a, b}) {
    v1::Instance* copy = shop->add_instances();
    copy->set_name(port == a ? "shop-a" : "shop-b");
    copy->set_base_url(fmt::format("http://127.0.0.1:{}", port));
  }
  StartEdge({"/new"}, fmt::format("upstream shop {{ server 127.0.0.1:{}; server 127.0.0.1:{}; }}", a, b),
            Proxy("shop"));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "endpoint.bad_deploy") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "shop");
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("shop-b"));
  EXPECT_THAT(First(diagnosis).title(), Not(HasSubstr("shop-a")));
}

// Only users meet it: every second request, and none of ours need be among them.
TEST_F(EdgeFaultsTest, OneServerOfTheUpstreamIsGone) {
  const int a = FreePort(), gone = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/products"});
  StartEdge({"/products"},
            fmt::format("upstream shop {{\n  server 127.0.0.1:{};\n  server 127.0.0.1:{} max_fails=0;\n}}", a, gone),
            "proxy_next_upstream off; " + Proxy("shop"));
  Users(200, absl::Hours(2), absl::Minutes(20), "GET /products", 200);
  Users(20, absl::Minutes(5), absl::ZeroDuration(), "GET /products", 502);
  Users(20, absl::Minutes(5), absl::ZeroDuration(), "GET /products", 200);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "upstream.stale_address") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "edge");
  EXPECT_EQ(First(diagnosis).location().line(), LineOf(fmt::format(":{} max_fails", gone)));
  EXPECT_GE(First(diagnosis).confidence(), 0.85);
}

// nginx asks the next one: nobody suffers, and what stands there besides is nobody's fault.
TEST_F(EdgeFaultsTest, ASpareServerThatIsDownIsNotBlamed) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/products"});
  StartEdge({"/products"},
            fmt::format("upstream shop {{ server 127.0.0.1:{}; server 127.0.0.1:{} backup; }}", a, FreePort()),
            Proxy("shop"));
  Users(200, absl::Hours(2), absl::Minutes(20), "GET /products", 200);
  Users(3, absl::Minutes(40), absl::Minutes(30), "GET /products", 502);
  Users(20, absl::Minutes(5), absl::ZeroDuration(), "GET /favicon.ico", 404);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.hypotheses_size(), 0) << All(diagnosis);
}

constexpr char kSlow[] = "        time.sleep(0.8 if self.path == '/slow' else 0)\n        self.answer(200)";

TEST_F(EdgeFaultsTest, TheTimeoutInEffectIsNamedNotTheFirst) {
  const int a = FreePort();
  Serve(a, kSlow);
  AddService("shop", a, {"/slow"});
  StartEdge({"/slow"}, "    proxy_read_timeout 500ms;",
            fmt::format("location /other/ {{ proxy_read_timeout 100ms; proxy_pass http://127.0.0.1:{0}; }}\n{1}", a,
                        Proxy(fmt::format("127.0.0.1:{}", a))));
  // It always took so long.
  Users(100, absl::Hours(2), absl::Minutes(20), "GET /slow", 200, "0.810");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "gateway.timeout_too_short") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("500ms"));
}

TEST_F(EdgeFaultsTest, AServiceThatBecameSlowIsNotTheTimeoutsFault) {
  const int a = FreePort();
  Serve(a, kSlow);
  AddService("shop", a, {"/slow"});
  StartEdge({"/slow"}, "    proxy_read_timeout 500ms;", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(100, absl::Hours(2), absl::Minutes(20), "GET /slow", 200, "0.040");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_LT(OfKind(diagnosis, "gateway.timeout_too_short").confidence(), 0.5) << All(diagnosis);
}

// Straight it takes longer than we wait; the log tells that it always did, and was served.
TEST_F(EdgeFaultsTest, TheLogKnowsThatLongerAnswersWereServed) {
  const int a = FreePort();
  Serve(a, "        time.sleep(30 if self.path == '/report' else 0)\n        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/report"}, "    proxy_read_timeout 1s;", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(100, absl::Hours(2), absl::Minutes(20), "GET /report", 200, "21.500");
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis timeout = OfKind(diagnosis, "gateway.timeout_too_short");
  EXPECT_GT(timeout.confidence(), 0.5) << All(diagnosis);
  EXPECT_EQ(timeout.location().line(), LineOf("proxy_read_timeout"));
}

constexpr char kUpgrades[] =
    "        if self.path == '/live' and 'upgrade' in self.headers.get('Connection', '').lower() and "
    "self.request_version == 'HTTP/1.1':\n"
    "            import base64, hashlib\n"
    "            key = self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'\n"
    "            self.protocol_version = 'HTTP/1.1'\n"
    "            self.send_response(101)\n"
    "            self.send_header('Upgrade', 'websocket')\n"
    "            self.send_header('Connection', 'Upgrade')\n"
    "            self.send_header('Sec-WebSocket-Accept', "
    "base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())\n"
    "            self.end_headers()\n"
    "            self.connection.recv(1000)\n"
    "            self.close_connection = True\n"
    "            return\n"
    "        self.answer(400 if self.path == '/live' else 200)";

constexpr char kPassesUpgrades[] =
    "        proxy_http_version 1.1;\n        proxy_set_header Host $host;\n"
    "        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection upgrade;\n";

TEST_F(EdgeFaultsTest, AHeaderOfTheLocationsOwnLosesTheUpgrade) {
  const int a = FreePort();
  Serve(a, kUpgrades);
  AddService("shop", a, {"/health"});
  v1::Service* edge = StartEdge({"/health"}, "",
                                fmt::format("{}        location / {{\n            proxy_set_header X-Shop 1;\n"
                                            "            proxy_pass http://127.0.0.1:{};\n        }}",
                                            kPassesUpgrades, a));
  v1::Endpoint* live = edge->add_endpoints();
  live->set_path("/live");
  live->set_websocket(true);
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "websocket.upgrade_lost") << All(diagnosis);
  EXPECT_EQ(first.location().line(), LineOf("X-Shop"));
  EXPECT_THAT(first.explanation(), HasSubstr("lacks Upgrade, Connection"));
  ASSERT_EQ(first.remedies_size(), 1);
  const auto& lines = first.remedies(0).actions(0).with().fields().at("lines").list_value();
  ASSERT_EQ(lines.values_size(), 2);
  EXPECT_EQ(lines.values(0).string_value(), "            proxy_set_header Upgrade $http_upgrade;");
}

// What the remedy sets must not lose what the location inherited.
TEST_F(EdgeFaultsTest, TheUpgradesRemedyKeepsWhatIsInherited) {
  const int a = FreePort();
  Serve(a, kUpgrades);
  AddService("shop", a, {"/health"});
  v1::Service* edge =
      StartEdge({"/health"}, "    proxy_http_version 1.1;\n    proxy_set_header Host $host;",
                fmt::format("        location / {{\n            proxy_pass http://127.0.0.1:{};\n        }}", a));
  v1::Endpoint* live = edge->add_endpoints();
  live->set_path("/live");
  live->set_websocket(true);
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "websocket.upgrade_lost") << All(diagnosis);
  ASSERT_EQ(first.remedies_size(), 1);
  const auto& lines = first.remedies(0).actions(0).with().fields().at("lines").list_value();
  ASSERT_EQ(lines.values_size(), 3);
  EXPECT_EQ(lines.values(2).string_value(), "            proxy_set_header Host $host;");
}

// Without its first part the path is answered with the site's page: no upgrade is served there.
TEST_F(EdgeFaultsTest, APageIsNoSocket) {
  const int a = FreePort();
  Serve(a, kUpgrades);
  AddService("shop", a, {"/live"})->mutable_endpoints(0)->set_websocket(true);
  Write("index.html", "<!doctype html><html><body>shop</body></html>");
  StartEdge({"/ws/live"}, "",
            fmt::format("location /ws/ {{ rewrite ^/ws/(.*)$ /$1 break; proxy_pass http://127.0.0.1:{}; }}\n"
                        "location / {{ root {}; default_type text/html; try_files $uri /index.html; }}",
                        a, folder_))
      ->mutable_endpoints(0)
      ->set_websocket(true);
  v1::Client* client = case_.system.add_clients();
  client->set_name("web");
  client->set_service("edge");
  client->add_files(Path("api.js"));
  Write("api.js", "export const live = () => new WebSocket(`wss://${location.host}/ws/live`);");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("route.prefix_mismatch")));
}

TEST_F(EdgeFaultsTest, AnInheritedUpgradeIsNotBlamed) {
  const int a = FreePort();
  Serve(a, kUpgrades);
  AddService("shop", a, {"/health"});
  v1::Service* edge = StartEdge({"/health"}, "", kPassesUpgrades + Proxy(fmt::format("127.0.0.1:{}", a)));
  v1::Endpoint* live = edge->add_endpoints();
  live->set_path("/live");
  live->set_websocket(true);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.hypotheses_size(), 0) << All(diagnosis);
}

constexpr char kLimits[] =
    "    limit_req_zone $binary_remote_addr zone=all:1m rate=500r/s;\n    limit_req_zone $binary_remote_addr "
    "zone=few:1m rate=1r/m;\n"
    "    limit_req_status 429;";

TEST_F(EdgeFaultsTest, TheRateLimitInEffectIsNamed) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/products", "/orders"}, kLimits,
            fmt::format("limit_req zone=all;\n location /health {{ proxy_pass http://127.0.0.1:{0}; }}\n"
                        " location / {{ limit_req zone=few; proxy_pass http://127.0.0.1:{0}; }}",
                        a));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "gateway.rate_limit") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("zone=few:1m"));
}

TEST_F(EdgeFaultsTest, ALimitThatMeetsAFloodIsLessSure) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/products", "/orders"}, kLimits,
            fmt::format("location / {{ limit_req zone=few; proxy_pass http://127.0.0.1:{}; }}", a));
  Users(600, absl::Hours(2), absl::Minutes(20), "GET /products", 200);
  Users(3000, absl::Minutes(2), absl::ZeroDuration(), "GET /products", 429);
  const v1::Hypothesis limit = OfKind(Run(), "gateway.rate_limit");
  EXPECT_GT(limit.evidence_against_size(), 0) << limit.DebugString();
  EXPECT_LT(limit.confidence(), 0.85);
}

TEST_F(EdgeFaultsTest, BodiesThatUsersSendAreTooLargeNow) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/health"}, "    client_max_body_size 50m;",
            fmt::format("location /upload {{\n client_max_body_size 1k;\n proxy_pass http://127.0.0.1:{0}; }}\n"
                        "location / {{ proxy_pass http://127.0.0.1:{0}; }}",
                        a));
  Users(200, absl::Hours(2), absl::Minutes(20), "POST /upload", 201);
  Users(15, absl::Minutes(5), absl::ZeroDuration(), "POST /upload", 413);
  std::ofstream(Path("logs/error.log"), std::ios::app) << absl::FormatTime(
      "%Y/%m/%d %H:%M:%S [error] 7#7: *1 client intended to send too large body: 20480 bytes, client: 10.0.0.9, "
      "request: \"POST /upload HTTP/1.1\"\n",
      absl::Now(), absl::LocalTimeZone());
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "gateway.body_limit") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("size 1k"));
  EXPECT_GE(First(diagnosis).confidence(), 0.85);
}

// What users send badly, crawlers look for, and failures of an hour ago are no trouble.
TEST_F(EdgeFaultsTest, FailuresThatAreUsualOrOverAreNoSymptoms) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/health"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(200, absl::Hours(2), absl::Minutes(20), "GET /products", 200);
  Users(200, absl::Hours(2), absl::Minutes(20), "POST /orders", 201);
  Users(20, absl::Minutes(70), absl::Minutes(60), "GET /products", 502);
  Users(40, absl::Minutes(10), absl::ZeroDuration(), "GET /wp-login.php", 404);
  Users(6, absl::Minutes(4), absl::ZeroDuration(), "POST /orders", 422);
  Users(3, absl::Minutes(9), absl::Minutes(8), "GET /products", 502);
  Users(20, absl::Minutes(4), absl::ZeroDuration(), "GET /products", 200);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.symptoms_size(), 0) << All(diagnosis);
}

// The model does not say how long an answer may take; the log knows how long users waited before.
TEST_F(EdgeFaultsTest, AnAnswerThatTakesManyTimesTheUsualIsASymptom) {
  const int a = FreePort();
  Serve(a, "        time.sleep(1.5 if self.path == '/slow' else 0)\n        self.answer(200)");
  AddService("shop", a, {"/slow"});
  StartEdge({"/slow"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(100, absl::Hours(2), absl::Minutes(20), "GET /slow", 200, "0.040");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "dependency.slow") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "shop");
}

TEST_F(EdgeFaultsTest, AnAnswerThatAlwaysTookSoLongIsNone) {
  const int a = FreePort();
  Serve(a, "        time.sleep(1.5 if self.path == '/slow' else 0)\n        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/slow"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(100, absl::Hours(2), absl::Minutes(20), "GET /slow", 200, "1.480");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.symptoms_size(), 0) << All(diagnosis);
}

// Nobody waits long enough to see an error; nginx notes that they went away.
TEST_F(EdgeFaultsTest, UsersThatGiveUpWaitingAreASymptom) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/health"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(100, absl::Hours(2), absl::Minutes(20), "POST /orders", 201, "0.020");
  Users(4, absl::Minutes(2), absl::ZeroDuration(), "POST /orders", 499, "3.001");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(diagnosis.symptoms_size(), 1) << All(diagnosis);
  EXPECT_THAT(diagnosis.symptoms(0).summary(), HasSubstr("give up on POST /orders after 3"));
}

TEST_F(EdgeFaultsTest, UsersThatGoAwayAtOnceOrAlwaysDidAreNone) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/health"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(100, absl::Hours(2), absl::Minutes(20), "GET /films", 200, "0.020");
  Users(20, absl::Hours(2), absl::Minutes(20), "GET /films", 499, "3.001");
  Users(100, absl::Hours(2), absl::Minutes(20), "GET /songs", 200, "0.020");
  Users(4, absl::Minutes(2), absl::ZeroDuration(), "GET /films", 499, "3.001");
  Users(4, absl::Minutes(2), absl::ZeroDuration(), "GET /songs", 499, "0.011");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.symptoms_size(), 0) << All(diagnosis);
}

// The gateway answers what it does not know with its page, status 200.
TEST_F(EdgeFaultsTest, APageInPlaceOfAnAnswerIsALostRoute) {
  const int a = FreePort();
  Serve(a, "        self.answer(200 if self.path in ('/list', '/health') else 404)");
  AddService("shop", a, {"/list"});
  Write("index.html", "<!doctype html><html><body>shop</body></html>");
  StartEdge({"/shop/list"}, "",
            fmt::format("location /shopp/ {{ rewrite ^/shop/(.*)$ /$1 break; proxy_pass http://127.0.0.1:{}; }}\n"
                        "location / {{ root {}; default_type text/html; try_files $uri /index.html; }}",
                        a, folder_));
  v1::Client* client = case_.system.add_clients();
  client->set_name("web");
  client->set_service("edge");
  client->add_files(Path("api.js"));
  Write("api.js", "export const list = () => fetch('/shop/list');");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "gateway.route_missing") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "edge");
}

// No check of ours writes: that each POST fails now stands in the log alone.
TEST_F(EdgeFaultsTest, WritesThatFailSinceAreASymptom) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/health"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(100, absl::Hours(2), absl::Minutes(20), "POST /orders", 201);
  Users(3, absl::Minutes(2), absl::ZeroDuration(), "POST /orders", 500);
  const v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(diagnosis.symptoms_size(), 1) << All(diagnosis);
  EXPECT_THAT(diagnosis.symptoms(0).summary(), HasSubstr("POST /orders"));
}

// Each path a few times: what is refused is served to nobody, and "403" is no failure to a check that only reads.
TEST_F(EdgeFaultsTest, UsersWhoAreRefusedOnAllPathsAreASymptom) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/list", "/find", "/about"});
  StartEdge({"/list", "/find", "/about"}, "", "allow 10.0.0.0/8; deny all; " + Proxy(fmt::format("127.0.0.1:{}", a)));
  const std::vector<std::string> paths = {"GET /list", "GET /find", "GET /about"};
  for (const std::string& path : paths) Users(40, absl::Hours(2), absl::Minutes(20), path, 200);
  for (const std::string& path : paths) Users(2, absl::Minutes(1), absl::ZeroDuration(), path, 403);
  v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "gateway.rejects") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("deny all"));
}

TEST_F(EdgeFaultsTest, AStrangerWhoIsRefusedIsNone) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/list"});
  StartEdge({"/list"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(100, absl::Hours(2), absl::Minutes(1), "GET /list", 200);
  for (const char* path : {"GET /admin", "GET /.git", "GET /setup"})
    Users(5, absl::Minutes(1), absl::ZeroDuration(), path, 403);
  EXPECT_EQ(Run().symptoms_size(), 0);
}

// No check asks the gateway for it; users wait, and one who asks the service straight waits as long.
TEST_F(EdgeFaultsTest, UsersWhoWaitAreASymptom) {
  const int a = FreePort();
  Serve(a, "        time.sleep(1.2 if self.path == '/svc/list' else 0)\n        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/health"}, "",
            fmt::format("location / {{ proxy_pass http://127.0.0.1:{}/svc/; }}\n"
                        "location /health {{ proxy_pass http://127.0.0.1:{}; }}",
                        a, a));
  Users(100, absl::Hours(2), absl::Minutes(20), "GET /list", 200);
  Users(2, absl::Minutes(1), absl::ZeroDuration(), "GET /list", 200, "1.300");
  EXPECT_EQ(Run().symptoms_size(), 0) << "two are chance";
  Users(1, absl::Seconds(1), absl::ZeroDuration(), "GET /list", 200, "1.300");
  v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(diagnosis.symptoms_size(), 1) << All(diagnosis);
  EXPECT_THAT(diagnosis.symptoms(0).summary(), HasSubstr("users wait for GET /list"));
  // A check of the service behind is compared with what users of the gateway wait for.
  case_.system.mutable_services(0)->add_endpoints()->set_path("/svc/list");
  Users(1, absl::Seconds(1), absl::ZeroDuration(), "GET /list", 200);
  diagnosis = Run();
  ASSERT_EQ(diagnosis.symptoms_size(), 1) << All(diagnosis);
  EXPECT_THAT(diagnosis.symptoms(0).summary(), HasSubstr("GET /list takes"));
}

// A diagnosis may not send it, and GET is not what it knows; users were served a minute ago.
TEST_F(EdgeFaultsTest, ARouteThatUsersJustUsedIsThere) {
  const int a = FreePort();
  Serve(a, "        self.answer(200 if self.path == '/health' else 404)");
  AddService("shop", a, {"/health"});
  StartEdge({"/health"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  v1::Client* client = case_.system.add_clients();
  client->set_name("web");
  client->set_service("edge");
  client->add_files(Path("api.js"));
  Write("api.js", "export const login = (b) => fetch('/login', { method: 'POST', body: b });");
  v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.symptoms_size(), 1) << All(diagnosis);
  Users(1, absl::Minutes(1), absl::ZeroDuration(), "POST /login", 200);
  diagnosis = Run();
  EXPECT_EQ(diagnosis.symptoms_size(), 0) << All(diagnosis);
  Users(1, absl::Seconds(20), absl::ZeroDuration(), "POST /login", 404);
  diagnosis = Run();
  EXPECT_EQ(diagnosis.symptoms_size(), 1) << All(diagnosis);
}

// What the service behind calls it is not known; that users were served by it is.
TEST_F(EdgeFaultsTest, ARouteThatWasServedIsLost) {
  const int a = FreePort();
  Serve(a, "        self.answer(200 if self.path == '/inner/lists' else 404)");
  AddService("shop", a, {"/inner/lists"});
  StartEdge(
      {"/list"}, "",
      fmt::format("location /lizt {{ proxy_pass http://127.0.0.1:{}/inner/lists; }}\nlocation / {{ return 404; }}", a));
  EXPECT_EQ(First(Run()).kind(), "component.failing");
  Users(50, absl::Hours(2), absl::Minutes(20), "GET /list", 200);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "gateway.route_missing") << All(diagnosis);
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("served it lately"));
}

TEST_F(EdgeFaultsTest, ManyMoreRequestsAndSlowerAnswersAreAnOverload) {
  const int a = FreePort();
  Serve(a, "        self.answer(503 if self.path == '/products' else 200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/products"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(600, absl::Hours(2), absl::Minutes(20), "GET /products", 200, "0.020");
  Users(2000, absl::Minutes(4), absl::ZeroDuration(), "GET /products", 200, "2.300");
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis load = OfKind(diagnosis, "load.overload");
  EXPECT_EQ(load.component(), "shop") << All(diagnosis);
  EXPECT_GT(load.confidence(), 0.5);
}

TEST_F(EdgeFaultsTest, TheUsualLoadIsNoOverload) {
  const int a = FreePort();
  Serve(a, "        self.answer(503 if self.path == '/products' else 200)");
  AddService("shop", a, {"/health"});
  StartEdge({"/products"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  Users(1200, absl::Hours(2), absl::Minutes(1), "GET /products", 200, "0.020");
  EXPECT_EQ(OfKind(Run(), "load.overload").kind(), "");
}

// A name server that knows nothing.
constexpr char kNameServer[] = R"(
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', int(sys.argv[1])))
open(sys.argv[2], 'w').close()
while True:
    q, peer = s.recvfrom(512)
    s.sendto(q[:2] + b'\x81\x83' + q[4:6] + b'\0\0\0\0\0\0' + q[12:], peer)
)";

TEST_F(EdgeFaultsTest, TheNameServerDoesNotKnowTheUpstream) {
  const int a = FreePort(), dns = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  Write("dns.py", kNameServer);
  Start({"python3", Path("dns.py"), std::to_string(dns), Path("dns.up")});
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!std::filesystem::exists(Path("dns.up")) && absl::Now() < deadline) std::this_thread::yield();
  StartEdge(
      {"/products"}, "",
      fmt::format("resolver 127.0.0.1:{};\nset $shop shop.blue.internal;\nlocation / {{ proxy_pass http://$shop:{}; }}",
                  dns, a));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "dns.failure") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "edge");
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("set $shop"));
}

TEST_F(EdgeFaultsTest, TheNameServerIsGone) {
  const int a = FreePort();
  Serve(a, "        self.answer(200)");
  AddService("shop", a, {"/health"});
  StartEdge(
      {"/products"}, "",
      fmt::format("resolver 127.0.0.1:{};\nresolver_timeout 1s;\nlocation / {{ set $shop shop.internal;\n proxy_pass "
                  "http://$shop:{}; }}",
                  FreePort(), a));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "dns.failure") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("resolver 127"));
}

// Python's message does not say which name it was.
TEST_F(EdgeFaultsTest, ANameOfTheConfigurationDoesNotResolve) {
  const int a = FreePort();
  Serve(a, "        self.answer(500)");
  v1::Service* shop = AddService("shop", a, {"/items"});
  Write("shop.env", "GREETING=hello\nPAYMENTS_URL=http://payments.shop.invalid:8080/pay\n");
  shop->add_config_files()->set_path(Path("shop.env"));
  shop->add_logs()->set_path(Path("shop.log"));
  Write("shop.log",
        Now() + " ERROR GET /items failed\n" + Now() + " socket.gaierror: [Errno -2] Name or service not known\n");
  case_.now = absl::Now();
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "dns.failure") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().file(), Path("shop.env")) << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), 2u);
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("payments.shop.invalid"));
}

}  // namespace
}  // namespace omnix
