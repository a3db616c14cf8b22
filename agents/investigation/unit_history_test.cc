#include "agents/investigation/unit_history.h"

#include <gmock/gmock.h>

#include "agents/investigation/unit_state.h"

namespace omnix {
namespace {

using testing::HasSubstr;

// One message a second, as systemd 252 writes them.
UnitHistory Of(const std::vector<std::string>& messages) {
  std::vector<JournalEntry> entries;
  for (const std::string& message : messages) {
    JournalEntry& entry = entries.emplace_back();
    entry.time = absl::FromUnixSeconds(1000 + static_cast<int64_t>(entries.size()));
    entry.by_systemd = true;
    entry.message = message;
  }
  return ReadUnitHistory(entries);
}

TEST(UnitHistory, CrashesUntilSystemdGivesUp) {
  const std::vector<std::string> once = {
      "Started crash.service - Crashing shop.",
      "crash.service: Main process exited, code=exited, status=1/FAILURE",
      "crash.service: Failed with result 'exit-code'.",
      "crash.service: Scheduled restart job, restart counter is at 1.",
      "Stopped crash.service - Crashing shop.",
  };
  std::vector<std::string> messages;
  for (int i = 0; i < 3; ++i) messages.insert(messages.end(), once.begin(), once.end());
  messages.insert(messages.end(),
                  {"crash.service: Start request repeated too quickly.",
                   "crash.service: Failed with result 'exit-code'.", "Failed to start crash.service - Crashing shop."});
  const UnitHistory history = Of(messages);
  ASSERT_EQ(history.ends.size(), 3u);
  EXPECT_TRUE(history.down);
  EXPECT_TRUE(history.ends[0].IsCrash());
  EXPECT_TRUE(history.ends[0].restarted);
  EXPECT_FALSE(history.ends[0].gave_up);
  EXPECT_EQ(history.ends[0].time, absl::FromUnixSeconds(1002));
  EXPECT_EQ(history.ends[0].Describe(), "exited with status 1/FAILURE");
  EXPECT_TRUE(history.ends[2].gave_up);
  EXPECT_FALSE(history.ends[2].restarted);
}

TEST(UnitHistory, AStopThatWasAskedForIsNoCrash) {
  const UnitHistory stopped = Of({"Started stop.service - Stopped.", "Stopping stop.service - Stopped...",
                                  "stop.service: Deactivated successfully.", "Stopped stop.service - Stopped."});
  ASSERT_EQ(stopped.ends.size(), 1u);
  EXPECT_TRUE(stopped.ends[0].asked);
  EXPECT_TRUE(stopped.down);
  EXPECT_FALSE(stopped.ends[0].IsCrash());
  EXPECT_EQ(stopped.ends[0].time, absl::FromUnixSeconds(1002));
  // As programs end that catch SIGTERM, and those that do not.
  const UnitHistory java =
      Of({"Stopping jstop.service - JavaLike...", "jstop.service: Main process exited, code=exited, status=143/n/a",
          "jstop.service: Failed with result 'exit-code'.", "Stopped jstop.service - JavaLike."});
  ASSERT_EQ(java.ends.size(), 1u);
  EXPECT_FALSE(java.ends[0].IsCrash());
  const UnitHistory killed =
      Of({"Stopping shop.service...", "shop.service: Main process exited, code=killed, status=15/TERM"});
  ASSERT_EQ(killed.ends.size(), 1u);
  EXPECT_FALSE(killed.ends[0].IsCrash());
  EXPECT_EQ(killed.ends[0].Describe(), "was stopped on request");
}

TEST(UnitHistory, ARestartByHandIsAnEndAndAStart) {
  const UnitHistory history = Of({"Stopping ok.service - Fine...", "ok.service: Deactivated successfully.",
                                  "Stopped ok.service - Fine.", "Started ok.service - Fine."});
  ASSERT_EQ(history.ends.size(), 1u);
  EXPECT_FALSE(history.down);
  EXPECT_TRUE(history.ends[0].asked);
}

// It waits for its next start when somebody stops it: systemd writes no "Stopping".
TEST(UnitHistory, AStopBetweenTwoStarts) {
  const UnitHistory history =
      Of({"Started loop.service - Looping shop.",
          "loop.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED",
          "loop.service: Failed with result 'exit-code'.", "Stopped loop.service - Looping shop."});
  ASSERT_EQ(history.ends.size(), 2u);
  EXPECT_TRUE(history.ends[0].IsCrash());
  EXPECT_TRUE(history.ends[1].asked);
  EXPECT_TRUE(history.down);
}

TEST(UnitHistory, ReasonsOfEnds) {
  const UnitHistory oom = Of({"hungry.service: A process of this unit has been killed by the OOM killer.",
                              "hungry.service: Main process exited, code=killed, status=9/KILL",
                              "hungry.service: Failed with result 'oom-kill'."});
  ASSERT_EQ(oom.ends.size(), 1u);
  EXPECT_TRUE(oom.ends[0].oom);
  EXPECT_EQ(oom.oom_kills.size(), 1u);
  EXPECT_EQ(oom.ends[0].Describe(), "was killed by the OOM killer");
  const UnitHistory dog = Of(
      {"dog.service: Watchdog timeout (limit 1s)!", "dog.service: Killing process 99 (sleep) with signal SIGABRT.",
       "dog.service: Main process exited, code=killed, status=6/ABRT", "dog.service: Failed with result 'watchdog'."});
  ASSERT_EQ(dog.ends.size(), 1u);
  EXPECT_THAT(dog.ends[0].Describe(), HasSubstr("watchdog"));
  const UnitHistory sent = Of({"killed.service: Sent signal SIGKILL to main process 105 (sleep) on client request.",
                               "killed.service: Main process exited, code=killed, status=9/KILL",
                               "killed.service: Failed with result 'signal'."});
  ASSERT_EQ(sent.ends.size(), 1u);
  EXPECT_FALSE(sent.ends[0].IsCrash());
  EXPECT_EQ(sent.ends[0].Describe(), "was killed by signal 9/KILL, sent by systemctl kill");
  const UnitHistory before =
      Of({"Starting pre.service - Pre...", "pre.service: Control process exited, code=exited, status=1/FAILURE",
          "pre.service: Failed with result 'exit-code'.", "Failed to start pre.service - Pre."});
  ASSERT_EQ(before.ends.size(), 1u);
  EXPECT_TRUE(before.ends[0].IsCrash());
}

// OOMPolicy=continue, and a signal to reread the configuration.
TEST(UnitHistory, WhatTheUnitOutlivesIsNoEnd) {
  const UnitHistory history =
      Of({"Started shop.service - Shop.", "shop.service: A process of this unit has been killed by the OOM killer.",
          "shop.service: Sent signal SIGHUP to main process 105 (shop) on client request."});
  EXPECT_TRUE(history.ends.empty());
  EXPECT_FALSE(history.down);
  EXPECT_EQ(history.oom_kills.size(), 1u);
}

TEST(UnitHistory, OnlySystemdIsBelieved) {
  JournalEntry forged;
  forged.message = "shop.service: Main process exited, code=exited, status=1/FAILURE";
  EXPECT_TRUE(ReadUnitHistory({forged}).ends.empty());
}

TEST(UnitState, OfAFailedUnit) {
  const absl::Time boot = absl::FromUnixSeconds(5000);
  const auto state = ParseUnitState(
      "Result=oom-kill\nNRestarts=4\nExecMainCode=2\nExecMainStatus=9\nExecMainExitTimestampMonotonic=9000000\n"
      "MemoryMax=67108864\nLoadState=loaded\nActiveState=failed\nSubState=failed\n"
      "StateChangeTimestampMonotonic=10000000\n",
      boot);
  ASSERT_TRUE(state.has_value());
  EXPECT_FALSE(state->IsUp());
  EXPECT_EQ(state->restarts, 4);
  EXPECT_EQ(state->changed, boot + absl::Seconds(10));
  EXPECT_EQ(state->memory_max, 64u << 20);
  ASSERT_TRUE(state->last_end.has_value());
  EXPECT_TRUE(state->last_end->oom);
  EXPECT_EQ(state->last_end->time, boot + absl::Seconds(9));
}

TEST(UnitState, OfARunningAndAnUnknownUnit) {
  const auto state = ParseUnitState(
      "Result=success\nNRestarts=0\nExecMainCode=0\nExecMainStatus=0\nMemoryMax=infinity\nLoadState=loaded\n"
      "ActiveState=active\nSubState=running\nStateChangeTimestampMonotonic=0\n",
      absl::UnixEpoch());
  ASSERT_TRUE(state.has_value());
  EXPECT_TRUE(state->IsUp());
  EXPECT_FALSE(state->memory_max.has_value());
  EXPECT_FALSE(state->last_end.has_value());
  EXPECT_EQ(state->changed, absl::InfinitePast());
  EXPECT_FALSE(ParseUnitState("LoadState=not-found\nActiveState=inactive\n", absl::UnixEpoch()).has_value());
  EXPECT_FALSE(ParseUnitState("", absl::UnixEpoch()).has_value());
}

}  // namespace
}  // namespace omnix
