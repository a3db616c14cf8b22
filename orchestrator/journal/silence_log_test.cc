#include "orchestrator/journal/silence_log.h"

#include <gmock/gmock.h>

#include "common/file.h"
#include "common/time.h"
#include "orchestrator/core/silence_rules.h"
#include "orchestrator/journal/journal_test_util.h"
#include "orchestrator/journal/sqlite_shell.h"

namespace omnix {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromCivil(absl::CivilDay(2025, 12, 4), absl::UTCTimeZone());
const std::string kKey(kMinKeyBytes, 'k');

v1::SilenceEvent Added(int number, int ended_days_ago) {
  v1::SilenceEvent event;
  event.set_silence_id("SIL-" + std::to_string(number));
  v1::Silence& silence = *event.mutable_added();
  silence.set_id(event.silence_id());
  *silence.mutable_ends_at() = ToProto(kNow - absl::Hours(24 * ended_days_ago));
  auto* matcher = silence.add_matchers();
  matcher->set_label("alertname");
  matcher->set_value("Down");
  return event;
}

v1::SilenceEvent Suppressed(int number, const std::string& fingerprint) {
  v1::SilenceEvent event;
  event.set_silence_id("SIL-" + std::to_string(number));
  event.mutable_suppressed()->mutable_alert()->set_fingerprint(fingerprint);
  return event;
}

v1::SilenceEvent Gone(int number, const std::string& fingerprint) {
  return TakenUp("SIL-" + std::to_string(number), fingerprint, kNow);
}

class SilenceLogTest : public ::testing::Test {
 protected:
  // One that ended long ago and holds nothing, one that holds an alert yet, one that ended lately, and the newest.
  void SetUp() override {
    auto log = SilenceLog::Open(path_, kKey);
    ASSERT_TRUE(log.ok()) << log.status();
    ASSERT_TRUE((*log)->Append({Added(1, 90), Added(2, 90), Suppressed(1, "a"), Suppressed(2, "b")}).ok());
    ASSERT_TRUE((*log)->Append({Gone(1, "a"), Added(3, 10), Added(4, 90)}).ok());
  }
  std::string Verify() {
    const auto events = VerifySilences(path_, kKey);
    return events.ok() ? std::to_string(*events) : events.status().ToString();
  }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    auto log = SilenceLog::Open(path_, kKey);
    EXPECT_TRUE(log.ok()) << log.status();
    SilenceState state;
    EXPECT_TRUE((*log)->Read([&state](const auto& event) { state.Evolve(event); }).ok());
    for (const v1::Silence* silence : state.All()) ids.push_back(silence->id());
    return ids;
  }
  absl::StatusOr<int64_t> Prune(bool dry_run) {
    return PruneSilences(path_, kKey, {kNow - absl::Hours(24 * 30), kNow, dry_run});
  }

  TemporaryFolder folder_{FastFolder()};
  const std::string path_ = folder_ / "silences.db";
};

TEST_F(SilenceLogTest, TamperingIsFound) {
  ASSERT_EQ(Verify(), "7");
  struct Case {
    const char* sql;
    const char* says;
  };
  const Case kCases[] = {
      {"UPDATE silence_events SET payload = (SELECT payload FROM silence_events WHERE sequence = 1) WHERE sequence = 2",
       "row 2 was changed"},
      {"UPDATE silence_events SET seal = zeroblob(32) WHERE sequence = 3", "row 3 was changed"},
      {"DELETE FROM silence_events WHERE sequence = 4", "row 5 was changed"},
      {"DELETE FROM silence_events WHERE sequence = 7", "the end was cut off"},
      {"DELETE FROM silence_events", "the end was cut off"},
      {"DELETE FROM silence_head", "is gone"},
      {"UPDATE silence_head SET head = replace(head, '7 ', '6 ')", "seal does not fit"},
      {"INSERT INTO silence_events SELECT 8, payload, seal FROM silence_events WHERE sequence = 1",
       "row 8 was changed"},
      {"UPDATE silence_events SET sequence = 20 WHERE sequence = 7", "row 20 was changed"},
      {"DROP TABLE silence_head", "schema was changed"},
  };
  const std::string whole = *ReadFile(path_);
  for (const Case& tampering : kCases) {
    SCOPED_TRACE(tampering.sql);
    ASSERT_TRUE(ReplaceFile(path_, whole).ok());
    RunSql(path_, tampering.sql);
    EXPECT_THAT(Verify(), HasSubstr(tampering.says));
    EXPECT_FALSE(Prune(false).ok());
    auto log = SilenceLog::Open(path_, kKey);
    if (log.ok()) {
      EXPECT_TRUE(absl::IsDataLoss((*log)->Read([](const auto&) {})));
    }
  }
  ASSERT_TRUE(ReplaceFile(path_, whole).ok());
  EXPECT_TRUE(absl::IsDataLoss(VerifySilences(path_, std::string(kMinKeyBytes, 'x')).status()));
}

TEST_F(SilenceLogTest, PruneRemovesThoseThatEndedBeforeAndHoldNothing) {
  EXPECT_EQ(*Prune(true), 1);
  EXPECT_EQ(Verify(), "7");
  EXPECT_EQ(*Prune(false), 1);
  EXPECT_EQ(Verify(), "4");
  EXPECT_THAT(Ids(), ElementsAre("SIL-2", "SIL-3", "SIL-4"));
  auto log = SilenceLog::Open(path_, kKey);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_TRUE((*log)->Append({Gone(2, "b")}).ok());
  log->reset();
  EXPECT_EQ(*Prune(false), 1);
  EXPECT_THAT(Ids(), ElementsAre("SIL-3", "SIL-4"));
  EXPECT_EQ(Verify(), "2");
}

TEST_F(SilenceLogTest, NoFileIsSound) {
  EXPECT_EQ(*VerifySilences(folder_ / "none.db", kKey), 0);
  EXPECT_EQ(*PruneSilences(folder_ / "none.db", kKey, {kNow, kNow, false}), 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none.db"));
}

}  // namespace
}  // namespace omnix
