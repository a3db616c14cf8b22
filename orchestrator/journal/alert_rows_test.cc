// The rows of alerts: moved between incidents with their counts, and waiting for more occurrences.
#include <gmock/gmock.h>

#include <set>

#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/memory_journal.h"

namespace omnix {
namespace {

constexpr char kOther[] = "INC-2025-09-04-002";

v1::RecordedEvent Attached(const std::string& incident, uint64_t sequence, const std::string& fingerprint) {
  v1::RecordedEvent recorded = MakeEvent(incident, sequence);
  auto* attached = recorded.mutable_event()->mutable_alert_attached();
  attached->mutable_alert()->set_fingerprint(fingerprint);
  attached->mutable_alert()->set_title("alert " + fingerprint);
  attached->mutable_alert()->set_status(v1::ALERT_STATUS_FIRING);
  attached->set_severity(v1::SEVERITY_CRITICAL);
  attached->mutable_counts()->set_total(2);
  return recorded;
}

v1::RecordedEvent Moved(uint64_t sequence, bool all, const std::vector<std::string>& fingerprints) {
  v1::RecordedEvent recorded = MakeEvent(kIncident, sequence);
  auto* moved = recorded.mutable_event()->mutable_alerts_moved();
  moved->set_to(kOther);
  moved->set_all(all);
  for (const auto& fingerprint : fingerprints) moved->add_fingerprints(fingerprint);
  moved->mutable_counts();
  return recorded;
}

// "incident/fingerprint xcount", of all rows.
std::set<std::string> Rows(Journal& journal) {
  std::set<std::string> rows;
  const auto alerts = journal.ListAlerts(false, 100);
  EXPECT_TRUE(alerts.ok()) << alerts.status();
  for (const auto& row : *alerts) {
    rows.insert(fmt::format("{}/{} x{}", row.incident_id(), row.alert().fingerprint(), row.count()));
  }
  return rows;
}

std::set<std::string> Keys(Journal& journal, const std::string& incident) {
  std::set<std::string> keys;
  EXPECT_TRUE(journal.ReadAlertKeys(incident, [&](const auto& key) { keys.insert(key.fingerprint()); }).ok());
  return keys;
}

// fp-1 and fp-2 are the incident's, fp-2 was sent three times; the other has `other`.
Batch TwoIncidents(const std::string& other) {
  Batch batch;
  batch.events = {OpenedEvent(kIncident, "fp-1"), Attached(kIncident, 2, "fp-2"), OpenedEvent(kOther, other)};
  batch.repeated_alerts = {{kIncident, "fp-2"}, {kIncident, "fp-2"}};
  return batch;
}

class AlertRows : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!IsReal()) {
      journal_ = std::make_unique<MemoryJournal>();
      return;
    }
    Open();
  }
  static bool IsReal() { return GetParam(); }

  void Open() {
    auto opened = SqliteJournal::Open(OptionsIn(folder_));
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal_ = *std::move(opened);
  }

  // The projections are made again from the events.
  void Rebuild() {
    if (!IsReal()) return;
    journal_.reset();
    const auto rebuilt = RebuildProjections(folder_ / "journal.db");
    ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
    Open();
  }

  TemporaryFolder folder_;
  std::unique_ptr<Journal> journal_;
};

TEST_P(AlertRows, AMergeTakesAllOfThem) {
  ASSERT_TRUE(journal_->Append(TwoIncidents("fp-9")).ok());
  Batch batch;
  batch.events = {Moved(3, true, {})};
  batch.repeated_alerts = {{kOther, "fp-2"}};
  ASSERT_TRUE(journal_->Append(batch).ok());
  const std::set<std::string> expected = {"INC-2025-09-04-002/fp-1 x1", "INC-2025-09-04-002/fp-2 x4",
                                          "INC-2025-09-04-002/fp-9 x1"};
  EXPECT_EQ(expected, Rows(*journal_));
  EXPECT_EQ(Keys(*journal_, kOther), (std::set<std::string>{"fp-1", "fp-2", "fp-9"}));
  EXPECT_TRUE(Keys(*journal_, kIncident).empty());
  const auto other = journal_->ReadAlerts(kOther, {"fp-2"});
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(other->at(0).title(), "alert fp-2");
  EXPECT_TRUE(absl::IsNotFound(journal_->ReadAlerts(kIncident, {"fp-2"}).status()));
  Rebuild();
  EXPECT_EQ(expected, Rows(*journal_));
}

