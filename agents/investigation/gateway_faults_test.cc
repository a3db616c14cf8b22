// Diagnoses of gateways that lost a route, pass paths on wrongly or send elsewhere: a real nginx before real programs.
#include <gmock/gmock.h>

#include "agents/investigation/faulty_edge.h"

namespace omnix {
namespace {

using testing::HasSubstr;

class GatewayFaultsTest : public FaultyEdge {
 protected:
  // A program that knows its paths below /svc only.
  v1::Service* ServeBelowSvc(int port, const std::vector<std::string>& endpoints) {
    Serve(port, "        self.answer(200 if self.path in ('/svc/list', '/svc/find', '/svc/ready') else 404)");
    return AddService("shop", port, endpoints);
  }
};

// The gateway names its upstream by a variable and puts before the path what its callers don't say.
TEST_F(GatewayFaultsTest, ARouteThatIsMissingIsFoundAsTheOthersArePassedOn) {
  const int a = FreePort();
  ServeBelowSvc(a, {"/svc/ready"});
  const std::string http =
      fmt::format("map $http_x_version $pool {{ default shop; }}\nupstream shop {{ server 127.0.0.1:{}; }}", a);
  StartEdge({"/list", "/find"}, http,
            "location ~ ^/(?<module>list)(?<rest>/.*)?$ { proxy_pass http://$pool/svc/$module$rest$is_args$args; }\n"
            "location / { return 404; }");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "gateway.route_missing") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "edge");
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("/find"));
}

// What the upstream's own endpoints begin with is missing in the target.
TEST_F(GatewayFaultsTest, APrefixThatTheUpstreamWantsIsPutBefore) {
  const int a = FreePort();
  ServeBelowSvc(a, {"/svc/list"});
  StartEdge({"/list", "/find"}, fmt::format("upstream shop {{ server 127.0.0.1:{}; }}", a),
            "location ~ ^/(?<module>list|find)$ {\n proxy_pass http://shop/$module$is_args$args;\n }");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(First(diagnosis).kind(), "gateway.proxy_path") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).symptom_ids_size(), 2);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("proxy_pass"));
  ASSERT_EQ(First(diagnosis).remedies_size(), 1);
  EXPECT_EQ(Text(First(diagnosis).remedies(0).actions(0), "new"), "proxy_pass http://shop/svc/$module$is_args$args;");
}

// A rewrite beside proxy_pass makes the path, in a location that try_files leads to.
TEST_F(GatewayFaultsTest, ARewriteIsPutRight) {
  const int a = FreePort();
  ServeBelowSvc(a, {"/svc/list"});
  StartEdge({"/api/list", "/api/find"}, fmt::format("upstream shop {{ server 127.0.0.1:{}; }}", a),
            "location /api/ { try_files /closed.html @shop; }\n"
            "location @shop {\n  rewrite   ^/api/(.*)$   /$1 break;\n  proxy_pass http://shop;\n}");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(First(diagnosis).kind(), "gateway.proxy_path") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).symptom_ids_size(), 2);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf("rewrite"));
  ASSERT_EQ(First(diagnosis).remedies_size(), 1);
  EXPECT_EQ(Text(First(diagnosis).remedies(0).actions(0), "new"), "rewrite   ^/api/(.*)$   /svc/$1 ");
}

// The model says nothing of the upstream's paths; the line's earlier version does.
TEST_F(GatewayFaultsTest, TheTargetAsItWasIsTried) {
  const int a = FreePort();
  ServeBelowSvc(a, {});
  const auto write = [&](const std::string& uri) {
    Write("edge.conf", fmt::format("location /shop/ {{ proxy_pass http://127.0.0.1:{}{}; }}\n", a, uri));
    Write(
        "shop.inc",
        fmt::format("        location /shop/ {{\n            proxy_pass http://127.0.0.1:{}{};\n        }}\n", a, uri));
  };
  write("/svc/");
  Commit("Begin");
  write("/");
  Git({"add", "shop.inc"});
  Git({"commit", "-q", "-m", "Shorter paths"});
  StartEdge({"/shop/list", "/shop/find"}, "", fmt::format("include {}/shop.inc;", folder_));
  const v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(First(diagnosis).kind(), "gateway.proxy_path") << All(diagnosis);
  EXPECT_THAT(First(diagnosis).explanation(), HasSubstr("Shorter paths"));
  ASSERT_EQ(First(diagnosis).remedies_size(), 1);
  EXPECT_EQ(Text(First(diagnosis).remedies(0).actions(0), "new"),
            fmt::format("proxy_pass http://127.0.0.1:{}/svc/;", a));
}

// Where a server that is kept for such times answers, nobody sees nginx' 502.
TEST_F(GatewayFaultsTest, AStaleAddressBehindABackup) {
  const int a = FreePort(), other = FreePort(), sorry = FreePort(), stale = FreePort();
  Serve(a, "        self.answer(200)");
  Serve(other, "        self.answer(200)");
  Serve(sorry, "        self.answer(503)");
  AddService("shop", a, {"/list"});
  AddService("labs", other, {"/results"});
  StartEdge({"/list"},
            fmt::format("upstream shop {{\n server 127.0.0.1:{};\n server 127.0.0.1:{} backup;\n}}\n"
                        "upstream labs {{ server 127.0.0.1:{}; }}",
                        stale, sorry, other),
            "location /results { proxy_pass http://labs; }\n" + Proxy("shop"))
      ->add_depends_on("labs");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(First(diagnosis).kind(), "upstream.stale_address") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).location().line(), LineOf(fmt::format("server 127.0.0.1:{};", stale)));
  // "labs" is reached where it is: the address is not meant for it.
  ASSERT_EQ(First(diagnosis).remedies_size(), 1);
  EXPECT_EQ(Text(First(diagnosis).remedies(0).actions(0), "new"), fmt::format("127.0.0.1:{}", a));
}

// The service itself asks who calls; that it does so through the gateway as well is no fault of the gateway.
TEST_F(GatewayFaultsTest, WhatTheServiceItselfRefusesIsNotTheGateways) {
  const int a = FreePort();
  Serve(a, "        self.answer(401)");
  AddService("shop", a, {});
  v1::Endpoint* mine = StartEdge({}, "", Proxy(fmt::format("127.0.0.1:{}", a)))->add_endpoints();
  mine->set_path("/mine");
  mine->add_status(200);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.symptoms_size(), 1);
  for (const v1::Hypothesis& h : diagnosis.hypotheses()) EXPECT_NE(h.kind(), "gateway.rejects") << All(diagnosis);
}

}  // namespace
}  // namespace omnix
