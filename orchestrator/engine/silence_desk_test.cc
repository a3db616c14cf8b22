// A seeded storm on the real desk over its real log: alerts begin, end, repeat and arrive several in a body, silences
// come, end and are expired, clocks jump, the engine refuses, and omnixd dies at any point, also between what the
// engine kept and what the log does. Nothing that a monitor was told is kept may be lost.
#include "orchestrator/engine/silence_desk.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <random>

#include "common/time.h"
#include "orchestrator/engine/scripted_operator.h"
#include "orchestrator/journal/journal_test_util.h"

namespace omnix {
namespace {

constexpr int kFingerprints = 12;
constexpr int kServices = 3;
constexpr int kSteps = 250;

std::string ServiceOf(int number) { return "service-" + std::to_string(number % kServices); }

v1::Alert AlertOf(int number, bool fires) {
  v1::Alert alert;
  alert.set_fingerprint("f" + std::to_string(number));
  alert.set_title("alert " + std::to_string(number));
  alert.set_subject(ServiceOf(number));
  (*alert.mutable_labels())["service"] = ServiceOf(number);
  alert.set_severity(v1::SEVERITY_ERROR);
  alert.set_status(fires ? v1::ALERT_STATUS_FIRING : v1::ALERT_STATUS_RESOLVED);
  return alert;
}

// What the engine keeps of alerts, whatever becomes of the desk before it.
class KeepingEngine final : public ScriptedOperator {
 public:
  void IngestAlerts(std::vector<v1::Alert> list, Callback<std::vector<IngestedAlert>> done) override {
    if (refuses) return done(absl::UnavailableError("the disk is full"));
    for (const auto& alert : list) {
      if (alert.status() == v1::ALERT_STATUS_RESOLVED) {
        firing.erase(alert.fingerprint());
      } else {
        firing.insert(alert.fingerprint());
      }
    }
    if (on_kept) on_kept();
    done(std::vector<IngestedAlert>(list.size(), IngestedAlert{"INC-2025-09-04-001", false, false}));
  }

  std::set<std::string> firing;
  bool refuses = false;
  std::function<void()> on_kept;
};

class Storm {
 public:
  explicit Storm(unsigned seed) : random_(seed) {
    engine_.on_kept = [this] {
      if (dies_) CopyLog();
    };
    StartDesk();
  }

  void Run() {
    for (step_ = 0; step_ < kSteps && !::testing::Test::HasFailure(); ++step_) {
      Step();
      CheckNothingIsLost();
    }
    End();
  }
  size_t crashes() const { return crashes_; }
  size_t held() const { return most_held_; }

 private:
  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  std::string LogPath(size_t life) const { return folder_ / ("silences-" + std::to_string(life) + ".db"); }

  void StartDesk() {
    auto log = SilenceLog::Open(LogPath(crashes_), std::string(kMinKeyBytes, 'k'));
    ASSERT_TRUE(log.ok()) << log.status();
    v1::SystemModel system;
    for (int i = 0; i < kServices; ++i) system.add_services()->set_name(ServiceOf(i));
    auto desk = SilenceDesk::Create({*std::move(log), &clock_, &engine_, DependentsOf(system)});
    ASSERT_TRUE(desk.ok()) << desk.status();
    desk_ = *std::move(desk);
  }

  // What is on the disk at this moment is all that the next life finds.
  void CopyLog() {
    dies_ = false;
    copied_ = true;
    for (const char* suffix : {"", "-wal"}) {
      if (std::filesystem::exists(LogPath(crashes_) + suffix))
        std::filesystem::copy_file(LogPath(crashes_) + suffix, LogPath(crashes_ + 1) + suffix);
    }
  }

  // The process is gone, and with it whatever the desk answered since the copy.
  bool Dies() {
    if (dies_) CopyLog();
    if (!std::exchange(copied_, false)) return false;
    ++crashes_;
    StartDesk();
    return true;
  }

  void Send(const std::vector<v1::Alert>& alerts) {
    bool answered = false, ok = false;
    desk_->IngestAlerts(alerts, [&](const auto& results) {
      answered = true;
      ok = results.ok();
    });
    ASSERT_TRUE(answered);
    if (Dies() || !ok) return unanswered_.push_back(alerts);
    for (const auto& alert : alerts) {
      if (alert.status() == v1::ALERT_STATUS_FIRING) {
        told_.insert(alert.fingerprint());
      } else {
        told_.erase(alert.fingerprint());
      }
    }
  }