// As a split or a rule that waits for many alerts opens it.
TEST_P(AlertRows, OneEventThatBroughtManyGivesEachOfThem) {
  constexpr int kMany = 1'000;
  Batch batch;
  v1::RecordedEvent opened = OpenedEvent(kIncident);
  auto* alerts = opened.mutable_event()->mutable_incident_opened()->mutable_alerts();
  const v1::Alert pattern = alerts->at(0);
  alerts->Clear();
  std::set<std::string> fingerprints;
  for (int i = 0; i < kMany; ++i) {
    v1::Alert& alert = *alerts->Add() = pattern;
    alert.set_fingerprint(fmt::format("fp-{:04}", i));
    alert.set_title(fmt::format("alert {}", i));
    (*alert.mutable_labels())["number"] = std::to_string(i);
    fingerprints.insert(alert.fingerprint());
  }
  batch.events = {opened};
  ASSERT_TRUE(journal_->Append(batch).ok());
  const auto read = journal_->ReadAlerts(kIncident, fingerprints);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), size_t{kMany});
  for (int i = 0; i < kMany; ++i) EXPECT_EQ(read->at(static_cast<size_t>(i)).labels().at("number"), std::to_string(i));
  const auto listed = journal_->ListAlerts(/*firing_only=*/true, 2);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ(listed->at(0).alert().labels().at("number"), "999");
  EXPECT_EQ(listed->at(1).alert().title(), "alert 998");
  const auto keys = journal_->ListAlertKeys(/*firing_only=*/false, 2 * kMany);
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_EQ(keys->size(), size_t{kMany});
  EXPECT_EQ(keys->at(0).alert.fingerprint(), "fp-0999");
  EXPECT_EQ(keys->at(0).incident_id, kIncident);
}

// Their index has each status apart.
TEST_P(AlertRows, AreListedFromTheYoungestWhateverTheirStatus) {
  constexpr uint64_t kAlerts = 30;
  Batch batch;
  batch.events = {OpenedEvent(kIncident, "fp-01")};
  std::vector<std::string> all = {"fp-01"};
  std::vector<std::string> firing = {"fp-01"};
  for (uint64_t sequence = 2; sequence <= kAlerts; ++sequence) {
    const std::string fingerprint = fmt::format("fp-{:02}", sequence);
    v1::RecordedEvent& attached = batch.events.emplace_back(Attached(kIncident, sequence, fingerprint));
    const auto status = static_cast<v1::AlertStatus>(sequence * sequence % v1::AlertStatus_ARRAYSIZE);
    attached.mutable_event()->mutable_alert_attached()->mutable_alert()->set_status(status);
    all.insert(all.begin(), fingerprint);
    if (status == v1::ALERT_STATUS_FIRING) firing.insert(firing.begin(), fingerprint);
  }
  ASSERT_TRUE(journal_->Append(batch).ok());
  for (const bool firing_only : {false, true}) {
    for (const size_t limit : {size_t{0}, size_t{1}, size_t{7}, size_t{100}}) {
      const auto keys = journal_->ListAlertKeys(firing_only, limit);
      ASSERT_TRUE(keys.ok()) << keys.status();
      std::vector<std::string> listed;
      for (const auto& key : *keys) listed.push_back(key.alert.fingerprint());
      std::vector<std::string> expected = firing_only ? firing : all;
      if (expected.size() > limit) expected.resize(limit);
      EXPECT_EQ(listed, expected) << (firing_only ? "firing" : "all") << ", at most " << limit;
    }
  }
}

TEST(AlertRowsOfSqlite, WhatItsEventDoesNotHaveIsListedByItsColumns) {
  const TemporaryFolder folder;
  auto journal = SqliteJournal::Open(OptionsIn(folder));
  ASSERT_TRUE(journal.ok()) << journal.status();
  ASSERT_TRUE((*journal)->Append(IncidentBatch(kIncident, 2)).ok());
  journal->reset();
  RunSql(folder / "journal.db", "UPDATE alerts SET event = 2");
  journal = SqliteJournal::Open(OptionsIn(folder));
  const auto listed = (*journal)->ListAlerts(/*firing_only=*/false, 5);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->at(0).alert().fingerprint(), "fp-1");
  EXPECT_FALSE(listed->at(0).alert().title().empty());
}

TEST_P(AlertRows, ASplitTakesThoseThatItNames) {
  // The other one was opened with it.
  ASSERT_TRUE(journal_->Append(TwoIncidents("fp-2")).ok());
  Batch batch;
  batch.events = {Moved(3, false, {"fp-2"})};
  ASSERT_TRUE(journal_->Append(batch).ok());
  const std::set<std::string> expected = {"INC-2025-09-04-001/fp-1 x1", "INC-2025-09-04-002/fp-2 x3"};
  EXPECT_EQ(expected, Rows(*journal_));
  Rebuild();
  EXPECT_EQ(expected, Rows(*journal_));
}

TEST_P(AlertRows, PendingOnesAreKeptUntilTheyWaitNoMore) {
  v1::PendingAlert pending;
  pending.mutable_alert()->set_fingerprint("fp-1");
  pending.set_rule("noisy");
  Batch batch;
  batch.pending_alerts = {{"fp-1", pending}, {"fp-2", pending}};
  ASSERT_TRUE(journal_->Append(batch).ok());
  pending.add_occurrences();
  batch.pending_alerts = {{"fp-1", pending}, {"fp-2", std::nullopt}, {"fp-3", std::nullopt}};
  ASSERT_TRUE(journal_->Append(batch).ok());
  Rebuild();
  const auto kept = journal_->ReadPendingAlerts();
  ASSERT_TRUE(kept.ok()) << kept.status();
  ASSERT_EQ(kept->size(), 1u);
  EXPECT_EQ(kept->front().ShortDebugString(), pending.ShortDebugString());
}

INSTANTIATE_TEST_SUITE_P(Both, AlertRows, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "Sqlite" : "Memory"; });

}  // namespace
}  // namespace omnix
