// What every Journal promises: run against the real one and its twin in memory.
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/memory_journal.h"

namespace omnix {
namespace {

using google::protobuf::util::MessageDifferencer;

enum class Kind { kSqlite, kMemory };

class JournalContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kMemory) {
      journal_ = std::make_unique<MemoryJournal>();
      return;
    }
    auto opened = SqliteJournal::Open(OptionsIn(folder_));
    ASSERT_TRUE(opened.ok()) << opened.status();
    journal_ = *std::move(opened);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Journal> journal_;
};

TEST_P(JournalContract, GivesBackWhatWasAppended) {
  const Batch batch = IncidentBatch(kIncident, 5);
  ASSERT_TRUE(journal_->Append(batch).ok());
  auto events = journal_->ReadEvents(kIncident, 0, 100);
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 5u);
  for (size_t i = 0; i < 5; ++i) EXPECT_TRUE(MessageDifferencer::Equals((*events)[i], batch.events[i]));
  EXPECT_EQ(journal_->ReadEvents(kIncident, 3, 100)->size(), 2u);
  EXPECT_EQ(journal_->ReadEvents(kIncident, 1, 2)->back().event().sequence(), 3u);
  EXPECT_TRUE(journal_->ReadEvents("INC-2025-09-04-999", 0, 100)->empty());
}

TEST_P(JournalContract, RefusesGapsAndRepeatsAndStaysUsable) {
  ASSERT_TRUE(journal_->Append(IncidentBatch(kIncident, 2)).ok());
  Batch gap;
  gap.events = {NoteEvent(kIncident, 3), NoteEvent(kIncident, 5)};
  EXPECT_TRUE(absl::IsInvalidArgument(journal_->Append(gap)));
  Batch repeat;
  repeat.events = {NoteEvent(kIncident, 2)};
  EXPECT_TRUE(absl::IsInvalidArgument(journal_->Append(repeat)));
  // Also when it has forgotten by then how far the incident was.
  Batch first;
  first.events = {NoteEvent(kIncident, 1)};
  EXPECT_TRUE(absl::IsInvalidArgument(journal_->Append(first)));
  Batch kindless;
  kindless.events = {MakeEvent(kIncident, 3)};
  EXPECT_TRUE(absl::IsInvalidArgument(journal_->Append(kindless)));
  Batch unknown_alert;
  unknown_alert.repeated_alerts = {{kIncident, "unknown"}};
  EXPECT_TRUE(absl::IsInvalidArgument(journal_->Append(unknown_alert)));
  EXPECT_EQ(journal_->ReadEvents(kIncident, 0, 100)->size(), 2u) << "a refused batch left something behind";
  Batch next;
  next.events = {NoteEvent(kIncident, 3)};
  EXPECT_TRUE(journal_->Append(next).ok());
}

TEST_P(JournalContract, GivesOpenIncidentsInOrder) {
  // Two incidents, interleaved, and a closed one.
  Batch batch;
  batch.events = {OpenedEvent("INC-2025-09-04-001"), OpenedEvent("INC-2025-09-04-002"),
                  NoteEvent("INC-2025-09-04-001", 2), OpenedEvent("INC-2025-09-04-003")};
  v1::RecordedEvent resolved = MakeEvent("INC-2025-09-04-003", 2);
  resolved.mutable_event()->mutable_incident_resolved()->set_reason("validated");
  batch.events.push_back(resolved);
  v1::RecordedEvent escalated = MakeEvent("INC-2025-09-04-002", 2);
  escalated.mutable_event()->mutable_incident_escalated()->set_reason("budget spent");
  batch.events.push_back(escalated);
  ASSERT_TRUE(journal_->Append(batch).ok());
  std::vector<std::string> seen;
  const auto open = journal_->OpenIncidentIds();
  ASSERT_TRUE(open.ok()) << open.status();
  for (const std::string& id : *open) {
    const absl::Status visited = journal_->VisitEvents(id, [&](const v1::Event& event) {
      seen.push_back(event.incident_id().substr(15) + "/" + std::to_string(event.sequence()));
    });
    ASSERT_TRUE(visited.ok()) << visited;
  }
  EXPECT_THAT(seen, testing::ElementsAre("001/1", "001/2", "002/1", "002/2"));
  // Somebody asks for the rollback of the closed one.
  Batch rollback;
  rollback.events.push_back(MakeEvent("INC-2025-09-04-003", 3));
  rollback.events.back().mutable_event()->mutable_incident_escalated()->set_reason("rolled back");
  ASSERT_TRUE(journal_->Append(rollback).ok());
  EXPECT_THAT(*journal_->OpenIncidentIds(),
              testing::ElementsAre("INC-2025-09-04-001", "INC-2025-09-04-002", "INC-2025-09-04-003"));
  // It is closed, and taken up again.
  Batch closed;
  closed.events.push_back(MakeEvent("INC-2025-09-04-003", 4));
  closed.events.back().mutable_event()->mutable_incident_cancelled()->set_reason("duplicate");
  ASSERT_TRUE(journal_->Append(closed).ok());
  EXPECT_EQ(journal_->OpenIncidentIds()->size(), 2u);
  Batch again;
  again.events = {MakeEvent("INC-2025-09-04-003", 5), MakeEvent("INC-2025-09-04-003", 6)};
  again.events[0].mutable_event()->mutable_incident_reopened()->set_reason("fires again");
  again.events[1].mutable_event()->mutable_phase_entered()->set_phase(v1::PHASE_INVESTIGATING);
  ASSERT_TRUE(journal_->Append(again).ok());
  EXPECT_EQ(journal_->OpenIncidentIds()->size(), 3u);
}

