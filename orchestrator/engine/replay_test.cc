#include "orchestrator/engine/replay.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status.h"
#include "orchestrator/journal/journal_test_util.h"

namespace omnix {
namespace {

// More than are read in the caller's thread.
constexpr int kIncidents = 500;

std::string Id(int number) { return fmt::format("INC-2025-09-04-{:03}", number); }

class ReplayOfMany : public testing::Test {
 protected:
  ReplayOfMany() : journal_(*SqliteJournal::Open({folder_ / "omnix.db", folder_ / "omnix.key", ""})) {
    Batch batch;
    for (int i = 1; i <= kIncidents; ++i) batch.events.push_back(OpenedEvent(Id(i), Id(i)));
    for (int i = 1; i <= kIncidents; ++i) batch.events.push_back(NoteEvent(Id(i), 2));
    v1::RecordedEvent resolved = MakeEvent(Id(kIncidents / 2), 3);
    resolved.mutable_event()->mutable_incident_resolved();
    batch.events.push_back(resolved);
    EXPECT_TRUE(journal_->Append(batch).ok());
  }

  TemporaryFolder folder_{FastFolder()};
  std::unique_ptr<SqliteJournal> journal_;
};

TEST_F(ReplayOfMany, GivesAllThatAreOpenInTheOrderOfTheirOpening) {
  std::vector<std::string> expected, seen;
  for (int i = 1; i <= kIncidents; ++i) {
    if (i != kIncidents / 2) expected.push_back(Id(i));
  }
  const absl::Status replayed = ReplayOpenIncidents(*journal_, [&](v1::Incident incident, std::vector<v1::Incident>&) {
    EXPECT_EQ(incident.sequence(), 2u) << incident.id();
    EXPECT_EQ(incident.alerts(0).fingerprint(), incident.id());
    seen.push_back(incident.id());
    return absl::OkStatus();
  });
  ASSERT_TRUE(replayed.ok()) << replayed;
  EXPECT_EQ(seen, expected);
}

TEST_F(ReplayOfMany, EndsWithTheErrorOfWhoTakesThem) {
  int taken = 0;
  const absl::Status replayed =
      ReplayOpenIncidents(*journal_, [&](v1::Incident incident, std::vector<v1::Incident>& done) {
        done.push_back(std::move(incident));
        return ++taken < 100 ? absl::OkStatus() : NotFound("no pin");
      });
  EXPECT_EQ(replayed, NotFound("no pin"));
  EXPECT_EQ(taken, 100);
}

TEST_F(ReplayOfMany, NamesTheEventThatCannotBeRead) {
  journal_.reset();
  {
    SQLite::Database db(folder_ / "omnix.db", SQLite::OPEN_READWRITE);
    ASSERT_EQ(db.exec(fmt::format("UPDATE events SET payload = x'ff' WHERE incident = '{}' AND sequence = 1", Id(300))),
              1);
  }
  auto journal = SqliteJournal::Open({folder_ / "omnix.db", folder_ / "omnix.key", ""});
  ASSERT_TRUE(journal.ok()) << journal.status();
  const absl::Status replayed =
      ReplayOpenIncidents(**journal, [](const v1::Incident&, std::vector<v1::Incident>&) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsDataLoss(replayed)) << replayed;
  EXPECT_THAT(Message(replayed), testing::HasSubstr("row 300 can't be read"));
}

}  // namespace
}  // namespace omnix
