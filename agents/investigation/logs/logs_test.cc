#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "agents/investigation/logs/compare.h"
#include "agents/investigation/logs/line_reader.h"
#include "agents/investigation/logs/line_time.h"
#include "agents/investigation/logs/mask.h"
#include "agents/investigation/logs/templates.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Masked(const std::string& line) {
  std::string masked;
  MaskLine(line, &masked);
  return masked;
}

TEST(MaskLine, MasksWhatVaries) {
  EXPECT_EQ(Masked("took 12ms, 3.5GB of 30% left: -7"), "took <num>, <num> of <num> left: <num>");
  EXPECT_EQ(Masked("from 10.0.0.1:8080 to fe80::1 at 2001:db8:0:0:0:0:0:1"), "from <ip> to <ip> at <ip>");
  EXPECT_EQ(Masked("id=3f2a9c77-d0e1-4b55-aa00-000000000001 ptr 0x7ffd12"), "id=<hex> ptr <hex>");
  EXPECT_EQ(Masked("open /var/lib/x.db: No such file"), "open <path>: No such file");
  EXPECT_EQ(Masked("GET http://shop:80/v1/a?b=1 for user \"Ann Lee\" failed"), "GET <path> for user <str> failed");
  EXPECT_EQ(Masked("worker12 of pool a1b2c3d4"), "worker<num> of pool <hex>");
  EXPECT_EQ(Masked("it isn't   here"), "it isn't here");
  EXPECT_EQ(Masked("an open \" quote 5"), "an open \" quote <num>");
  EXPECT_EQ(Masked(""), "");
}

TEST(MaskLine, KeepsWhatTellsLinesApart) {
  EXPECT_EQ(Masked("ORA-00600: internal E1234"), "ORA-00600: internal E1234");
  EXPECT_EQ(Masked("1.2.3.4 - \"GET /v1/p/17 HTTP/1.1\" 502 153"), "<ip> - \"GET <path> HTTP/<num>\" 502 <num>");
  EXPECT_EQ(Masked(R"({"level":"error","msg":"no route to 10.1.1.1","n":4})"),
            R"({"level":"error","msg":"no route to <ip>","n":<num>})");
  EXPECT_EQ(Masked("read/write of Größe ok"), "read/write of Größe ok");
}

std::string TimeOf(const std::string& line) {
  absl::Time now;
  std::string error;
  absl::ParseTime(absl::RFC3339_full, "2025-09-05T00:00:00Z", &now, &error);
  LineTimeReader reader(absl::FixedTimeZone(2 * 3600), now);
  const auto time = reader.Read(line);
  if (!time) return "none";
  return omnix::FormatTime(absl::FromUnixSeconds(time->seconds));
}

TEST(LineTime, RecognizesCommonFormats) {
  for (const std::string line :
       {"2025-09-04T07:14:03Z x", "2025-09-04T07:14:03.120Z x", "[2025-09-04 09:14:03,120] x",
        "2025-09-04 09:14:03.120 +0200 x", "2025-09-04 02:14:03-05:00", "2025/09/04 09:14:03 [error] x",
        "1.2.3.4 - - [04/Sep/2025:07:14:03 +0000] \"GET / HTTP/1.1\" 200", "Sep  4 09:14:03 host sshd[1]: x",
        "Sep 04 09:14:03 host x", "[Thu Sep 04 09:14:03.123456 2025] [error] x", "12:M 04 Sep 2025 09:14:03.123 * x",
        "E0904 09:14:03.123456 1 main.go:1] x", "1756970043 x", "1756970043.25 x", "1756970043000 x",
        "{\"level\":\"info\",\"ts\":1756970043.1,\"msg\":\"x\"}",
        "{\"msg\":\"a rather long message that comes before the time, as some loggers have it, and goes on\","
        "\"time\":\"2025-09-04T07:14:03Z\"}",
        "INFO  2025-09-04 09:14:03 x", "time=\"2025-09-04T07:14:03Z\" level=info"}) {
    EXPECT_EQ(TimeOf(line), "2025-09-04T07:14:03.000Z") << line;
  }
  // The year before: September is behind `now`.
  EXPECT_EQ(TimeOf("Dec 31 12:00:00 host x"), "2024-12-31T10:00:00.000Z");
  EXPECT_EQ(TimeOf("2024-02-29 12:00:00Z"), "2024-02-29T12:00:00.000Z");
  for (const std::string line : {"", "x", "12:00:00 x", "2025-13-04 07:14:03", "port 1756970043",
                                 "99999999999999999999", "September", "2025-09-04", "Sep 4"})
    EXPECT_EQ(TimeOf(line), "none") << line;
}