TEST_P(JournalContract, ListsIncidentsNewestFirst) {
  ASSERT_TRUE(journal_->Append(IncidentBatch("INC-2025-09-04-001", 1)).ok());
  ASSERT_TRUE(journal_->Append(IncidentBatch("INC-2025-09-04-002", 1)).ok());
  Batch batch;
  v1::RecordedEvent resolved = MakeEvent("INC-2025-09-04-001", 2);
  resolved.mutable_event()->mutable_incident_resolved();
  v1::RecordedEvent paused = MakeEvent("INC-2025-09-04-002", 2);
  paused.mutable_event()->mutable_paused()->set_by("operator:alice");
  batch.events = {resolved, paused};
  ASSERT_TRUE(journal_->Append(batch).ok());
  auto all = journal_->ListIncidents(false, 10);
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].id(), "INC-2025-09-04-002");
  EXPECT_TRUE((*all)[0].paused());
  EXPECT_EQ((*all)[0].title(), "Checkout fails");
  EXPECT_EQ((*all)[0].severity(), v1::SEVERITY_CRITICAL);
  EXPECT_EQ((*all)[0].alerts(), 1u);
  EXPECT_EQ((*all)[1].phase(), v1::PHASE_RESOLVED);
  EXPECT_TRUE((*all)[1].has_resolved_at());
  EXPECT_EQ(FormatTime((*all)[1].opened_at()), "2025-09-04T07:14:01.000Z");
  auto open = journal_->ListIncidents(true, 10);
  ASSERT_EQ(open->size(), 1u);
  EXPECT_EQ(journal_->ListIncidents(false, 1)->size(), 1u);
}

TEST_P(JournalContract, CountsAlerts) {
  ASSERT_TRUE(journal_->Append(IncidentBatch(kIncident, 1)).ok());
  Batch batch;
  v1::RecordedEvent attached = MakeEvent(kIncident, 2);
  auto* event = attached.mutable_event()->mutable_alert_attached();
  event->set_severity(v1::SEVERITY_CRITICAL);
  event->mutable_alert()->set_fingerprint("fp-2");
  event->mutable_alert()->set_status(v1::ALERT_STATUS_RESOLVED);
  batch.events = {attached};
  batch.repeated_alerts = {{kIncident, "fp-1"}, {kIncident, "fp-1"}, {kIncident, "fp-2"}};
  ASSERT_TRUE(journal_->Append(batch).ok());
  auto alerts = journal_->ListAlerts(false, 10);
  ASSERT_TRUE(alerts.ok()) << alerts.status();
  ASSERT_EQ(alerts->size(), 2u);
  EXPECT_EQ((*alerts)[0].alert().fingerprint(), "fp-2");
  EXPECT_EQ((*alerts)[0].count(), 2u);
  EXPECT_EQ((*alerts)[1].count(), 3u);
  EXPECT_EQ((*alerts)[1].incident_id(), kIncident);
  EXPECT_EQ((*alerts)[1].alert().labels().at("site"), "eu");
  auto firing = journal_->ListAlerts(true, 10);
  ASSERT_EQ(firing->size(), 1u);
  EXPECT_EQ((*firing)[0].alert().fingerprint(), "fp-1");
  EXPECT_EQ(journal_->ListIncidents(false, 10)->front().alerts(), 2u);
}

