#include "agents/investigation/metrics/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>

namespace omnix {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Tables : public ::testing::Test {
 protected:
  std::string Write(const std::string& text) {
    const std::string path =
        ::testing::TempDir() + ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  absl::StatusOr<MetricTable> Read(const std::string& text) {
    return ReadMetricTable(Write(text), [](const SeriesKey&) { return true; });
  }
  std::string ErrorOf(const std::string& text) { return std::string(Read(text).status().message()); }
  std::string GraphErrorOf(const std::string& text) {
    return std::string(ReadCallGraph(Write(text)).status().message());
  }
};

constexpr char kHeader[] = "node,a,\"b, with \"\"quotes\"\"\"\nmetric,latency,latency\nstatistic,Average,p99\n";

TEST_F(Tables, ReadsSeriesWithQuotesGapsAndATimeLabel) {
  const auto table =
      Read("\xEF\xBB\xBF" + std::string(kHeader) + "unix_timestamp,,\r\n60,1.5,\r\n120.0,,nan\n180,2,-1e-3");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->times, ElementsAre(60, 120, 180));
  const Values* a = table->Find({"a", "latency", "Average"});
  const Values* b = table->Find({"b, with \"quotes\"", "latency", "p99"});
  ASSERT_TRUE(a != nullptr && b != nullptr);
  EXPECT_EQ((*a)[0], 1.5);
  EXPECT_TRUE(std::isnan((*a)[1]) && std::isnan((*b)[0]) && std::isnan((*b)[1]));
  EXPECT_EQ((*b)[2], -1e-3);
}

TEST_F(Tables, KeepsOnlyWhatIsWanted) {
  const auto table =
      ReadMetricTable(Write(std::string(kHeader) + "1,2,3\n"), [](const SeriesKey& key) { return key.node == "a"; });
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->series.size(), 1u);
}

TEST_F(Tables, ErrorsNameFileLineAndColumn) {
  EXPECT_THAT(ErrorOf(std::string(kHeader) + "1,2,3\n2,2,x3\n"), HasSubstr(".csv:5:5: 'x3' is no number"));
  EXPECT_THAT(ErrorOf(std::string(kHeader) + "noon,2,3\n"), HasSubstr(".csv:4:1: 'noon' is no time"));
  EXPECT_THAT(ErrorOf(std::string(kHeader) + "1,2\n"), HasSubstr(".csv:4:3: 2 cells in this row, 3 in the header"));
  EXPECT_THAT(ErrorOf(std::string(kHeader) + "2,1,1\n1,1,1\n"), HasSubstr(".csv:5:1: times must rise"));
  EXPECT_THAT(ErrorOf(std::string(kHeader) + "2,\"1,1\n"), HasSubstr(".csv:4:3: a quote that is not closed"));
  EXPECT_THAT(ErrorOf(std::string(kHeader) + "2,\"1\"2,1\n"), HasSubstr(".csv:4:6: text behind a closing quote"));
  EXPECT_THAT(ErrorOf("n,a,a\nm,x,x\ns,y,y\n1,1,1\n"), HasSubstr(".csv:1:5: a:x:y is here twice"));
  EXPECT_THAT(ErrorOf(std::string("n,a\nm,\0x\n", 9)), HasSubstr(".csv:2:3: byte 0x00: this is no CSV text"));
  EXPECT_THAT(ErrorOf(kHeader), HasSubstr("no row of values"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("three header rows"));
  EXPECT_THAT(ErrorOf("n,a\n"), HasSubstr("three header rows"));
  EXPECT_THAT(ErrorOf("n," + std::string(100000, 'a')), HasSubstr(".csv:1:3: a field of more than"));
}

TEST_F(Tables, RefusesWhatIsNoFile) {
  const auto all = [](const SeriesKey&) { return true; };
  EXPECT_EQ(ReadMetricTable("/nowhere/at all.csv", all).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadMetricTable("/dev/zero", all).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReadMetricTable(::testing::TempDir(), all).status().code(), absl::StatusCode::kFailedPrecondition);
  const std::string fifo = ::testing::TempDir() + "metrics_fifo";
  unlink(fifo.c_str());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(ReadMetricTable(fifo, all).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(Tables, ReadsAGraph) {
  const auto graph = ReadCallGraph(Write(",a,b,c\na,0.0,1.0,\nb,0,0,1\nc,1,0,1\n"));
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(graph->Callees("a"), ElementsAre("b"));
  // Calls in a circle and of itself.
  EXPECT_THAT(graph->Reachable("b"), ElementsAre("b", "c", "a"));
  EXPECT_THAT(GraphErrorOf(""), HasSubstr("empty"));
  EXPECT_THAT(GraphErrorOf(",a\na,yes\n"), HasSubstr(".csv:2:3: 'yes' is no number"));
  EXPECT_THAT(GraphErrorOf(",a,b\na,1\n"), HasSubstr(".csv:2:3: 2 cells"));
  EXPECT_THAT(GraphErrorOf("\x7f\x45LF\x02\x01"), HasSubstr(".csv:1:5: byte 0x02"));
}

TEST(SeriesNames, TheLastTwoColonsSeparate) {
  const auto key = ParseSeriesName("Queue_AWS::SQS:latency:p99");
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(key->node, "Queue_AWS::SQS");
  EXPECT_EQ(key->metric, "latency");
  EXPECT_EQ(key->statistic, "p99");
  for (const std::string wrong : {"", "a", "a:b", ":b:c", "a::c", "a:b:", "::", ":"})
    EXPECT_EQ(ParseSeriesName(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
}

}  // namespace
}  // namespace omnix