TEST(TemplateMiner, JoinsLinesThatDifferInAWord) {
  TemplateMiner miner;
  const uint32_t first = miner.Add("user ann logged in from berlin today");
  EXPECT_EQ(miner.Add("user bob logged in from berlin today"), first);
  EXPECT_EQ(miner.Add("user cem logged in from oslo today"), first);
  EXPECT_EQ(miner.templates()[first].text, "user <*> logged in from <*> today");
  EXPECT_NE(miner.Add("user bob failed to log in today"), first);
  EXPECT_NE(miner.Add("something else altogether"), first);
}

// Of thirteen words one differs that matters.
TEST(TemplateMiner, TheNamesOfExceptionsTellLinesApart) {
  TemplateMiner miner;
  const auto line = [](const std::string& exception) {
    return R"({"level": "WARN", "number": <num>, "resource": {"name": "shop"}, "msg": "refused", "type": "jwt.)" +
           exception + R"(", "again": false, "id": <num>})";
  };
  const uint32_t expired = miner.Add(line("ExpiredSignatureError"));
  EXPECT_NE(miner.Add(line("InvalidSignatureError")), expired);
  EXPECT_EQ(miner.Add(line("ExpiredSignatureError") + " "), expired);
}

TEST(SpeaksOfError, KnowsLevelsAndExceptions) {
  for (const std::string line : {"ERROR x", "[error] x", "level=fatal", "E x", "java.io.IOException: x", "TypeError: x",
                                 "connect() failed (111: refused)", "\"GET <path> HTTP/<num>\" 502 <num>"})
    EXPECT_TRUE(SpeaksOfError(line)) << line;
  for (const std::string line :
       {"INFO served", "e x", "liberror-prone installed", "\"GET <path> HTTP/<num>\" 404 <num>"})
    EXPECT_FALSE(SpeaksOfError(line)) << line;
}

TEST(TemplateMiner, IsBoundedWhateverComes) {
  TemplateMiner miner;
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    std::string line;
    for (int w = 0; w < 5; ++w) line += fmt::format("w{:x} ", random());
    miner.Add(line);
  }
  EXPECT_LE(miner.templates().size(), kMaxTemplates);
}

constexpr int64_t kStart = 1756970000;
constexpr int64_t kIncident = kStart + 3600;

