#include "orchestrator/engine/engine_thread.h"

#include <gtest/gtest.h>

#include <future>

#include "orchestrator/journal/memory_journal.h"

namespace omnix {
namespace {

constexpr auto kDeadline = std::chrono::seconds(20);

class EngineThreadTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(thread_.Start().ok()); }

  absl::Status Ingest(const std::string& fingerprint) {
    v1::Alert alert;
    alert.set_fingerprint(fingerprint);
    alert.set_title(fingerprint);
    alert.set_status(v1::ALERT_STATUS_FIRING);
    std::promise<absl::Status> answered;
    thread_.IngestAlerts(
        {alert}, [&](absl::StatusOr<std::vector<IngestedAlert>> ingested) { answered.set_value(ingested.status()); });
    auto answer = answered.get_future();
    if (answer.wait_for(kDeadline) != std::future_status::ready) return absl::DeadlineExceededError("no answer");
    return answer.get();
  }

  // Again and again until it is taken.
  absl::Status IngestInTheEnd(const std::string& fingerprint) {
    const auto until = std::chrono::steady_clock::now() + kDeadline;
    absl::Status status;
    do {
      status = Ingest(fingerprint);
    } while (!status.ok() && std::chrono::steady_clock::now() < until);
    return status;
  }

  size_t Incidents() { return journal_.ListIncidents(false, 100)->size(); }

  MemoryJournal journal_;
  SystemClock clock_;
  EngineThread thread_{EngineOptions{}, Configuration{}, journal_, clock_};
};

TEST_F(EngineThreadTest, GoesOnAfterAFailedCommit) {
  ASSERT_TRUE(Ingest("a").ok());
  journal_.FailNextAppend(MemoryJournal::Fault::kBeforeKeeping);
  EXPECT_TRUE(absl::IsUnavailable(Ingest("b")));
  EXPECT_TRUE(IngestInTheEnd("b").ok());
  EXPECT_EQ(2u, Incidents());
}

TEST_F(EngineThreadTest, ReadsAgainWhatItCouldNotRead) {
  ASSERT_TRUE(Ingest("a").ok());
  journal_.FailReads(2);
  journal_.FailReopens(1);
  journal_.FailNextAppend(MemoryJournal::Fault::kAfterKeeping);
  EXPECT_TRUE(absl::IsUnavailable(Ingest("b")));
  EXPECT_TRUE(IngestInTheEnd("b").ok());
  EXPECT_EQ(2u, Incidents()) << "what was kept although it was called failed is known again";
}

}  // namespace
}  // namespace omnix
