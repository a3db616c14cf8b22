#include "agents/testing/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "agents/checks/check.h"
#include "agents/checks/test_server.h"
#include "agents/testing/suites.h"
#include "common/status.h"

namespace omnix {
namespace {

namespace http = boost::beast::http;
using ::testing::HasSubstr;

v1::CheckResult Result(const std::string& name, v1::CheckStatus status) {
  v1::CheckResult result;
  result.set_name(name);
  result.set_kind("http");
  result.set_service("gateway");
  result.set_status(status);
  return result;
}

TEST(AlertBookTest, FiresAfterRunsInARowAndResolves) {
  AlertBook book("shop", 2);
  const absl::Time start = absl::FromUnixSeconds(1'000'000);
  const auto failed = Result("a", v1::CHECK_STATUS_FAILED);
  const auto passed = Result("a", v1::CHECK_STATUS_PASSED);
  EXPECT_TRUE(book.Observe({failed}, start).empty());
  EXPECT_TRUE(book.Observe({passed}, start + absl::Seconds(1)).empty());
  EXPECT_TRUE(book.Observe({failed}, start + absl::Seconds(2)).empty());
  EXPECT_FALSE(book.changed());
  EXPECT_EQ(book.Observe({failed}, start + absl::Seconds(3)).size(), 1u);
  EXPECT_TRUE(book.changed());
  const Json firing = book.Payload();
  ASSERT_EQ(firing["alerts"].size(), 1u);
  EXPECT_EQ(firing["version"], "4");
  EXPECT_EQ(firing["alerts"][0]["status"], "firing");
  EXPECT_EQ(firing["alerts"][0]["startsAt"], "1970-01-12T13:46:42.000Z");
  book.Taken();
  book.Observe({failed}, start + absl::Seconds(4));
  EXPECT_FALSE(book.changed());
  book.Observe({failed, Result("b", v1::CHECK_STATUS_FAILED)}, start + absl::Seconds(5));
  EXPECT_TRUE(book.changed());
  EXPECT_EQ(book.Observe({passed}, start + absl::Seconds(6)).size(), 1u);
  EXPECT_EQ(book.Payload()["status"], "resolved");
  EXPECT_EQ(book.Payload()["alerts"][0]["fingerprint"], firing["alerts"][0]["fingerprint"]);
  // Not taken yet: still there after the next run that passes.
  book.Observe({passed}, start + absl::Seconds(7));
  EXPECT_EQ(book.Payload()["alerts"].size(), 1u);
  book.Taken();
  EXPECT_TRUE(book.Payload()["alerts"].empty());
}

TEST(MonitorTest, TellsAReceiverThatRefusesAtFirst) {
  std::atomic<bool> healthy = false;
  const TestServer service([&](const auto&, auto& response) {
    if (!healthy) response.result(http::status::bad_gateway);
  });
  std::mutex mutex;
  std::vector<Json> bodies;
  std::atomic<bool> stop = false;
  std::atomic<int> refusals = 0;
  const TestServer receiver([&](const auto& request, auto& response) {
    if (refusals++ == 0) return response.result(http::status::service_unavailable);
    const std::scoped_lock lock(mutex);
    bodies.push_back(Json::parse(request.body()));
    if (bodies.back()["status"] == "firing") healthy = true;
    if (bodies.back()["status"] == "resolved") stop = true;
  });
  v1::SystemModel system;
  system.set_name("shop");
  v1::Service& gateway = *system.add_services();
  gateway.set_name("gateway");
  gateway.set_base_url(service.Url());
  gateway.add_endpoints()->set_path("/");
  MonitorOptions options;
  options.every = absl::Milliseconds(20);
  options.alert_url = receiver.Url("/alerts");
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  std::condition_variable never;
  std::mutex wait_mutex;
  Monitor(options, system, {DeriveSuite(system)})
      .Run(
          [&](absl::Duration duration) {
            std::unique_lock lock(wait_mutex);
            never.wait_for(lock, absl::ToChronoMilliseconds(duration), [&] { return stop.load(); });
            return !stop && absl::Now() < deadline;
          },
          [] { return false; });
  ASSERT_EQ(bodies.size(), 2u);
  EXPECT_EQ(bodies[0]["alerts"][0]["labels"]["service"], "gateway");
  EXPECT_EQ(bodies[0]["alerts"][0]["labels"]["check"], "endpoints");
  EXPECT_EQ(bodies[1]["alerts"][0]["status"], "resolved");
}

TEST(SuitesTest, MistakesNameFileSuiteAndStep) {
  v1::SystemModel system;
  system.add_suite_files("/srv/smoke.yaml");
  v1::Suite& suite = *system.add_suites();
  suite.set_name("smoke");
  v1::Check& step = *suite.add_steps();
  step.set_name("home");
  step.set_kind("htp");
  EXPECT_THAT(Message(ValidateSuites(system)),
              HasSubstr("/srv/smoke.yaml: suite smoke: step 'home': unknown check kind"));
}

TEST(SuitesTest, WithoutASuiteOneIsDerivedAndSaid) {
  const TestServer service(
      [](const auto&, auto& response) { response.set("Access-Control-Allow-Origin", "https://shop.example"); });
  v1::SystemModel system;
  v1::Service& gateway = *system.add_services();
  gateway.set_name("gateway");
  gateway.set_base_url(service.Url());
  gateway.add_endpoints()->set_path("/");
  v1::Origin& origin = *system.add_origins();
  origin.set_name("production");
  origin.set_url("https://shop.example");
  ASSERT_TRUE(ValidateSuites(system).ok());
  CheckContext context{.system = system, .variables = {}};
  const v1::Verdict verdict = RunSuites(system, context);
  EXPECT_TRUE(verdict.passed()) << verdict.summary();
  EXPECT_EQ(verdict.results_size(), 3);
  EXPECT_THAT(verdict.summary(), HasSubstr("derived"));
}

}  // namespace
}  // namespace omnix
