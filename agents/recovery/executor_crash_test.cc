// What may come from outside while a plan is carried out: crashes, lost leases, other processes, links swapped in.
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "agents/recovery/executor_fixture.h"
#include "agents/recovery/resource_lock.h"
#include "agents/recovery/safe_file.h"

namespace omnix {
namespace {

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
  for (const char* name : {"before_lock",   "locked",      "intent_kept",    "journaled",     "before_backup",
                           "backed_up",     "file_saved",  "before_write",   "file_written",  "before_rename",
                           "after_rename",  "after_fsync", "before_command", "after_command", "command_kept",
                           "before_verify", "verified",    "before_result",  "after_result",  "repair_recorded"}) {
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
  for (const char* name : {"before_rollback", "rollback_begun", "before_restore", "file_written", "before_rename",
                           "after_rename", "after_restore", "before_command", "after_command", "undone",
                           "before_rollback_result", "rollback_kept", "journaled"}) {
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
  EXPECT_EQ(Witnessed("notify"), 1) << "nor by taking back what was done";
}

TEST_F(ExecutorTest, ACrashWhileUndoingAFailedApplyEndsUndone) {
  int crashes = 0;
  for (const char* name :
       {"before_undo", "before_restore", "after_restore", "journaled", "before_rename", "after_rename", "after_fsync",
        "before_command", "after_command", "before_result", "after_result"}) {
    const std::string point = name;
    for (int pass = 1; pass <= 12; ++pass) {
      TearDown();
      MakeWorld();
      const v1::Plan plan = *Plan();
      ASSERT_TRUE(ReplaceFile(root_ + "/broken", "").ok());
      if (!Crashes("recovery." + point + ":" + std::to_string(pass), [&] { return Apply(plan); })) break;
      ++crashes;
      const auto again = Apply(plan);
      ASSERT_TRUE(again.ok()) << point << pass << again.status();
      EXPECT_FALSE(again->applied()) << point << pass;
      ExpectUntouched();
    }
  }
  EXPECT_GE(crashes, 20);
}

TEST_F(ExecutorTest, TheCoolDownHoldsBackOtherPlansOfTheSameFile) {
  config_.mutable_cool_down()->set_seconds(3600);
  ASSERT_TRUE(Apply(*Plan())->applied());
  PlanRequest request;
  request.actions.resize(1);
  request.actions[0].set_kind("file.replace_text");
  *request.actions[0].mutable_with() = JsonToStruct({{"path", File("a.js")}, {"old", "call"}, {"new", "fetch"}});
  const v1::Plan other = *MakePlan(request, system_, config_);
  const auto refused = Apply(other);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(refused.status().message()).find("cool-down"), std::string::npos) << refused.status();
  ExpectApplied();
  config_.mutable_cool_down()->Clear();
  EXPECT_TRUE(Apply(other)->applied());
}

TEST_F(ExecutorTest, ACrashBeforeTheRepairIsNotedLosesNoCoolDown) {
  config_.mutable_cool_down()->set_seconds(3600);
  const v1::Plan plan = *Plan();
  ASSERT_TRUE(Crashes("recovery.after_result", [&] { return Apply(plan); }));
  ASSERT_TRUE(Apply(plan)->applied());
  PlanRequest request;
  request.actions.resize(1);
  request.actions[0].set_kind("file.replace_text");
  *request.actions[0].mutable_with() = JsonToStruct({{"path", File("a.js")}, {"old", "call"}, {"new", "fetch"}});
  EXPECT_EQ(Apply(*MakePlan(request, system_, config_)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ExecutorTest, TwoProcessesNeverHoldTheSameFile) {
  const v1::Plan plan = *Plan();
  std::array<int, 2> held{}, done{};
  ASSERT_EQ(pipe(held.data()), 0);
  ASSERT_EQ(pipe(done.data()), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(done[1]);
    const auto locks = ResourceLocks::Acquire(config_.lock_dir(), {"file:" + File("b.json")});
    char byte = locks.ok() ? 'y' : 'n';
    (void)!write(held[1], &byte, 1);
    (void)!read(done[0], &byte, 1);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(held[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  const auto busy = Apply(plan);
  EXPECT_EQ(busy.status().code(), absl::StatusCode::kUnavailable) << busy.status();
  EXPECT_NE(std::string(busy.status().message()).find(File("b.json")), std::string::npos);
  ExpectUntouched();
  EXPECT_EQ(RollBackPlan(plan, system_, config_, context_).status().code(), absl::StatusCode::kUnavailable);
  for (const int fd : {held[0], held[1], done[0], done[1]}) close(fd);
  ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
  EXPECT_TRUE(Apply(plan)->applied()) << "released with the process";
}

TEST_F(ExecutorTest, ALinkSwappedInNeverLeadsElsewhere) {
  constexpr auto kSwapping = std::chrono::seconds(2);
  const std::string outside = root_ + "/outside", folder = File("sub");
  ASSERT_TRUE(MakeFolders(outside).ok());
  ASSERT_TRUE(MakeFolders(folder).ok());
  ASSERT_TRUE(ReplaceFile(outside + "/f.txt", "old\n").ok());
  ASSERT_TRUE(ReplaceFile(folder + "/f.txt", "old\n").ok());
  const SafeFiles files({root_ + "/srv"});
  std::atomic<bool> stop{false};
  std::thread attacker([&] {
    while (!stop) {
      (void)rename(folder.c_str(), (folder + ".kept").c_str());
      (void)symlink(outside.c_str(), folder.c_str());
      (void)unlink(folder.c_str());
      (void)rename((folder + ".kept").c_str(), folder.c_str());
    }
  });
  int written = 0, refused = 0;
  for (const auto end = std::chrono::steady_clock::now() + kSwapping; std::chrono::steady_clock::now() < end;) {
    ++(files.Replace(folder + "/f.txt", "new " + std::to_string(written) + "\n").ok() ? written : refused);
  }
  stop = true;
  attacker.join();
  EXPECT_GT(written, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(ReadFile(outside + "/f.txt").value_or(""), "old\n");
  int left_outside = 0;
  for (const auto& entry : std::filesystem::directory_iterator(outside))
    left_outside += entry.path().filename() != "f.txt";
  EXPECT_EQ(left_outside, 0);
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