TEST_P(JournalContract, VisitsTheReadingsOfAlertsAmongTheLastEvents) {
  const std::string other = "INC-2025-09-04-002";
  const auto attached = [](const std::string& incident, uint64_t sequence, const std::string& fingerprint) {
    v1::RecordedEvent recorded = MakeEvent(incident, sequence);
    recorded.mutable_event()->mutable_alert_attached()->mutable_alert()->set_fingerprint(fingerprint);
    return recorded;
  };
  const auto visited = [&](size_t count) {
    std::vector<std::string> seen;
    EXPECT_TRUE(journal_
                    ->VisitRecentAlerts(count,
                                        [&](const v1::Event& event) {
                                          seen.push_back(event.has_incident_opened()
                                                             ? event.incident_id()
                                                             : event.alert_attached().alert().fingerprint());
                                        })
                    .ok());
    return seen;
  };
  EXPECT_THAT(visited(10), testing::IsEmpty());
  Batch batch;
  batch.events = {OpenedEvent(kIncident), attached(kIncident, 2, "b"), OpenedEvent(other), NoteEvent(kIncident, 3),
                  attached(other, 2, "a")};
  ASSERT_TRUE(journal_->Append(batch).ok());
  EXPECT_THAT(visited(SIZE_MAX), testing::ElementsAre(kIncident, "b", other, "a"));
  EXPECT_THAT(visited(3), testing::ElementsAre(other, "a"));
  EXPECT_THAT(visited(1), testing::ElementsAre("a"));
  EXPECT_THAT(visited(0), testing::IsEmpty());
}

TEST_P(JournalContract, KeepsPinsOnce) {
  Batch batch;
  batch.pins = {{"abc", "playbook", std::string("a\0b", 3)}, {"abc", "playbook", std::string("a\0b", 3)}};
  ASSERT_TRUE(journal_->Append(batch).ok());
  ASSERT_TRUE(journal_->Append(batch).ok());
  EXPECT_EQ(*journal_->ReadPin("abc"), std::string("a\0b", 3));
  EXPECT_TRUE(absl::IsNotFound(journal_->ReadPin("def").status()));
}

TEST_P(JournalContract, KnowsTheLastNumberOfADay) {
  EXPECT_EQ(*journal_->LastIncidentNumber("2025-09-04"), 0u);
  Batch batch;
  for (const char* id : {"INC-2025-09-03-077", "INC-2025-09-04-999", "INC-2025-09-04-1000", "INC-2025-09-05-002"}) {
    batch.events.push_back(OpenedEvent(id));
  }
  ASSERT_TRUE(journal_->Append(batch).ok());
  EXPECT_EQ(*journal_->LastIncidentNumber("2025-09-04"), 1000u);
  EXPECT_EQ(*journal_->LastIncidentNumber("2025-09-05"), 2u);
}

TEST_P(JournalContract, ReopensAtAnyTime) {
  ASSERT_TRUE(journal_->Append(IncidentBatch(kIncident, 3)).ok());
  ASSERT_TRUE(journal_->Reopen().ok());
  Batch next;
  next.events = {NoteEvent(kIncident, 4)};
  ASSERT_TRUE(journal_->Append(next).ok());
  EXPECT_EQ(journal_->ReadEvents(kIncident, 0, 100)->size(), 4u);
  EXPECT_TRUE(journal_->Append(Batch()).ok());
}

INSTANTIATE_TEST_SUITE_P(All, JournalContract, testing::Values(Kind::kSqlite, Kind::kMemory),
                         [](const auto& kind) { return kind.param == Kind::kSqlite ? "Sqlite" : "Memory"; });

TEST(MemoryJournal, FailsBeforeOrAfterKeepingUntilReopened) {
  MemoryJournal journal;
  journal.FailNextAppend(MemoryJournal::Fault::kBeforeKeeping);
  EXPECT_TRUE(absl::IsUnavailable(journal.Append(IncidentBatch(kIncident, 2))));
  EXPECT_TRUE(absl::IsUnavailable(journal.Append(IncidentBatch(kIncident, 2))));
  journal.FailReopens(1);
  EXPECT_TRUE(absl::IsUnavailable(journal.Reopen()));
  EXPECT_TRUE(absl::IsUnavailable(journal.Append(IncidentBatch(kIncident, 2))));
  ASSERT_TRUE(journal.Reopen().ok());
  EXPECT_TRUE(journal.ReadEvents(kIncident, 0, 10)->empty());
  journal.FailNextAppend(MemoryJournal::Fault::kAfterKeeping);
  EXPECT_TRUE(absl::IsUnavailable(journal.Append(IncidentBatch(kIncident, 2))));
  ASSERT_TRUE(journal.Reopen().ok());
  EXPECT_EQ(journal.ReadEvents(kIncident, 0, 10)->size(), 2u);
}

}  // namespace
}  // namespace omnix
