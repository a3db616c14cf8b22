#include "agents/sources/config_values.h"

#include <gtest/gtest.h>

#include "fmt/format.h"

namespace omnix {
namespace {

// "key=value@line" of each.
std::vector<std::string> Read(const std::string& text, const std::string& path) {
  std::vector<std::string> lines;
  const ConfigValues config = ParseConfigValues(text, path, "");
  EXPECT_EQ(config.error, "") << path;
  for (const ConfigValue& v : config.values)
    lines.push_back(fmt::format("{}={}@{}", v.key, v.value, v.location.line()));
  return lines;
}

// "line: error".
std::string Error(const std::string& text, const std::string& path) {
  const ConfigValues config = ParseConfigValues(text, path, "");
  return fmt::format("{}: {}", config.error_at.line(), config.error);
}

using Lines = std::vector<std::string>;

TEST(ConfigValuesTest, WhoReadsCommentsReadsTrailingCommasAsWell) {
  EXPECT_EQ(Read("{ // main\n \"a\": [1, 2,],\n}", "a.json"), (Lines{"a.0=1@2", "a.1=2@2"}));
  EXPECT_EQ(Read("{\"a\": 1,}", "a.jsonc"), (Lines{"a=1@1"}));
  EXPECT_EQ(Error("{\"a\": 1,}", "a.json"), "1: a ',' before '}'");
  EXPECT_EQ(Error("{ // main\n ,\"a\": 1}", "a.json"), "2: expected a name in '\"'");
}

TEST(ConfigValuesTest, ReadsXml) {
  EXPECT_EQ(Read("<?xml version=\"1.0\"?>\n<passport>\n <!-- <old a=\"1\"/> -->\n <sign key=\"a&amp;b\" alg='x'/>\n"
                 " <db>\n  <host>h</host>\n </db>\n</passport>\n",
                 "a.xml"),
            (Lines{"sign.key=a&b@4", "sign.alg=x@4", "db.host=h@6"}));
  EXPECT_EQ(Read("<a", "a.xml"), Lines{});
  EXPECT_EQ(Read("<a b=\"", "a.xml"), Lines{});
  EXPECT_EQ(Read("</a></b>text<c>", "a.xml"), Lines{});
}

TEST(ConfigValuesTest, PropertiesWithABrokenEscape) {
  EXPECT_EQ(Error("a=1\ntitle=B\\u00fchne\n", "a.properties"), "0: ");
  EXPECT_EQ(Error("a=1\ntitle=B\\u00rhne\n", "a.properties"), "2: four hexadecimal digits must follow \\u");
  EXPECT_EQ(Error("path=C:\\\\users\n", "a.properties"), "0: ") << "an escaped backslash";
  EXPECT_EQ(Error("path=C:\\users\n", "a.ini"), "0: ");
}

TEST(ConfigValuesTest, ReadsEveryFormatWithItsPlaces) {
  EXPECT_EQ(Read("{ // main\n \"db\": {\"host\": \"h\", \"port\": 5432},\n \"on\": [true, \"x\"]\n}", "a.json"),
            (Lines{"db.host=h@2", "db.port=5432@2", "on.0=true@3", "on.1=x@3"}));
  EXPECT_EQ(Read("db:\n  host: h\n  port: 5432\nlist:\n  - a\n", "a.yml"),
            (Lines{"db.host=h@2", "db.port=5432@3", "list.0=a@5"}));
  EXPECT_EQ(Read("name = \"x # y\"\n[db]\nport = 5432 # here\nhosts = [\n  'a',\n]\npool.max = 4\n", "a.toml"),
            (Lines{"name=x # y@1", "db.port=5432@3", "db.hosts=[@4", "db.pool.max=4@7"}));
  EXPECT_EQ(Read("[db]\n; old = 1\nhost = h\nport: 1 ; c\n", "a.ini"), (Lines{"db.host=h@3", "db.port=1@4"}));
  EXPECT_EQ(Read("# A=1\nexport URL=\"http://h:1/x\"\nB='2'\n", ".env.local"), (Lines{"URL=http://h:1/x@2", "B=2@3"}));
  EXPECT_EQ(Read("module.exports = {\n  db: { port: process.env.P || 5432 },\n  url: 'http://h'\n};", "a.js"),
            (Lines{"exports.db.port=5432@2", "exports.url=http://h@3"}));
  EXPECT_EQ(Read("DB_HOST = 'h'\n# X = 1\n'port' => 8080,\n", "settings.php"), (Lines{"DB_HOST=h@1", "port=8080@3"}));
}

TEST(ConfigValuesTest, TellsWhereTheSyntaxIsWrong) {
  EXPECT_EQ(Error("{\n \"a\": 1\n \"b\": 2\n}", "a.json"), "3: expected ',' or '}'");
  EXPECT_EQ(Error("{\n \"a\": 1,\n}", "a.json"), "3: a ',' before '}'");
  EXPECT_EQ(Error("{\"a\": \"x\n}", "a.json"), "1: a string is not closed by '\"'");
  EXPECT_EQ(Error("{\"a\": yes}", "a.json"), "1: expected a value");
  EXPECT_EQ(Error("a = 1\n[db\nport = 2\n", "a.toml"), "2: a section that is not closed by ']'");
  EXPECT_EQ(Error("a = \"x\nb = 1\n", "a.toml"), "1: a: a text whose quote is not closed");
  EXPECT_EQ(Error("a = hello\n", "a.toml"), "1: a: a text without quotes");
  EXPECT_EQ(Error("export default {\n a: [1, 2,\n};\n", "a.ts"), "3: '}' closes nothing");
  EXPECT_EQ(ParseConfigValues("a:\n  b: 1\n c: 2\n", "a.yaml", "").error_at.line(), 3u);
  EXPECT_EQ(ParseConfigValues("a: [1, 2\nb: 3\n", "a.yaml", "").error.empty(), false);
}

TEST(ConfigValuesTest, NeverFailsOnGarbageAndIsBounded) {
  std::string garbage;
  for (int i = 0; i < 4096; ++i) garbage += static_cast<char>(i * 37 % 256);
  for (const char* name : {"a.json", "a.yaml", "a.toml", "a.ini", "a.env", "a.js", "a"})
    ParseConfigValues(garbage, name, "");
  EXPECT_FALSE(ParseConfigValues(std::string(100'000, '['), "a.json", "").error.empty());
  std::string many = "{\"a\": [0";
  for (int i = 0; i < 30'000; ++i) many += ",1";
  EXPECT_EQ(ParseConfigValues(many + "]}", "a.json", "").values.size(), kMaxConfigValues);
}

TEST(ConfigValuesTest, KnowsSecretsByName) {
  for (const char* key : {"jwt_secret", "auth.signing_key", "DB_PASSWORD", "api-key", "session.key"})
    EXPECT_TRUE(IsSecretKey(key)) << key;
  for (const char* key : {"token_ttl", "jwt_algorithm", "keyboard", "port", "secret_file", "monkey"})
    EXPECT_FALSE(IsSecretKey(key)) << key;
}

}  // namespace
}  // namespace omnix
