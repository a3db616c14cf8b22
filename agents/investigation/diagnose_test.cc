// Diagnoses of a real shop: what is the matter with its clients, its origins, and what stands behind its gateway.
#include "agents/investigation/diagnose.h"

#include <gmock/gmock.h>

#include "agents/investigation/diagnosed_shop.h"
#include "agents/investigation/summary.h"
#include "common/file.h"

namespace omnix {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

using DiagnoseTest = DiagnosedShop;

constexpr char kClient[] = R"(const BASE_URL = '/v1';

async function request(path, options) {
  return fetch(`${BASE_URL}${path}`, options);
}
export const products = () => request('/products');
export const orders = () => request('/orders');
)";

std::string CorsLocations(int backend) {
  std::string text;
  for (const char* route : {"products", "orders"}) {
    text += fmt::format(
        "        location /{} {{\n            add_header Access-Control-Allow-Origin $cors_origin always;\n            "
        "if ($request_method = OPTIONS) {{ add_header Access-Control-Allow-Origin $cors_origin always; return 204; }}\n"
        "            proxy_pass http://127.0.0.1:{};\n        }}\n",
        route, backend);
  }
  return text;
}

constexpr char kCorsMap[] =
    "    map $http_origin $cors_origin {\n        default \"\";\n        \"https://shop.example\" $http_origin;\n    "
    "}\n";

// (a) The frontend calls with a prefix that the gateway does not serve, two origins are missing, the development proxy
// hides it.
TEST_F(DiagnoseTest, ThreeCausesInOneExplanation) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  AddOrigins();
  WriteNginx(CorsLocations(backend_port_), kCorsMap);
  Write("web/httpClient.js", kClient);
  Write("web/vite.config.js",
        fmt::format("export default {{\n  server: {{\n    proxy: {{\n      '/v1': {{ target: 'http://127.0.0.1:{}', "
                    "rewrite: (path) => path.replace(/^\\/v1/, '') }},\n    }},\n  }},\n}};\n",
                    gateway_port_));
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/vite.config.js"));
  Commit("Call the versioned paths");
  StartBackend("/products,/orders");
  StartNginx();

  const v1::Diagnosis diagnosis = Run();
  EXPECT_THAT(Kinds(diagnosis),
              UnorderedElementsAre("route.prefix_mismatch", "cors.origin_missing", "proxy.dev_mismatch"))
      << diagnosis.summary();
  ASSERT_GE(diagnosis.explanations_size(), 2) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.explanations(0).causes_size(), 3);
  EXPECT_EQ(diagnosis.explanations(0).symptom_ids_size(), diagnosis.symptoms_size()) << diagnosis.DebugString();
  EXPECT_GT(diagnosis.explanations(0).confidence(), 0.8);
  EXPECT_LT(diagnosis.explanations(0).confidence(), 1.0);

  const v1::Hypothesis& route = Find(diagnosis, "route.prefix_mismatch");
  EXPECT_EQ(route.component(), "web");
  EXPECT_EQ(route.location().file(), Path("web/httpClient.js"));
  EXPECT_EQ(route.location().line(), 1u);
  const v1::Remedy& client = Taken(diagnosis, 0, "route.prefix_mismatch");
  ASSERT_EQ(client.actions_size(), 1);
  EXPECT_EQ(Text(client.actions(0), "old"), "'/v1'");
  EXPECT_EQ(Text(client.actions(0), "new"), "''");
  const v1::Remedy& cors = Taken(diagnosis, 0, "cors.origin_missing");
  ASSERT_EQ(cors.actions_size(), 1);
  EXPECT_EQ(cors.actions(0).kind(), "file.insert_lines");
  EXPECT_EQ(cors.actions(0).with().fields().at("lines").list_value().values_size(), 2);
  EXPECT_EQ(Text(cors.actions(0), "after_text"), "        \"https://shop.example\" $http_origin;");
  const v1::Remedy& dev = Taken(diagnosis, 0, "proxy.dev_mismatch");
  ASSERT_EQ(dev.actions_size(), 1);
  EXPECT_EQ(Text(dev.actions(0), "old"), "'/v1'");
  EXPECT_EQ(Text(dev.actions(0), "new"), "'^/(orders|products)(?:[/?]|$)'");

  // The alternative mends the gateway, in its file's style, and the development proxy accordingly.
  const v1::Remedy& gateway = Taken(diagnosis, 1, "route.prefix_mismatch");
  EXPECT_EQ(gateway.side(), "gateway");
  EXPECT_EQ(gateway.actions(0).with().fields().at("lines").list_value().values(0).string_value(),
            "        location ^~ /v1/ {");
  EXPECT_EQ(Text(Taken(diagnosis, 1, "proxy.dev_mismatch").actions(0), "new"), "path");
  EXPECT_THAT(std::vector<std::string>(diagnosis.ruled_out().begin(), diagnosis.ruled_out().end()),
              Contains(HasSubstr("shop-api: healthy")));
  for (const v1::Hypothesis& h : diagnosis.hypotheses()) EXPECT_GT(h.evidence_for_size(), 0) << h.kind();

  // What was tried is not proposed again.
  investigation_.spent = {diagnosis.explanations(0).id()};
  const v1::Diagnosis again = Run();
  ASSERT_GE(again.explanations_size(), 1);
  EXPECT_EQ(again.explanations(0).id(), diagnosis.explanations(1).id());
}

