// Diagnoses of services whose copies differ, of deploys, slow dependencies and odd clocks: real processes.
#include <gmock/gmock.h>

#include "agents/investigation/faulty_system.h"
#include "agents/investigation/stack_trace.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

class InstanceFaultsTest : public FaultySystem {
 protected:
  // A service with two copies, each with a configuration file.
  v1::Service* AddCopies(const std::string& name, int first, int second, const std::vector<std::string>& paths) {
    v1::Service* service = AddService(name, first, paths);
    service->clear_base_url();
    for (const int port : {first, second}) {
      v1::Instance* copy = service->add_instances();
      copy->set_name(fmt::format("{}-{}", name, port == first ? "a" : "b"));
      copy->set_base_url(fmt::format("http://127.0.0.1:{}", port));
      copy->add_config_files()->set_path(Path(copy->name() + ".yaml"));
    }
    return service;
  }
};

TEST_F(InstanceFaultsTest, OneCopyHasAnotherSecret) {
  const int a = FreePort(), b = FreePort();
  Serve(a, "        self.answer(200)");
  Serve(b, "        self.answer(401 if self.path == '/me' else 200)");
  Write("sign-a.yaml", fmt::format("port: {}\njwt:\n  secret: correct-horse\n  ttl: 60\n", a));
  Write("sign-b.yaml", fmt::format("port: {}\njwt:\n  secret: battery-staple\n  ttl: 60\n", b));
  v1::Service* sign = AddCopies("sign", a, b, {"/me", "/health"});
  sign->add_logs()->set_path(Path("sign.log"));
  Write("sign.log", Now() + " WARN 401 /me: invalid signature\n");
  std::string seen;
  case_.report = [&](const v1::Evidence& evidence) { seen += evidence.DebugString(); };
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "secret.mismatch") << All(diagnosis);
  EXPECT_EQ(first.component(), "sign");
  EXPECT_EQ(first.location().line(), 3u);
  EXPECT_GE(first.confidence(), 0.85);
  for (const char* secret : {"correct-horse", "battery-staple"}) {
    EXPECT_THAT(seen, Not(HasSubstr(secret)));
    EXPECT_THAT(diagnosis.DebugString(), Not(HasSubstr(secret)));
  }
}

// The model knows one service and two files: no copy is named.
TEST_F(InstanceFaultsTest, FilesOfTheSameKeysHaveDifferentSecrets) {
  const int a = FreePort();
  Serve(a, "        self.answer(401 if self.path == '/me' else 200)");
  v1::Service* sign = AddService("sign", a, {"/health", "/me"});
  sign->mutable_endpoints(1)->add_status(200);
  for (const char* copy : {"one", "two"}) {
    sign->add_config_files()->set_path(Path(fmt::format("{}.env", copy)));
    Write(fmt::format("{}.env", copy), fmt::format("PORT={}\nMODE=live\nTOKEN_SECRET={}\n", copy,
                                                   *copy == 'o' ? "correct-horse" : "battery-staple"));
  }
  sign->add_logs()->set_path(Path("sign.log"));
  Write("sign.log", Now() + " WARNING token refused: signature verification failed\n");
  case_.now = case_.started_at = absl::Now();
  v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "secret.mismatch") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), 3u);
  EXPECT_THAT(diagnosis.DebugString(), Not(HasSubstr("battery-staple")));
  // Of another service, or none of whose signatures is refused: different secrets are well.
  Write("sign.log", Now() + " INFO served\n");
  diagnosis = Run();
  EXPECT_NE(First(diagnosis).kind(), "secret.mismatch") << All(diagnosis);
}

TEST_F(InstanceFaultsTest, OneCopyHasAnotherValue) {
  const int a = FreePort(), b = FreePort();
  Serve(a, "        self.answer(200)");
  Serve(b, "        self.answer(500 if self.path == '/rates' else 200)");
  Write("rate-a.yaml", fmt::format("port: {}\nname: rate-a\nsource: daily\n", a));
  Write("rate-b.yaml", fmt::format("port: {}\nname: rate-b\nsource: hourly\n", b));
  AddCopies("rate", a, b, {"/rates", "/health"});
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "config.wrong_value") << All(diagnosis);
  EXPECT_EQ(first.location().file(), Path("rate-b.yaml"));
  EXPECT_EQ(first.location().line(), 3u);
  ASSERT_GT(first.remedies_size(), 0);
  EXPECT_EQ(Text(first.remedies(0).actions(0), "new"), "daily");
}

TEST_F(InstanceFaultsTest, CopiesThatDifferAndAreWellAreNotBlamed) {
  const int a = FreePort(), b = FreePort();
  Serve(a, "        self.answer(200)");
  Serve(b, "        self.answer(200)");
  Write("rate-a.yaml", "api_key: one\nsource: daily\n");
  Write("rate-b.yaml", "api_key: two\nsource: hourly\n");
  AddCopies("rate", a, b, {"/rates"});
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.hypotheses_size(), 0) << All(diagnosis);
}

TEST_F(InstanceFaultsTest, OneCopyIsDown) {
  const int a = FreePort(), b = FreePort();
  Serve(a, "        self.answer(200)");
  Write("rate-a.yaml", "x: 1\n");
  Write("rate-b.yaml", "x: 1\n");
  AddCopies("rate", a, b, {"/rates"});
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "service.process_down") << All(diagnosis);
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("rate/rate-b"));
}

