// Runs the engine: one thread decides, one makes durable and then lets out (raft's order: persist, then send), one
// answers from the journal. While a transaction is being written, the next is being built: group commit without a
// timer. Where the next one is waiting already, a publisher's thread lets out the last one meanwhile; where nothing
// waits, the writer does so itself: a hand-over costs more than it would save.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "orchestrator/engine/engine.h"
#include "orchestrator/engine/input_queue.h"
#include "orchestrator/engine/ports.h"
#include "orchestrator/engine/watch_hub.h"

namespace omnix {

class EngineThread final : public AgentPort, public OperatorPort {
 public:
  EngineThread(EngineOptions options, Configuration configuration, Journal& journal, const Clock& clock);
  ~EngineThread() override;
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  // Recovers from the journal and starts. Errors: the journal's.
  absl::Status Start();
  // Writes what is waiting, ends all watches, joins the threads. Calls that come later are answered UNAVAILABLE.
  void Stop();

  void AgentConnected(std::shared_ptr<AgentSession> session, v1::Hello hello) override;
  void AgentItems(const std::shared_ptr<AgentSession>& session, std::vector<v1::AgentItem> items) override;
  void AgentDisconnected(const std::shared_ptr<AgentSession>& session, const std::string& reason) override;

  void IngestAlerts(std::vector<v1::Alert> alerts, Callback<std::vector<IngestedAlert>> done) override;
  void OpenIncident(v1::OpenIncidentRequest request, Callback<v1::OpenIncidentResponse> done) override;
  void CommandIncident(v1::CommandIncidentRequest request, Callback<v1::CommandIncidentResponse> done) override;
  void GetIncident(v1::GetIncidentRequest request, Callback<v1::GetIncidentResponse> done) override;
  void ListIncidents(v1::ListIncidentsRequest request, Callback<v1::ListIncidentsResponse> done) override;
  void ListEvents(v1::ListEventsRequest request, Callback<v1::ListEventsResponse> done) override;
  void ListAgents(v1::ListAgentsRequest request, Callback<v1::ListAgentsResponse> done) override;
  void DrainAgent(v1::DrainAgentRequest request, Callback<v1::DrainAgentResponse> done) override;
  void ListAlerts(v1::ListAlertsRequest request, Callback<v1::ListAlertsResponse> done) override;
  void GetStatus(v1::GetStatusRequest request, Callback<v1::GetStatusResponse> done) override;
  void Watch(v1::WatchIncidentRequest request, std::shared_ptr<WatchSink> sink) override;
  void Unwatch(const std::shared_ptr<WatchSink>& sink) override;

 private:
  using Input = std::function<void(Engine&)>;

  static absl::Status Stopping();
  // Errors: UNAVAILABLE (the threads stop), RESOURCE_EXHAUSTED (the lane is full).
  absl::Status Post(EngineInput input);
  template <typename T>
  void PostOrRefuse(Callback<T> done, EngineInput input);
  // How many alerts still fit into the transaction that is being built.
  size_t RoomForAlerts() const { return kMaxAlertsATransaction - std::min(kMaxAlertsATransaction, alerts_taken_); }
  template <typename T>
  void Read(Callback<T> done, std::function<absl::StatusOr<T>()> read);

  void RunEngine();
  void RunWriter();
  // Takes the transaction from the engine where the writer may have it. With the lock, in the engine's thread, or in
  // the writer's while that one waits.
  bool GiveTransaction();
  void RunPublisher();
  // Of the engine's thread.
  void Forget(Engine& engine, const absl::Status& why);
  void Recover(Engine& engine);
  void RunReader();
  void Write(Transaction transaction);
  // Lets out what is durable.
  void Publish(Transaction& transaction);
  void PublishOrHandOver(Transaction transaction);
  // Waits until all that was handed over is out.
  void WaitForPublisher();
  void Fail(Transaction& transaction, const absl::Status& why);
  // Until the journal works again or the threads stop.
  void ReopenJournal();

  Engine engine_;
  Journal& journal_;
  const Clock& clock_;
  WatchHub watches_;

  std::mutex mutex_;
  std::condition_variable engine_wakes_;
  std::condition_variable writer_wakes_;
  std::condition_variable publisher_wakes_;
  std::condition_variable published_;
  std::condition_variable reader_wakes_;
  InputQueue inputs_;
  // Alerts in the transaction that is being built.
  size_t alerts_taken_ = 0;
  std::optional<Transaction> to_write_;
  bool writer_busy_ = false;
  // The engine's thread waits for work: whoever has the lock may touch the engine.
  bool engine_waits_ = false;
  // From a failed transaction until the engine has forgotten what it built upon it: it must not give another one.
  bool must_forget_ = false;
  // What was kept could not be read: the journal must be opened again.
  bool recovery_failed_ = false;
  // The engine would write, were the writer not busy.
  bool more_to_write_ = false;
  // Durable, not yet out; in order. The front is taken away once it is out.
  std::deque<Transaction> to_publish_;
  bool writer_done_ = false;
  std::vector<std::function<void()>> reads_;
  bool stopping_ = false;
  bool engine_done_ = false;

  std::thread engine_thread_;
  std::thread writer_thread_;
  std::thread publisher_thread_;
  std::thread reader_thread_;
};

}  // namespace omnix
