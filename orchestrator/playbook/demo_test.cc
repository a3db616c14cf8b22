// The demo (deploy/demo) with the real nginx, PostgreSQL and Python: it is well, it breaks as it should, it leaves
// nothing behind; and its system model and policies are right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/process.h"
#include "common/status.h"
#include "orchestrator/playbook/library.h"

namespace omnix {
namespace {

constexpr absl::Duration kScriptTimeout = absl::Seconds(90);

class DemoTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/lib/postgresql") || !std::filesystem::exists("/usr/sbin/nginx")) {
      GTEST_SKIP() << "needs the packages of deploy/packages.txt: nginx-light, postgresql";
    }
    std::string pattern = "/tmp/omnix-demo-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }

  void TearDown() override {
    if (folder_.empty()) return;
    EXPECT_EQ(Script("down"), 0) << output_;
    EXPECT_EQ(ProcessesLeft(), 0);
    std::filesystem::remove_all(folder_);
  }

  // Exit status of one of the demo's scripts; what it said is in output_.
  int Script(const std::string& name) {
    ProcessOptions options;
    options.timeout = kScriptTimeout;
    const auto result = RunProcess({std::string(OMNIX_SOURCE_DIR) + "/deploy/demo/" + name, folder_}, options);
    output_ = result.ok() ? result->out + result->err : Message(result.status());
    return result.ok() ? result->exit_code : -1;
  }

  long ProcessesLeft() {
    const auto found = RunProcess({"pgrep", "-f", "-c", folder_});
    return found.ok() ? std::strtol(found->out.c_str(), nullptr, 10) : -1;
  }

  std::string folder_;
  std::string output_;
};

TEST_F(DemoTest, IsWellThenBreaksThenEnds) {
  ASSERT_EQ(Script("up"), 0) << output_;
  EXPECT_EQ(Script("status"), 0) << output_;
  EXPECT_EQ(Script("up"), 0) << "again: " << output_;

  const auto model = LoadSystemModel(folder_ + "/omnix/system.yaml");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->services_size(), 3);
  ASSERT_EQ(model->suites_size(), 1);
  for (const auto& file : model->services(0).config_files())
    EXPECT_TRUE(std::filesystem::exists(file.path())) << file.path();
  for (const auto& service : model->services()) {
    EXPECT_TRUE(std::filesystem::exists(service.process().pid_file())) << service.name();
  }
  const auto& test_config = model->services(0).commands().at("test_config").argv();
  const auto tested = RunProcess({test_config.begin(), test_config.end()});
  ASSERT_TRUE(tested.ok()) << tested.status();
  EXPECT_EQ(tested->exit_code, 0) << tested->err;

  ASSERT_EQ(Script("break"), 0) << output_;
  EXPECT_EQ(Script("status"), 1);
  EXPECT_THAT(output_, testing::ContainsRegex("FAIL +http://127.0.0.1:[0-9]+/v1/products: 404"));
  EXPECT_THAT(output_, testing::ContainsRegex("ok +origin https://shop.example is let in"));
  EXPECT_THAT(output_, testing::ContainsRegex("FAIL +origin https://staging.shop.example is locked out"));
  EXPECT_THAT(output_, testing::ContainsRegex("FAIL +the development proxy"));
  EXPECT_THAT(output_, testing::ContainsRegex("ok +database runs"));
  EXPECT_EQ(Script("break"), 1);
  EXPECT_THAT(output_, testing::HasSubstr("broken already"));
}

TEST(DemoPolicyTest, AutoLetsLowRiskThroughAndAskAsks) {
  const std::string folder = std::string(OMNIX_SOURCE_DIR) + "/deploy/demo/";
  const auto automatic = LoadPolicy(folder + "policy-auto.yaml");
  const auto ask = LoadPolicy(folder + "policy-ask.yaml");
  ASSERT_TRUE(automatic.ok()) << automatic.status();
  ASSERT_TRUE(ask.ok()) << ask.status();
  const Json low = {{"plan", {{"risk", "RISK_LOW"}}}};
  const Json medium = {{"plan", {{"risk", "RISK_MEDIUM"}}}};
  EXPECT_EQ(EvaluatePolicy(*automatic, low).decision, v1::POLICY_DECISION_AUTO);
  EXPECT_EQ(EvaluatePolicy(*automatic, medium).decision, v1::POLICY_DECISION_ASK);
  EXPECT_EQ(EvaluatePolicy(*ask, low).decision, v1::POLICY_DECISION_ASK);
}

}  // namespace
}  // namespace omnix
