#include "agents/investigation/unit_journal.h"

#include <gmock/gmock.h>

#include "agents/investigation/made_journal.h"
#include "common/hash.h"

namespace omnix {
namespace {

TEST(JournalEntry, OfALineOfJson) {
  const auto entry = ParseJournalEntry(
      R"({"__REALTIME_TIMESTAMP":"1795771332527817","PRIORITY":"3","_PID":"77","MESSAGE":"the till is shut"})");
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->time, absl::FromUnixMicros(1795771332527817));
  EXPECT_EQ(entry->priority, 3);
  EXPECT_EQ(entry->message, "the till is shut");
  EXPECT_FALSE(entry->by_systemd);
}

TEST(JournalEntry, BytesAndFieldsThatComeTwice) {
  const auto bytes = ParseJournalEntry(R"({"__REALTIME_TIMESTAMP":"1","MESSAGE":[104,105,255,10,33]})");
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(bytes->message, "hi\xff\n!");
  EXPECT_EQ(bytes->priority, kJournalInfo);
  const auto twice = ParseJournalEntry(R"({"__REALTIME_TIMESTAMP":"1","MESSAGE":["first","second"],"PRIORITY":null})");
  ASSERT_TRUE(twice.has_value());
  EXPECT_EQ(twice->message, "first");
}

TEST(JournalEntry, WhatIsNone) {
  for (const char* line : {"", "-- No entries --", "{}", "[1]", R"({"MESSAGE":"no time"})",
                           R"({"__REALTIME_TIMESTAMP":"1","MESSAGE":null})", R"({"__REALTIME_TIMESTAMP":"1","MES)",
                           R"({"__REALTIME_TIMESTAMP":"1","MESSAGE":[]})"})
    EXPECT_FALSE(ParseJournalEntry(line).has_value()) << line;
}

class UnitJournalTest : public testing::Test {
 protected:
  UnitJournalTest() : folder_(testing::TempDir() + "journal-" + RandomHex(6)), journal_(folder_) {
    query_.unit = "shop.service";
    query_.directory = folder_;
    query_.max_entries = 100;
  }
  ~UnitJournalTest() override { std::filesystem::remove_all(folder_); }
  void SetUp() override {
    if (!MadeJournal::IsPossible()) GTEST_SKIP() << "needs the packages systemd and systemd-journal-remote";
  }

  const std::string folder_;
  MadeJournal journal_;
  const absl::Time now_ = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()));
  JournalQuery query_;
};

TEST_F(UnitJournalTest, GivesTheUnitsEntriesOldestFirst) {
  journal_.Say(now_ - absl::Seconds(9), "shop.service", "one");
  journal_.Say(now_ - absl::Seconds(8), "shop.service", "Traceback\n  File\nbroken \xff", 3);
  journal_.Tell(now_ - absl::Seconds(7), "shop.service", "shop.service: Failed with result 'signal'.");
  journal_.Say(now_ - absl::Seconds(6), "other.service", "another's");
  journal_.Write();
  const auto read = ReadUnitJournal(query_);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->entries.size(), 3u);
  EXPECT_FALSE(read->truncated);
  EXPECT_EQ(read->entries[0].message, "one");
  EXPECT_EQ(read->entries[0].time, now_ - absl::Seconds(9));
  EXPECT_EQ(read->entries[1].message, "Traceback\n  File\nbroken \xff");
  EXPECT_EQ(read->entries[1].priority, 3);
  EXPECT_TRUE(read->entries[2].by_systemd);
}

TEST_F(UnitJournalTest, TheNewestOfATime) {
  for (int ago = 300; ago > 0; --ago)
    journal_.Say(now_ - absl::Seconds(ago), "shop.service", fmt::format("{} ago", ago));
  journal_.Tell(now_ - absl::Seconds(250), "shop.service", "Stopping shop.service - Shop...");
  journal_.Write();
  query_.until = now_ - absl::Seconds(100);
  query_.max_entries = 10;
  const auto read = ReadUnitJournal(query_);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->entries.size(), 10u);
  EXPECT_TRUE(read->truncated);
  EXPECT_EQ(read->entries.back().message, "100 ago");
  EXPECT_EQ(read->entries.front().message, "109 ago");
  query_.by_systemd_only = true;
  const auto systemd = ReadUnitJournal(query_);
  ASSERT_TRUE(systemd.ok()) << systemd.status();
  ASSERT_EQ(systemd->entries.size(), 1u);
  query_.since = now_ - absl::Seconds(200);
  EXPECT_TRUE(ReadUnitJournal(query_)->entries.empty());
}

TEST_F(UnitJournalTest, LongMessagesComeWhole) {
  const std::string text(20000, 'x');
  journal_.Say(now_ - absl::Seconds(1), "shop.service", text);
  journal_.Write();
  const auto read = ReadUnitJournal(query_);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->entries.size(), 1u);
  EXPECT_EQ(read->entries[0].message, text);
}

TEST_F(UnitJournalTest, WhatCanNotBeRead) {
  EXPECT_TRUE(absl::IsNotFound(ReadUnitJournal(query_).status()));
  journal_.Say(now_, "shop.service", "one");
  journal_.Write();
  query_.timeout = absl::ZeroDuration();
  EXPECT_FALSE(ReadUnitJournal(query_).ok());
}

}  // namespace
}  // namespace omnix
