#include "agents/sources/allow_list.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/hash.h"
#include "common/json.h"

namespace omnix {
namespace {

const char kA[] = "https://shop.example";
const char kB[] = "https://staging.shop.example";

class AllowListTest : public testing::Test {
 protected:
  AllowListTest() : folder_(testing::TempDir() + "lists-" + RandomHex(6)) {
    std::filesystem::create_directories(folder_);
  }
  ~AllowListTest() override { std::filesystem::remove_all(folder_); }

  // The action that adds kB, as JSON of its parameters with the kind.
  Json Add(const std::string& name, const std::string& text) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    const auto lists = FindAllowLists(path, "", {kA, kB});
    EXPECT_TRUE(lists.ok()) << lists.status();
    if (!lists.ok() || lists->empty()) return {{"kind", "none"}};
    const v1::Action action = AddToAllowList(lists->front(), {kB}, "gateway");
    Json json = StructToJson(action.with());
    json["kind"] = action.kind();
    return json;
  }

  std::string folder_;
};

TEST_F(AllowListTest, JsonArray) {
  const Json action =
      Add("config.json",
          "{\"home\": [\"https://shop.example\"], \"cors\": {\"allowedOrigins\": [\"https://shop.example\"]}}");
  EXPECT_EQ(action["kind"], "config.list_add");
  EXPECT_EQ(action["pointer"], "/cors/allowedOrigins");
  EXPECT_EQ(action["values"], Json::array({kB}));
}

TEST_F(AllowListTest, YamlSequence) {
  const Json action = Add("app.yaml", "cors:\n  origins:\n    - https://shop.example\n");
  EXPECT_EQ(action["kind"], "config.list_add");
  EXPECT_EQ(action["pointer"], "/cors/origins");
}

TEST_F(AllowListTest, NginxMap) {
  const Json action =
      Add("cors.conf",
          "map $http_origin $cors_origin {\n    default \"\";\n    \"https://shop.example\"   $http_origin;\n}\n");
  EXPECT_EQ(action["kind"], "file.insert_lines");
  EXPECT_EQ(action["after_line"], 3);
  EXPECT_EQ(action["after_text"], "    \"https://shop.example\"   $http_origin;");
  EXPECT_EQ(action["lines"][0], "    \"https://staging.shop.example\"   $http_origin;");
}

TEST_F(AllowListTest, NginxMapWithRegexAndRepeatedValue) {
  EXPECT_EQ(Add("r.conf", "map $http_origin $o {\n  ~^https://shop\\.example$ 1;\n}\n")["lines"][0],
            "  ~^https://staging\\.shop\\.example$ 1;");
  EXPECT_EQ(
      Add("v.conf", "map $http_origin $o {\n  \"https://shop.example\" \"https://shop.example\";\n}\n")["lines"][0],
      "  \"https://staging.shop.example\" \"https://staging.shop.example\";");
}

TEST_F(AllowListTest, NginxAlternation) {
  const Json action =
      Add("a.conf", "if ($http_origin ~ ^(https://shop\\.example|https://x\\.y)$) { set $o $http_origin; }\n");
  EXPECT_EQ(action["kind"], "file.replace_text");
  EXPECT_EQ(action["old"], "https://shop\\.example");
  EXPECT_EQ(action["new"], "https://shop\\.example|https://staging\\.shop\\.example");
}

TEST_F(AllowListTest, EnvironmentList) {
  const Json action = Add(".env", "CORS_ORIGINS=https://shop.example,https://x.y\n");
  EXPECT_EQ(action["kind"], "file.replace_text");
  EXPECT_EQ(action["new"], "https://shop.example,https://staging.shop.example");
  EXPECT_EQ(Add("b.env", "CORS_ORIGINS=https://shop.example\n")["new"],
            "https://shop.example,https://staging.shop.example");
}

TEST_F(AllowListTest, JavaScriptArrays) {
  EXPECT_EQ(Add("a.js", "const allowedOrigins = ['https://shop.example'];")["new"],
            "'https://shop.example', 'https://staging.shop.example'");
  const Json above = Add("b.js", "const allowedOrigins = [\n  'https://shop.example'\n];");
  EXPECT_EQ(above["after_line"], 1);
  EXPECT_EQ(above["after_text"], "const allowedOrigins = [");
  EXPECT_EQ(above["lines"][0], "  'https://staging.shop.example',");
}

TEST_F(AllowListTest, PlainLinesAndToml) {
  EXPECT_EQ(Add("origins.txt", "https://x.y\nhttps://shop.example\n")["lines"][0], kB);
  EXPECT_EQ(Add("app.toml", "origins = [\"https://shop.example\"]\n")["new"],
            "\"https://shop.example\", \"https://staging.shop.example\"");
}

TEST_F(AllowListTest, LongerOriginsCommentsAndLoneValuesAreNoLists) {
  EXPECT_EQ(Add("a.conf",
                "map $http_origin $o {\n  \"https://shop.example.evil\" 1;\n \"https://shop.example:81\" 1;\n # "
                "https://shop.example\n}")["kind"],
            "none");
  EXPECT_EQ(Add("b.conf", "add_header Access-Control-Allow-Origin \"https://shop.example\" always;")["kind"], "none");
  EXPECT_FALSE(FindAllowLists(folder_ + "/none", "", {kA}).ok());
}

}  // namespace
}  // namespace omnix
