#include "orchestrator/playbook/jq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/status.h"

namespace omnix {
namespace {

absl::StatusOr<Json> RunOnce(const std::string& program, const Json& input) {
  OMNIX_ASSIGN_OR_RETURN(JqProgram compiled, JqProgram::Compile(program));
  return compiled.Run(input);
}

TEST(JqTest, GivesTheFirstOutput) {
  EXPECT_EQ(*RunOnce(".a.b", Json::parse(R"({"a":{"b":[1,"ü\u0000",null,1.5]}})")),
            Json::parse(R"([1,"ü\u0000",null,1.5])"));
  EXPECT_EQ(*RunOnce("1, 2", nullptr), 1);
  EXPECT_EQ(*RunOnce("\"text\"", nullptr), "text");
  EXPECT_EQ(*RunOnce(".n", Json::parse(R"({"n":9007199254740992})")), 9007199254740992);
}

TEST(JqTest, NoOutputIsNull) {
  EXPECT_EQ(*RunOnce("empty", 1), nullptr);
  EXPECT_EQ(*RunOnce(".missing", Json::object()), nullptr);
}

TEST(JqTest, RunsAgainWithOtherInputAlsoAfterAnError) {
  auto program = JqProgram::Compile("if .n == 0 then error(\"zero\") else .n, .n + 1 end");
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(*program->Run({{"n", 1}}), 1);
  EXPECT_FALSE(program->Run({{"n", 0}}).ok());
  EXPECT_EQ(*program->Run({{"n", 2}}), 2);
  JqProgram moved = *std::move(program);
  EXPECT_EQ(*moved.Run({{"n", 3}}), 3);
}

TEST(JqTest, ConditionsAreTrueUnlessFalseOrNull) {
  for (const char* truth : {"true", "0", "\"\"", "[]", "{}"}) EXPECT_TRUE(*JqProgram::Compile(truth)->Test(1)) << truth;
  for (const char* falsehood : {"false", "null", "empty"}) EXPECT_FALSE(*JqProgram::Compile(falsehood)->Test(1));
}

TEST(JqTest, SaysWhyAProgramDoesNotCompile) {
  const auto broken = JqProgram::Compile(".a |");
  EXPECT_EQ(broken.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(broken.status()), testing::HasSubstr("syntax error"));
  EXPECT_THAT(Message(JqProgram::Compile("nosuch(1)").status()), testing::HasSubstr("nosuch/1 is not defined"));
  EXPECT_FALSE(JqProgram::Compile(std::string("1\0 2", 4)).ok());
  EXPECT_FALSE(JqProgram::Compile(std::string(kMaxJqProgramBytes + 1, ' ')).ok());
  EXPECT_LT(JqProgram::Compile("\"" + std::string(5000, 'x')).status().message().size(), 400u);
}

TEST(JqTest, SaysWhyAProgramFailed) {
  EXPECT_THAT(Message(RunOnce(".a", 1).status()), testing::HasSubstr("Cannot index number with string \"a\""));
  EXPECT_THAT(Message(RunOnce("error({code: 7})", 1).status()), testing::HasSubstr("{\"code\":7}"));
  EXPECT_LT(RunOnce("error(\"x\" * 5000)", 1).status().message().size(), 400u);
}

TEST(JqTest, HaltingEndsTheProgramOnly) {
  auto program = JqProgram::Compile("if . then halt else 5 end");
  ASSERT_TRUE(program.ok());
  EXPECT_EQ(*program->Run(true), nullptr);
  EXPECT_EQ(*program->Run(false), 5);
}

TEST(JqTest, TheCacheCompilesOnce) {
  const auto first = CachedJqProgram(".a + 1");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*CachedJqProgram(".a + 1"), *first);
  EXPECT_EQ(*(*first)->Run({{"a", 1}}), 2);
  EXPECT_FALSE(CachedJqProgram(".a |").ok());
}

TEST(JqTest, TheEnvironmentIsOutOfReach) {
  ASSERT_EQ(setenv("OMNIX_JQ_TEST_SECRET", "s3cret", 1), 0);
  EXPECT_EQ(*RunOnce("env", nullptr), Json::object());
  EXPECT_FALSE(RunOnce("$ENV", nullptr).ok());
  EXPECT_EQ(*RunOnce("input", 1), nullptr);
}

TEST(JqTest, DeepInputIsAnErrorAndNoCrash) {
  Json deep = 1;
  for (int i = 0; i < 1000; ++i) deep = Json::array({std::move(deep)});
  EXPECT_FALSE(RunOnce(".", deep).ok());
}

TEST(JqTest, BytesThatAreNoUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(*RunOnce(".", std::string("a\xff")), "a\xEF\xBF\xBD");
}

}  // namespace
}  // namespace omnix