// (d)
TEST_F(DiagnoseTest, NothingWrong) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  WriteNginx(
      fmt::format("        location /v1/ {{ proxy_pass http://127.0.0.1:{0}/; }}\n        location / {{ proxy_pass "
                  "http://127.0.0.1:{0}; }}\n",
                  backend_port_));
  Write("web/httpClient.js", kClient);
  Commit("Begin");
  StartBackend("/products,/orders");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  EXPECT_TRUE(diagnosis.nothing_wrong()) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.hypotheses_size(), 0);
  EXPECT_EQ(diagnosis.explanations_size(), 0);
}

// The page of an error has no CORS headers, whatever the lists say: that it was answered is the fault.
TEST_F(DiagnoseTest, AnErrorWithoutCorsHeadersIsNoCorsFault) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  AddOrigins();
  WriteNginx("        location / { return 503; }\n");
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  StartBackend("/products,/orders");
  StartNginx();
  EXPECT_THAT(Kinds(Run()), testing::Not(testing::Contains("cors.origin_missing")));
}

// (e) Only CORS, and the list is the backend's.
TEST_F(DiagnoseTest, OriginsInTheBackendsJson) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  AddOrigins();
  Write("web/settings.json",
        "{\"name\": \"shop\", \"security\": {\"origins\": [\"https://shop.example\", "
        "\"https://staging.shop.example\"]}}\n");
  investigation_.system.mutable_services(1)->add_config_files()->set_path(Path("web/settings.json"));
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  Commit("Begin");
  StartBackend("/products,/orders", Path("web/settings.json"));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("cors.origin_missing")) << diagnosis.DebugString();
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.component(), "shop-api");
  ASSERT_EQ(h.remedies_size(), 1);
  EXPECT_EQ(h.remedies(0).side(), "backend");
  EXPECT_EQ(h.remedies(0).actions(0).kind(), "config.list_add");
  EXPECT_EQ(Text(h.remedies(0).actions(0), "pointer"), "/security/origins");
  const auto& values = h.remedies(0).actions(0).with().fields().at("values").list_value();
  ASSERT_EQ(values.values_size(), 1);
  EXPECT_EQ(values.values(0).string_value(), "http://localhost:5173");
}

// A fault that no edit mends is named, and nothing is proposed.
TEST_F(DiagnoseTest, FullDiskIsNamed) {
  v1::Service* service = AddService("shop-api", "backend", backend_port_, {"/products"});
  StartBackend("/products");
  v1::Suite* suite = investigation_.system.add_suites();
  suite->set_name("disks");
  v1::Check* check = suite->add_steps();
  check->set_name("room");
  check->set_kind("disk");
  check->set_service("shop-api");
  service->add_disks()->set_path(folder_);
  service->mutable_disks(0)->set_min_free_percent(100);
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("disk.full")) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.explanations_size(), 0);
  EXPECT_GT(diagnosis.next_steps_size(), 0);
}