class Logs : public ::testing::Test {
 protected:
  Logs() {
    options_.begin = absl::FromUnixSeconds(kIncident);
    options_.zone = absl::UTCTimeZone();
  }
  // One usual line a second, an hour before and ten minutes behind the beginning of the incident.
  void Usual(int64_t from = kStart, int64_t to = kIncident + 600) {
    for (int64_t t = from; t < to; ++t) Add(t, fmt::format("INFO served /items/{} in {}ms", t % 97, t % 31));
  }
  void Add(int64_t time, const std::string& text) {
    lines_.emplace_back(
        time, absl::FormatTime("%Y-%m-%dT%H:%M:%SZ ", absl::FromUnixSeconds(time), absl::UTCTimeZone()) + text);
  }
  LogComparison Compare() {
    std::stable_sort(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string text;
    for (const auto& [time, line] : lines_) text += line + "\n";
    return CompareText(text);
  }
  LogComparison CompareText(const std::string& text) {
    const std::string path =
        ::testing::TempDir() + "logs_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::ofstream(path, std::ios::binary) << text;
    auto comparison = CompareLogFile(path, options_);
    EXPECT_TRUE(comparison.ok()) << comparison.status();
    return *std::move(comparison);
  }

  LogCompareOptions options_;
  std::vector<std::pair<int64_t, std::string>> lines_;
};

TEST_F(Logs, NothingChangedNothingSaid) {
  Usual();
  const LogComparison comparison = Compare();
  EXPECT_TRUE(comparison.timed);
  EXPECT_TRUE(comparison.changes.empty()) << Describe(comparison.changes[0]);
  EXPECT_FALSE(comparison.first_error);
  EXPECT_EQ(comparison.entries, 4200u);
  EXPECT_EQ(comparison.window_entries, 600u);
}

TEST_F(Logs, NewErrorsComeFirstThenWhatCameMoreOften) {
  Usual();
  for (int i = 0; i < 20; ++i) Add(kStart + i * 180, "WARN retry 1 of orders");
  for (int i = 0; i < 100; ++i) Add(kIncident + 5 + i, fmt::format("WARN retry {} of orders", i));
  for (int i = 0; i < 7; ++i) Add(kIncident + 30 + i, fmt::format("ERROR connect to 10.0.0.{}:5432 refused", i));
  Add(kIncident + 2, "INFO configuration loaded anew");
  const LogComparison comparison = Compare();
  ASSERT_EQ(comparison.changes.size(), 3u);
  const LogChange& error = comparison.changes[0];
  EXPECT_TRUE(error.error);
  EXPECT_EQ(error.kind, LogChangeKind::kNew);
  EXPECT_EQ(error.count, 7u);
  EXPECT_EQ(error.first, absl::FromUnixSeconds(kIncident + 30));
  EXPECT_THAT(error.sample, HasSubstr("ERROR connect to 10.0.0.0:5432 refused"));
  EXPECT_THAT(Describe(error), HasSubstr("new error, 7 times since 2025-09-04T08:13:50"));
  EXPECT_EQ(comparison.changes[1].kind, LogChangeKind::kNew);
  EXPECT_EQ(comparison.changes[2].kind, LogChangeKind::kMoreOften);
  EXPECT_NEAR(comparison.changes[2].expected, 3.3, 0.3);
  ASSERT_TRUE(comparison.first_error);
  EXPECT_EQ(comparison.first_error->text, error.text);
}

// JSON that begins with the time: what another message says is another line.
TEST_F(Logs, MessagesOfJsonAreToldApart) {
  std::string text;
  const auto add = [&](int64_t time, const std::string& level, const std::string& message) {
    text += fmt::format(R"({{"time": "{}", "level": "{}", "msg": "{}"}})",
                        absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time), absl::UTCTimeZone()), level,
                        message);
    text += "\n";
  };
  for (int i = 0; i < 30; ++i) add(kStart + i * 120, "warning", "push failed, will be tried again");
  for (int i = 0; i < 9; ++i) add(kIncident + i, "warning", "token rejected: invalid signature");
  const LogComparison comparison = CompareText(text);
  ASSERT_FALSE(comparison.changes.empty());
  EXPECT_EQ(comparison.changes[0].kind, LogChangeKind::kNew);
  EXPECT_EQ(comparison.changes[0].count, 9u);
  EXPECT_THAT(comparison.changes[0].sample, HasSubstr("invalid signature"));
}

TEST_F(Logs, AnErrorThatNormalTimeHasAsWellIsNoNews) {
  Usual();
  for (int i = 0; i < 42; ++i) Add(kStart + i * 100, "ERROR cache miss is not handled");
  EXPECT_TRUE(Compare().changes.empty());
}

TEST_F(Logs, WhatCeasedIsSaidLast) {
  Usual();
  for (int64_t t = kStart; t < kIncident; t += 5) Add(t, "INFO heartbeat of the worker");
  const LogComparison comparison = Compare();
  ASSERT_EQ(comparison.changes.size(), 1u);
  EXPECT_EQ(comparison.changes[0].kind, LogChangeKind::kCeased);
  EXPECT_EQ(comparison.changes[0].last, absl::FromUnixSeconds(kIncident - 5));
}

TEST_F(Logs, AStackTraceIsOneEntryNamedByItsReason) {
  Usual();
  for (int i = 0; i < 3; ++i) {
    Add(kIncident + 10 + i,
        fmt::format("ERROR request {} failed\nTraceback (most recent call last):\n  File \"/app/a.py\", line {}, in f\n"
                    "    g()\nValueError: bad price {}",
                    i, i, i));
    Add(kIncident + 20 + i,
        fmt::format("ERROR request {} failed\n\tat a.B.c(B.java:{})\nCaused by: java.io.IOException: Broken pipe\n"
                    "\tat a.D.e(D.java:7)\n\t... 12 more",
                    i, i));
  }
  const LogComparison comparison = Compare();
  EXPECT_EQ(comparison.entries, 4206u);
  ASSERT_EQ(comparison.changes.size(), 2u);
  EXPECT_THAT(comparison.changes[0].text, HasSubstr("ValueError: bad price <num>"));
  EXPECT_EQ(comparison.changes[0].count, 3u);
  EXPECT_THAT(comparison.changes[0].sample, HasSubstr("line 0, in f"));
  EXPECT_THAT(comparison.changes[1].text, HasSubstr("java.io.IOException: Broken pipe"));
}

