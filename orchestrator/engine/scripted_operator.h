// A twin of the engine for tests: answers at once, from a thread of the caller, as it was told to. Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "common/status.h"
#include "orchestrator/engine/ports.h"

namespace omnix {

class ScriptedOperator : public OperatorPort {
 public:
  // What every call ends with from now on, unless OK.
  void FailWith(absl::Status status) {
    Locked([&] { failure_ = std::move(status); });
  }
  // Keeps alerts' callbacks until ReleaseAlerts: a journal that has not written yet.
  void HoldAlerts() {
    Locked([&] { hold_ = true; });
  }
  void ReleaseAlerts() {
    std::vector<std::function<void()>> held;
    Locked([&] { held.swap(held_); });
    for (const auto& answer : held) answer();
  }
  void SetStatus(v1::GetStatusResponse status) {
    Locked([&] { status_ = std::move(status); });
  }
  void SetIncident(v1::Incident incident) {
    Locked([&] { incidents_[incident.id()] = std::move(incident); });
  }

  // Blocks until the predicate over this twin holds; false after 10 s.
  template <typename Predicate>
  bool WaitFor(Predicate predicate) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), predicate);
  }
  // To be read inside WaitFor or once nothing runs.
  std::vector<v1::Alert> alerts;
  std::vector<v1::CommandIncidentRequest> commands;
  std::vector<v1::WatchIncidentRequest> watches;
  std::vector<std::shared_ptr<WatchSink>> sinks;
  size_t held() const { return held_.size(); }
  size_t unwatched = 0;

  // The sink of the n-th watch.
  std::shared_ptr<WatchSink> Sink(size_t n) {
    WaitFor([&] { return sinks.size() > n; });
    const std::lock_guard lock(mutex_);
    return sinks.at(n);
  }

  void IngestAlerts(std::vector<v1::Alert> list, Callback<std::vector<IngestedAlert>> done) override {
    std::vector<IngestedAlert> results(list.size(), {"INC-2025-09-04-001", true, false});
    bool hold = false;
    Locked([&] {
      alerts.insert(alerts.end(), list.begin(), list.end());
      hold = hold_;
      if (hold) held_.push_back([done, results] { done(results); });
    });
    if (!hold) Answer(done, std::move(results));
  }
  void OpenIncident(v1::OpenIncidentRequest, Callback<v1::OpenIncidentResponse> done) override {
    v1::OpenIncidentResponse response;
    response.set_incident_id("INC-2025-09-04-002");
    Answer(done, std::move(response));
  }
  void CommandIncident(v1::CommandIncidentRequest request, Callback<v1::CommandIncidentResponse> done) override {
    v1::CommandIncidentResponse response;
    response.mutable_incident()->set_id(request.incident_id());
    Locked([&] { commands.push_back(std::move(request)); });
    Answer(done, std::move(response));
  }
  void GetIncident(v1::GetIncidentRequest request, Callback<v1::GetIncidentResponse> done) override {
    std::optional<v1::GetIncidentResponse> response;
    Locked([&] {
      const auto found = incidents_.find(request.incident_id());
      if (found == incidents_.end()) return;
      *response.emplace().mutable_incident() = found->second;
    });
    if (!response) return done(NotFound("no incident of this name; open are: none"));
    Answer(done, *std::move(response));
  }
  void ListIncidents(v1::ListIncidentsRequest request, Callback<v1::ListIncidentsResponse> done) override {
    v1::ListIncidentsResponse response;
    response.add_incidents()->set_alerts(request.limit());
    Answer(done, std::move(response));
  }
  void ListEvents(v1::ListEventsRequest request, Callback<v1::ListEventsResponse> done) override {
    v1::ListEventsResponse response;
    response.add_events()->mutable_event()->set_sequence(request.after_sequence() + 1);
    Answer(done, std::move(response));
  }
  void ListAgents(v1::ListAgentsRequest, Callback<v1::ListAgentsResponse> done) override {
    v1::ListAgentsResponse response;
    response.add_agents()->set_name("recovery-agent@web1");
    Answer(done, std::move(response));
  }
  void DrainAgent(v1::DrainAgentRequest, Callback<v1::DrainAgentResponse> done) override {
    Answer(done, v1::DrainAgentResponse());
  }
  void ListAlerts(v1::ListAlertsRequest, Callback<v1::ListAlertsResponse> done) override {
    Answer(done, v1::ListAlertsResponse());
  }
  void GetStatus(v1::GetStatusRequest, Callback<v1::GetStatusResponse> done) override {
    v1::GetStatusResponse status;
    Locked([&] { status = status_; });
    Answer(done, std::move(status));
  }
  void Watch(v1::WatchIncidentRequest request, std::shared_ptr<WatchSink> sink) override {
    Locked([&] {
      watches.push_back(std::move(request));
      sinks.push_back(std::move(sink));
    });
  }
  void Unwatch(const std::shared_ptr<WatchSink>&) override {
    Locked([&] { ++unwatched; });
  }

 private:
  template <typename Action>
  void Locked(Action action) {
    const std::lock_guard lock(mutex_);
    action();
    changed_.notify_all();
  }
  template <typename Done, typename Response>
  void Answer(const Done& done, Response response) {
    absl::Status failure;
    Locked([&] { failure = failure_; });
    if (failure.ok()) return done(std::move(response));
    done(failure);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  absl::Status failure_;
  v1::GetStatusResponse status_;
  std::map<std::string, v1::Incident> incidents_;
  bool hold_ = false;
  std::vector<std::function<void()>> held_;
};

}  // namespace omnix
