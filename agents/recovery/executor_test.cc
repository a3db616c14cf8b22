#include "agents/recovery/executor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "agents/recovery/config.h"
#include "agents/recovery/plan_hash.h"
#include "agents/recovery/planner.h"
#include "common/file.h"

namespace omnix {
namespace {

class FakeContext final : public TaskContext {
 public:
  const v1::LeaseId& lease() const override { return lease_; }
  const std::string& type() const override { return type_; }
  const Json& input() const override { return input_; }
  const std::string& idempotency_key() const override { return key; }
  bool cancelled() const override { return false; }
  absl::Status MayAct() const override { return acts_left-- > 0 ? absl::OkStatus() : absl::AbortedError("lease lost"); }
  absl::Duration remaining() const override { return absl::Minutes(1); }
  void Progress(const std::string&, uint32_t) override {}
  void Report(v1::Evidence) override {}
  std::shared_ptr<grpc::Channel> channel() const override { return nullptr; }

  std::string key = "INC-1/recovering-1/apply";
  mutable int acts_left = 1000;

 private:
  v1::LeaseId lease_;
  std::string type_;
  Json input_;
};

class ExecutorTest : public testing::Test {
 protected:
  void SetUp() override { MakeWorld(); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void MakeWorld() {
    char name[] = "/tmp/omnix-recovery-XXXXXX";
    root_ = mkdtemp(name);
    ASSERT_TRUE(MakeFolders(root_ + "/srv").ok());
    Put("a.js", "const base = '/v1';\r\ncall(base);\r\n");
    Put("b.json", "{\n  \"origins\": [\n    \"https://a\"\n  ]\n}\n");
    ASSERT_EQ(chmod(File("a.js").c_str(), 0640), 0);
    const timespec times[2] = {{1000, 0}, {1000, 123456789}};
    ASSERT_EQ(utimensat(AT_FDCWD, File("a.js").c_str(), times, 0), 0);
    config_.Clear();
    config_.add_allowed_paths(root_ + "/srv");
    config_.set_state_dir(root_ + "/state");
    system_.Clear();
    v1::Service* service = system_.add_services();
    service->set_name("web");
    AddCommand(service, "test_config",
               {"/bin/sh", "-c", "echo test >>" + root_ + "/witness; test ! -e " + root_ + "/broken"});
    AddCommand(service, "reload", {"/bin/sh", "-c", "echo reload >>" + root_ + "/witness"});
    AddCommand(service, "notify", {"/bin/sh", "-c", "echo notify >>" + root_ + "/witness"});
    v1::ConfigFile* file = service->add_config_files();
    file->set_path(File("b.json"));
    file->set_reload("reload");
    ASSERT_TRUE(CheckRecoveryConfig(&config_).ok());
  }

  void AddCommand(v1::Service* service, const std::string& name, const std::vector<std::string>& argv) {
    auto* allowed = config_.add_allowed_commands();
    for (const std::string& argument : argv) {
      (*service->mutable_commands())[name].add_argv(argument);
      allowed->add_argv(argument);
    }
  }

  std::string File(const std::string& name) const { return root_ + "/srv/" + name; }
  void Put(const std::string& name, const std::string& text) { ASSERT_TRUE(ReplaceFile(File(name), text).ok()); }
  std::string Get(const std::string& name) { return ReadFile(File(name)).value_or("unreadable"); }
  int Witnessed(const std::string& word) {
    const std::string text = ReadFile(root_ + "/witness").value_or("");
    int count = 0;
    for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
    return count;
  }

  absl::StatusOr<v1::Plan> Plan(bool notify = false) {
    PlanRequest request;
    request.actions.resize(2);
    request.actions[0].set_id("a1");
    request.actions[0].set_kind("file.replace_text");
    *request.actions[0].mutable_with() =
        JsonToStruct({{"path", File("a.js")}, {"line", 1}, {"old", "'/v1'"}, {"new", "''"}});
    request.actions[1].set_id("a2");
    request.actions[1].set_kind("config.list_add");
    *request.actions[1].mutable_with() =
        JsonToStruct({{"path", File("b.json")}, {"pointer", "/origins"}, {"values", {"https://b"}}});
    if (notify) {
      v1::Action action;
      action.set_id("a3");
      action.set_kind("command.run");
      *action.mutable_with() = JsonToStruct({{"service", "web"}, {"command", "notify"}});
      request.actions.push_back(action);
    }
    return MakePlan(request, system_, config_);
  }

  absl::StatusOr<v1::Application> Apply(const v1::Plan& plan) {
    return ApplyPlan({plan, system_, plan.hash(), true}, config_, context_);
  }

  void ExpectUntouched() {
    EXPECT_EQ(Get("a.js"), "const base = '/v1';\r\ncall(base);\r\n");
    EXPECT_EQ(Get("b.json"), "{\n  \"origins\": [\n    \"https://a\"\n  ]\n}\n");
    struct stat info {};
    ASSERT_EQ(stat(File("a.js").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0640u);
    EXPECT_EQ(info.st_mtim.tv_sec, 1000);
    EXPECT_EQ(info.st_mtim.tv_nsec, 123456789);
  }
  void ExpectApplied() {
    EXPECT_EQ(Get("a.js"), "const base = '';\r\ncall(base);\r\n");
    EXPECT_EQ(Get("b.json"), "{\n  \"origins\": [\n    \"https://a\",\n    \"https://b\"\n  ]\n}\n");
  }

  // Runs `work` in a process of its own that dies at the crash point; true where it died there.
  template <typename Work>
  bool Crashes(const std::string& point, Work work) {
    const pid_t pid = fork();
    if (pid == 0) {
      setenv("OMNIX_CRASH_AT", point.c_str(), 1);
      (void)work();
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status);
  }

  std::string root_;
  v1::RecoveryConfig config_;
  v1::SystemModel system_;
  FakeContext context_;
};

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

TEST_F(ExecutorTest, ALostLeaseStopsAtOnceAndTheNextAttemptFinishes) {
  for (int acts = 0; acts < 20; ++acts) {
    TearDown();
    MakeWorld();
    const v1::Plan plan = *Plan();
    context_.acts_left = acts;
    const auto first = Apply(plan);
    context_.acts_left = 1000;
    if (!first.ok()) {
      EXPECT_EQ(first.status().code(), absl::StatusCode::kAborted);
    }
    const auto second = Apply(plan);
    ASSERT_TRUE(second.ok()) << second.status();
    EXPECT_TRUE(second->applied());
    ExpectApplied();
    EXPECT_EQ(Witnessed("reload"), 1);
  }
}

TEST_F(ExecutorTest, ACrashAnywhereEndsAppliedOnce) {
  int crashes = 0;
  for (const char* name : {"before_lock", "journaled", "before_backup", "file_saved", "before_write", "file_written",
                           "before_rename", "after_rename", "after_fsync", "before_command", "after_command",
                           "before_verify", "before_result", "after_result"}) {
    const std::string point = name;
    for (int pass = 1; pass <= 9; ++pass) {
      TearDown();
      MakeWorld();
      const v1::Plan plan = *Plan();
      if (!Crashes("recovery." + point + ":" + std::to_string(pass), [&] { return Apply(plan); })) break;
      ++crashes;
      const auto again = Apply(plan);
      ASSERT_TRUE(again.ok()) << point << pass << again.status();
      EXPECT_TRUE(again->applied()) << point << pass << again->summary();
      ExpectApplied();
      EXPECT_GE(Witnessed("reload"), 1);
      EXPECT_LE(Witnessed("reload"), 2) << "a reload may be repeated once";
      const auto back = RollBackPlan(plan, system_, config_, context_);
      ASSERT_TRUE(back.ok());
      EXPECT_TRUE(back->complete());
      ExpectUntouched();
    }
  }
  EXPECT_GE(crashes, 20);
}

TEST_F(ExecutorTest, ACrashInARollbackEndsUndone) {
  int crashes = 0;
  for (const char* name : {"before_rollback", "before_restore", "file_written", "before_rename", "after_rename",
                           "after_restore", "before_command", "after_command", "before_rollback_result", "journaled"}) {
    const std::string point = name;
    for (int pass = 1; pass <= 4; ++pass) {
      TearDown();
      MakeWorld();
      const v1::Plan plan = *Plan();
      ASSERT_TRUE(Apply(plan)->applied());
      if (!Crashes("recovery." + point + ":" + std::to_string(pass),
                   [&] { return RollBackPlan(plan, system_, config_, context_); }))
        break;
      ++crashes;
      const auto back = RollBackPlan(plan, system_, config_, context_);
      ASSERT_TRUE(back.ok()) << back.status();
      EXPECT_TRUE(back->complete()) << point << pass;
      ExpectUntouched();
    }
  }
  EXPECT_GE(crashes, 10);
}

TEST_F(ExecutorTest, ACommandThatMayHaveRunIsNeverRepeated) {
  const v1::Plan plan = *Plan(true);
  EXPECT_EQ(plan.risk(), v1::RISK_HIGH);
  ASSERT_TRUE(Crashes("recovery.after_command:3", [&] { return Apply(plan); }));
  EXPECT_EQ(Witnessed("notify"), 1);
  const auto again = Apply(plan);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->applied());
  EXPECT_TRUE(again->needs_attention());
}

TEST_F(ExecutorTest, PlansNothingOutsideItsBounds) {
  auto plan_for = [&](const std::string& path) {
    PlanRequest request;
    request.actions.resize(1);
    request.actions[0].set_kind("file.replace_text");
    *request.actions[0].mutable_with() = JsonToStruct({{"path", path}, {"old", "x"}, {"new", "y"}});
    return MakePlan(request, system_, config_).status();
  };
  ASSERT_TRUE(ReplaceFile(root_ + "/secret", "x").ok());
  std::filesystem::create_symlink(root_ + "/secret", File("link"));
  std::filesystem::create_directory_symlink(root_, File("folder"));
  std::filesystem::create_hard_link(root_ + "/secret", File("hard"));
  ASSERT_EQ(mkfifo(File("fifo").c_str(), 0600), 0);
  for (const std::string& path :
       {root_ + "/secret", File("../secret"), File("link"), File("folder/secret"), File("hard"), File("fifo"),
        root_ + "/srvx/a", std::string("relative"), std::string("/proc/self/environ"), File("missing")}) {
    EXPECT_FALSE(plan_for(path).ok()) << path;
  }
  EXPECT_EQ(ReadFile(root_ + "/secret").value_or(""), "x");
}

}  // namespace
}  // namespace omnix
