// Diagnoses of a real shop whose gateway is at fault.
#include <gmock/gmock.h>

#include "agents/investigation/diagnosed_shop.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

using DiagnoseGatewayTest = DiagnosedShop;

// (b) A recent commit took the gateway's rewrite away: that side is mended first. (f) An innocent fresh commit is not
// blamed.
TEST_F(DiagnoseGatewayTest, GatewayThatLostItsRewrite) {
  Model({}, {"/catalog", "/basket"});
  const std::string proxy = fmt::format("            proxy_pass http://127.0.0.1:{};\n        }}\n", backend_port_);
  WriteNginx("        location /api/v2/ {\n            rewrite ^/api/v2/(.*)$ /$1 break;\n" + proxy +
             "        location / {\n" + proxy);
  Write("web/httpClient.js",
        "const api = axios.create({ baseURL: '/api/v2' });\napi.get('/catalog');\napi.get('/basket');\n");
  Write("web/notes.txt", "a\n");
  Commit("Begin");
  WriteNginx("        location / {\n" + proxy);
  Commit("Tidy up the gateway");
  Write("web/notes.txt", "b\n");
  Commit("Edit notes");
  StartBackend("/catalog,/basket");
  StartNginx();

  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("route.prefix_mismatch")) << diagnosis.DebugString();
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.component(), "edge");
  EXPECT_EQ(h.remedies(0).side(), "gateway");
  EXPECT_EQ(h.remedies(0).actions(0).kind(), "git.revert");
  EXPECT_THAT(h.explanation(), HasSubstr("Tidy up the gateway"));
  EXPECT_THAT(h.explanation(), Not(HasSubstr("Edit notes")));
  ASSERT_GE(diagnosis.explanations_size(), 2);
  EXPECT_EQ(Taken(diagnosis, 1, "route.prefix_mismatch").side(), "client");

  // The owner's wish outranks the change.
  investigation_.system.add_prefer_sides("client");
  EXPECT_EQ(Run().hypotheses(0).remedies(0).side(), "client");
  // What nobody may edit gets no action.
  investigation_.system.mutable_clients(0)->set_editable(false);
  const v1::Diagnosis locked = Run();
  EXPECT_EQ(locked.hypotheses(0).remedies_size(), 1);
  EXPECT_EQ(locked.hypotheses(0).remedies(0).side(), "gateway");
}

// (c) A backend that is down is not blamed on routing.
TEST_F(DiagnoseGatewayTest, UpstreamDown) {
  Model({"/products", "/orders"}, {"/products"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  Commit("Begin");
  v1::Command command;
  command.add_argv("true");
  (*investigation_.system.mutable_services(1)->mutable_commands())["restart"] = command;
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("service.process_down")) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.hypotheses(0).component(), "shop-api");
  EXPECT_EQ(diagnosis.hypotheses(0).remedies(0).actions(0).kind(), "command.run");
  EXPECT_EQ(diagnosis.explanations(0).symptom_ids_size(), diagnosis.symptoms_size());
}

// The gateway sends to a port where nothing listens; the service is alive elsewhere.
TEST_F(DiagnoseGatewayTest, StaleUpstreamAddress) {
  Model({"/products"}, {"/products"});
  const int stale = FreePort();
  WriteNginx(fmt::format("        location / {{\n            proxy_pass http://127.0.0.1:{};\n        }}\n", stale));
  Write("web/httpClient.js", "fetch('/products');\n");
  Commit("Begin");
  StartBackend("/products");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("upstream.stale_address")) << diagnosis.DebugString();
  const v1::Action& action = diagnosis.hypotheses(0).remedies(0).actions(0);
  EXPECT_EQ(Text(action, "old"), fmt::format("127.0.0.1:{}", stale));
  EXPECT_EQ(Text(action, "new"), fmt::format("127.0.0.1:{}", backend_port_));
}

