#include "orchestrator/engine/engine_thread.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "common/crash_point.h"
#include "common/status.h"
#include "common/thread_name.h"
#include "orchestrator/core/names.h"
#include "orchestrator/engine/pending_alerts.h"
#include "orchestrator/engine/replay.h"

namespace omnix {
namespace {

constexpr auto kReopenInterval = std::chrono::milliseconds(500);
constexpr absl::Duration kLongestSleep = absl::Hours(1);
// Transactions that are durable and not yet out; beyond these the writer waits.
constexpr size_t kMaxToPublish = 8;
constexpr uint32_t kDefaultListed = 50;
constexpr uint32_t kMaxListed = 1000;
constexpr uint32_t kMaxEventsListed = 10'000;

uint32_t Limit(uint32_t asked, uint32_t standard, uint32_t most) {
  return asked == 0 ? standard : std::min(asked, most);
}

absl::Status Stopping() { return absl::UnavailableError("the orchestrator is stopping"); }

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

template <typename T>
void EngineThread::PostOrRefuse(Callback<T> done, EngineInput input) {
  if (const absl::Status posted = Post(std::move(input)); !posted.ok()) done(posted);
}

template <typename T>
void EngineThread::Read(Callback<T> done, std::function<absl::StatusOr<T>()> read) {
  absl::Status refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = Stopping();
    } else if (reads_.size() >= kMaxWaitingOperatorCalls) {
      refused = absl::ResourceExhaustedError("too many requests are waiting; try again in a second");
    } else {
      reads_.push_back([done, read = std::move(read)] { done(read()); });
    }
  }
  if (!refused.ok()) return done(refused);
  reader_wakes_.notify_one();
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
    // A full transaction is taken at once: until the engine's thread had woken up and given it, this one would have
    // slept. One that is not full is left to grow meanwhile.
    if (engine_waits_ && RoomForAlerts() == 0) GiveTransaction();
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

void EngineThread::AgentConnected(std::shared_ptr<AgentSession> session, v1::Hello hello) {
  const absl::Status posted = Post({[session, hello = std::move(hello)](Engine& engine) mutable {
                                      engine.AgentConnected(session, std::move(hello));
                                    },
                                    InputLane::kAgents});
  if (!posted.ok()) session->Close(posted);
}

void EngineThread::AgentItems(const std::shared_ptr<AgentSession>& session, std::vector<v1::AgentItem> items) {
  const size_t weight = items.size();
  Post({[session, items = std::move(items)](Engine& engine) mutable {
          engine.AgentItems(session, std::move(items));
          session->ItemsTaken();
        },
        InputLane::kAgents, weight})
      .IgnoreError();
}

void EngineThread::AgentDisconnected(const std::shared_ptr<AgentSession>& session, const std::string& reason) {
  Post({[session, reason](Engine& engine) { engine.AgentDisconnected(session, reason); }, InputLane::kAgents})
      .IgnoreError();
}

void EngineThread::IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<IngestedAlert>> done) {
  const size_t weight = alerts.size();
  size_t bytes = 0;
  for (const auto& alert : alerts) bytes += alert.ByteSizeLong();
  PostOrRefuse(done, {[alerts = std::move(alerts), done](Engine& engine) mutable {
                        engine.IngestAlerts(std::move(alerts), std::move(done));
                      },
                      InputLane::kAlerts, weight, bytes});
}

void EngineThread::OpenIncident(v1::OpenIncidentRequest request, Callback<v1::OpenIncidentResponse> done) {
  const size_t bytes = request.ByteSizeLong();
  PostOrRefuse(done, {[request = std::move(request), done](Engine& engine) mutable {
                        engine.OpenIncident(std::move(request), std::move(done));
                      },
                      InputLane::kOperators, 1, bytes});
}

void EngineThread::CommandIncident(v1::CommandIncidentRequest request, Callback<v1::CommandIncidentResponse> done) {
  const size_t bytes = request.ByteSizeLong();
  PostOrRefuse(done, {[request = std::move(request), done](Engine& engine) mutable {
                        engine.CommandIncident(std::move(request), std::move(done));
                      },
                      InputLane::kOperators, 1, bytes});
}

void EngineThread::GetIncident(v1::GetIncidentRequest request, Callback<v1::GetIncidentResponse> done) {
  Input get = [this, request = std::move(request), done](Engine& engine) {
    if (engine.GetOpenIncident(request.incident_id(), done)) return;
    const std::string open = engine.OpenIncidentsForPeople();
    const std::string incident_id = request.incident_id();
    Read<v1::GetIncidentResponse>(done, [this, incident_id, open]() -> absl::StatusOr<v1::GetIncidentResponse> {
      v1::GetIncidentResponse response;
      OMNIX_ASSIGN_OR_RETURN(*response.mutable_incident(), Replay(journal_, incident_id));
      if (response.incident().id().empty()) return NotFound("no incident '{}'; {}", incident_id, open);
      return response;
    });
  };
  PostOrRefuse(done, {std::move(get), InputLane::kOperators});
}