// A development proxy whose key a recent commit changed gets its former key back.
TEST_F(DiagnoseTest, FormerDevProxyKeyIsRestored) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  auto vite = [&](const std::string& key) {
    Write("web/vite.config.js",
          fmt::format("export default {{ server: {{ proxy: {{\n  '{}': 'http://127.0.0.1:{}',\n}} }} }};\n", key,
                      gateway_port_));
  };
  vite("^/(products|orders)");
  Commit("Begin");
  vite("/api");
  Commit("Change the proxy");
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/vite.config.js"));
  StartBackend("/products,/orders");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("proxy.dev_mismatch")) << diagnosis.DebugString();
  ASSERT_EQ(diagnosis.explanations_size(), 1);
  EXPECT_EQ(Text(diagnosis.hypotheses(0).remedies(0).actions(0), "new"), "'^/(products|orders)'");
}

// What has been so for long is no cause of what happens now.
TEST_F(DiagnoseTest, ADevelopmentProxyThatHasLongBeenDifferentIsNotNamed) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\nfetch('/orders');\n");
  Write("web/vite.config.js",
        fmt::format("export default {{ server: {{ proxy: {{\n  '/api': 'http://127.0.0.1:{}',\n}} }} }};\n",
                    gateway_port_));
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/vite.config.js"));
  StartBackend("/products,/orders");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.explanations_size(), 0) << diagnosis.DebugString();
}

// The client says another version in production and in development alike: once it says the right one, both are served.
TEST_F(DiagnoseTest, ADevelopmentProxyFollowsItsClient) {
  Model({"/rest/1/products", "/rest/1/orders"}, {"/products", "/orders"});
  WriteNginx(fmt::format("        location /rest/1/ {{ proxy_pass http://127.0.0.1:{}/; }}\n", backend_port_));
  const auto client = [&](int version) {
    Write("web/httpClient.js",
          fmt::format("const base = location.hostname === 'localhost' ? '/bff' : 'https://api.example/rest';\n"
                      "const version = '{}';\nfetch(`${{base}}/${{version}}/products`);\n"
                      "fetch(`${{base}}/${{version}}/orders`);\n",
                      version));
  };
  client(1);
  Write("web/vite.config.js",
        fmt::format("export default {{ server: {{ proxy: {{\n  '/bff': {{ target: 'http://127.0.0.1:{}', "
                    "rewrite: (path) => path.replace(/^\\/bff/, '/rest') }},\n}} }} }};\n",
                    gateway_port_));
  Commit("Begin");
  client(2);
  Commit("The second version");
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/vite.config.js"));
  StartBackend("/products,/orders");
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  ASSERT_THAT(Kinds(diagnosis), UnorderedElementsAre("route.prefix_mismatch")) << diagnosis.DebugString();
  EXPECT_EQ(diagnosis.hypotheses(0).symptom_ids_size(), diagnosis.symptoms_size()) << diagnosis.DebugString();
  EXPECT_GE(diagnosis.hypotheses(0).confidence(), 0.85);
}

