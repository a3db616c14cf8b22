#include "orchestrator/intake/body_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status.h"

namespace omnix {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ErrorOf(std::string_view text) {
  const auto body = ParseBody(text);
  return body.ok() ? "accepted: " + DumpJson(body->value) : Message(body.status());
}

TEST(BodyParser, ReadsWhatIsJson) {
  EXPECT_EQ(ParseBody(R"({"a":[1,-2,0.5,true,null,"ü\u0000"],"b":{"c":[]}})")->value,
            Json::parse(R"({"a":[1,-2,0.5,true,null,"ü\u0000"],"b":{"c":[]}})"));
  EXPECT_EQ(ParseBody(" 7 ")->value, 7);
  EXPECT_EQ(ParseBody("\"text\"")->value, "text");
}

TEST(BodyParser, IntegersBeyond2To53KeepTheirDigitsAsStrings) {
  const auto body = ParseBody(
      "[9007199254740992, 9007199254740993, -9007199254740993, 1502709956288000110, 123456789012345678901234567890]");
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(body->value[0], 9007199254740992);
  EXPECT_EQ(body->value[1], "9007199254740993");
  EXPECT_EQ(body->value[2], "-9007199254740993");
  EXPECT_EQ(body->value[3], "1502709956288000110");
  EXPECT_EQ(body->value[4], "123456789012345678901234567890");
}

TEST(BodyParser, ErrorsSayWhereAndQuoteNothing) {
  EXPECT_THAT(ErrorOf("{\"password\":\n \"hunter2"),
              AllOf(HasSubstr("ends too early"), HasSubstr("line 2, column 10"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(ErrorOf("{\"a\": hunter2}"), AllOf(HasSubstr("line 1, column 7"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(ErrorOf(""), HasSubstr("ends too early, at line 1, column 1"));
  EXPECT_THAT(ErrorOf("{} {}"), HasSubstr("line 1, column 4"));
  EXPECT_THAT(ErrorOf("{'a': 1}"), HasSubstr("line 1, column 2"));
  EXPECT_THAT(ErrorOf("[1,]"), HasSubstr("line 1, column 4"));
  EXPECT_THAT(ErrorOf("// no comment\n1"), HasSubstr("line 1"));
}

TEST(BodyParser, RefusesWhatLibjqLetsPass) {
  EXPECT_THAT(ErrorOf("[NaN]"), HasSubstr("line 1, column 2"));
  EXPECT_THAT(ErrorOf("[Infinity]"), HasSubstr("no valid JSON"));
  EXPECT_THAT(ErrorOf("[1e400]"), HasSubstr("a number beyond all bounds at line 1"));
  EXPECT_THAT(ErrorOf("[\"a\xff\"]"), HasSubstr("no valid UTF-8 at line 1, column 4"));
  EXPECT_THAT(ErrorOf("[\"\xc0\xaf\"]"), HasSubstr("no valid UTF-8"));
  EXPECT_THAT(ErrorOf("[\"\xed\xa0\x80\"]"), HasSubstr("no valid UTF-8"));
  EXPECT_THAT(ErrorOf(std::string_view("[\"a\0b\"]", 7)), HasSubstr("line 1, column 4"));
  EXPECT_THAT(ErrorOf(std::string_view("[1]\0", 4)), HasSubstr("line 1, column 4"));
}

TEST(BodyParser, HalvesOfSurrogatePairsAreReplacedAndCounted) {
  const auto body = ParseBody(
      R"({"a": "cut \ud83d", "b": "\uDE00 cut", "c": "\ud83d\ude00", "d": "\\ud83d", "e": "\ud83d\ud83d\ude00"})");
  ASSERT_TRUE(body.ok()) << body.status();
  const Json expected = {
      {"a", "cut \uFFFD"}, {"b", "\uFFFD cut"}, {"c", "\U0001F600"}, {"d", "\\ud83d"}, {"e", "\uFFFD\U0001F600"}};
  EXPECT_EQ(body->value, expected);
  EXPECT_EQ(body->lone_surrogates, 3u);
  EXPECT_THAT(ErrorOf("[\"\\ud800\",}"), HasSubstr("no valid JSON at line 1, column 11"));
  EXPECT_THAT(ErrorOf("[\"\\ud8"), HasSubstr("no valid JSON"));
}

TEST(BodyParser, BoundsTheDepth) {
  EXPECT_THAT(ErrorOf(std::string(10'000, '[')), HasSubstr("nested more than 128 levels deep at line 1, column 130"));
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "{\"a\":";
  EXPECT_THAT(ErrorOf(deep), HasSubstr("nested more than 128"));
  const std::string fitting = std::string(kMaxBodyDepth, '[') + std::string(kMaxBodyDepth, ']');
  EXPECT_TRUE(ParseBody(fitting).ok());
}

TEST(BodyParser, BoundsTheCount) {
  std::string many = "[1";
  for (size_t i = 0; i < kMaxBodyValues; ++i) many += ",1";
  EXPECT_EQ(ParseBody(many + "]").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(ErrorOf(many + "]"), HasSubstr("more than 400000 values and keys at line 1"));
}

TEST(BodyParser, TheLastOfRepeatedKeysCountsAndIsTold) {
  const auto body = ParseBody("{\"a\": 1,\n \"a\": {\"b\": [2]}, \"a\": 3, \"c\": {\"a\": 4}}");
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(body->value, Json::parse(R"({"a": 3, "c": {"a": 4}})"));
  EXPECT_EQ(body->repeated_keys, 2u);
  EXPECT_EQ(body->repeated_key_line, 2u);
}

}  // namespace
}  // namespace omnix
