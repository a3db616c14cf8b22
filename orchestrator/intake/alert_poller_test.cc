// A poller and a monitor that answers what it is told to; the real ones are in tests/integration.
#include "orchestrator/intake/alert_poller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>

#include "common/scripted_server.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Answer(const std::string& body, const std::string& head = "200 OK") {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

std::string Alert(const std::string& fingerprint) {
  return R"({"labels":{"alertname":"Down","service":"checkout"},"annotations":{},"startsAt":"2025-09-04T07:14:03Z",)"
         R"("status":{"state":"active"},"fingerprint":")" +
         fingerprint + "\"}";
}

class AlertPollerTest : public ::testing::Test {
 protected:
  AlertPollerTest() {
    poll_.set_name("am");
    poll_.set_kind(v1::ALERT_POLL_KIND_ALERTMANAGER);
    poll_.set_url(server_.Url(""));
    *poll_.mutable_interval() = ToProto(absl::Milliseconds(10));
    *poll_.mutable_timeout() = ToProto(absl::Seconds(10));
  }
  void Start(const std::vector<v1::Alert>& firing = {}) {
    poller_ = std::make_unique<AlertPoller>(
        poll_,
        AlertPollerParts{intake_.get(), &clock_, [this](std::vector<v1::Alert> a) { return Keep(std::move(a)); },
                         [this](const std::string& poll) { heard_ += poll == "am" ? 1 : 0; }},
        firing);
  }
  void AnswerWith(std::string answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
    asked_ = 0;
  }
  void FailToKeep(absl::Status status) {
    const std::lock_guard lock(mutex_);
    keeping_ = std::move(status);
  }
  // Each alert that was kept: "f1", or "-f1" where it ended.
  std::vector<std::string> Kept() {
    const std::lock_guard lock(mutex_);
    return kept_;
  }
  bool Await(const std::function<bool()>& condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  // Waits for several polls after the last AnswerWith.
  void AwaitPolls() {
    ASSERT_TRUE(Await([this] {
      const std::lock_guard lock(mutex_);
      return asked_ >= 4;
    }));
  }
  std::string LastRequest() {
    const std::lock_guard lock(mutex_);
    return request_;
  }

  v1::AlertPoll poll_;
  std::atomic<int> heard_ = 0;
  std::unique_ptr<AlertPoller> poller_;

 private:
  std::string Serve(const std::string& request) {
    const std::lock_guard lock(mutex_);
    if (request.starts_with("GET /api/v2/status ")) return Answer(R"({"uptime":"2020-01-01T00:00:00Z"})");
    ++asked_;
    request_ = request;
    return answer_;
  }
  absl::Status Keep(const std::vector<v1::Alert>& alerts) {
    const std::lock_guard lock(mutex_);
    if (!keeping_.ok()) return keeping_;
    for (const v1::Alert& alert : alerts) {
      EXPECT_EQ(alert.labels().at(kPollLabel), "am");
      EXPECT_EQ(alert.source(), "alertmanager");
      kept_.push_back((alert.status() == v1::ALERT_STATUS_RESOLVED ? "-" : "") + alert.fingerprint());
    }
    return absl::OkStatus();
  }

  std::mutex mutex_;
  std::string answer_ = Answer("[]");
  std::string request_;
  int asked_ = 0;
  absl::Status keeping_;
  std::vector<std::string> kept_;
  SystemClock clock_;
  std::unique_ptr<AlertIntake> intake_ = *AlertIntake::Create({});
  ScriptedServer server_{[this](const std::string& request) { return Serve(request); }};
};

TEST_F(AlertPollerTest, TellsOfAlertsAndOfTheirEnd) {
  AnswerWith(Answer("[" + Alert("f1") + "," + Alert("f2") + "]"));
  Start();
  ASSERT_TRUE(Await([&] { return poller_->Status().firing() == 2; }));
  AnswerWith(Answer("[" + Alert("f2") + "]"));
  EXPECT_TRUE(Await([&] { return poller_->Status().firing() == 1; }));
  EXPECT_THAT(Kept(), ElementsAre("f1", "f2", "-f1"));
  EXPECT_TRUE(poller_->Status().has_last_success());
}

TEST_F(AlertPollerTest, AnErrorEndsNothingAndIsShownUntilItIsOver) {
  AnswerWith(Answer("[" + Alert("f1") + "]"));
  Start();
  ASSERT_TRUE(Await([&] { return poller_->Status().firing() == 1; }));
  for (const auto& [answer, says] : std::vector<std::pair<std::string, std::string>>{
           {Answer("no", "500 Broken"), "HTTP 500"},
           {Answer("", "401 Unauthorized"), "set `header`"},
           {Answer("", "302 Found\r\nLocation: http://169.254.169.254/"), "a redirect, which is not followed"},
           {Answer("<html>"), "line 1"},
           {Answer("{}"), "does `kind` fit"},
           {Answer(std::string(kMaxPolledBytes + 1, ' ')), "more than 8388608 bytes"}}) {
    AnswerWith(answer);
    EXPECT_TRUE(Await([&] { return poller_->Status().error().find(says) != std::string::npos; }))
        << says << ": " << poller_->Status().error();
    EXPECT_GT(poller_->Status().failures(), 0u);
    AnswerWith(Answer("[" + Alert("f1") + "]"));
    EXPECT_TRUE(Await([&] { return poller_->Status().failures() == 0; }));
    EXPECT_EQ(poller_->Status().error(), "");
  }
  EXPECT_THAT(Kept(), ElementsAre("f1")) << "neither told again nor ended";
}

TEST_F(AlertPollerTest, WhatTheJournalDidNotKeepIsToldAgain) {
  FailToKeep(Unavailable("disk full"));
  AnswerWith(Answer("[" + Alert("f1") + "]"));
  Start();
  EXPECT_TRUE(Await([&] { return poller_->Status().error().find("can't be kept: disk full") != std::string::npos; }));
  EXPECT_THAT(Kept(), IsEmpty());
  FailToKeep(absl::OkStatus());
  EXPECT_TRUE(Await([&] { return poller_->Status().firing() == 1; }));
  EXPECT_THAT(Kept(), ElementsAre("f1"));
}

TEST_F(AlertPollerTest, OnlyAnAnswerWhoseAlertsAreKeptIsASignOfLife) {
  AnswerWith(Answer("no", "500 Broken"));
  Start();
  ASSERT_TRUE(Await([&] { return poller_->Status().failures() > 0; }));
  EXPECT_EQ(heard_, 0);
  FailToKeep(Unavailable("disk full"));
  AnswerWith(Answer("[" + Alert("f1") + "]"));
  ASSERT_TRUE(Await([&] { return poller_->Status().error().find("disk full") != std::string::npos; }));
  EXPECT_EQ(heard_, 0);
  FailToKeep(absl::OkStatus());
  EXPECT_TRUE(Await([&] { return heard_ > 0; }));
}

TEST_F(AlertPollerTest, AfterARestartItEndsItsOwnAlertsAndNoOthers) {
  std::vector<v1::Alert> firing(2);
  firing[0].set_fingerprint("mine");
  firing[0].set_source("alertmanager");
  (*firing[0].mutable_labels())[kPollLabel] = "am";
  firing[1].set_fingerprint("another's");
  Start(firing);
  EXPECT_TRUE(Await([&] { return poller_->Status().firing() == 0; }));
  AnswerWith(Answer("[]"));
  AwaitPolls();
  EXPECT_THAT(Kept(), ElementsAre("-mine"));
}

TEST_F(AlertPollerTest, SendsTheSecretOfAFileOrTheEnvironment) {
  const std::string file = testing::TempDir() + "omnix-poll-secret-" + std::to_string(getpid());
  std::ofstream(file) << "hunter2\n";
  poll_.mutable_header()->set_prefix("Bearer ");
  poll_.mutable_header()->set_value_file(file);
  Start();
  AwaitPolls();
  EXPECT_THAT(LastRequest(), HasSubstr("\r\nAuthorization: Bearer hunter2\r\n"));
  std::remove(file.c_str());
  EXPECT_TRUE(Await([&] { return poller_->Status().error().find(file) != std::string::npos; }));
  poller_.reset();
  poll_.clear_header();
  poll_.mutable_header()->set_name("X-Api-Key");
  poll_.mutable_header()->set_value_env("OMNIX_TEST_POLL_SECRET");
  setenv("OMNIX_TEST_POLL_SECRET", "swordfish", 1);
  Start();
  EXPECT_TRUE(Await([&] { return LastRequest().find("\r\nX-Api-Key: swordfish\r\n") != std::string::npos; }));
}

TEST_F(AlertPollerTest, AMonitorThatKeepsSilentDelaysNoStop) {
  AnswerWith(ScriptedServer::kSilence);
  Start();
  ASSERT_TRUE(Await([&] { return !LastRequest().empty(); }));
  const absl::Time begun = absl::Now();
  poller_.reset();
  EXPECT_LT(absl::Now() - begun, absl::Seconds(5));
}

}  // namespace
}  // namespace omnix
