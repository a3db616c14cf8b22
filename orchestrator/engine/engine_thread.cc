#include "orchestrator/engine/engine_thread.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "common/crash_point.h"
#include "common/status.h"
#include "common/thread_name.h"

namespace omnix {
namespace {

constexpr auto kReopenInterval = std::chrono::milliseconds(500);
constexpr absl::Duration kLongestSleep = absl::Hours(1);
// Transactions that are durable and not yet out; beyond these the writer waits.
constexpr size_t kMaxToPublish = 8;

std::string IncidentOf(const v1::WatchIncidentResponse& update) {
  return update.has_event() ? update.event().incident_id() : update.progress().lease().incident_id();
}

}  // namespace

EngineThread::EngineThread(EngineOptions options, Configuration configuration, Journal& journal, const Clock& clock)
    : engine_(std::move(options), std::move(configuration), journal, clock),
      journal_(journal),
      clock_(clock),
      watches_(journal) {}

EngineThread::~EngineThread() { Stop(); }

absl::Status EngineThread::Stopping() { return absl::UnavailableError("the orchestrator is stopping"); }

absl::Status EngineThread::Start() {
  OMNIX_RETURN_IF_ERROR(engine_.Recover());
  writer_thread_ = std::thread([this] { RunWriter(); });
  publisher_thread_ = std::thread([this] { RunPublisher(); });
  reader_thread_ = std::thread([this] { RunReader(); });
  engine_thread_ = std::thread([this] { RunEngine(); });
  return absl::OkStatus();
}

void EngineThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  engine_wakes_.notify_all();
  reader_wakes_.notify_all();
  if (engine_thread_.joinable()) engine_thread_.join();
  {
    const std::lock_guard lock(mutex_);
    engine_done_ = true;
  }
  writer_wakes_.notify_all();
  if (writer_thread_.joinable()) writer_thread_.join();
  {
    const std::lock_guard lock(mutex_);
    writer_done_ = true;
  }
  publisher_wakes_.notify_one();
  if (publisher_thread_.joinable()) publisher_thread_.join();
  watches_.EndAll(Stopping());
  if (reader_thread_.joinable()) reader_thread_.join();
}

absl::Status EngineThread::Post(EngineInput input) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Stopping();
    OMNIX_RETURN_IF_ERROR(inputs_.Add(std::move(input)));
  }
  OMNIX_CRASH_POINT("engine.enqueued");
  engine_wakes_.notify_one();
  return absl::OkStatus();
}

void EngineThread::RunEngine() {
  NameThread("engine");
  std::unique_lock lock(mutex_);
  while (true) {
    const auto ready = [&] {
      return inputs_.HasInputs(RoomForAlerts()) || stopping_ ||
             (!writer_busy_ && !must_forget_ && engine_.HasTransaction());
    };
    const absl::Duration until_tick = std::min(engine_.NextTick() - clock_.Monotonic(), kLongestSleep);
    if (until_tick > absl::ZeroDuration()) {
      engine_waits_ = true;
      engine_wakes_.wait_for(lock, absl::ToChronoNanoseconds(until_tick), ready);
      engine_waits_ = false;
    }
    std::vector<EngineInput> inputs = inputs_.Take(RoomForAlerts());
    lock.unlock();
    for (auto& input : inputs) {
      OMNIX_CRASH_POINT("engine.before_input");
      input.run(engine_);
      if (input.lane == InputLane::kAlerts) alerts_taken_ += input.weight;
    }
    // Their callbacks may hold what waits for this memory.
    inputs.clear();
    engine_.Tick();
    lock.lock();
    // Alerts that were refused are in no transaction.
    if (!engine_.HasTransaction()) alerts_taken_ = 0;
    if (GiveTransaction()) writer_wakes_.notify_one();
    more_to_write_ = engine_.HasTransaction();
    if (stopping_ && inputs_.empty() && !writer_busy_ && !engine_.HasTransaction()) return;
    if (stopping_ && writer_busy_) {
      engine_wakes_.wait(lock, [&] { return !writer_busy_ || inputs_.HasInputs(RoomForAlerts()); });
    }
  }
}

bool EngineThread::GiveTransaction() {
  if (writer_busy_ || must_forget_ || !engine_.HasTransaction()) return false;
  to_write_ = engine_.TakeTransaction();
  alerts_taken_ = 0;
  writer_busy_ = true;
  more_to_write_ = false;
  OMNIX_CRASH_POINT("engine.transaction_given");
  return true;
}

void EngineThread::RunWriter() {
  NameThread("writer");
  std::unique_lock lock(mutex_);
  while (true) {
    writer_wakes_.wait(lock, [&] { return to_write_.has_value() || engine_done_ || recovery_failed_; });
    if (recovery_failed_) {
      recovery_failed_ = false;
      writer_wakes_.wait_for(lock, kReopenInterval, [&] { return stopping_; });
      lock.unlock();
      ReopenJournal();
      lock.lock();
      continue;
    }
    if (!to_write_.has_value()) return;
    Transaction transaction = *std::move(to_write_);
    to_write_.reset();
    lock.unlock();
    Write(std::move(transaction));
    lock.lock();
    writer_busy_ = false;
    // Where the engine has nothing to add to its transaction, it is taken at once: until the engine's thread had woken
    // up and given it, this one would have slept.
    if (engine_waits_) GiveTransaction();
    engine_wakes_.notify_one();
  }
}

