#include "agents/infrastructure/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/checks/check.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;

v1::CheckResult Result(v1::CheckStatus status, uint32_t weight) {
  v1::CheckResult result;
  result.set_status(status);
  result.set_weight(weight);
  result.set_summary("why");
  return result;
}

v1::Check Named(const std::string& name) {
  v1::Check check;
  check.set_name(name);
  return check;
}

TEST(ReadinessTest, DeductsWeightsOnceAndAThirdForWarnings) {
  const auto failed = Result(v1::CHECK_STATUS_FAILED, 20);
  const auto readiness =
      Score({Named("ports"), Named("disk"), Named("db"), Named("ok")}, {{failed, failed},
                                                                        {Result(v1::CHECK_STATUS_WARNING, 10)},
                                                                        {Result(v1::CHECK_STATUS_ERROR, 25)},
                                                                        {Result(v1::CHECK_STATUS_PASSED, 25)}});
  EXPECT_EQ(readiness.score(), 100u - 20 - 3);
  ASSERT_EQ(readiness.deductions_size(), 2);
  EXPECT_EQ(readiness.deductions(0).check(), "ports");
  EXPECT_EQ(readiness.deductions(0).reason(), "why; why");
  EXPECT_THAT(readiness.summary(), HasSubstr("not evaluated: db"));
}

TEST(ReadinessTest, NeverFallsBelowZero) {
  const std::vector<v1::CheckResult> failed = {Result(v1::CHECK_STATUS_FAILED, 60)};
  EXPECT_EQ(Score({Named("a"), Named("b")}, {failed, failed}).score(), 0u);
}

TEST(ReadinessTest, DerivesOnlyWhatTheModelDeclares) {
  v1::SystemModel system;
  system.add_services()->set_name("bare");
  v1::Service& gateway = *system.add_services();
  gateway.set_name("gateway");
  gateway.set_base_url("http://127.0.0.1:1");
  gateway.add_listen("127.0.0.1:1");
  const auto checks = DeriveInfrastructureChecks(system);
  ASSERT_EQ(checks.size(), 3u);
  for (const v1::Check& check : checks) EXPECT_TRUE(ValidateCheck(check).ok()) << ValidateCheck(check);
  EXPECT_EQ(checks[0].kind(), "listen");
  EXPECT_EQ(checks[1].kind(), "http");
  EXPECT_EQ(checks[2].kind(), "memory");
}

}  // namespace
}  // namespace omnix
