#include "tests/crash/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "common/json.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/core/names.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix::testing {
namespace {

using ::testing::HasSubstr;

// Every table that is made from the events, as text.
using Tables = std::map<std::string, std::vector<std::string>>;

class EndOfStory {
 public:
  EndOfStory(const Story& story, const Told& told, CrashWorld& world) : story_(story), told_(told), world_(world) {}

  void Check() {
    const auto report = VerifyJournal(world_.journal(), world_.journal_key());
    ASSERT_TRUE(report.ok()) << report.status();
    Read();
    CheckSequences();
    CheckAlerts();
    CheckCommands();
    CheckResults();
    CheckShown();
    CheckPhases();
    CheckRebuild();
    for (const auto& service : kServices) CheckService(service);
  }

 private:
  struct Row {
    v1::Event event;
    std::string bytes;
  };

  void Read() {
    auto db = SqliteConnection::Open(world_.journal(), SqliteConnection::Access::kReadOnly);
    ASSERT_TRUE(db.ok()) << db.status();
    const absl::Status read = (*db)->Query("SELECT payload FROM events ORDER BY id", [&](const SqliteRow& row) {
      v1::Event event;
      EXPECT_TRUE(event.ParseFromString(row.Blob(0)));
      const std::string incident = event.incident_id();
      Evolve(incidents_[incident], event);
      events_[incident].push_back({std::move(event), row.Blob(0)});
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
    const absl::Status counted =
        (*db)->Query("SELECT incident, fingerprint, count FROM alerts", [&](const SqliteRow& row) {
          alert_counts_[row.Text(0) + "/" + row.Text(1)] = static_cast<int>(row.Integer(2));
          return absl::OkStatus();
        });
    EXPECT_TRUE(counted.ok()) << counted;
  }

  template <typename Condition>
  int Count(const std::string& incident, Condition condition) const {
    const auto found = events_.find(incident);
    if (found == events_.end()) return 0;
    return static_cast<int>(std::count_if(found->second.begin(), found->second.end(),
                                          [&](const Row& row) { return condition(row.event); }));
  }

  void CheckSequences() {
    EXPECT_EQ(kServices.size(), events_.size()) << "one incident for each service";
    for (const auto& [incident, rows] : events_) {
      for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(i + 1, rows[i].event.sequence()) << incident;
    }
  }

  void CheckAlerts() {
    for (const auto& [name, alert] : told_.ledger.alerts) {
      const std::string service = name.substr(0, name.find('/'));
      const auto kept = alert_counts_.find(alert.incident + "/" + service);
      ASSERT_NE(kept, alert_counts_.end()) << "acknowledged alert lost: " << name;
      EXPECT_GE(kept->second, alert.acknowledged) << name;
      EXPECT_LE(kept->second, alert.sent) << name;
    }
  }

  void CheckCommands() {
    for (const auto& [service, incident] : told_.ledger.incidents) {
      EXPECT_TRUE(events_.contains(incident)) << "acknowledged incident lost: " << service;
    }
    for (const auto& [incident, text] : told_.ledger.notes) {
      EXPECT_GE(Count(incident, [&](const v1::Event& e) { return e.note_added().note().text() == text; }), 1)
          << "acknowledged note lost: " << text;
    }
    for (const auto& [incident, hash] : told_.ledger.approvals) {
      EXPECT_EQ(1, Count(incident, [&](const v1::Event& e) { return e.approval_granted().plan_hash() == hash; }))
          << "acknowledged approval lost: " << incident;
    }
    for (const auto& incident : told_.ledger.cancelled) {
      EXPECT_EQ(1, Count(incident, [](const v1::Event& e) { return e.has_incident_cancelled(); })) << incident;
    }
  }

  void CheckResults() {
    for (const auto& lease : told_.assigned) {
      const int assigned = Count(lease.incident_id(), [&](const v1::Event& e) {
        return e.task_assigned().task_id() == lease.task_id() && e.task_assigned().attempt() == lease.attempt() &&
               e.task_assigned().fencing_token() == lease.fencing_token();
      });
      EXPECT_EQ(1, assigned) << "a lease was given that is not in the journal: " << lease.ShortDebugString();
    }
    for (const auto& lease : told_.acknowledged_results) {
      const int kept = Count(lease.incident_id(), [&](const v1::Event& e) {
        const auto& done = e.task_succeeded();
        const auto& late = e.late_result();
        return (done.task_id() == lease.task_id() && done.attempt() == lease.attempt()) ||
               (late.task_id() == lease.task_id() && late.fencing_token() == lease.fencing_token());
      });
      EXPECT_GE(kept, 1) << "acknowledged result lost: " << lease.ShortDebugString();
    }
  }

  // Nothing is shown before it is kept, and nothing that was shown is taken back.
  void CheckShown() {
    for (const auto& [key, bytes] : told_.ledger.shown) {
      const auto& rows = events_[key.first];
      ASSERT_LE(key.second, rows.size()) << key.first << ": an event was shown that is not in the journal";
      EXPECT_EQ(rows[key.second - 1].bytes, bytes) << key.first << " event " << key.second;
    }
  }

  // As people read them, each is the fold's.
  void CheckPhases() {
    std::map<std::string, std::vector<std::string>> phases;
    auto db = SqliteConnection::Open(world_.journal(), SqliteConnection::Access::kReadOnly);
    ASSERT_TRUE(db.ok()) << db.status();
    const absl::Status read = (*db)->Query("SELECT incident, phase, reason FROM phases", [&](const SqliteRow& row) {
      phases[row.Text(0)].push_back(row.Text(1) + ": " + row.Text(2));
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
    for (const auto& [id, incident] : incidents_) {
      std::vector<std::string> visits;
      for (const auto& visit : incident.visits()) visits.push_back(PhaseName(visit.phase()) + ": " + visit.reason());
      EXPECT_EQ(visits, phases[id]) << id;
    }
  }

  Tables ReadTables() {
    Tables tables;
    auto db = SqliteConnection::Open(world_.journal(), SqliteConnection::Access::kReadOnly);
    EXPECT_TRUE(db.ok()) << db.status();
    const auto read = [&](const std::string& name, const char* sql) {
      const absl::Status status = (*db)->Query(sql, [&](const SqliteRow& row) {
        std::string line;
        for (int i = 0; i < row.columns(); ++i) line += (row.IsNull(i) ? "NULL" : row.Blob(i)) + '\x1f';
        tables[name].push_back(line);
        return absl::OkStatus();
      });
      EXPECT_TRUE(status.ok()) << status;
    };
    read("incidents", "SELECT * FROM incidents ORDER BY 1, 2");
    read("tasks", "SELECT * FROM tasks ORDER BY 1, 2");
    read("alerts", "SELECT * FROM alerts ORDER BY 1, 2");
    read("actions", "SELECT * FROM actions ORDER BY 1, 2, 3");
    read("approvals", "SELECT * FROM approvals ORDER BY 1, 2");
    return tables;
  }

  void CheckRebuild() {
    const Tables before = ReadTables();
    const auto rebuilt = RebuildProjections(world_.journal());
    ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
    EXPECT_EQ(before, ReadTables()) << "the tables differ from what their events give";
  }

  void CheckService(const std::string& service) {
    SCOPED_TRACE(service);
    const auto known = told_.ledger.incidents.find(service);
    ASSERT_NE(known, told_.ledger.incidents.end());
    const v1::Incident& incident = incidents_[known->second];
    if (service == "cancelled") {
      EXPECT_EQ(v1::PHASE_CANCELLED, incident.phase());
      EXPECT_EQ(0, world_.Writes(service));
      return;
    }
    if (incident.phase() == v1::PHASE_ESCALATED) return CheckEscalated(service, incident);
    ASSERT_EQ(v1::PHASE_RESOLVED, incident.phase()) << incident.ended_reason();
    EXPECT_EQ("mode=good\n", Slurp(world_.File(service)));
    const bool second_try = service == "invalid" || service == "failing";
    ASSERT_EQ(second_try ? 2 : 1, incident.recoveries_size());
    EXPECT_TRUE(incident.recoveries(incident.recoveries_size() - 1).application().applied());
    // Written once; where the first plan was taken back: written, restored, written.
    EXPECT_EQ(second_try ? 3 : 1, world_.Writes(service));
    EXPECT_EQ(service == "asked" ? 1 : 0, world_.Commands(service, "notify"));
    EXPECT_GE(world_.Commands(service, "reload"), 1);
  }

  // The one honest way not to come to an end: a command of which nobody knows whether it ran.
  void CheckEscalated(const std::string& service, const v1::Incident& incident) {
    EXPECT_EQ("asked", service) << incident.ended_reason();
    ASSERT_TRUE(story_.death.has_value()) << incident.ended_reason();
    EXPECT_EQ(kRecovery, story_.death->program);
    EXPECT_TRUE(incident.recoveries(0).application().needs_attention());
    EXPECT_THAT(incident.ended_reason(), HasSubstr("may have run or not"));
    EXPECT_LE(world_.Commands(service, "notify"), 1);
    EXPECT_EQ("mode=old\n", Slurp(world_.File(service))) << "the file itself is undone";
    EXPECT_EQ(2, world_.Writes(service));
  }

  const Story& story_;
  const Told& told_;
  CrashWorld& world_;
  std::map<std::string, std::vector<Row>> events_;
  std::map<std::string, v1::Incident> incidents_;
  std::map<std::string, int> alert_counts_;
};

}  // namespace

void CheckTheEnd(const Story& story, const Told& told, CrashWorld& world) { EndOfStory(story, told, world).Check(); }

}  // namespace omnix::testing
