// Test support: the real engine over the journal's twin, on a virtual clock, with scripted agents. Nothing runs by
// itself: Pump() moves messages until nobody has anything more to say.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/time.h"
#include "orchestrator/core/incident_fixture.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/journal/memory_journal.h"

namespace omnix::testing {

// An agent as the engine sees it: answers roll calls, and does tasks by a script.
class ScriptedAgent final : public AgentSession {
 public:
  // What it answers to a task; no value: it works on (hangs).
  using Script = std::function<std::optional<v1::Product>(const v1::Assign&)>;

  ScriptedAgent(std::string name, std::vector<std::string> task_types, Script script) : script_(std::move(script)) {
    hello_.set_link_version(1);
    hello_.set_name(std::move(name));
    hello_.set_instance_id("instance-1");
    hello_.set_kind("test");
    hello_.set_capacity(100);
    for (auto& type : task_types) hello_.add_task_types()->set_name(type);
  }

  void Send(std::vector<v1::OrchestratorItem> items) override {
    for (auto& item : items) Take(item);
  }
  void Close(const absl::Status& status) override { closed_ = status; }

  v1::Hello hello_;
  Script script_;
  std::vector<v1::Assign> assigned;
  std::vector<v1::LeaseId> cancelled;
  std::vector<v1::LeaseId> acknowledged;
  std::deque<v1::AgentItem> outbox;
  absl::Status closed_;
  bool welcomed = false;
  int drained = 0;

  void Answer(const v1::LeaseId& lease, v1::Product product) {
    v1::AgentItem item;
    *item.mutable_result()->mutable_lease() = lease;
    item.mutable_result()->set_outcome(v1::OUTCOME_SUCCEEDED);
    *item.mutable_result()->mutable_product() = std::move(product);
    outbox.push_back(std::move(item));
  }

 private:
  void Take(const v1::OrchestratorItem& item) {
    welcomed |= item.has_welcome();
    drained += item.has_drain() ? 1 : 0;
    if (item.has_prepare()) {
      v1::AgentItem answer;
      answer.mutable_prepared()->set_incident_id(item.prepare().incident_id());
      answer.mutable_prepared()->set_ready(true);
      outbox.push_back(std::move(answer));
    }
    if (item.has_cancel()) cancelled.push_back(item.cancel().lease());
    if (item.has_result_ack()) acknowledged.push_back(item.result_ack().lease());
    if (item.has_assign()) {
      assigned.push_back(item.assign());
      if (auto product = script_(item.assign())) Answer(item.assign().lease(), *std::move(product));
    }
  }
};

inline std::optional<v1::Product> DoEverythingWell(const v1::Assign& assign) {
  const std::string& type = assign.type();
  if (type == "investigation.diagnose") return DiagnosisOf({"x1", "x2"});
  if (type == "recovery.plan") return PlanOf("hash-" + assign.lease().incident_id() + assign.lease().task_id());
  if (type == "recovery.apply") {
    const std::string plan_task = "recovering-" + assign.lease().task_id().substr(11, 1) + "/plan";
    return ApplicationOf("hash-" + assign.lease().incident_id() + plan_task, true);
  }
  if (type == "recovery.rollback") return RollbackOf("", true);
  if (type == "testing.validate") return VerdictOf(true);
  return DocumentOf();
}

inline const std::vector<std::string> kAllTaskTypes = {"investigation.diagnose", "recovery.plan",
                                                       "recovery.apply",         "recovery.rollback",
                                                       "testing.validate",       "documentation.report"};

class EngineWorld {
 public:
  explicit EngineWorld(v1::PolicyDecision policy = v1::POLICY_DECISION_AUTO, EngineOptions options = {})
      : options_(std::move(options)) {
    configuration_.playbooks.push_back(FullPlaybook());
    auto* rule = configuration_.policy.add_rules();
    rule->set_name("test");
    rule->set_decision(policy);
    Restart();
  }

