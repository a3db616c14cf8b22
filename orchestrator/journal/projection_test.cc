// What each kind of event does to the tables that people query.
#include "orchestrator/journal/projection.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <map>
#include <random>
#include <set>

#include "orchestrator/core/event_text.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/schema.h"

namespace omnix {
namespace {

struct Case {
  // Events from sequence 3 on, as text of v1::Event without incident, sequence and time. (1: opened, 2: in Recovering,
  // with one task "t".)
  std::vector<std::string> events;
  std::string query;
  std::string expected;
};

constexpr char kAssigned[] =
    "task_assigned { task_id: 't' attempt: 2 fencing_token: 7 agent: 'a1' deadline { seconds: 1756970100 } }";
constexpr char kPlanned[] =
    "task_succeeded { task_id: 't' product { plan { hash: 'h' risk: RISK_LOW actions { id: 'x' kind: 'config.set' "
    "component: 'gateway' description: 'allow staging' } } } }";
constexpr char kTask[] =
    "SELECT state, agent, attempt, fencing_token, started_at, finished_at, deadline, not_before, reason FROM tasks";
constexpr char kAction[] = "SELECT kind, component, risk, state, changed_at, outcome FROM actions";
constexpr char kApproval[] =
    "SELECT state, plan_hash, rule, requested_at, decided_at, decided_by, reason FROM approvals";

const std::vector<Case>& Cases() {
  static const std::vector<Case> kCases = {
      {{},
       "SELECT id, title, severity, phase, opened_by, alerts, sequence, updated_at FROM incidents",
       "INC-2025-09-04-001|Checkout fails|critical|Recovering|alertmanager|1|2|2025-09-04T07:14:02.000Z\n"},
      {{},
       "SELECT * FROM phases",
       "INC-2025-09-04-001|1|Detected|2025-09-04T07:14:01.000Z|2025-09-04T07:14:02.000Z|opened by alertmanager\n"
       "INC-2025-09-04-001|2|Recovering|2025-09-04T07:14:02.000Z|NULL|cause known\n"},
      {{}, "SELECT id, type, state FROM tasks", "t|recovery.plan|waiting\n"},
      {{"alert_attached { severity: SEVERITY_ERROR alert { fingerprint: 'fp-1' status: ALERT_STATUS_RESOLVED } }"},
       "SELECT a.status, a.count, i.severity, i.alerts FROM alerts a, incidents i",
       "resolved|2|error|1\n"},
      {{"alert_attached { severity: SEVERITY_ERROR alert { fingerprint: 'fp-2' status: ALERT_STATUS_FIRING } "
        "counts { total: 2 firing: 2 } }",
        "alert_flapping { fingerprint: 'fp-2' counts { total: 2 firing: 1 resolved: 1 } }"},
       "SELECT alerts, alerts_firing FROM incidents",
       "2|1\n"},
      {{"alert_settled { fingerprint: 'fp-1' status: ALERT_STATUS_RESOLVED counts { total: 1 resolved: 1 } }"},
       "SELECT alerts, alerts_firing FROM incidents",
       "1|0\n"},
      {{"alerts_taken { from: 'INC-2' severity: SEVERITY_CRITICAL counts { total: 3 firing: 2 resolved: 1 } }"},
       "SELECT alerts, alerts_firing, severity FROM incidents",
       "3|2|critical\n"},
      {{"alerts_moved { to: 'INC-2' all: true severity: SEVERITY_CRITICAL counts {} }"},
       "SELECT i.alerts, i.alerts_firing, a.incident, a.fingerprint, a.count FROM incidents i, alerts a",
       "0|0|INC-2|fp-1|1\n"},
      {{"alert_attached { severity: SEVERITY_ERROR alert { fingerprint: 'fp-2' status: ALERT_STATUS_FIRING } "
        "counts { total: 2 firing: 2 } }",
        "alerts_moved { to: 'INC-2' fingerprints: 'fp-1' severity: SEVERITY_ERROR counts { total: 1 firing: 1 } }"},
       "SELECT i.alerts, i.severity, a.incident, a.fingerprint FROM incidents i, alerts a",
       "1|error|INC-2025-09-04-001|fp-2\n"},
      {{"incident_resolved { reason: 'validated' }", "incident_reopened { reason: 'fires again' }"},
       "SELECT phase, resolved_at FROM incidents",
       "Resolved|NULL\n"},
      // An open incident is one that the index of open ones has.
      {{"incident_resolved { reason: 'validated' }"},
       "SELECT ended, (SELECT count(*) FROM open_incidents) FROM incidents",
       "1|0\n"},
      {{"incident_cancelled { reason: 'duplicate' }", "incident_reopened { reason: 'fires again' }",
        "phase_entered { phase: PHASE_INVESTIGATING }"},
       "SELECT ended, phase FROM incidents",
       "0|Investigating\n"},
      // A rollback of what was closed.
      {{"incident_resolved { reason: 'validated' }", "incident_escalated { reason: 'rolled back by alice' }"},
       "SELECT ended, phase FROM incidents",
       "0|Escalated\n"},
      {{"suspects_named { suspects { service: 'db' } }"}, "SELECT sequence FROM incidents", "3\n"},
      {{"agents_mobilized { roster { agent: 'a1' } roster { agent: 'a2' } }"},
       "SELECT agents FROM incidents",
       "a1, a2\n"},
      {{kAssigned}, kTask, "running|a1|2|7|2025-09-04T07:14:03.000Z|NULL|2025-09-04T07:15:00.000Z|NULL|NULL\n"},
      {{kAssigned, "attempt_failed { task_id: 't' attempt: 2 reason: 'lost' not_before { seconds: 1756970100 } }"},
       kTask,
       "waiting|a1|2|7|2025-09-04T07:14:03.000Z|NULL|NULL|2025-09-04T07:15:00.000Z|lost\n"},
      {{kAssigned, "task_failed { task_id: 't' attempt: 2 reason: 'no' }"},
       kTask,
       "failed|a1|2|7|2025-09-04T07:14:03.000Z|2025-09-04T07:14:04.000Z|NULL|NULL|no\n"},
      {{"task_skipped { task_id: 't' reason: 'condition' }"},
       kTask,
       "skipped|NULL|0|0|NULL|2025-09-04T07:14:03.000Z|NULL|NULL|condition\n"},
      {{"task_cancelled { task_id: 't' reason: 'phase left' }"},
       kTask,
       "cancelled|NULL|0|0|NULL|2025-09-04T07:14:03.000Z|NULL|NULL|phase left\n"},
      {{kAssigned, "late_result { task_id: 't' attempt: 1 }",
        "evidence_recorded { task_id: 't' evidence {} evidence {} }"},
       "SELECT late_results, evidence FROM tasks",
       "1|2\n"},
      {{"task_succeeded { task_id: 't' product { diagnosis { summary: 'prefix mismatch' } } }"},
       "SELECT state, cause FROM tasks, incidents",
       "succeeded|prefix mismatch\n"},
      {{"explanation_chosen { explanation_id: 'x1' }"}, "SELECT explanation FROM incidents", "x1\n"},
      {{kPlanned}, kAction, "config.set|gateway|low|planned|2025-09-04T07:14:03.000Z|NULL\n"},
      {{kPlanned, "approval_granted { plan_hash: 'h' by: 'policy:small' }"},
       kApproval,
       "granted|h|NULL|NULL|2025-09-04T07:14:04.000Z|policy:small|NULL\n"},
      {{kPlanned, "approval_requested { plan_hash: 'h' rule: 'ask' reason: 'risk' }",
        "approval_granted { plan_hash: 'h' by: 'operator:alice' }"},
       kApproval,
       "granted|h|ask|2025-09-04T07:14:04.000Z|2025-09-04T07:14:05.000Z|operator:alice|risk\n"},
      {{kPlanned, "approval_rejected { plan_hash: 'h' by: 'policy:never' forbidden: true reason: 'frozen' }"},
       kApproval,
       "forbidden|h|NULL|NULL|2025-09-04T07:14:04.000Z|policy:never|frozen\n"},
      {{kPlanned, "approval_rejected { plan_hash: 'h' by: 'operator:bob' }"},
       kAction,
       "config.set|gateway|low|rejected|2025-09-04T07:14:04.000Z|NULL\n"},
      {{kPlanned, "approval_requested { plan_hash: 'h' }", "incident_escalated { reason: 'nobody answered' }"},
       "SELECT a.state, i.phase, i.ended_reason FROM approvals a, incidents i",
       "lapsed|Escalated|nobody answered\n"},
      {{kPlanned, "task_succeeded { task_id: 't' product { application { plan_hash: 'h' applied: true } } }",
        "recovery_ended { outcome: 'validated' validated: true }"},
       kAction,
       "config.set|gateway|low|applied|2025-09-04T07:14:04.000Z|validated\n"},
      {{kPlanned, "task_succeeded { task_id: 't' product { application { plan_hash: 'h' needs_attention: true } } }"},
       kAction,
       "config.set|gateway|low|needs attention|2025-09-04T07:14:04.000Z|NULL\n"},
      {{kPlanned,
        "rollback_requested { by: 'operator:alice' tasks { id: 'r' spec { type: 'recovery.rollback' } state: "
        "TASK_STATE_WAITING } }",
        "task_succeeded { task_id: 'r' product { rollback { plan_hash: 'h' complete: true } } }",
        "rollback_ended { complete: true }"},
       "SELECT t.id, t.state, a.state FROM tasks t, actions a WHERE t.id = 'r'",
       "r|succeeded|rolled back\n"},
      {{"resources_locked { resources: 'file:/a' resources: 'service:b' }"},
       "SELECT resources FROM incidents",
       "file:/a, service:b\n"},
      {{"resources_locked { resources: 'file:/a' }", "resources_released {}"},
       "SELECT resources FROM incidents",
       "NULL\n"},
      {{"paused { by: 'operator:alice' }"}, "SELECT paused FROM incidents", "1\n"},
      {{"paused { by: 'operator:alice' }", "resumed {}"}, "SELECT paused FROM incidents", "0\n"},
      {{"note_added { note { text: 'n' } }"},
       "SELECT sequence, updated_at FROM incidents",
       "3|2025-09-04T07:14:03.000Z\n"},
      {{"incident_cancelled { reason: 'duplicate' }"},
       "SELECT phase, ended_reason, resolved_at FROM incidents",
       "Cancelled|duplicate|NULL\n"},
      {{"incident_resolved { reason: 'validated' }"},
       "SELECT phase, ended_reason, resolved_at FROM incidents",
       "Resolved|NULL|2025-09-04T07:14:03.000Z\n"},
  };
  return kCases;
}

v1::RecordedEvent FromText(const std::string& text, uint64_t sequence) {
  v1::RecordedEvent recorded = MakeEvent(kIncident, sequence);
  v1::Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  recorded.mutable_event()->MergeFrom(event);
  return recorded;
}

TEST(Projection, EachKindOfEvent) {
  std::set<int> seen = {v1::Event::kIncidentOpened};
  for (const Case& c : Cases()) {
    const TemporaryFolder folder;
    auto journal = SqliteJournal::Open(OptionsIn(folder));
    ASSERT_TRUE(journal.ok()) << journal.status();
    Batch batch;
    batch.events = {OpenedEvent(kIncident),
                    FromText("phase_entered { phase: PHASE_RECOVERING reason: 'cause known' tasks { id: 't' state: "
                             "TASK_STATE_WAITING spec { type: 'recovery.plan' } } }",
                             2)};
    for (const std::string& text : c.events) batch.events.push_back(FromText(text, batch.events.size() + 1));
    for (auto& recorded : batch.events) {
      recorded.set_text(EventText(recorded.event()));
      seen.insert(recorded.event().kind_case());
    }
    const absl::Status status = (*journal)->Append(batch);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Dump(folder / "journal.db", c.query), c.expected) << (c.events.empty() ? "opened" : c.events.back());
  }
  // A new kind of event needs a case here.
  const auto* kinds = v1::Event::descriptor()->FindOneofByName("kind");
  for (int i = 0; i < kinds->field_count(); ++i) {
    EXPECT_EQ(seen.count(kinds->field(i)->number()), 1u) << kinds->field(i)->name() << " has no case";
  }
}

TEST(Projection, AgentsAndStoryAreReadable) {
  const TemporaryFolder folder;
  auto journal = SqliteJournal::Open(OptionsIn(folder));
  ASSERT_TRUE(journal.ok()) << journal.status();
  Batch batch = IncidentBatch(kIncident, 2);
  v1::AgentInfo& agent = batch.agents.emplace_back();
  agent.set_name("recovery-agent@web1");
  agent.set_kind("recovery");
  agent.set_connected(true);
  agent.add_task_types("recovery.plan");
  agent.add_task_types("recovery.apply");
  (*agent.mutable_labels())["zone"] = "a";
  (*agent.mutable_labels())["site"] = "eu";
  ASSERT_TRUE((*journal)->Append(batch).ok());
  EXPECT_EQ(Dump(folder / "journal.db", "SELECT name, state, task_types, labels FROM agents"),
            "recovery-agent@web1|connected|recovery.plan, recovery.apply|site=eu, zone=a\n");
  EXPECT_EQ(Dump(folder / "journal.db", "SELECT time, type, text FROM story WHERE incident = 'INC-2025-09-04-001'"),
            "2025-09-04T07:14:01.000Z|IncidentOpened|event 1\n2025-09-04T07:14:02.000Z|NoteAdded|event 2\n");
  EXPECT_EQ(Dump(folder / "journal.db", "SELECT id, phase FROM open_incidents"), "INC-2025-09-04-001|Detected\n");
}

// An event that begins a visit, or one that does not.
v1::RecordedEvent AnyEvent(const std::string& incident, uint64_t sequence, std::mt19937& random) {
  static const std::vector<std::string> kReasons = {
      "",       "fires again", "explanation x1: ", ": ", ":", "a: b: c", "Resolved: no", "first line\nsecond: \"line\"",
      "größer",
  };
  const auto pick = [&](size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(random); };
  const std::string& reason = kReasons[pick(kReasons.size())];
  v1::RecordedEvent recorded = sequence == 1 ? OpenedEvent(incident) : MakeEvent(incident, sequence);
  v1::Event& event = *recorded.mutable_event();
  if (sequence == 1) {
    event.mutable_incident_opened()->set_title("Checkout fails: " + reason);
    event.mutable_incident_opened()->set_by(pick(2) == 0 ? "operator:alice" : "alertmanager");
  } else {
    switch (pick(6)) {
      case 0:
        event.mutable_phase_entered()->set_phase(static_cast<v1::Phase>(pick(v1::Phase_ARRAYSIZE)));
        event.mutable_phase_entered()->set_reason(reason);
        break;
      case 1:
        event.mutable_incident_escalated()->set_by("orchestrator");
        event.mutable_incident_escalated()->set_reason(reason);
        break;
      case 2:
        event.mutable_incident_cancelled()->set_by("operator:alice");
        event.mutable_incident_cancelled()->set_reason(reason);
        break;
      case 3:
        event.mutable_incident_resolved()->set_reason(reason);
        break;
      case 4:
        event.mutable_incident_reopened()->set_reason(reason);
        break;
      default:
        event.mutable_note_added()->mutable_note()->set_text(reason);
    }
  }
  recorded.set_text(EventText(event));
  return recorded;
}

std::string VisitsOf(const std::string& id, const v1::Incident& incident) {
  std::string rows;
  for (int i = 0; i < incident.visits_size(); ++i) {
    const auto& visit = incident.visits(i);
    rows += fmt::format("{}|{}|{}|{}|{}|{}\n", id, i + 1, PhaseName(visit.phase()), FormatTime(visit.entered_at()),
                        visit.has_left_at() ? FormatTime(visit.left_at()) : "NULL",
                        visit.reason().empty() ? "NULL" : visit.reason());
  }
  return rows;
}

TEST(Projection, PhasesAreTheVisitsOfTheFold) {
  const TemporaryFolder folder(FastFolder());
  const std::string path = folder / "journal.db";
  std::mt19937 random(7);
  std::map<std::string, v1::Incident> incidents;
  std::map<std::string, uint64_t> sequences;
  {
    auto journal = SqliteJournal::Open(OptionsIn(folder));
    ASSERT_TRUE(journal.ok()) << journal.status();
    for (int i = 0; i < 100; ++i) {
      Batch batch;
      for (int event = 0; event < 20; ++event) {
        const std::string id = fmt::format("INC-2025-09-04-{:03}", std::uniform_int_distribution(1, 30)(random));
        batch.events.push_back(AnyEvent(id, ++sequences[id], random));
        Evolve(incidents[id], batch.events.back().event());
      }
      ASSERT_TRUE((*journal)->Append(batch).ok());
    }
  }
  std::string all;
  for (const auto& [id, incident] : incidents) {
    const std::string rows = VisitsOf(id, incident);
    EXPECT_EQ(Dump(path, fmt::format("SELECT * FROM phases WHERE incident = '{}'", id)), rows);
    all += rows;
  }
  EXPECT_EQ(Dump(path, "SELECT * FROM phases"), all);
}

// One incident's phases are found by indexes, and in their order: a journal may have millions of events.
TEST(Projection, PhasesOfAnIncidentAreFoundByItsStory) {
  const TemporaryFolder folder;
  ASSERT_TRUE(SqliteJournal::Open(OptionsIn(folder)).ok());
  const std::string plan =
      Dump(folder / "journal.db", "EXPLAIN QUERY PLAN SELECT * FROM phases WHERE incident = 'INC-2025-09-04-001'");
  EXPECT_THAT(plan, testing::HasSubstr("SEARCH first USING INDEX events_first (incident=?)"));
  EXPECT_THAT(plan, testing::HasSubstr("SEARCH e USING INDEX events_by_incident (opened_event=?)"));
  EXPECT_THAT(plan, testing::Not(testing::HasSubstr("TEMP B-TREE")));
}

TEST(TimeText, AgreesWithFormatTime) {
  TimeText times;
  for (const int64_t seconds :
       {int64_t{0}, int64_t{0}, int64_t{1756970040}, int64_t{1756970040}, int64_t{-5}, int64_t{253402300799}}) {
    google::protobuf::Timestamp time;
    time.set_seconds(seconds);
    for (const int32_t nanos : {0, 999'999, 250'000'000, 999'999'999}) {
      time.set_nanos(nanos);
      EXPECT_EQ(times.Format(time), FormatTime(time));
    }
  }
}

}  // namespace
}  // namespace omnix
