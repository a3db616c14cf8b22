#include "agents/recovery/executor.h"

#include <set>

#include "agents/recovery/executor_fixture.h"
#include "agents/recovery/plan_hash.h"

namespace omnix {
namespace {

TEST_F(ExecutorTest, PlansAppliesAndRollsBack) {
  const auto plan = Plan();
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->files_size(), 2);
  EXPECT_EQ(plan->risk(), v1::RISK_LOW);
  ASSERT_EQ(plan->commands_size(), 2);
  EXPECT_EQ(plan->commands(0).name(), "test_config");
  EXPECT_EQ(plan->commands(1).name(), "reload");
  ExpectUntouched();
  // As it travels: through JSON.
  v1::Plan received;
  ASSERT_TRUE(JsonToMessage(MessageToJson(*plan), &received, "plan").ok());
  const auto applied = Apply(received);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_TRUE(applied->applied()) << applied->summary();
  ExpectApplied();
  ASSERT_TRUE(Apply(received).ok());
  EXPECT_EQ(Witnessed("reload"), 1) << "a second apply gives the recorded result";
  const auto back = RollBackPlan(received, system_, config_, context_);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(back->complete());
  ExpectUntouched();
  EXPECT_EQ(Witnessed("reload"), 2);
  EXPECT_FALSE(Apply(received).ok()) << "after a rollback the plan is used up";
  EXPECT_TRUE(RollBackPlan(received, system_, config_, context_)->complete());
  EXPECT_EQ(Witnessed("reload"), 2);
}

TEST_F(ExecutorTest, RefusesAChangedPlanApprovalOrWorld) {
  v1::Plan plan = *Plan();
  EXPECT_FALSE(ApplyPlan({plan, system_, plan.hash(), false}, config_, context_).ok());
  EXPECT_FALSE(ApplyPlan({plan, system_, std::string(64, '0'), true}, config_, context_).ok());
  v1::Plan changed = plan;
  changed.mutable_files(0)->mutable_after()->back() = '!';
  EXPECT_FALSE(Apply(changed).ok());
  changed.set_hash(PlanHash(changed));
  EXPECT_FALSE(Apply(changed).ok());
  Put("b.json", "{}\n");
  const auto moved = Apply(plan);
  EXPECT_EQ(moved.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(moved.status().message()).find(File("b.json")), std::string::npos);
  EXPECT_EQ(Witnessed("test"), 0);
  EXPECT_EQ(Get("a.js"), "const base = '/v1';\r\ncall(base);\r\n");
}

TEST_F(ExecutorTest, AFailingTestUndoesEverything) {
  const v1::Plan plan = *Plan();
  ASSERT_TRUE(ReplaceFile(root_ + "/broken", "").ok());
  const auto applied = Apply(plan);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_FALSE(applied->applied());
  ExpectUntouched();
  EXPECT_EQ(Witnessed("reload"), 0);
}

TEST_F(ExecutorTest, RollbackLeavesWhatSomebodyElseChanged) {
  const v1::Plan plan = *Plan();
  ASSERT_TRUE(Apply(plan)->applied());
  Put("b.json", "{\"other\": 1}\n");
  const auto back = RollBackPlan(plan, system_, config_, context_);
  ASSERT_TRUE(back.ok());
  EXPECT_FALSE(back->complete());
  EXPECT_EQ(Get("b.json"), "{\"other\": 1}\n");
}

TEST_F(ExecutorTest, TheSamePlanOfAnotherIncidentIsAnotherPlan) {
  PlanRequest request;
  request.actions.resize(1);
  request.actions[0].set_kind("file.replace_text");
  *request.actions[0].mutable_with() =
      JsonToStruct({{"path", File("a.js")}, {"line", 1}, {"old", "'/v1'"}, {"new", "''"}});
  request.incident_id = "INC-1";
  const auto first = MakePlan(request, system_, config_);
  request.incident_id = "INC-2";
  const auto second = MakePlan(request, system_, config_);
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  EXPECT_NE(first->hash(), second->hash()) << "the same fault occurring again could not be repaired again";
}

TEST_F(ExecutorTest, ARollbackSaysCompleteOnlyWhereTheFilesAreAsBefore) {
  const auto plan = Plan();
  ASSERT_TRUE(plan.ok()) << plan.status();
  Put("a.js", "somebody else's content\n");
  const auto rollback = RollBackPlan(*plan, system_, config_, context_);
  ASSERT_TRUE(rollback.ok()) << rollback.status();
  EXPECT_FALSE(rollback->complete()) << "nothing was applied, but the world is not that before the plan";
  EXPECT_EQ(Get("a.js"), "somebody else's content\n");
}

TEST_F(ExecutorTest, ARollbackOfAPlanNeverAppliedLooksAtTheFiles) {
  const v1::Plan plan = *Plan();
  const auto untouched = RollBackPlan(plan, system_, config_, context_);
  ASSERT_TRUE(untouched.ok()) << untouched.status();
  EXPECT_TRUE(untouched->complete());
  EXPECT_NE(untouched->summary().find("never applied"), std::string::npos) << untouched->summary();
  EXPECT_EQ(Witnessed("reload"), 0);
  EXPECT_FALSE(Apply(plan).ok()) << "a late apply must not follow its rollback";
  Put("a.js", "const base = '';\r\ncall(base);\r\n");
  const auto again = RollBackPlan(plan, system_, config_, context_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->complete()) << "what was recorded is not what the file holds now";
  EXPECT_EQ(Get("a.js"), "const base = '';\r\ncall(base);\r\n");
}

TEST_F(ExecutorTest, AFileThatHeldTheNewContentBeforeIsLeftAndSaid) {
  const v1::Plan plan = *Plan();
  Put("a.js", "const base = '';\r\ncall(base);\r\n");
  const auto applied = Apply(plan);
  ASSERT_TRUE(applied.ok()) << applied.status();
  ASSERT_TRUE(applied->applied()) << applied->summary();
  EXPECT_EQ(applied->steps(0).outcome(), v1::STEP_OUTCOME_ALREADY_DONE);
  const auto back = RollBackPlan(plan, system_, config_, context_);
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_FALSE(back->complete()) << "the content before the plan is not back";
  EXPECT_EQ(Get("a.js"), "const base = '';\r\ncall(base);\r\n");
  EXPECT_EQ(Get("b.json"), "{\n  \"origins\": [\n    \"https://a\"\n  ]\n}\n");
  const auto& last = back->steps(back->steps_size() - 1);
  EXPECT_EQ(last.step(), "verify " + File("a.js"));
  EXPECT_NE(last.detail().find("before the plan wrote anything"), std::string::npos) << last.detail();
}

TEST_F(ExecutorTest, AFailedApplyLeavesAloneWhatItDidNotWrite) {
  const v1::Plan plan = *Plan();
  Put("a.js", "const base = '';\r\ncall(base);\r\n");
  ASSERT_TRUE(ReplaceFile(root_ + "/broken", "").ok());
  const auto applied = Apply(plan);
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_FALSE(applied->applied());
  EXPECT_TRUE(applied->needs_attention()) << "the test of the configuration fails without the plan's changes, too";
  EXPECT_EQ(Get("a.js"), "const base = '';\r\ncall(base);\r\n");
  EXPECT_EQ(Get("b.json"), "{\n  \"origins\": [\n    \"https://a\"\n  ]\n}\n");
}

TEST_F(ExecutorTest, AFailedApplyUsesThePlanUp) {
  const v1::Plan plan = *Plan();
  ASSERT_TRUE(ReplaceFile(root_ + "/broken", "").ok());
  ASSERT_FALSE(Apply(plan)->applied());
  std::filesystem::remove(root_ + "/broken");
  const auto repeated = Apply(plan);
  ASSERT_TRUE(repeated.ok()) << "the same task gets its recorded result: " << repeated.status();
  EXPECT_FALSE(repeated->applied());
  context_.key = "INC-2/recovering-1/apply";
  EXPECT_EQ(Apply(plan).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Witnessed("test"), 2) << "the test and the one after the undoing, nothing later";
  ExpectUntouched();
}

TEST_F(ExecutorTest, ReportsEachWriteAndCommandWithoutSecrets) {
  Put("a.js", "const password = 'hunter2secret'; const base = '/v1';\n");
  AddCommand(system_.mutable_services(0), "notify",
             {"/bin/sh", "-c", "echo Authorization: Bearer abcDEF123456789; echo notify >>" + root_ + "/witness"});
  const v1::Plan plan = *Plan(true);
  ASSERT_TRUE(Apply(plan)->applied());
  ASSERT_EQ(context_.reported.size(), 5u);
  std::set<std::string> ids;
  for (const v1::Evidence& evidence : context_.reported) {
    ids.insert(evidence.id());
    EXPECT_EQ(evidence.source(), "recovery");
    EXPECT_EQ(evidence.excerpt().find("hunter2secret"), std::string::npos) << evidence.excerpt();
    EXPECT_EQ(evidence.excerpt().find("abcDEF123456789"), std::string::npos) << evidence.excerpt();
  }
  EXPECT_EQ(ids.size(), 5u);
  EXPECT_NE(context_.reported[0].excerpt().find("+"), std::string::npos);
  EXPECT_EQ(context_.reported[4].component(), "web");
  EXPECT_NE(context_.reported[4].summary().find("exit code 0"), std::string::npos);
}

TEST_F(ExecutorTest, ACommandThatHangsOrFailsUndoesEverything) {
  const std::string seen = " >>" + root_ + "/witness; ";
  for (const std::string& end : {std::string("sleep 60"), std::string("exit 3")}) {
    TearDown();
    MakeWorld();
    // Fails while the plan's content is there, as a server does that does not take it.
    AddCommand(
        system_.mutable_services(0), "reload",
        {"/bin/sh", "-c", "echo reload" + seen + "grep -q https://b " + File("b.json") + " && " + end + "; true"});
    system_.mutable_services(0)->mutable_commands()->at("reload").mutable_timeout()->set_nanos(300'000'000);
    const v1::Plan plan = *Plan();
    const auto applied = Apply(plan);
    ASSERT_TRUE(applied.ok()) << applied.status();
    EXPECT_FALSE(applied->applied());
    EXPECT_FALSE(applied->needs_attention()) << applied->summary();
    ExpectUntouched();
  }
}

}  // namespace
}  // namespace omnix