TEST_F(InstanceFaultsTest, TheTraceLeadsToALineThatACommitChanged) {
  const int port = FreePort();
  Write("totals.py", "def total(rows):\n    if not rows:\n        return 0\n    return sum(rows)\n");
  Write("readme.txt", "one\n");
  Commit("Start");
  Write("totals.py", "def total(rows):\n    if not rows:\n        return rows[0]\n    return sum(rows)\n");
  Commit("Shorten the totals");
  Write("readme.txt", "two\n");
  Commit("Explain more");
  Serve(port, "        self.answer(500 if self.path == '/totals' else 200)");
  Write("shop.log", Now() +
                        " ERROR GET /totals\nTraceback (most recent call last):\n  File "
                        "\"/usr/lib/python3/http/server.py\", line 3, in run\n"
                        "  File \"" +
                        Path("totals.py") +
                        "\", line 3, in total\n    return rows[0]\nIndexError: list index out of range\n");
  v1::Service* shop = AddService("shop", port, {"/totals", "/health"});
  shop->add_logs()->set_path(Path("shop.log"));
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "endpoint.bad_deploy") << All(diagnosis);
  EXPECT_EQ(first.location().file(), Path("totals.py"));
  EXPECT_EQ(first.location().line(), 3u);
  EXPECT_THAT(first.title(), HasSubstr("Shorten the totals"));
  ASSERT_GT(first.remedies_size(), 0);
  EXPECT_EQ(first.remedies(0).actions(0).kind(), "git.revert");
}

TEST_F(InstanceFaultsTest, ATraceThatEndsAtAStoreBlamesNoCommit) {
  const int port = FreePort();
  Write("totals.py", "def total(db):\n    return db.query()\n");
  Commit("Start");
  Serve(port, "        self.answer(500 if self.path == '/totals' else 200)");
  Write("shop.log", Now() + " ERROR GET /totals\nTraceback (most recent call last):\n  File \"" + Path("totals.py") +
                        "\", line 2, in total\n    return db.query()\nOperationalError: could not connect to server: "
                        "Connection refused\n");
  v1::Service* shop = AddService("shop", port, {"/totals", "/health"});
  shop->add_logs()->set_path(Path("shop.log"));
  EXPECT_THAT(All(Run()), Not(HasSubstr("endpoint.bad_deploy")));
}

TEST_F(InstanceFaultsTest, TheDependencyIsSlowWhenAskedStraight) {
  const int port = FreePort(), front_port = FreePort();
  Serve(port, "        if self.path == '/items': time.sleep(2)\n        self.answer(200)");
  Serve(front_port, fmt::format("        import urllib.request\n        if self.path == '/all': "
                                "urllib.request.urlopen('http://127.0.0.1:{}/items').read()\n        self.answer(200)",
                                port));
  v1::Service* front = AddService("front", front_port, {"/all", "/about"});
  front->add_depends_on("store");
  front->mutable_endpoints(0)->mutable_max_duration()->set_seconds(1);
  AddService("store", port, {"/items", "/health"});
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "dependency.slow") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "store");
}

// It waits for something and fails: whatever that is, it is not slow by itself.
TEST_F(InstanceFaultsTest, WhatFailsLateIsNotSlow) {
  const int port = FreePort(), front_port = FreePort();
  Serve(
      port,
      "        if self.path == '/items': time.sleep(1.5)\n        self.answer(500 if self.path == '/items' else 200)");
  Serve(front_port, "        self.answer(503 if self.path == '/all' else 200)");
  AddService("front", front_port, {"/all", "/about"})->add_depends_on("store");
  AddService("store", port, {"/items", "/health"});
  EXPECT_THAT(All(Run()), Not(HasSubstr("dependency.slow")));
}

TEST_F(InstanceFaultsTest, AClockIsAhead) {
  const int port = FreePort(), token_port = FreePort();
  Serve(token_port, "        self.answer(200)",
        "http.server.BaseHTTPRequestHandler.date_time_string = lambda self, timestamp=None: "
        "__import__('email.utils').utils.formatdate(time.time() + 900, usegmt=True)\n");
  Serve(port, "        self.answer(401 if self.path == '/me' else 200)");
  v1::Service* shop = AddService("shop", port, {"/me", "/health"});
  shop->mutable_endpoints(0)->add_status(200);
  shop->add_depends_on("tokens");
  shop->add_logs()->set_path(Path("shop.log"));
  Write("shop.log", Now() + " WARN 401 /me: token used before issued\n");
  AddService("tokens", token_port, {"/keys"});
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "clock.skew") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "tokens");
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("ahead"));
}

TEST(StackTraceTest, FindsFramesOfCommonLanguages) {
  const auto first = [](const std::string& line) {
    const auto frames = FramesOf(line);
    return frames.empty() ? "" : fmt::format("{}@{}", frames[0].file, frames[0].line);
  };
  EXPECT_EQ(first("  File \"/srv/app/orders.py\", line 12, in total"), "/srv/app/orders.py@12");
  EXPECT_EQ(first("    at total (/srv/app/src/orders.ts:7:13)"), "/srv/app/src/orders.ts@7");
  EXPECT_EQ(first("    at com.shop.Orders.total(Orders.java:41)"), "Orders.java@41");
  EXPECT_EQ(first("\t/srv/app/orders.go:9 +0x1d"), "/srv/app/orders.go@9");
  EXPECT_EQ(first("app/models/order.rb:5:in `total'"), "app/models/order.rb@5");
  EXPECT_EQ(first("PHP Fatal error: boom in /srv/app/order.php:3"), "/srv/app/order.php@3");
  EXPECT_EQ(first("    at run (/srv/app/node_modules/express/router.js:7:13)"), "");
  EXPECT_EQ(first("2025-09-04 07:14:03 INFO listening on 127.0.0.1:8080"), "");
}

}  // namespace
}  // namespace omnix