  // A new engine over the same journal, as after kill -9: what was not in the journal is gone. Agents' connections are
  // cut.
  void Restart() {
    engine_ = std::make_unique<Engine>(options_, configuration_, journal_, clock_);
    const absl::Status recovered = engine_->Recover();
    ASSERT_TRUE(recovered.ok()) << recovered;
    agents_.clear();
  }

  std::shared_ptr<ScriptedAgent> Connect(const std::string& name, ScriptedAgent::Script script = DoEverythingWell,
                                         std::vector<v1::LeaseId> running = {},
                                         std::vector<std::string> types = kAllTaskTypes) {
    auto agent = std::make_shared<ScriptedAgent>(name, std::move(types), std::move(script));
    for (auto& lease : running) *agent->hello_.add_running() = std::move(lease);
    agents_.push_back(agent);
    engine_->AgentConnected(agent, agent->hello_);
    Pump();
    return agent;
  }

  void Disconnect(const std::shared_ptr<ScriptedAgent>& agent) {
    std::erase(agents_, agent);
    engine_->AgentDisconnected(agent, "test");
    Pump();
  }

  void Pump() {
    for (bool moved = true; moved;) {
      moved = false;
      engine_->Tick();
      while (engine_->HasTransaction()) {
        Commit(engine_->TakeTransaction());
        moved = true;
      }
      for (auto& agent : std::vector(agents_)) {
        while (!agent->outbox.empty()) {
          std::vector<v1::AgentItem> items(agent->outbox.begin(), agent->outbox.end());
          agent->outbox.clear();
          engine_->AgentItems(agent, std::move(items));
          moved = true;
        }
      }
    }
  }

  void Advance(absl::Duration duration) {
    clock_.Advance(duration);
    for (auto& agent : agents_) {
      v1::AgentItem item;
      item.mutable_heartbeat()->set_number(1);
      engine_->AgentItems(agent, {item});
    }
    Pump();
  }

  IngestedAlert Alert(const std::string& fingerprint, v1::AlertStatus status = v1::ALERT_STATUS_FIRING) {
    v1::Alert alert;
    alert.set_fingerprint(fingerprint);
    alert.set_title("alert " + fingerprint);
    alert.set_status(status);
    alert.set_severity(v1::SEVERITY_ERROR);
    return Alert(alert);
  }

  IngestedAlert Alert(const v1::Alert& alert) {
    IngestedAlert result;
    bool answered = false;
    engine_->IngestAlerts({alert}, [&](absl::StatusOr<std::vector<IngestedAlert>> ingested) {
      ASSERT_TRUE(ingested.ok()) << ingested.status();
      result = ingested->front();
      answered = true;
    });
    Pump();
    EXPECT_TRUE(answered);
    return result;
  }

  absl::Status Command(v1::CommandIncidentRequest request) {
    absl::Status status = absl::UnknownError("not answered");
    request.set_by("alice");
    engine_->CommandIncident(request,
                             [&](absl::StatusOr<v1::CommandIncidentResponse> response) { status = response.status(); });
    Pump();
    return status;
  }

  // From the journal alone.
  v1::Incident Recorded(const std::string& incident_id) {
    v1::Incident incident;
    const auto events = journal_.ReadEvents(incident_id, 0, SIZE_MAX);
    EXPECT_TRUE(events.ok()) << events.status();
    for (const auto& recorded : *events) Evolve(incident, recorded.event());
    return incident;
  }

  Engine& engine() { return *engine_; }
  ManualClock& clock() { return clock_; }
  MemoryJournal& journal() { return journal_; }
  Configuration& configuration() { return configuration_; }

 private:
  void Commit(Transaction transaction) {
    const absl::Status status = journal_.Append(transaction.batch);
    for (auto& reply : transaction.replies) reply(status);
    if (!status.ok()) {
      engine_->Forget(status);
      agents_.clear();
      return;
    }
    for (auto& [session, items] : transaction.sends) session->Send(std::move(items));
  }

  const EngineOptions options_;
  ManualClock clock_{absl::FromUnixSeconds(1'756'969'200)};
  MemoryJournal journal_;
  Configuration configuration_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::shared_ptr<ScriptedAgent>> agents_;
};

}  // namespace omnix::testing
