#include "orchestrator/engine/task_input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace omnix {
namespace {

class TaskInputTest : public testing::Test {
 protected:
  TaskInputTest() {
    run_by_.system.set_name("shop \"one\"");
    run_by_.system.add_services()->set_name("web");
    run_by_.system_json = MessageToJsonValue(run_by_.system);
    run_by_.system_text = DumpJson(run_by_.system_json);
  }

  TaskInput Make(const std::string& program) {
    const auto input = MakeTaskInput(program, ExpressionContext(incident_, run_by_, absl::UnixEpoch()), run_by_);
    EXPECT_TRUE(input.ok()) << input.status();
    return input.value_or(TaskInput());
  }

  v1::Incident incident_;
  RunBy run_by_;
};

TEST_F(TaskInputTest, ThePinnedSystemIsKeptAsAMark) {
  incident_.set_id("inc-1");
  for (const char* program : {"{incident_id: .incident.id, system}", "{system}", "{a: 1, system, z: [.system]}"}) {
    const TaskInput input = Make(program);
    EXPECT_EQ(Json::parse(input.sent)["system"], run_by_.system_json) << program;
    EXPECT_EQ(Json::parse(input.kept)["system"], Json({{"$pinned", "system"}})) << program;
    Json whole = Json::parse(input.kept);
    whole["system"] = run_by_.system_json;
    EXPECT_EQ(DumpJson(whole), input.sent) << program;
  }
  EXPECT_EQ(Make("{incident_id: .incident.id, system}").kept,
            R"({"incident_id":"inc-1","system":{"$pinned":"system"}})");
}

TEST_F(TaskInputTest, WhatIsNotThePinnedOneIsKeptWhole) {
  for (const char* program :
       {"", "{now}", "[.system]", "\"x\"", "{system: (.system | .name = \"other\")}", "{system: null}"}) {
    const TaskInput input = Make(program);
    EXPECT_EQ(input.kept, input.sent) << program;
    EXPECT_TRUE(Json::accept(input.sent)) << program;
  }
}

TEST_F(TaskInputTest, AProgramThatFailsSaysSo) {
  EXPECT_FALSE(MakeTaskInput("error(\"no\")", ExpressionContext(incident_, run_by_, absl::UnixEpoch()), run_by_).ok());
}

}  // namespace
}  // namespace omnix
