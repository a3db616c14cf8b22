// Diagnoses of CORS headers that browsers refuse: a real nginx before a real program.
#include <gmock/gmock.h>

#include "agents/investigation/faulty_edge.h"

namespace omnix {
namespace {

class CorsFaultsTest : public FaultyEdge {
 protected:
  // A backend that sends `allow` by itself behind a gateway that adds `header`, asked from one origin.
  v1::Diagnosis Ask(const std::string& allow, const std::string& header, bool credentials) {
    const int a = FreePort();
    Serve(a,
          "        self.send_response(200)\n" +
              (allow.empty() ? ""
                             : fmt::format("        self.send_header('Access-Control-Allow-Origin', '{}')\n", allow)) +
              "        self.send_header('Content-Length', '0')\n        self.end_headers()\n    do_OPTIONS = do_GET\n"
              "    do_HEAD = do_GET");
    AddService("shop", a, {"/products"});
    StartEdge({"/products"}, "",
              fmt::format("location / {{\n            {}\n            proxy_pass http://127.0.0.1:{};\n        }}",
                          header, a));
    v1::Origin* origin = case_.system.add_origins();
    origin->set_name("production");
    origin->set_url("https://shop.example");
    v1::Check* check = case_.system.add_suites()->add_steps();
    check->set_name("origins");
    check->set_kind("cors");
    check->set_service("edge");
    (*check->mutable_with()->mutable_fields())["path"].set_string_value("/products");
    (*check->mutable_with()->mutable_fields())["allow_credentials"].set_bool_value(credentials);
    (*check->mutable_with()->mutable_fields())["allow_any_origin"].set_bool_value(true);
    return Run();
  }
};

TEST_F(CorsFaultsTest, GatewayAndBackendBothAllow) {
  const v1::Diagnosis diagnosis =
      Ask("https://shop.example", "add_header Access-Control-Allow-Origin https://shop.example always;", false);
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "cors.origin_duplicated") << All(diagnosis);
  EXPECT_EQ(first.component(), "edge");
  EXPECT_EQ(first.location().line(), LineOf("add_header"));
  ASSERT_GE(first.remedies_size(), 1);
  EXPECT_EQ(first.remedies(0).actions(0).with().fields().at("lines").list_value().values(0).string_value(),
            "            proxy_hide_header Access-Control-Allow-Origin;");
}

TEST_F(CorsFaultsTest, AWildcardDoesNotDoWithCredentials) {
  const v1::Diagnosis diagnosis = Ask("", "add_header Access-Control-Allow-Origin * always;", true);
  EXPECT_EQ(First(diagnosis).kind(), "cors.wildcard_credentials") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "edge");
}

TEST_F(CorsFaultsTest, ABackendThatAllowsByItselfIsWell) {
  const v1::Diagnosis diagnosis = Ask("https://shop.example", "", false);
  EXPECT_EQ(diagnosis.hypotheses_size(), 0) << All(diagnosis);
}

// The client's sources tell that it sends Authorization; the backend has the list.
TEST_F(CorsFaultsTest, TheBackendsListLacksAHeader) {
  const int a = FreePort();
  Serve(a,
        "        self.send_response(200)\n"
        "        self.send_header('Access-Control-Allow-Origin', self.headers.get('Origin', '*'))\n"
        "        self.send_header('Access-Control-Allow-Headers', 'Content-Type')\n"
        "        self.send_header('Content-Length', '0')\n        self.end_headers()\n    do_OPTIONS = do_GET\n"
        "    do_HEAD = do_GET");
  Write("shop.toml", "[cors]\nheaders = [\"Content-Type\"]\n");
  AddService("shop", a, {"/list"})->add_config_files()->set_path(Path("shop.toml"));
  StartEdge({"/list"}, "", Proxy(fmt::format("127.0.0.1:{}", a)));
  v1::Origin* origin = case_.system.add_origins();
  origin->set_name("production");
  origin->set_url("https://shop.example");
  v1::Client* client = case_.system.add_clients();
  client->set_name("web");
  client->set_service("edge");
  client->add_files(Path("api.js"));
  Write("api.js", "export const list = () => fetch('/list', { headers: { Authorization: `Bearer ${token}` } });");
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "cors.header_missing") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "shop");
  EXPECT_EQ(First(diagnosis).location().line(), 2u);
}

}  // namespace
}  // namespace omnix