void EngineThread::Write(Transaction transaction) {
  OMNIX_CRASH_POINT("writer.before_append");
  absl::Status status = transaction.batch.empty() ? absl::OkStatus() : journal_.Append(transaction.batch);
  OMNIX_CRASH_POINT("writer.appended");
  if (status.ok()) {
    PublishOrHandOver(std::move(transaction));
    transaction = {};
    OMNIX_CRASH_POINT("writer.before_maintenance");
    status = journal_.Maintain();
  }
  if (status.ok()) return;
  WaitForPublisher();
  Fail(transaction, status);
}

void EngineThread::PublishOrHandOver(Transaction transaction) {
  {
    std::unique_lock lock(mutex_);
    published_.wait(lock, [&] { return to_publish_.size() < kMaxToPublish; });
    if (!to_publish_.empty() || more_to_write_) {
      to_publish_.push_back(std::move(transaction));
      publisher_wakes_.notify_one();
      return;
    }
  }
  Publish(transaction);
}

void EngineThread::RunPublisher() {
  NameThread("publisher");
  std::unique_lock lock(mutex_);
  while (true) {
    publisher_wakes_.wait(lock, [&] { return !to_publish_.empty() || writer_done_; });
    if (to_publish_.empty()) return;
    // Stays in the queue until it is out: the writer must not overtake it. References into a deque stay valid while
    // others are added.
    Transaction& transaction = to_publish_.front();
    lock.unlock();
    Publish(transaction);
    transaction = {};
    lock.lock();
    to_publish_.pop_front();
    published_.notify_one();
  }
}

void EngineThread::WaitForPublisher() {
  std::unique_lock lock(mutex_);
  published_.wait(lock, [&] { return to_publish_.empty(); });
}

void EngineThread::Publish(Transaction& transaction) {
  for (auto& [session, items] : transaction.sends) {
    OMNIX_CRASH_POINT("publish.before_send");
    session->Send(std::move(items));
  }
  OMNIX_CRASH_POINT("publish.sent");
  for (auto& reply : transaction.replies) {
    OMNIX_CRASH_POINT("publish.before_reply");
    reply(absl::OkStatus());
  }
  OMNIX_CRASH_POINT("publish.replied");
  for (auto& recorded : transaction.batch.events) {
    if (!watches_.HasWatchers()) break;
    v1::WatchIncidentResponse update;
    update.set_text(recorded.text());
    *update.mutable_event() = std::move(*recorded.mutable_event());
    watches_.Show(update, update.event().incident_id());
    OMNIX_CRASH_POINT("publish.shown");
  }
  for (const auto& update : transaction.progress) watches_.Show(update, IncidentOf(update));
  for (auto& [request, sink] : transaction.watches) watches_.Add(request, sink);
}

// The batch is not kept (or nobody knows): nobody is told that it was, and memory is built again from what the journal
// has.
void EngineThread::Fail(Transaction& transaction, const absl::Status& why) {
  OMNIX_CRASH_POINT("writer.failed");
  spdlog::error("the journal can't be written: {}", Message(why));
  const absl::Status refusal =
      Unavailable("the journal can't be written: {}; what was asked may not have been kept", Message(why));
  for (auto& reply : transaction.replies) reply(refusal);
  for (auto& [request, sink] : transaction.watches) sink->OnEnd(refusal);
  {
    const std::lock_guard lock(mutex_);
    must_forget_ = true;
    // Also when it is stopping: until it has forgotten, the engine has a transaction that nobody may write.
    inputs_.Add({[this, refusal](Engine& engine) { Forget(engine, refusal); }}).IgnoreError();
  }
  engine_wakes_.notify_one();
  ReopenJournal();
}

void EngineThread::Forget(Engine& engine, const absl::Status& why) {
  engine.Forget(why);
  const std::lock_guard lock(mutex_);
  must_forget_ = false;
}

void EngineThread::Recover(Engine& engine) {
  const absl::Status recovered = engine.Recover();
  if (recovered.ok()) return;
  spdlog::error("what the journal holds can't be read: {}", Message(recovered));
  engine.Forget(recovered);
  {
    const std::lock_guard lock(mutex_);
    recovery_failed_ = true;
  }
  writer_wakes_.notify_one();
}

void EngineThread::ReopenJournal() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    OMNIX_CRASH_POINT("writer.before_reopen");
    absl::Status status = journal_.Reopen();
    lock.lock();
    if (status.ok()) {
      inputs_.Add({[this](Engine& engine) { Recover(engine); }}).IgnoreError();
      engine_wakes_.notify_one();
      OMNIX_CRASH_POINT("writer.reopened");
      spdlog::info("the journal can be written again");
      return;
    }
    writer_wakes_.wait_for(lock, kReopenInterval, [&] { return stopping_; });
  }
}

void EngineThread::RunReader() {
  NameThread("reader");
  std::unique_lock lock(mutex_);
  while (true) {
    reader_wakes_.wait(lock, [&] { return !reads_.empty() || stopping_; });
    if (reads_.empty()) return;
    std::vector<std::function<void()>> reads;
    reads.swap(reads_);
    lock.unlock();
    for (auto& read : reads) read();
    lock.lock();
  }
}

}  // namespace omnix