// As from a journal, whose entries have a time but whose messages have none.
TEST(LogComparer, LinesWhoseTimeIsKnownOtherwise) {
  LogCompareOptions options;
  options.begin = absl::FromUnixSeconds(kIncident);
  LogComparer comparer(options);
  // The newest first: the order does not matter.
  const absl::Time time = options.begin + absl::Seconds(10);
  for (const char* line :
       {"Traceback (most recent call last):", "  File \"/app/a.py\", line 4, in f", "ValueError: bad price",
        "INFO served an order", "2025-09-04 07:14:03 WARN the till is slow"})
    comparer.AddLine(line, time);
  for (int i = 0; i < 100; ++i) comparer.AddLine("INFO served an order", options.begin - absl::Seconds(i + 1));
  const LogComparison comparison = comparer.Finish();
  ASSERT_EQ(comparison.changes.size(), 2u);
  EXPECT_THAT(comparison.changes[0].text, HasSubstr("ValueError: bad price"));
  EXPECT_EQ(comparison.changes[0].first, time);
  // Its own time is not what counts, and no part of its template.
  EXPECT_EQ(comparison.changes[1].text, "WARN the till is slow");
  EXPECT_EQ(comparison.changes[1].first, time);
  EXPECT_EQ(comparison.entries, 103u);
}

TEST_F(Logs, LinesBehindTheWindowAreLeftOut) {
  Usual();
  options_.end = absl::FromUnixSeconds(kIncident + 300);
  Add(kIncident + 400, "ERROR too late");
  EXPECT_TRUE(Compare().changes.empty());
}

TEST_F(Logs, BinaryGarbageGiganticLinesAndNoNewlineAtTheEnd) {
  std::mt19937 random(1);
  std::string garbage;
  for (int i = 0; i < 1 << 20; ++i) garbage.push_back(static_cast<char>(random()));
  const std::string huge(5 << 20, 'x');
  const LogComparison comparison = CompareText("2025-09-04T07:13:20Z INFO fine\n" + garbage + "\n" + huge +
                                               "\n\r\n2025-09-04T08:20:00Z ERROR disk is full");
  EXPECT_GT(comparison.binary_lines, 100u);
  ASSERT_TRUE(comparison.first_error);
  EXPECT_EQ(comparison.first_error->text, "ERROR disk is full");
}

TEST_F(Logs, WithoutTimesNothingIsClaimed) {
  const LogComparison comparison = CompareText("ERROR one\nERROR two\n");
  EXPECT_FALSE(comparison.timed);
  EXPECT_EQ(comparison.entries, 2u);
  EXPECT_TRUE(comparison.changes.empty());
  EXPECT_FALSE(CompareText("").timed);
}

TEST_F(Logs, ReadsOnlyTheTailThatItMay) {
  Usual();
  options_.max_bytes = 10000;
  const LogComparison comparison = Compare();
  EXPECT_EQ(comparison.bytes, 10000u);
  EXPECT_LT(comparison.entries, 300u);
}

TEST_F(Logs, SecretsAreRedacted) {
  Usual();
  Add(kIncident + 1, "ERROR login with password=hunter2 failed");
  const LogComparison comparison = Compare();
  ASSERT_EQ(comparison.changes.size(), 1u);
  EXPECT_THAT(Describe(comparison.changes[0]), Not(HasSubstr("hunter2")));
}

TEST(CompareLogFile, RefusesWhatIsNoFile) {
  LogCompareOptions options;
  options.begin = absl::UnixEpoch();
  EXPECT_EQ(CompareLogFile("/nowhere/x.log", options).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(CompareLogFile("/dev/zero", options).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace omnix
