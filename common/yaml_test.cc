#include "common/yaml.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>
#include <omnix/v1/alert.pb.h>
#include <omnix/v1/check.pb.h>
#include <omnix/v1/event.pb.h>
#include <omnix/v1/playbook.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <filesystem>
#include <fstream>

#include "common/json.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

TEST(YamlTest, ReadsNestedRepeatedMapEnumDurationAndOptional) {
  v1::SystemModel model;
  const auto status = ParseYaml(R"(# comment
name: shop
services:
  - name: gateway
    base_url: http://127.0.0.1:8080
    endpoints:
      - {path: /products, status: [200, 204]}
      - method: POST
        path: /login
        safe: true
    config_files:
      - path: nginx.conf
        editable: false
    commands:
      reload:
        argv: [nginx, -s, reload]
        timeout: 1m30s
    disks:
      - {path: /, min_free_percent: 7.5}
  - name: "8080"
prefer_sides: []
)",
                                "system.yaml", &model);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(model.name(), "shop");
  ASSERT_EQ(model.services_size(), 2);
  const v1::Service& gateway = model.services(0);
  EXPECT_EQ(gateway.endpoints(0).status(1), 204u);
  EXPECT_TRUE(gateway.endpoints(1).safe());
  EXPECT_TRUE(gateway.config_files(0).has_editable());
  EXPECT_FALSE(gateway.config_files(0).editable());
  EXPECT_EQ(gateway.commands().at("reload").argv(2), "reload");
  EXPECT_EQ(FromProto(gateway.commands().at("reload").timeout()), absl::Seconds(90));
  EXPECT_DOUBLE_EQ(gateway.disks(0).min_free_percent(), 7.5);
  EXPECT_EQ(model.services(1).name(), "8080");
}

TEST(YamlTest, ReadsEnumsByShortNames) {
  v1::Policy policy;
  ASSERT_TRUE(ParseYaml("rules: [{name: a, decision: auto}, {name: b, decision: forbid}]", "p.yaml", &policy).ok());
  EXPECT_EQ(policy.rules(0).decision(), v1::POLICY_DECISION_AUTO);
  EXPECT_EQ(policy.rules(1).decision(), v1::POLICY_DECISION_FORBID);
  v1::Alert alert;
  ASSERT_TRUE(ParseYaml("severity: unknown", "a.yaml", &alert).ok());
  EXPECT_EQ(alert.severity(), v1::SEVERITY_UNKNOWN);
}

TEST(YamlTest, StructKeepsTheTypesOfTheCoreSchema) {
  v1::Check check;
  ASSERT_TRUE(ParseYaml(R"(
with:
  int: 12
  negative: -3
  octal: 0o17
  hex: 0xff
  float: 1.5
  dot: .5
  exponent: 1e3
  yes: yes
  truth: True
  quoted: "12"
  single: 'true'
  block: |
    two
    lines
  version: 1.2.3
  nothing:
  tilde: ~
  empty: ""
  date: 2025-09-04
  deep: {a: [1, {b: text}, []]}
)",
                        "s.yaml", &check)
                  .ok());
  EXPECT_EQ(StructToJson(check.with()),
            Json::parse(R"({"int":12,"negative":-3,"octal":15,"hex":255,"float":1.5,"dot":0.5,
    "exponent":1000,"yes":"yes","truth":true,"quoted":"12","single":"true","block":"two\nlines\n","version":"1.2.3","nothing":null,
    "tilde":null,"empty":"","date":"2025-09-04","deep":{"a":[1,{"b":"text"},[]]}})"));
}

TEST(YamlTest, KeyWithoutValueCountsAsAbsent) {
  v1::Service service;
  ASSERT_TRUE(ParseYaml("name:\nendpoints:\ncommands: ~\nprocess:\n", "s.yaml", &service).ok());
  EXPECT_EQ(service.ByteSizeLong(), 0u);
}

TEST(YamlTest, EmptyTextIsAnEmptyMessageAndOldContentGoes) {
  v1::Service service;
  service.set_name("old");
  ASSERT_TRUE(ParseYaml("# nothing but a comment\n", "s.yaml", &service).ok());
  EXPECT_EQ(service.name(), "");
}

struct BadInput {
  const char* name;
  const char* text;
  const char* message;
};

class BadServiceTest : public testing::TestWithParam<BadInput> {};