void EngineThread::ListIncidents(v1::ListIncidentsRequest request, Callback<v1::ListIncidentsResponse> done) {
  const uint32_t limit = Limit(request.limit(), kDefaultListed, kMaxListed);
  Callback<v1::ListIncidentsResponse> describe = [this, done](absl::StatusOr<v1::ListIncidentsResponse> listed) {
    if (!listed.ok()) return done(listed.status());
    PostOrRefuse(done, {[done, response = *std::move(listed)](Engine& engine) mutable {
                          engine.DescribeWaiting(response);
                          done(std::move(response));
                        },
                        InputLane::kOperators});
  };
  Read<v1::ListIncidentsResponse>(
      describe, [this, limit, open_only = request.open_only()]() -> absl::StatusOr<v1::ListIncidentsResponse> {
        OMNIX_ASSIGN_OR_RETURN(auto summaries, journal_.ListIncidents(open_only, limit));
        v1::ListIncidentsResponse response;
        for (auto& summary : summaries) *response.add_incidents() = std::move(summary);
        return response;
      });
}

void EngineThread::ListEvents(v1::ListEventsRequest request, Callback<v1::ListEventsResponse> done) {
  const uint32_t limit = Limit(request.limit(), kMaxEventsListed, kMaxEventsListed);
  Read<v1::ListEventsResponse>(done, [this, request, limit]() -> absl::StatusOr<v1::ListEventsResponse> {
    OMNIX_ASSIGN_OR_RETURN(auto events, journal_.ReadEvents(request.incident_id(), request.after_sequence(), limit));
    if (events.empty() && request.after_sequence() == 0) return NotFound("no incident '{}'", request.incident_id());
    v1::ListEventsResponse response;
    for (auto& event : events) *response.add_events() = std::move(event);
    return response;
  });
}

void EngineThread::ListAgents(v1::ListAgentsRequest, Callback<v1::ListAgentsResponse> done) {
  PostOrRefuse(done, {[done](Engine& engine) { engine.ListAgents(done); }, InputLane::kOperators});
}

void EngineThread::DrainAgent(v1::DrainAgentRequest request, Callback<v1::DrainAgentResponse> done) {
  PostOrRefuse(done, {[request = std::move(request), done](Engine& engine) { engine.DrainAgent(request, done); },
                      InputLane::kOperators});
}

void EngineThread::ListAlerts(v1::ListAlertsRequest request, Callback<v1::ListAlertsResponse> done) {
  const uint32_t limit = Limit(request.limit(), kDefaultListed, kMaxListed);
  Read<v1::ListAlertsResponse>(done, [this, limit, request]() -> absl::StatusOr<v1::ListAlertsResponse> {
    v1::ListAlertsResponse response;
    OMNIX_ASSIGN_OR_RETURN(const auto pending, journal_.ReadPendingAlerts());
    for (auto& alert : ListPending(pending)) {
      if (response.alerts_size() == static_cast<int>(limit)) break;
      const bool fires = alert.alert().status() != v1::ALERT_STATUS_RESOLVED;
      if (fires || !request.firing_only()) *response.add_alerts() = std::move(alert);
    }
    const size_t left = limit - static_cast<size_t>(response.alerts_size());
    if (request.pending_only() || left == 0) return response;
    OMNIX_ASSIGN_OR_RETURN(auto alerts, journal_.ListAlerts(request.firing_only(), left));
    for (auto& alert : alerts) *response.add_alerts() = std::move(alert);
    return response;
  });
}

void EngineThread::GetStatus(v1::GetStatusRequest, Callback<v1::GetStatusResponse> done) {
  PostOrRefuse(done, {[done](Engine& engine) { engine.GetStatus(done); }, InputLane::kOperators});
}

void EngineThread::Watch(v1::WatchIncidentRequest request, std::shared_ptr<WatchSink> sink) {
  const absl::Status posted =
      Post({[request = std::move(request), sink](Engine& engine) mutable { engine.Watch(std::move(request), sink); },
            InputLane::kOperators});
  if (!posted.ok()) sink->OnEnd(posted);
}

void EngineThread::Unwatch(const std::shared_ptr<WatchSink>& sink) { watches_.Remove(sink); }

}  // namespace omnix
