// Random walks through the machine: whatever commands come, the invariants hold and a replay gives the same state, byte
// for byte.
#include <gtest/gtest.h>

#include <random>

#include "common/json.h"
#include "orchestrator/core/evolve_alerts.h"
#include "orchestrator/core/incident_fixture.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

using testing::Story;

constexpr int kWalks = 400;
constexpr int kStepsOfAWalk = 120;

class Walk {
 public:
  explicit Walk(uint32_t seed) : random_(seed) { story_.Do(testing::OpenCommand()); }

  void Step() {
    const auto command = AnyCommand();
    const auto before = story_.incident;
    const auto decided = story_.Try(command);
    if (!decided.ok()) {
      EXPECT_EQ(SerializeDeterministically(before), SerializeDeterministically(story_.incident));
    }
    story_.now += absl::Seconds(Pick(90));
    CheckInvariants();
  }

  void CheckReplay() const {
    v1::Incident replayed;
    for (const auto& event : story_.events) Evolve(replayed, event);
    EXPECT_EQ(SerializeDeterministically(story_.incident), SerializeDeterministically(replayed));
  }

 private:
  int Pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  v1::Product AnyProduct(const std::string& task) {
    const bool good = Pick(3) != 0;
    const std::string hash = story_.PlanHash();
    if (task.ends_with("/diagnose")) {
      return testing::DiagnosisOf(good ? std::vector<std::string>{"x1", "x2"} : std::vector<std::string>{});
    }
    if (task.ends_with("/plan")) return testing::PlanOf("hash" + std::to_string(Pick(1000)));
    if (task.ends_with("/apply")) return testing::ApplicationOf(hash, good, Pick(5) == 0);
    if (task.ends_with("/validate")) return testing::VerdictOf(good);
    if (task.ends_with("/rollback")) return testing::RollbackOf(hash, good);
    return testing::DocumentOf();
  }

  Command AnyCommand() {
    const std::string running = story_.RunningTask();
    const std::string ready = story_.ReadyTask();
    const std::string hash = story_.PlanHash();
    const std::string by = "operator:alice";
    switch (Pick(23)) {
      case 0:
        return command::AnswerRollCall{};
      case 1:
      case 2:
      case 3:
      case 4:
        return command::AssignTask{ready, "agent-a", "{}"};
      case 5:
      case 6:
      case 7:
      case 8:
        return command::FinishTask{story_.Lease(running), "agent-a", v1::OUTCOME_SUCCEEDED, AnyProduct(running), ""};
      case 9:
        return command::FinishTask{story_.Lease(running),
                                   "agent-a",
                                   Pick(2) == 0 ? v1::OUTCOME_FAILED : v1::OUTCOME_FAILED_FINALLY,
                                   {},
                                   "failed"};
      case 10:
        return command::LoseAttempt{running, story_.Lease(running).attempt(), "lost"};
      case 11:
        return command::DecidePolicy{hash, static_cast<v1::PolicyDecision>(1 + Pick(3)), "rule", ""};
      case 12:
      case 13:
        return command::LockResources{};
      case 14:
        return command::Approve{hash, by, ""};
      case 15:
        return command::Reject{hash, by, ""};
      case 16:
        return command::Choose{Pick(2) == 0 ? "x1" : "x2", by};
      case 17:
        return Pick(2) == 0 ? Command(command::Pause{by, ""}) : Command(command::Resume{by, ""});
      case 18:
        return Pick(4) == 0 ? Command(command::Cancel{by, ""}) : Command(command::Resume{by, ""});
      case 19:
        return Pick(3) == 0 ? Command(command::Escalate{by, ""}) : Command(command::RequestRollback{by, ""});
      case 20: {
        v1::Alert alert = testing::OpenCommand().alerts[0];
        alert.set_fingerprint("f" + std::to_string(1 + Pick(3)));
        alert.set_severity(static_cast<v1::Severity>(Pick(5)));
        alert.set_status(Pick(2) == 0 ? v1::ALERT_STATUS_FIRING : v1::ALERT_STATUS_RESOLVED);
        command::AttachAlert attach{alert};
        if (Pick(4) == 0) attach.flap = command::Flap{7, absl::Minutes(10), absl::Minutes(5)};
        return attach;
      }
      case 21:
        return AnyMove();
      default:
        return command::ExpireApproval{hash};
    }
  }

