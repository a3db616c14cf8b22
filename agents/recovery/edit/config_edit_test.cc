#include "agents/recovery/edit/config_edit.h"

#include <gtest/gtest.h>

#include <map>

namespace omnix {
namespace {

const Json kStaging = "https://staging.shop.example";

struct Case {
  ConfigFormat format;
  std::string before;
  std::string pointer;
  Json value;
  std::string after;
};

TEST(ConfigEditTest, SetChangesTheValueAndNothingElse) {
  const std::vector<Case> cases = {
      {ConfigFormat::kJson, "{\"a\": 1, \"b\" : [1,2] }", "/a", 2, "{\"a\": 2, \"b\" : [1,2] }"},
      {ConfigFormat::kJson, "{\r\n\t\"a\": {\"b\": \"x\"} // why\r\n}\r\n", "/a/b", "y",
       "{\r\n\t\"a\": {\"b\": \"y\"} // why\r\n}\r\n"},
      {ConfigFormat::kJson, "\xEF\xBB\xBF[{\"a\":true},]", "/0/a", false, "\xEF\xBB\xBF[{\"a\":false},]"},
      {ConfigFormat::kJson, "{\n  \"a\": 1\n}\n", "/b", "x", "{\n  \"a\": 1,\n  \"b\": \"x\"\n}\n"},
      {ConfigFormat::kJson, "{\"a\":1}", "/b", 2, "{\"a\":1, \"b\":2}"},
      {ConfigFormat::kJson, "{\"a/b\": {\"~\": 1}}", "/a~1b/~0", 2, "{\"a/b\": {\"~\": 2}}"},
      {ConfigFormat::kYaml, "server:\n  port: 8080 # the port\n  host: \"a\"\n", "/server/port", 9090,
       "server:\n  port: 9090 # the port\n  host: \"a\"\n"},
      {ConfigFormat::kYaml, "server:\r\n  host: 'a'\r\nother: b\r\n", "/server/host", "c d",
       "server:\r\n  host: 'c d'\r\nother: b\r\n"},
      {ConfigFormat::kYaml, "a: {b: 1, c: [x, y]}\n", "/a/b", 2, "a: {b: 2, c: [x, y]}\n"},
      {ConfigFormat::kYaml, "a: on-call\nb: 1", "/a", "yes", "a: \"yes\"\nb: 1"},
      {ConfigFormat::kYaml, "a:\nb: 1\n", "/a", "x", "a: x\nb: 1\n"},
      {ConfigFormat::kYaml, "a:\n  b: 1\nc: 2\n", "/a/d", "x", "a:\n  b: 1\n  d: x\nc: 2\n"},
      {ConfigFormat::kYaml, "a: |\n  text\n  more\nb: 1\n", "/b", 2, "a: |\n  text\n  more\nb: 2\n"},
      {ConfigFormat::kToml,
       "title = 'x' # t\n[server]\nport = 8080\n[[hosts]]\nname = \"a\"\n[[hosts]]\nname = \"b\"\n", "/hosts/1/name",
       "c", "title = 'x' # t\n[server]\nport = 8080\n[[hosts]]\nname = \"a\"\n[[hosts]]\nname = \"c\"\n"},
      {ConfigFormat::kToml, "[server]\nport = 8080 # p\n", "/server/port", 9090, "[server]\nport = 9090 # p\n"},
      {ConfigFormat::kToml, "a.b = 'x'\nd = 1979-05-27\n", "/a/b", "y", "a.b = 'y'\nd = 1979-05-27\n"},
      {ConfigFormat::kEnv, "# c\nexport API_URL=\"http://a\" # why\nB=2\r\n", "/API_URL", "http://b/v1",
       "# c\nexport API_URL=\"http://b/v1\" # why\nB=2\r\n"},
      {ConfigFormat::kEnv, "A=1\nAB=2", "/A", 3, "A=3\nAB=2"},
  };
  for (const Case& c : cases) {
    const auto edited = SetConfigValue(c.format, c.before, c.pointer, c.value);
    ASSERT_TRUE(edited.ok()) << edited.status() << "\n" << c.before;
    EXPECT_EQ(*edited, c.after);
  }
}

TEST(ConfigEditTest, ListAddKeepsTheStyleOfTheList) {
  const std::vector<Case> cases = {
      {ConfigFormat::kJson, "{\"o\": [\"https://a\"]}", "/o", kStaging,
       "{\"o\": [\"https://a\", \"https://staging.shop.example\"]}"},
      {ConfigFormat::kJson, "{\"o\":[\"a\",\"b\"]}", "/o", kStaging,
       "{\"o\":[\"a\",\"b\",\"https://staging.shop.example\"]}"},
      {ConfigFormat::kJson, "{\"o\": []}", "/o", kStaging, "{\"o\": [\"https://staging.shop.example\"]}"},
      {ConfigFormat::kJson, "{\n  \"o\": [\n    \"a\" // why\n  ]\n}", "/o", kStaging,
       "{\n  \"o\": [\n    \"a\", // why\n    \"https://staging.shop.example\"\n  ]\n}"},
      {ConfigFormat::kJson, "[\r\n\t\"a\",\r\n\t\"b\",\r\n]", "", kStaging, ""},
      {ConfigFormat::kYaml, "cors:\n  origins:\n    - https://a # prod\n  x: 1\n", "/cors/origins", kStaging,
       "cors:\n  origins:\n    - https://a # prod\n    - https://staging.shop.example\n  x: 1\n"},
      {ConfigFormat::kYaml, "o:\n- \"a\"\n- \"b\"", "/o", kStaging,
       "o:\n- \"a\"\n- \"b\"\n- \"https://staging.shop.example\""},
      {ConfigFormat::kYaml, "o: ['a', 'b']\r\nx: 1\r\n", "/o", kStaging,
       "o: ['a', 'b', 'https://staging.shop.example']\r\nx: 1\r\n"},
      {ConfigFormat::kToml, "o = [\n  \"a\",\n  \"b\",\n]\n", "/o", kStaging,
       "o = [\n  \"a\",\n  \"b\",\n  \"https://staging.shop.example\",\n]\n"},
      {ConfigFormat::kEnv, "CORS=https://a,https://b\n", "/CORS", kStaging,
       "CORS=https://a,https://b,https://staging.shop.example\n"},
  };
  for (const Case& c : cases) {
    const auto edited = AddToConfigList(c.format, c.before, c.pointer, {c.value});
    if (c.after.empty()) {
      EXPECT_FALSE(edited.ok());
      continue;
    }
    ASSERT_TRUE(edited.ok()) << edited.status() << "\n" << c.before;
    EXPECT_EQ(*edited, c.after);
    const auto again = AddToConfigList(c.format, *edited, c.pointer, {c.value});
    EXPECT_EQ(again.status().code(), absl::StatusCode::kFailedPrecondition);
  }
}

TEST(ConfigEditTest, RefusesWhatItCannotChangeAlone) {
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kYaml, "a: &x 1\nb: *x\n", "/a", 2).ok());
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kYaml, "a:\n  b: 1\n", "/a", 2).ok());
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kYaml, "a: 1\n---\na: 2\n", "/a", 3).ok());
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kJson, "{\"a\": 1, \"a\": 2}", "/a", 3).ok());
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kJson, "{\"a\": ", "/a", 3).ok());
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kJson, "{\"a\": 1}", "/b/c", 3).ok());
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kJson, "{\"a\": 1}", "/a", 1).ok());
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kEnv, "A=1\n", "/A", "x; rm").ok());
  EXPECT_FALSE(SetConfigValue(ConfigFormat::kEnv, "A='1'\n", "/A", "it's").ok());
  EXPECT_FALSE(AddToConfigList(ConfigFormat::kJson, "{\"a\": 1}", "/a", {1}).ok());
}

TEST(ConfigEditTest, EveryPrefixOfAFileIsHandled) {
  const std::map<ConfigFormat, std::string> files = {
      {ConfigFormat::kJson, "{\"a\": [1, {\"b\": \"\\u00e9\"}], /* c */ \"d\": null}"},
      {ConfigFormat::kYaml, "a:\n  - {b: 'c', d: [1]}\n  - \"e\"\nf: |\n  g\nh: 1\n"},
      {ConfigFormat::kToml, "a = 1\n[b.'c']\nd = [\"e\", { f = 1 }]\n[[g]]\nh = '''i'''\n"},
      {ConfigFormat::kEnv, "export A=\"b\\\"c\"\nD=e # f\n"}};
  for (const auto& [format, text] : files) {
    for (size_t n = 0; n <= text.size(); ++n) {
      (void)SetConfigValue(format, text.substr(0, n), "/a", 2);
      (void)AddToConfigList(format, text.substr(0, n), "/a", {"x"});
    }
  }
}

}  // namespace
}  // namespace omnix