  // Monitors send in order, and send again what was not acknowledged.
  void SendUnanswered() {
    while (!unanswered_.empty()) {
      const std::vector<v1::Alert> alerts = unanswered_.front();
      unanswered_.erase(unanswered_.begin());
      Send(alerts);
      engine_.refuses = false;
    }
  }

  void AddSilence() {
    v1::AddSilenceRequest request;
    request.set_author("alice");
    request.set_service(ServiceOf(Below(kServices)));
    *request.mutable_starts_at() = ToProto(clock_.Now() + absl::Seconds(Below(3) * 20));
    *request.mutable_ends_at() = ToProto(clock_.Now() + absl::Seconds(60 + Below(300)));
    const auto added = desk_->Add(request);
    EXPECT_TRUE(added.ok()) << added.status();
    if (!Dies()) ids_.push_back(added->silence().id());
  }

  void Step() {
    engine_.refuses = Below(10) == 0;
    dies_ = Below(12) == 0;
    switch (Below(10)) {
      case 0:
        AddSilence();
        break;
      case 1:
        if (!ids_.empty())
          desk_->Expire(ExpireOf(ids_[static_cast<size_t>(Below(static_cast<int>(ids_.size())))]))
              .status()
              .IgnoreError();
        break;
      case 2:
      case 3:
        desk_->Look();
        break;
      case 4:
        clock_.JumpWall(absl::Seconds(Below(2) == 0 ? -200 : 200));
        break;
      default: {
        std::vector<v1::Alert> alerts;
        for (int i = 0; i <= Below(4); ++i) alerts.push_back(AlertOf(Below(kFingerprints), Below(3) != 0));
        Send(alerts);
      }
    }
    Dies();
    engine_.refuses = false;
    SendUnanswered();
    clock_.Advance(absl::Seconds(Below(30)));
  }

  static v1::ExpireSilenceRequest ExpireOf(const std::string& id) {
    v1::ExpireSilenceRequest request;
    request.set_id(id);
    request.set_by("alice");
    return request;
  }

  std::set<std::string> Held() const {
    std::set<std::string> held;
    for (const auto& alert : desk_->Held()) held.insert(alert.fingerprint());
    return held;
  }

  void CheckNothingIsLost() {
    const std::set<std::string> held = Held();
    most_held_ = std::max(most_held_, held.size());
    for (const auto& fingerprint : told_) {
      EXPECT_TRUE(held.contains(fingerprint) || engine_.firing.contains(fingerprint))
          << fingerprint << " is lost in step " << step_;
    }
    for (const auto& fingerprint : held)
      EXPECT_TRUE(told_.contains(fingerprint)) << fingerprint << " has ended, and is held in step " << step_;
    for (const auto& fingerprint : engine_.firing)
      EXPECT_TRUE(told_.contains(fingerprint)) << fingerprint << " has ended, and fires in step " << step_;
  }

  void End() {
    clock_.Advance(absl::Hours(1));
    desk_->Look();
    EXPECT_THAT(Held(), ::testing::IsEmpty());
    EXPECT_EQ(engine_.firing, told_) << "what silences held is taken up at their end";
    desk_.reset();
    const auto events = VerifySilences(LogPath(crashes_), std::string(kMinKeyBytes, 'k'));
    EXPECT_TRUE(events.ok()) << events.status();
  }

  std::mt19937 random_;
  TemporaryFolder folder_{FastFolder()};
  ManualClock clock_{absl::FromUnixSeconds(1'756'970'040)};
  KeepingEngine engine_;
  std::unique_ptr<SilenceDesk> desk_;
  // Firing, as far as the monitors were told that it is kept.
  std::set<std::string> told_;
  std::vector<std::vector<v1::Alert>> unanswered_;
  std::vector<std::string> ids_;
  int step_ = 0;
  // The process dies as soon as the engine has kept something, at the latest at the end of the step.
  bool dies_ = false;
  bool copied_ = false;
  size_t crashes_ = 0;
  size_t most_held_ = 0;
};

TEST(SilenceDeskTest, NoAlertIsLostWhateverDiesOrEnds) {
  size_t crashes = 0, held = 0;
  for (unsigned seed = 1; seed <= 30 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Storm storm(seed);
    storm.Run();
    crashes += storm.crashes();
    held = std::max(held, storm.held());
  }
  EXPECT_GT(crashes, 100u);
  EXPECT_GT(held, 3u);
}

}  // namespace
}  // namespace omnix