  Command AnyMove() {
    const std::string fingerprint = "f" + std::to_string(1 + Pick(3));
    const std::string by = "operator:alice";
    const int place = FindAlert(story_.incident, fingerprint);
    switch (Pick(6)) {
      case 0: {
        command::SplitOff split{"INC-other", {}, by, ""};
        v1::AlertKey& key = split.alerts.emplace_back();
        key.set_fingerprint(fingerprint);
        if (place < 0) return command::AddNote{by, "nothing to split"};
        const int flapping = FindFlapping(story_.incident, fingerprint);
        key.set_status(flapping < 0 ? story_.incident.alerts(place).status()
                                    : story_.incident.flapping(flapping).status());
        key.set_severity(story_.incident.alerts(place).severity());
        return split;
      }
      case 1: {
        v1::Incident other;
        Evolve(other, Story().Do(testing::OpenCommand()).events[0]);
        other.mutable_alerts(0)->set_fingerprint("of another " + std::to_string(++others_));
        return TakeAllOf(other, by, "");
      }
      case 2:
        return command::Reopen{"f1 fires again"};
      case 3:
        return Pick(20) == 0 ? Command(command::MergeInto{"INC-other", by, ""}) : command::AddNote{by, "not yet"};
      default:
        return command::SettleAlert{fingerprint};
    }
  }

  void CheckCounts() const {
    v1::AlertCounts counts;
    for (const auto& alert : story_.incident.alerts()) Count(counts, alert.status(), alert.severity());
    EXPECT_EQ(counts.ShortDebugString(), story_.incident.alert_counts().ShortDebugString());
  }

  void CheckInvariants() const {
    CheckCounts();
    const v1::Incident& incident = story_.incident;
    const Effects effects = DeriveEffects(incident, story_.playbook, story_.now + absl::Hours(24));
    if (IsClosed(incident.phase())) {
      EXPECT_TRUE(effects.ready_tasks.empty() && effects.running_tasks.empty() && effects.timers.empty());
      EXPECT_TRUE(incident.resources().empty()) << "a closed incident holds locks";
      return;
    }
    uint64_t sequence = 0;
    for (const auto& event : story_.events) EXPECT_EQ(++sequence, event.sequence());
    for (const auto& task : incident.tasks()) {
      if (task.state() != v1::TASK_STATE_RUNNING || !task.spec().approval()) continue;
      const auto& recovery = incident.recoveries(incident.recoveries_size() - 1);
      EXPECT_EQ(v1::APPROVAL_STATE_GRANTED, recovery.approval().state()) << task.id() << " runs without an approval";
      EXPECT_FALSE(incident.resources().empty()) << task.id() << " runs without its locks";
      EXPECT_LE(task.fencing_token(), incident.fencing_token());
    }
    const bool waits_for_operator = incident.paused() || incident.phase() == v1::PHASE_ESCALATED;
    const bool something_is_in_flight = !effects.ready_tasks.empty() || !effects.running_tasks.empty() ||
                                        !effects.roll_call.empty() || !effects.judge_plan.empty() ||
                                        effects.lock_resources || effects.timers.size() > 1;
    EXPECT_TRUE(waits_for_operator || something_is_in_flight)
        << PhaseName(incident.phase()) << " waits for nothing: " << incident.ShortDebugString();
  }

  std::mt19937 random_;
  int others_ = 0;
  Story story_;
};

TEST(Replay, RandomWalksKeepTheInvariantsAndReplayByteForByte) {
  for (uint32_t seed = 1; seed <= kWalks; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed);
    for (int step = 0; step < kStepsOfAWalk; ++step) walk.Step();
    walk.CheckReplay();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Replay, EveryPrefixOfAWholeIncidentGivesTheStateOfThatMoment) {
  const Story whole = testing::Resolved();
  v1::Incident replayed;
  for (const auto& event : whole.events) {
    Evolve(replayed, event);
    v1::Incident again;
    for (uint64_t i = 0; i < event.sequence(); ++i) Evolve(again, whole.events[i]);
    EXPECT_EQ(SerializeDeterministically(replayed), SerializeDeterministically(again));
  }
  EXPECT_EQ(v1::PHASE_RESOLVED, replayed.phase());
}

}  // namespace
}  // namespace omnix
