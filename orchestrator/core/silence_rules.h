// The rules of silences: what a request means (Decide...), what a recorded event means (SilenceState::Evolve), and
// which alerts a silence holds back. Pure: time is given. Not thread-safe.
//
// The promise: an alert that a silence suppressed is held until the monitor says that it ended, or until the silence
// ends and it is taken up as if it arrived then.
#pragma once

#include <omnix/v1/silence.pb.h>
#include <re2/re2.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

inline constexpr size_t kMaxOpenSilences = 1000;
inline constexpr int kMaxSilenceMatchers = 20;
inline constexpr size_t kMaxSilenceTextBytes = 4096;
// Further alerts are not held back, but go to the incidents.
inline constexpr size_t kMaxHeldAlerts = 20000;
inline constexpr absl::Duration kMaxSilenceDuration = absl::Hours(24 * 366);

struct HeldAlert {
  std::string silence_id;
  v1::Alert alert;
};

class SilenceState {
 public:
  void Evolve(const v1::SilenceEvent& event);

  // Null where there is none.
  const v1::Silence* Find(const std::string& id) const;
  // In order of their numbers.
  std::vector<const v1::Silence*> All() const;
  // Pending and active ones.
  size_t CountOpen(absl::Time now) const;
  std::string NextId() const;
  // Id of the active silence that matches the alert, the oldest of several; empty: none does.
  std::string FindMatching(const v1::Alert& alert, absl::Time now) const;
  // By fingerprint.
  const std::map<std::string, HeldAlert>& held() const { return held_; }
  size_t CountHeld(const std::string& silence_id) const;

 private:
  struct Matcher {
    v1::SilenceMatcher declared;
    // Null: no regular expression.
    std::shared_ptr<const re2::RE2> pattern;
  };
  struct Known {
    v1::Silence silence;
    std::vector<Matcher> matchers;
  };
  static bool Matches(const Known& known, const v1::Alert& alert);
  void Release(const std::string& fingerprint);

  // By number: "SIL-12" is 12.
  std::map<uint64_t, Known> silences_;
  std::map<std::string, HeldAlert> held_;
  std::map<std::string, size_t> held_by_;
};

v1::SilenceStatus StatusOf(const v1::Silence& silence, absl::Time now);

// `services`: what a maintenance window covers; empty: the matchers alone say it. Errors: INVALID_ARGUMENT naming the
// field; RESOURCE_EXHAUSTED.
absl::StatusOr<v1::SilenceEvent> DecideAdd(const SilenceState& state, const v1::AddSilenceRequest& request,
                                           const std::set<std::string>& services, absl::Time now);
// Errors: NOT_FOUND, FAILED_PRECONDITION (it has ended).
absl::StatusOr<v1::SilenceEvent> DecideExpire(const SilenceState& state, const v1::ExpireSilenceRequest& request,
                                              absl::Time now);

// What becomes of an alert that arrives.
struct SilenceVerdict {
  // Empty: it goes to the incidents.
  std::string silence_id;
  // It is held already and unchanged: only counted.
  bool repeat = false;
  // To be recorded.
  std::vector<v1::SilenceEvent> events;
};
SilenceVerdict DecideAlert(const SilenceState& state, const v1::Alert& alert, absl::Time now);

// What no active silence holds any more goes to the incidents; what another one matches changes its holder.
struct Released {
  std::vector<v1::Alert> take_up;
  std::vector<v1::SilenceEvent> events;
};
Released DecideReleases(const SilenceState& state, absl::Time now, size_t limit);
v1::SilenceEvent TakenUp(const std::string& silence_id, const std::string& fingerprint, absl::Time now);

}  // namespace omnix