// The gateway's location drops the Upgrade; a neighbour that keeps it is left alone.
TEST_F(DiagnoseGatewayTest, WebSocketUpgradeLost) {
  Model({"/products"}, {"/products"});
  WriteNginx(fmt::format(
      "        location /live {{\n            proxy_pass http://127.0.0.1:{0};\n        }}\n        location / {{ "
      "proxy_pass http://127.0.0.1:{0}; }}\n",
      backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nnew WebSocket(`wss://${location.host}/live`);\n");
  Commit("Begin");
  StartBackend("/products");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("websocket.upgrade_lost")) << diagnosis.DebugString();
  const v1::Action& action = diagnosis.hypotheses(0).remedies(0).actions(0);
  EXPECT_EQ(action.kind(), "file.insert_lines");
  EXPECT_EQ(Text(action, "after_text"), fmt::format("            proxy_pass http://127.0.0.1:{};", backend_port_));
  EXPECT_EQ(action.with().fields().at("lines").list_value().values(1).string_value(),
            "            proxy_set_header Upgrade $http_upgrade;");
}

// The running gateway is well; the file on disk would not load.
TEST_F(DiagnoseGatewayTest, NginxSyntaxErrorOnDisk) {
  Model({"/products"}, {"/products"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\n");
  Commit("Begin");
  StartBackend("/products");
  StartNginx();
  WriteNginx("        location / { return 200 }\n");
  Commit("Answer by hand");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("nginx.syntax_error")) << diagnosis.DebugString();
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.location().file(), Path("gw/nginx.conf"));
  EXPECT_GT(h.location().line(), 8u);
  ASSERT_EQ(h.remedies_size(), 1);
  EXPECT_EQ(h.remedies(0).actions(0).kind(), "git.revert");
}

// A commit dropped one route of the gateway.
TEST_F(DiagnoseGatewayTest, GatewayThatLostARoute) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  const auto location = [&](const std::string& path) {
    return fmt::format("        location {} {{ proxy_pass http://127.0.0.1:{}; }}\n", path, backend_port_);
  };
  WriteNginx(location("/products") + location("/orders"));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  Commit("Begin");
  WriteNginx(location("/products"));
  Commit("Remove what nobody uses");
  StartBackend("/products,/orders");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("gateway.route_missing")) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.hypotheses(0).remedies(0).actions(0).kind(), "git.revert");
  EXPECT_EQ(diagnosis.explanations(0).symptom_ids_size(), diagnosis.symptoms_size());
}

TEST_F(DiagnoseGatewayTest, GatewayThatWaitsTooShortly) {
  Model({"/api/products", "/api/slow"}, {"/products", "/slow"});
  StartBackend("/products,/slow");
  WriteNginx(
      fmt::format("        proxy_read_timeout 500ms;\n        location /api/ {{ proxy_pass http://127.0.0.1:{}/; }}",
                  backend_port_));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.kind(), "gateway.timeout_too_short");
  EXPECT_EQ(h.component(), "edge");
  EXPECT_EQ(h.location().file(), Path("gw/nginx.conf"));
  EXPECT_GT(h.location().line(), 0);
}

TEST_F(DiagnoseGatewayTest, GatewayThatRefusesWhatIsServedBehindIt) {
  Model({"/api/products"}, {"/products"});
  investigation_.system.mutable_services(0)->mutable_endpoints(0)->add_status(200);
  StartBackend("/products");
  WriteNginx(fmt::format("        location /api/ {{ deny all; proxy_pass http://127.0.0.1:{}/; }}", backend_port_));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  EXPECT_EQ(diagnosis.hypotheses(0).kind(), "gateway.rejects");
  EXPECT_THAT(diagnosis.hypotheses(0).title(), HasSubstr("deny all"));
}

TEST_F(DiagnoseGatewayTest, GatewayThatRedirectsInACircle) {
  Model({"/api/products"}, {"/products"});
  investigation_.system.mutable_services(0)->mutable_endpoints(0)->add_status(200);
  StartBackend("/products");
  WriteNginx(
      fmt::format("        location /api/ {{\n            if ($http_x_forwarded_proto != https) {{ return 301 $uri; "
                  "}}\n            proxy_pass http://127.0.0.1:{}/;\n        }}",
                  backend_port_));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  EXPECT_EQ(diagnosis.hypotheses(0).kind(), "gateway.redirect_loop");
  EXPECT_THAT(diagnosis.hypotheses(0).title(), HasSubstr("return 301 $uri"));
}

}  // namespace
}  // namespace omnix