// That production fails says nothing of the development proxy.
TEST_F(DiagnoseTest, ADevelopmentProxyBeforeAServiceThatIsDownIsNoSymptom) {
  Model({"/products"}, {"/products"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js", "fetch('/products');\n");
  Write("web/vite.config.js", fmt::format("export default {{ server: {{ proxy: {{\n  '/products': "
                                          "'http://127.0.0.1:{}',\n}} }} }};\n",
                                          gateway_port_));
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/vite.config.js"));
  StartNginx();
  const v1::Diagnosis diagnosis = Run();
  EXPECT_GT(diagnosis.symptoms_size(), 0);
  for (const v1::Symptom& symptom : diagnosis.symptoms())
    EXPECT_THAT(symptom.check(), testing::Not(testing::HasSubstr("dev_proxy"))) << symptom.DebugString();
}

// A service's own configuration that looks a little like nginx' is none.
TEST_F(DiagnoseTest, BracesAloneMakeNoNginx) {
  Model({"/products"}, {"/products"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("api/application.conf",
        "shop {\n  http { interface = \"127.0.0.1\", port = 8080 }\n  events { on = true }\n}\n");
  Write("api/server.conf", "server {\n  port: 8080\n}\n");
  for (const char* file : {"api/application.conf", "api/server.conf"})
    investigation_.system.mutable_services(1)->add_config_files()->set_path(Path(file));
  StartBackend("/products");
  StartNginx();
  EXPECT_THAT(Kinds(Run()), testing::IsEmpty());
}

// In development the client has a base of its own, which the development proxy takes off, and one call goes to a host
// that is written out: both reach what production reaches.
TEST_F(DiagnoseTest, ADevelopmentBaseOfItsOwnIsNoMismatch) {
  Model({"/products", "/orders"}, {"/products", "/orders"});
  WriteNginx(fmt::format("        location / {{ proxy_pass http://127.0.0.1:{}; }}\n", backend_port_));
  Write("web/httpClient.js",
        "const base = location.hostname === 'localhost' ? '/backend' : 'https://api.example';\n"
        "fetch(`${base}/products`);\nfetch('https://api.example/orders');\n");
  Write(
      "web/webpack.config.js",
      fmt::format("module.exports = {{ devServer: {{ proxy: [{{ context: ['/backend'], target: 'http://127.0.0.1:{}', "
                  "pathRewrite: {{ '^/backend': '' }} }}] }} }};\n",
                  gateway_port_));
  investigation_.system.mutable_clients(0)->add_dev_proxy_files(Path("web/webpack.config.js"));
  StartBackend("/products,/orders");
  StartNginx();
  EXPECT_THAT(Kinds(Run()), testing::IsEmpty());
}

class FakeContext : public TaskContext {
 public:
  explicit FakeContext(Json input) : input_(std::move(input)) {}
  const v1::LeaseId& lease() const override { return lease_; }
  const std::string& type() const override { return text_; }
  const Json& input() const override { return input_; }
  const std::string& idempotency_key() const override { return text_; }
  bool cancelled() const override { return cancelled_; }
  absl::Status MayAct() const override { return absl::OkStatus(); }
  absl::Duration remaining() const override { return absl::Minutes(1); }
  void Progress(const std::string&, uint32_t) override {}
  void Report(v1::Evidence) override { ++reported_; }
  std::shared_ptr<grpc::Channel> channel() const override { return nullptr; }

  Json input_;
  bool cancelled_ = false;
  int reported_ = 0;

 private:
  v1::LeaseId lease_;
  std::string text_;
};

TEST_F(DiagnoseTest, TaskReadsItsInputAndStops) {
  FakeContext none(Json::object());
  EXPECT_EQ(DiagnoseTask(none).status().code(), absl::StatusCode::kInvalidArgument);
  FakeContext bad(Json{{"system", {{"nonsense", 1}}}});
  EXPECT_EQ(DiagnoseTask(bad).status().code(), absl::StatusCode::kInvalidArgument);
  AddService("shop-api", "backend", backend_port_, {"/products"});
  StartBackend("/other");
  FakeContext good(Json{{"system", MessageToJsonValue(investigation_.system)},
                        {"incident", {{"started_at", "2025-09-04T07:14:03Z"}}},
                        {"spent", {"x-1"}}});
  const auto product = DiagnoseTask(good);
  ASSERT_TRUE(product.ok()) << product.status();
  EXPECT_EQ(product->diagnosis().symptoms_size(), 1);
  EXPECT_GT(good.reported_, 0);
  good.cancelled_ = true;
  EXPECT_EQ(DiagnoseTask(good).status().code(), absl::StatusCode::kCancelled);
}

TEST_F(DiagnoseTest, PreflightWithoutAHeader) {
  Model({"/api/products"}, {"/products"});
  AddOrigins();
  StartBackend("/products");
  WriteNginx(
      fmt::format("        location /api/ {{\n            add_header Access-Control-Allow-Origin * always;\n"
                  "            add_header Access-Control-Allow-Headers \"Content-Type\" always;\n"
                  "            if ($request_method = OPTIONS) {{ return 204; }}\n"
                  "            proxy_pass http://127.0.0.1:{}/;\n        }}",
                  backend_port_));
  StartNginx();
  v1::Check* check = investigation_.system.add_suites()->add_steps();
  check->set_name("origins");
  check->set_kind("cors");
  check->set_service("edge");
  auto& with = *check->mutable_with()->mutable_fields();
  with["path"].set_string_value("/api/products");
  with["headers"].mutable_list_value()->add_values()->set_string_value("Authorization");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.kind(), "cors.header_missing");
  EXPECT_EQ(h.symptom_ids_size(), 3);
  ASSERT_EQ(h.remedies_size(), 1);
  EXPECT_EQ(h.remedies(0).actions(0).with().fields().at("new").string_value(), "Content-Type, Authorization");
}

TEST_F(DiagnoseTest, ClientOfAnotherVersionOfTheApi) {
  Model({"/api/v1/products", "/api/v1/orders"}, {"/products", "/orders"});
  StartBackend("/products,/orders");
  WriteNginx(fmt::format("        location /api/v1/ {{ proxy_pass http://127.0.0.1:{}/; }}", backend_port_));
  StartNginx();
  Write("web/httpClient.js",
        "const API = '/api/v2';\nexport const products = () => fetch(`${API}/products`);\n"
        "export const orders = () => fetch(`${API}/orders`);\n");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_GE(diagnosis.hypotheses_size(), 1);
  const v1::Hypothesis& h = diagnosis.hypotheses(0);
  EXPECT_EQ(h.kind(), "route.prefix_mismatch");
  EXPECT_EQ(h.title(), "web calls /api/v2..., edge serves it as /api/v1...");
  ASSERT_GE(h.remedies_size(), 1);
  EXPECT_EQ(h.remedies(0).actions(0).with().fields().at("new").string_value(), "'/api/v1'");
}

TEST_F(DiagnoseTest, UnknownCauseSaysSo) {
  AddService("shop-api", "backend", backend_port_, {"/products", "/missing"});
  StartBackend("/products");
  const v1::Diagnosis diagnosis = Run();
  ASSERT_EQ(diagnosis.hypotheses_size(), 1);
  EXPECT_EQ(diagnosis.hypotheses(0).kind(), "component.failing");
  EXPECT_LT(diagnosis.hypotheses(0).confidence(), kKnownCause);
  EXPECT_EQ(diagnosis.explanations_size(), 0);
  EXPECT_FALSE(diagnosis.nothing_wrong());
  EXPECT_EQ(diagnosis.symptoms_size(), 1);
  EXPECT_THAT(diagnosis.summary(), HasSubstr("Cause unknown. Best guess: shop-api fails by itself"));
  EXPECT_GT(diagnosis.next_steps_size(), 0);
}

TEST_F(DiagnoseTest, ProbesOnlyDeclaredAddresses) {
  AddService("shop-api", "backend", backend_port_, {"/products"});
  EvidenceBook book(investigation_);
  HttpBroker http(investigation_.system, {}, investigation_.cancelled);
  Prober prober(investigation_, &book, &http);
  EXPECT_TRUE(prober.MayAsk(fmt::format("http://localhost:{}/x", backend_port_)));
  EXPECT_FALSE(prober.MayAsk("http://127.0.0.1:1/"));
  EXPECT_EQ(prober.Ask({"x", "http://127.0.0.1:1/", "", false}).status, 0);
  EXPECT_TRUE(book.all().empty());
}

}  // namespace
}  // namespace omnix
