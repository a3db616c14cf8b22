// omnixd's twin: the real engine over the journal's twin, run as EngineThread runs it (one commit in flight, the next
// transaction being built meanwhile, nothing let out before its commit), by the scheduler instead of threads. It can be
// killed at any point and is started again.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/engine/engine.h"
#include "tests/simulation/bench.h"
#include "tests/simulation/faulty_journal.h"

namespace omnix::simulation {

class Daemon {
 public:
  explicit Daemon(Bench& bench) : bench_(bench), random_(bench.random.Fork()), journal_(bench) {}

  void Start();
  // As kill -9: what is not in the journal is gone. It is started again after a while.
  void Crash();
  bool up() const { return engine_ != nullptr; }
  // Grows with each start: what belongs to an earlier process is dead.
  uint64_t generation() const { return generation_; }
  // The daemon is letting out what a commit has made durable.
  bool letting_out() const { return letting_out_; }

  // A thread of the API hands in what came; dropped where omnixd is down.
  void Give(const std::function<void(Engine&)>& input);

  // Whoever asks something of omnixd; `done` is checked: an OK must not come before its commit.
  template <typename T>
  Callback<T> Checked(const std::string& what, Callback<T> done);

  // Nothing waits to be written.
  bool quiet() const {
    return up() && to_let_out_.empty() && !writing_.has_value() && !engine_->HasTransaction() && working_;
  }
  const Engine& engine() const { return *engine_; }
  FaultyJournal& journal() { return journal_; }

  // Streams end with the process that serves them.
  void OnCrash(std::function<void()> listener) { crash_listeners_.push_back(std::move(listener)); }

 private:
  void Proceed();
  void Wake();
  void Commit();
  void LetOut();
  void Fail(const absl::Status& why);
  void ReopenJournal();
  void Later(absl::Duration delay, std::function<void()> action);

  Bench& bench_;
  Random random_;
  FaultyJournal journal_;
  std::unique_ptr<Engine> engine_;
  // The engine has recovered and takes work.
  bool working_ = false;
  uint64_t generation_ = 0;
  std::optional<Transaction> writing_;
  // Durable, not yet out.
  std::deque<Transaction> to_let_out_;
  // Since when the transaction is being built that is taken next.
  std::optional<absl::Duration> building_since_;
  bool letting_out_ = false;
  absl::Duration wakes_at_ = absl::InfiniteDuration();
  int ticks_in_a_row_ = 0;
  std::vector<std::function<void()>> crash_listeners_;
};

template <typename T>
Callback<T> Daemon::Checked(const std::string& what, Callback<T> done) {
  return [this, what, done = std::move(done)](absl::StatusOr<T> answer) {
    if (answer.ok() && !letting_out_)
      bench_.promises.Break("nothing leaves before its commit", "the answer to " + what);
    done(std::move(answer));
  };
}

}  // namespace omnix::simulation
