// `omnix investigate` as a shell sees it.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "common/json.h"
#include "common/process.h"

namespace omnix {
namespace {

std::string Write(const std::string& name, const std::string& text) {
  // Of this process alone: other tests run at the same time.
  const std::string path = ::testing::TempDir() + "investigate_" + std::to_string(getpid()) + "_" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

// A front that waits for its store: 40 usual minutes, or 5 of which the last three are slow.
std::string Series(bool incident) {
  std::string text =
      "component,front,a::store,front,a::store\nmetric,latency,latency,requests,requests\n"
      "statistic,Average,Average,Sum,Sum\n";
  for (int i = 0; i < (incident ? 5 : 40); ++i) {
    const double extra = (incident && i >= 2 ? 0.5 : 0) + 0.001 * (i % 4);
    text +=
        std::to_string(60 * i) + "," + std::to_string(0.2 + extra) + "," + std::to_string(0.1 + extra) + ",100,100\n";
  }
  return text;
}

ProcessResult Investigate(const std::string& metrics, const std::string& target = "front:latency:Average") {
  const std::string normal = Write("normal.csv", Series(false));
  const std::string graph = Write("graph.csv", ",front,a::store\nfront,0,1\na::store,0,0\n");
  const auto result = RunProcess({OMNIX_PROGRAM, "investigate", "--metrics", metrics, "--normal", normal, "--graph",
                                  graph, "--target", target, "--json"});
  EXPECT_TRUE(result.ok()) << result.status();
  return *result;
}

TEST(InvestigateCommand, RanksTheOrigin) {
  const ProcessResult result = Investigate(Write("incident.csv", Series(true)));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = ParseJson(result.out);
  ASSERT_TRUE(json.ok()) << result.out;
  ASSERT_FALSE((*json)["ranking"].empty()) << result.out;
  EXPECT_EQ((*json)["ranking"][0]["node"], "a::store");
  EXPECT_EQ((*json)["ranking"][0]["metric"], "latency");
  EXPECT_GT((*json)["ranking"][0]["score"], 0.5);
}

TEST(InvestigateCommand, RanksNothingWhereNothingIsUnusual) {
  const ProcessResult result = Investigate(Write("usual.csv", Series(false)));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "{\"ranking\":[]}\n");
}

TEST(InvestigateCommand, SaysWhereItsInputIsWrong) {
  const ProcessResult missing = Investigate("/nowhere/metrics.csv");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_NE(missing.err.find("/nowhere/metrics.csv: No such file"), std::string::npos) << missing.err;
  const ProcessResult wrong = Investigate(Write("wrong.csv", Series(true) + "300,1,2,x,1\n"));
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("wrong.csv:9:9: 'x' is no number"), std::string::npos) << wrong.err;
  const ProcessResult target = Investigate(Write("incident.csv", Series(true)), "front");
  EXPECT_EQ(target.exit_code, 2);
  EXPECT_NE(target.err.find("NODE:METRIC:STATISTIC"), std::string::npos) << target.err;
}

TEST(InvestigateCommand, ComparesLogs) {
  std::string text;
  for (int minute = 10; minute < 60; ++minute)
    text += "2025-09-04T07:" + std::to_string(minute) + ":00Z INFO served " + std::to_string(minute) + "\n";
  text += "2025-09-04T07:59:30Z ERROR token=abcdef0123456789 refused\n";
  const auto result = RunProcess({OMNIX_PROGRAM, "investigate", "--logs", Write("service.log", text), "--since",
                                  "2025-09-04T07:50:00Z", "--json"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 0) << result->err;
  const auto json = ParseJson(result->out);
  ASSERT_TRUE(json.ok()) << result->out;
  const Json& log = (*json)["logs"][0];
  EXPECT_EQ(log["changes"].size(), 1u) << result->out;
  EXPECT_EQ(log["first_error"]["first"], "2025-09-04T07:59:30.000Z");
  EXPECT_EQ(result->out.find("abcdef0123456789"), std::string::npos);
}

TEST(InvestigateCommand, DiagnosesASystem) {
  // Port 1: nothing listens there.
  const std::string model = Write("system.yaml",
                                  "name: made-up\nservices:\n- name: shop\n  kind: backend\n"
                                  "  base_url: http://127.0.0.1:1\n  listen: [\"127.0.0.1:1\"]\n");
  const auto json_result = RunProcess({OMNIX_PROGRAM, "investigate", "--system", model, "--json"});
  ASSERT_TRUE(json_result.ok()) << json_result.status();
  ASSERT_EQ(json_result->exit_code, 0) << json_result->err;
  const auto json = ParseJson(json_result->out);
  ASSERT_TRUE(json.ok()) << json_result->out;
  EXPECT_EQ((*json)["diagnosis"]["hypotheses"][0]["kind"], "service.process_down");
  EXPECT_FALSE((*json)["evidence"].empty());
  const auto text = RunProcess({OMNIX_PROGRAM, "investigate", "--system", model});
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_NE(text->out.find("shop does not listen on 127.0.0.1:1"), std::string::npos) << text->out;
  const auto missing = RunProcess({OMNIX_PROGRAM, "investigate", "--system", "/nowhere.yaml"});
  ASSERT_TRUE(missing.ok()) << missing.status();
  EXPECT_EQ(missing->exit_code, 1) << missing->err;
}

TEST(InvestigateCommand, NeedsSomethingToInvestigate) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {}, {"--logs", "/var/log/x"}, {"--metrics", "x.csv"}, {"--logs", "x", "--since", "yesterday"}}) {
    std::vector<std::string> argv = {OMNIX_PROGRAM, "investigate"};
    argv.insert(argv.end(), words.begin(), words.end());
    const auto result = RunProcess(argv);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->exit_code, 2) << result->out << result->err;
    EXPECT_FALSE(result->err.empty());
  }
}

}  // namespace
}  // namespace omnix