TEST_P(BadServiceTest, SaysWhatAndWhere) {
  v1::Service service;
  const auto status = ParseYaml(GetParam().text, "s.yaml", &service);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(status), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadServiceTest,
    testing::Values(
        BadInput{"UnknownKeyNear", "name: a\nbase_ulr: x\n",
                 "s.yaml:2:1: base_ulr: unknown key; did you mean base_url?"},
        BadInput{"UnknownKeyFar", "process:\n  command_line: x\n",
                 "s.yaml:2:3: process.command_line: unknown key; known keys: pid_file, match, min_count, user"},
        BadInput{"UnknownKeyInList", "endpoints:\n  - path: /a\n  - pth: /b\n",
                 "s.yaml:3:5: endpoints[1].pth: unknown key; did you mean path?"},
        BadInput{"UnknownKeyInMap", "commands:\n  reload:\n    args: [a]\n",
                 "s.yaml:3:5: commands.reload.args: unknown key; did you mean argv?"},
        BadInput{"DuplicateKey", "name: a\nkind: b\nname: c\n", "s.yaml:3:1: name: duplicate key, first on line 1"},
        BadInput{"DuplicateMapKey", "commands:\n  reload: {argv: [a]}\n  reload: {argv: [b]}\n",
                 "s.yaml:3:3: commands.reload: duplicate key, first on line 2"},
        BadInput{"TextForList", "depends_on: database\n",
                 "s.yaml:1:13: depends_on: expected a list (- item), found \"database\""},
        BadInput{"ListForText", "name: [a]\n", "s.yaml:1:7: name: expected text, found a list"},
        BadInput{"MappingForList", "endpoints:\n  path: /\n",
                 "s.yaml:2:3: endpoints: expected a list (- item), found a mapping"},
        BadInput{"TextForMapping", "process: nginx\n",
                 "s.yaml:1:10: process: expected a mapping (key: value), found \"nginx\""},
        BadInput{"ListForMap", "commands: [a]\n",
                 "s.yaml:1:11: commands: expected a mapping (key: value), found a list"},
        BadInput{"RootIsList", "- a\n", "s.yaml:1:1: expected a mapping (key: value), found a list"},
        BadInput{"EmptyItem", "depends_on:\n  - a\n  -\n",
                 "s.yaml:4:1: depends_on[1]: expected a value, found nothing"},
        BadInput{"BoolWord", "endpoints: [{safe: yes}]\n",
                 "s.yaml:1:20: endpoints[0].safe: expected true or false, found \"yes\""},
        BadInput{"BoolQuoted", "endpoints: [{safe: 'true'}]\n",
                 "s.yaml:1:20: endpoints[0].safe: expected true or false, found \"true\""},
        BadInput{"NegativeCount", "process: {min_count: -1}\n",
                 "s.yaml:1:22: process.min_count: expected a whole number from 0 to 4294967295, found \"-1\""},
        BadInput{"LargeCount", "process: {min_count: 4294967296}\n",
                 "s.yaml:1:22: process.min_count: expected a whole number from 0 to 4294967295, found \"4294967296\""},
        BadInput{"FractionCount", "process: {min_count: 1.5}\n",
                 "s.yaml:1:22: process.min_count: expected a whole number from 0 to 4294967295, found \"1.5\""},
        BadInput{"NoNumber", "disks: [{min_free_percent: 5%}]\n",
                 "s.yaml:1:28: disks[0].min_free_percent: expected a number, found \"5%\""},
        BadInput{"NotFinite", "disks: [{min_free_percent: .nan}]\n",
                 "s.yaml:1:28: disks[0].min_free_percent: expected a number, found \".nan\""},
        BadInput{
            "DurationWithoutUnit", "commands: {reload: {timeout: 30}}\n",
            "s.yaml:1:30: commands.reload.timeout: expected a duration such as 500ms, 90s, 2m or 1h, found \"30\""},
        BadInput{
            "NegativeDuration", "commands: {reload: {timeout: -3s}}\n",
            "s.yaml:1:30: commands.reload.timeout: expected a duration such as 500ms, 90s, 2m or 1h, found \"-3s\""},
        BadInput{
            "InfiniteDuration", "commands: {reload: {timeout: inf}}\n",
            "s.yaml:1:30: commands.reload.timeout: expected a duration such as 500ms, 90s, 2m or 1h, found \"inf\""},
        BadInput{"Alias", "name: &n a\nkind: *n\n",
                 "s.yaml:2:7: aliases (*name) are not supported; write the value out"},
        BadInput{"Tag", "name: !!str a\n", "s.yaml:1:7: tags (!name) are not supported; leave it out"},
        BadInput{"TwoDocuments", "name: a\n---\nname: b\n",
                 "s.yaml:2:1: a second document begins; only one is allowed"},
        BadInput{"KeyIsList", "[a]: b\n", "s.yaml:1:1: a key must be text, found a list"},
        BadInput{"Syntax", "name: a\n  kind: [\n", "s.yaml:2:7: no valid YAML: illegal map value"},
        BadInput{"Unclosed", "depends_on: [a\n", "s.yaml:2:1: no valid YAML: end of sequence flow not found"},
        BadInput{"NotUtf8", "name: a\nkind: \xff\n", "s.yaml:2:7: not UTF-8 text"},
        BadInput{"ManyAtOnce", "nam: a\nprocess: {min_count: x}\nkind: [b]\n",
                 "s.yaml:1:1: nam: unknown key; did you mean name?\n"
                 "s.yaml:2:22: process.min_count: expected a whole number from 0 to 4294967295, found \"x\"\n"
                 "s.yaml:3:7: kind: expected text, found a list"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(YamlTest, RefusesEnumWordsThatAreNone) {
  v1::PolicyRule rule;
  EXPECT_EQ(Message(ParseYaml("decision: always", "p.yaml", &rule)),
            "p.yaml:1:11: decision: expected one of: auto, ask, forbid, found \"always\"");
  EXPECT_FALSE(ParseYaml("decision: unspecified", "p.yaml", &rule).ok());
  EXPECT_FALSE(ParseYaml("decision: 1", "p.yaml", &rule).ok());
  EXPECT_FALSE(ParseYaml("decision: POLICY_DECISION_AUTO", "p.yaml", &rule).ok());
}

TEST(YamlTest, RefusesNumbersThatAStructWouldChange) {
  v1::Check check;
  EXPECT_EQ(Message(ParseYaml("with: {id: 9007199254740993}", "c.yaml", &check)),
            "c.yaml:1:12: with.id: expected a number that a double holds exactly (or text in quotes), found "
            "\"9007199254740993\"");
  EXPECT_FALSE(ParseYaml("with: {x: .inf}", "c.yaml", &check).ok());
  EXPECT_FALSE(ParseYaml("with: {x: 1e999}", "c.yaml", &check).ok());
  EXPECT_TRUE(ParseYaml("with: {x: '9007199254740993'}", "c.yaml", &check).ok());
}

TEST(YamlTest, RefusesTwoMembersOfAOneof) {
  v1::Event event;
  EXPECT_EQ(Message(ParseYaml("note_added: {}\npaused: {}\n", "e.yaml", &event)),
            "e.yaml:2:1: paused: excludes note_added; give one of the two");
}

std::string Nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(YamlTest, BoundsDepthWithoutUsingTheStackUp) {
  v1::Check check;
  // The root and `with` are two levels.
  EXPECT_TRUE(ParseYaml("with: {a: " + Nested(kMaxYamlDepth - 2) + "}", "c.yaml", &check).ok());
  EXPECT_THAT(Message(ParseYaml("with: {a: " + Nested(kMaxYamlDepth - 1) + "}", "c.yaml", &check)),
              testing::HasSubstr("nested more than 24 levels deep"));
  EXPECT_FALSE(ParseYaml("a: " + std::string(1 << 20, '['), "c.yaml", &check).ok());
  std::string blocks;
  for (int i = 0; i < 100'000; ++i) blocks += "- ";
  EXPECT_FALSE(ParseYaml(blocks, "c.yaml", &check).ok());
}

TEST(YamlTest, TheDeepestFileSurvivesSerialization) {
  v1::SystemModel model;
  std::string maps = "1";
  // Levels above the parameters: model, suites, suite, steps, check.
  for (size_t i = 0; i < kMaxYamlDepth - 5; ++i) maps = "{a: " + maps + "}";
  ASSERT_TRUE(ParseYaml("suites: [{steps: [{with: " + maps + "}]}]", "m.yaml", &model).ok());
  v1::SystemModel copy;
  EXPECT_TRUE(copy.ParseFromString(model.SerializeAsString()));
}

TEST(YamlTest, BoundsSizeAndNumberOfMistakes) {
  v1::Service service;
  EXPECT_EQ(Message(ParseYaml(std::string(kMaxYamlBytes + 1, '#'), "s.yaml", &service)),
            "s.yaml: larger than 4194304 bytes");
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format("wrong_key_{}: 1\n", i);
  const std::string message = Message(ParseYaml(text, "s.yaml", &service));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), static_cast<std::ptrdiff_t>(kMaxYamlMistakes));
  EXPECT_THAT(message, testing::HasSubstr("s.yaml: 950 more mistakes"));
}

TEST(YamlTest, ReadsFilesAndNamesThoseThatAreMissing) {
  const std::string path = testing::TempDir() + "/yaml_test_service.yaml";
  std::ofstream(path) << "name: a\nkindd: b\n";
  v1::Service service;
  EXPECT_EQ(Message(ReadYamlFile(path, &service)), path + ":2:1: kindd: unknown key; did you mean kind?");
  std::filesystem::remove(path);
  const auto missing = ReadYamlFile(path, &service);
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(missing), testing::HasSubstr(path));
}

TEST(YamlReportTest, PlacesALoadersOwnMistakes) {
  v1::Service service;
  YamlReport report("s.yaml");
  ParseYaml("name: a\nendpoints:\n  - path: x\nkindd: b\n", &service, &report);
  report.Add("endpoints[0].path", "must begin with /");
  report.Add("endpoints[0].method.odd", "nearest parent");
  report.Add("tls", "at the root");
  EXPECT_EQ(Message(report.status()),
            "s.yaml: tls: at the root\n"
            "s.yaml:3:5: endpoints[0].path: must begin with /\n"
            "s.yaml:3:5: endpoints[0].method.odd: nearest parent\n"
            "s.yaml:4:1: kindd: unknown key; did you mean kind?");
}

TEST(NearestWordTest, OnlyNearOnes) {
  EXPECT_EQ(NearestWord("timout", {"timeout", "attempts"}), "timeout");
  EXPECT_EQ(NearestWord("need", {"needs", "name"}), "needs");
  EXPECT_EQ(NearestWord("xyz", {"needs", "name"}), "");
  EXPECT_EQ(NearestWord(std::string(100'000, 'a'), {"needs"}), "");
}

}  // namespace
}  // namespace omnix
