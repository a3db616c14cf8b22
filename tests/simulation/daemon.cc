#include "tests/simulation/daemon.h"

#include <utility>

#include "common/status.h"

namespace omnix::simulation {
namespace {

constexpr absl::Duration kReopenInterval = absl::Milliseconds(500);
constexpr double kCrashAtCommit = 0.02;
constexpr double kSlowCommit = 0.05;
// Ticks at one moment beyond which the engine's thread would spin.
constexpr int kMaxTicksInARow = 1000;

}  // namespace

void Daemon::Later(absl::Duration delay, std::function<void()> action) {
  bench_.scheduler.After(delay, [this, generation = generation_, action = std::move(action)] {
    if (generation == generation_ && up()) action();
  });
}

void Daemon::Start() {
  ++generation_;
  absl::Status status = journal_.Open();
  if (status.ok()) {
    engine_ = std::make_unique<Engine>(bench_.scenario.engine, bench_.scenario.configuration, journal_,
                                       bench_.scheduler.clock());
    bench_.promises.EngineRecovered();
    status = engine_->Recover();
  }
  if (!status.ok()) {
    // It ends with an error and is started again.
    engine_.reset();
    bench_.scheduler.After(kReopenInterval, [this] { Start(); });
    return;
  }
  working_ = true;
  bench_.trace.Add(bench_.now(), "omnixd", "started, {} incidents open", engine_->open_incidents());
  Proceed();
}

void Daemon::Crash() {
  if (!up()) return;
  bench_.trace.Add(bench_.now(), "omnixd", "killed");
  engine_.reset();
  writing_.reset();
  to_let_out_.clear();
  building_since_.reset();
  working_ = false;
  letting_out_ = false;
  wakes_at_ = absl::InfiniteDuration();
  ++generation_;
  for (const auto& listener : std::exchange(crash_listeners_, {})) listener();
  bench_.scheduler.After(random_.Between(absl::Milliseconds(200), absl::Seconds(15)), [this] { Start(); });
}

void Daemon::Give(const std::function<void(Engine&)>& input) {
  if (!up()) return;
  input(*engine_);
  Proceed();
}

void Daemon::Proceed() {
  engine_->Tick();
  if (engine_->HasTransaction()) {
    if (!building_since_.has_value()) building_since_ = bench_.now();
    if (!writing_.has_value() && working_) {
      writing_ = engine_->TakeTransaction();
      bench_.promises.Taken(writing_->batch, *building_since_, *engine_);
      building_since_.reset();
      absl::Duration delay = random_.Between(absl::Microseconds(50), absl::Milliseconds(3));
      if (bench_.Strikes(Fault::kSlowDisk, random_, kSlowCommit)) {
        delay = random_.Between(absl::Milliseconds(50), absl::Seconds(4));
      }
      Later(delay, [this] { Commit(); });
    }
  }
  Wake();
}

void Daemon::Wake() {
  const absl::Duration next = engine_->NextTick();
  if (next <= bench_.now() && ++ticks_in_a_row_ > kMaxTicksInARow) {
    return bench_.promises.Break("the engine rests when there is nothing to do", "a tick asks for another at once");
  }
  if (next > bench_.now()) ticks_in_a_row_ = 0;
  if (next >= wakes_at_) return;
  wakes_at_ = next;
  Later(next - bench_.now(), [this, next] {
    if (wakes_at_ != next) return;
    wakes_at_ = absl::InfiniteDuration();
    Proceed();
  });
}

void Daemon::Commit() {
  absl::Status status;
  if (!writing_->batch.empty()) {
    if (bench_.Strikes(Fault::kCrashBeforeCommit, random_, kCrashAtCommit)) return Crash();
    status = journal_.Append(writing_->batch);
    if (bench_.Strikes(Fault::kCrashAfterCommit, random_, kCrashAtCommit)) return Crash();
  }
  if (!status.ok()) {
    // What is durable goes out before anybody hears of the failure.
    while (!to_let_out_.empty() && up()) LetOut();
    return up() ? Fail(status) : void();
  }
  // The next one is written while this one goes out.
  to_let_out_.push_back(*std::move(writing_));
  writing_.reset();
  Later(random_.Between(absl::Microseconds(10), absl::Microseconds(500)), [this] {
    if (!to_let_out_.empty()) LetOut();
  });
  Proceed();
}

void Daemon::LetOut() {
  const Transaction transaction = std::move(to_let_out_.front());
  to_let_out_.pop_front();
  const bool crashes =
      !transaction.batch.empty() && bench_.Strikes(Fault::kCrashWhileLettingOut, random_, kCrashAtCommit);
  size_t left = transaction.sends.size() + transaction.replies.size();
  if (crashes) left = random_.Below(left + 1);
  letting_out_ = true;
  for (auto& [session, items] : transaction.sends) {
    if (left == 0) break;
    --left;
    session->Send(items);
  }
  for (auto& reply : transaction.replies) {
    if (left == 0) break;
    --left;
    reply(absl::OkStatus());
  }
  letting_out_ = false;
  if (crashes) Crash();
}

void Daemon::Fail(const absl::Status& why) {
  bench_.trace.Add(bench_.now(), "omnixd", "commit failed: {}", Message(why));
  Transaction transaction = *std::move(writing_);
  writing_.reset();
  working_ = false;
  for (auto& reply : transaction.replies) reply(why);
  // The engine hears of it as one input among others.
  Later(random_.Between(absl::Microseconds(10), absl::Milliseconds(2)), [this, why] {
    Give([&](Engine& engine) { engine.Forget(why); });
    building_since_.reset();
    ReopenJournal();
  });
}

void Daemon::ReopenJournal() {
  absl::Status status = journal_.Reopen();
  if (status.ok()) {
    bench_.promises.EngineRecovered();
    status = engine_->Recover();
    if (!status.ok()) engine_->Forget(status);
  }
  if (!status.ok()) return Later(kReopenInterval, [this] { ReopenJournal(); });
  working_ = true;
  bench_.trace.Add(bench_.now(), "omnixd", "works again, {} incidents open", engine_->open_incidents());
  Proceed();
}

}  // namespace omnix::simulation
