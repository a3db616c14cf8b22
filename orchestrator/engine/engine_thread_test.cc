#include "orchestrator/engine/engine_thread.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <future>
#include <mutex>

#include "common/status.h"
#include "orchestrator/engine/input_queue.h"
#include "orchestrator/journal/memory_journal.h"

namespace omnix {
namespace {

constexpr auto kDeadline = std::chrono::seconds(20);

v1::Alert Firing(const std::string& fingerprint) {
  v1::Alert alert;
  alert.set_fingerprint(fingerprint);
  alert.set_title(fingerprint);
  alert.set_status(v1::ALERT_STATUS_FIRING);
  return alert;
}

class EngineThreadTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(thread_.Start().ok()); }

  absl::Status Ingest(const std::string& fingerprint) {
    std::promise<absl::Status> answered;
    thread_.IngestAlerts({Firing(fingerprint)}, [&](absl::StatusOr<std::vector<IngestedAlert>> ingested) {
      answered.set_value(ingested.status());
    });
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

// A journal whose next append is held until it is let go, and then fails.
class HeldJournal final : public MemoryJournal {
 public:
  absl::Status Append(const Batch&) override {
    entered_.set_value();
    let_go_.get_future().wait();
    return absl::UnavailableError("the disk is gone");
  }
  bool WaitUntilHeld() { return entered_.get_future().wait_for(kDeadline) == std::future_status::ready; }
  void LetGo() { let_go_.set_value(); }

 private:
  std::promise<void> entered_;
  std::promise<void> let_go_;
};

// Posts alerts until one is refused because the thread stops; those before it wait for the held append.
bool WaitUntilStopping(EngineThread& thread) {
  const auto until = std::chrono::steady_clock::now() + kDeadline;
  auto refused = std::make_shared<std::atomic<bool>>(false);
  while (!*refused && std::chrono::steady_clock::now() < until) {
    thread.IngestAlerts({Firing("later")}, [refused](const absl::StatusOr<std::vector<IngestedAlert>>& answer) {
      *refused = *refused || answer.status().message().find("stopping") != absl::string_view::npos;
    });
  }
  return *refused;
}

TEST(EngineThreadStop, EndsThoughACommitFailsMeanwhile) {
  HeldJournal journal;
  SystemClock clock;
  EngineThread thread(EngineOptions{}, Configuration{}, journal, clock);
  ASSERT_TRUE(thread.Start().ok());
  std::promise<absl::Status> answered;
  thread.IngestAlerts({Firing("first")}, [&](absl::StatusOr<std::vector<IngestedAlert>> ingested) {
    answered.set_value(ingested.status());
  });
  ASSERT_TRUE(journal.WaitUntilHeld());
  auto stopped = std::async(std::launch::async, [&] { thread.Stop(); });
  ASSERT_TRUE(WaitUntilStopping(thread));
  journal.LetGo();
  EXPECT_EQ(stopped.wait_for(kDeadline), std::future_status::ready) << "Stop() hangs";
  EXPECT_TRUE(absl::IsUnavailable(answered.get_future().get()));
}

// A journal that takes its first batch only once it is let go.
class WaitingJournal final : public MemoryJournal {
 public:
  absl::Status Append(const Batch& batch) override {
    std::call_once(first_, [this] { let_go_.get_future().wait(); });
    most_ = std::max(most_, batch.payloads.size());
    return MemoryJournal::Append(batch);
  }
  void LetGo() { let_go_.set_value(); }
  // Events of the largest batch. Once nothing is written any more.
  size_t most() const { return most_; }

 private:
  std::once_flag first_;
  std::promise<void> let_go_;
  size_t most_ = 0;
};

// Many full transactions follow each other: the writer takes them itself.
TEST(EngineThreadFlood, KeepsAndAnswersEachAlertOnceInTransactionsOfBoundedSize) {
  constexpr size_t kPosts = 60;
  constexpr size_t kAlertsEach = 64;
  WaitingJournal journal;
  SystemClock clock;
  EngineThread thread(EngineOptions{}, Configuration{}, journal, clock);
  ASSERT_TRUE(thread.Start().ok());
  std::atomic<size_t> answered = 0;
  std::atomic<size_t> failed = 0;
  std::promise<void> all;
  for (size_t post = 0; post < kPosts; ++post) {
    std::vector<v1::Alert> alerts;
    for (size_t i = 0; i < kAlertsEach; ++i) alerts.push_back(Firing(fmt::format("fp-{}-{}", post, i)));
    thread.IngestAlerts(std::move(alerts), [&](const absl::StatusOr<std::vector<IngestedAlert>>& ingested) {
      if (!ingested.ok() || ingested->size() != kAlertsEach) ++failed;
      if (++answered == kPosts) all.set_value();
    });
  }
  journal.LetGo();
  ASSERT_EQ(all.get_future().wait_for(kDeadline), std::future_status::ready) << answered << " of " << kPosts;
  thread.Stop();
  EXPECT_EQ(failed, 0u);
  EXPECT_EQ(answered, kPosts);
  EXPECT_EQ(journal.ListAlertKeys(/*firing_only=*/true, 2 * kPosts * kAlertsEach)->size(), kPosts * kAlertsEach);
  EXPECT_GT(journal.most(), kMaxAlertsATransaction / 2) << "transactions were not filled: this tests nothing";
  // An alert that opens an incident is two events.
  EXPECT_LE(journal.most(), 2 * (kMaxAlertsATransaction + kAlertsEach));
}

// Told to stop while the journal that failed can't be opened (or read) again.
TEST_F(EngineThreadTest, EndsWhileTheJournalStaysUnusable) {
  ASSERT_TRUE(Ingest("a").ok());
  journal_.FailReopens(INT_MAX);
  journal_.FailNextAppend(MemoryJournal::Fault::kAfterKeeping);
  EXPECT_TRUE(absl::IsUnavailable(Ingest("b")));
  EXPECT_TRUE(absl::IsUnavailable(Ingest("c"))) << "the engine has forgotten and refuses";
  auto stopped = std::async(std::launch::async, [&] { thread_.Stop(); });
  ASSERT_EQ(stopped.wait_for(kDeadline), std::future_status::ready) << "Stop() hangs";
}

TEST_F(EngineThreadTest, EndsWhileTheJournalStaysUnreadable) {
  ASSERT_TRUE(Ingest("a").ok());
  journal_.FailReads(INT_MAX);
  journal_.FailNextAppend(MemoryJournal::Fault::kBeforeKeeping);
  EXPECT_TRUE(absl::IsUnavailable(Ingest("b")));
  EXPECT_TRUE(absl::IsUnavailable(Ingest("c"))) << "the engine has forgotten and refuses";
  auto stopped = std::async(std::launch::async, [&] { thread_.Stop(); });
  ASSERT_EQ(stopped.wait_for(kDeadline), std::future_status::ready) << "Stop() hangs";
}

}  // namespace
}  // namespace omnix
