// Diagnoses of services whose model names a systemd unit, by real journals.
#include <gmock/gmock.h>

#include <mutex>

#include "agents/investigation/faulty_system.h"
#include "agents/investigation/made_journal.h"
#include "agents/investigation/unit_state.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kFailed[] = "code=exited, status=1/FAILURE";

class UnitFaultsTest : public FaultySystem {
 protected:
  void SetUp() override {
    if (!MadeJournal::IsPossible()) GTEST_SKIP() << "needs the packages systemd and systemd-journal-remote";
    case_.system.set_journal_directory(Path("journal"));
    case_.report = [this](const v1::Evidence& evidence) {
      const std::lock_guard lock(mutex_);
      evidence_[evidence.id()] = evidence;
    };
  }
  v1::Diagnosis Read() {
    journal_.Write();
    return Run();
  }
  // All summaries, one a line.
  std::string Told() const {
    std::string text;
    for (const auto& [id, evidence] : evidence_) text += evidence.source() + ": " + evidence.summary() + "\n";
    return text;
  }
  v1::Service* AddUnit(const std::string& unit, const std::string& path) {
    v1::Service* service = AddService("shop", port_, {path});
    service->set_unit(unit);
    return service;
  }
  // So that each test's own lines are what is new.
  void WriteNormalTime(const std::string& unit) {
    for (int ago = 120; ago > 20; --ago) journal_.Say(now_ - absl::Minutes(ago), unit, "INFO served an order 7");
  }

  const int port_ = FreePort();
  const absl::Time now_ = absl::Now();
  MadeJournal journal_{Path("journal")};
  std::mutex mutex_;
  std::map<std::string, v1::Evidence> evidence_;
};

TEST_F(UnitFaultsTest, ACrashLoopWithTheLastWordsOfTheProgram) {
  AddUnit("shop", "/items");
  for (int i = 0; i < 4; ++i) {
    const absl::Time time = now_ - absl::Seconds(60 - 10 * i);
    journal_.TellCrash(time, "shop.service", kFailed, "exit-code");
    for (const char* line : {"Traceback (most recent call last):", "  File \"/opt/shop.py\", line 1, in <module>",
                             "ValueError: no till is open"})
      journal_.Say(time + absl::Milliseconds(500), "shop.service", line);
    journal_.TellRestart(time + absl::Seconds(2), "shop.service", i + 1);
  }
  journal_.Tell(now_ - absl::Seconds(20), "shop.service", "shop.service: Start request repeated too quickly.");
  journal_.Tell(now_ - absl::Seconds(20), "shop.service", "shop.service: Failed with result 'exit-code'.");
  const v1::Diagnosis diagnosis = Read();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "service.crash_loop") << All(diagnosis) << Told();
  EXPECT_THAT(first.title(), HasSubstr("ValueError: no till is open"));
  EXPECT_THAT(first.explanation(), HasSubstr("systemd tells of 4 ends"));
  EXPECT_THAT(first.explanation(), HasSubstr("systemd has given up"));
  std::string places;
  for (const std::string& id : first.evidence_for()) places += evidence_[id].summary() + "\n";
  EXPECT_THAT(places, HasSubstr("journal of unit shop.service: ValueError: no till is open"));
  EXPECT_THAT(Told(), HasSubstr("log_changes: journal of unit shop.service: new error"));
}

TEST_F(UnitFaultsTest, OneCrashIsNoLoop) {
  v1::Service* shop = AddUnit("shop.service", "/items");
  v1::Command& restart = (*shop->mutable_commands())["restart"];
  for (const char* word : {"systemctl", "restart", "shop"}) restart.add_argv(word);
  journal_.TellCrash(now_ - absl::Minutes(2), "shop.service", "code=dumped, status=11/SEGV", "core-dump");
  const v1::Diagnosis diagnosis = Read();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "service.process_down") << All(diagnosis) << Told();
  EXPECT_THAT(first.title(), HasSubstr("it was killed by signal 11/SEGV and dumped core at "));
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("crash_loop")));
  ASSERT_EQ(first.remedies_size(), 1);
  EXPECT_EQ(first.remedies(0).title(), "Run shop.restart: systemctl restart shop");
}

TEST_F(UnitFaultsTest, AStopByHandIsToldAsOne) {
  AddUnit("shop", "/items");
  const absl::Time stopped = now_ - absl::Hours(3);
  // It had its crashes before.
  for (int i = 0; i < 5; ++i) {
    journal_.TellCrash(stopped - absl::Minutes(9 - i), "shop.service", kFailed, "exit-code");
    journal_.TellRestart(stopped - absl::Minutes(9 - i) + absl::Seconds(2), "shop.service", i + 1);
  }
  journal_.Tell(stopped - absl::Minutes(1), "shop.service", "Started shop.service - Shop.");
  journal_.Tell(stopped, "shop.service", "Stopping shop.service - Shop...");
  journal_.Tell(stopped, "shop.service", "shop.service: Main process exited, code=exited, status=143/n/a");
  journal_.Tell(stopped, "shop.service", "shop.service: Failed with result 'exit-code'.");
  journal_.Tell(stopped, "shop.service", "Stopped shop.service - Shop.");
  const v1::Diagnosis diagnosis = Read();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "service.process_down") << All(diagnosis) << Told();
  EXPECT_THAT(first.title(), HasSubstr("was stopped on request at "));
  EXPECT_THAT(first.explanation(), HasSubstr("It did not crash"));
  EXPECT_THAT(first.explanation(), HasSubstr("by hand: systemctl start shop.service"));
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("crash_loop")));
}

TEST_F(UnitFaultsTest, YesterdaysCrashesAreNotBlamedNow) {
  Serve(port_, "        self.answer(500 if self.path == '/items' else 200)");
  AddUnit("shop", "/items")->add_endpoints()->set_path("/health");
  for (int i = 0; i < 6; ++i) {
    const absl::Time time = now_ - absl::Hours(20) + absl::Minutes(i);
    journal_.TellCrash(time, "shop.service", "code=killed, status=9/KILL", "oom-kill");
    journal_.Tell(time, "shop.service", "shop.service: A process of this unit has been killed by the OOM killer.");
    journal_.TellRestart(time + absl::Seconds(2), "shop.service", i + 1);
  }
  journal_.Tell(now_ - absl::Hours(19), "shop.service", "Started shop.service - Shop.");
  const std::string all = All(Read());
  for (const char* kind : {"service.crash_loop", "service.process_down", "memory.exhausted"})
    EXPECT_THAT(all, Not(HasSubstr(kind))) << Told();
}

TEST_F(UnitFaultsTest, TheOomKillerIsNamed) {
  AddUnit("shop", "/items");
  WriteNormalTime("shop.service");
  const absl::Time time = now_ - absl::Minutes(2);
  journal_.Tell(time, "shop.service", "Started shop.service - Shop.");
  journal_.Tell(time, "shop.service", "shop.service: A process of this unit has been killed by the OOM killer.");
  journal_.Tell(time, "shop.service", "shop.service: Main process exited, code=killed, status=9/KILL");
  journal_.Tell(time, "shop.service", "shop.service: Failed with result 'oom-kill'.");
  const v1::Diagnosis diagnosis = Read();
  EXPECT_EQ(First(diagnosis).kind(), "memory.exhausted") << All(diagnosis) << Told();
  EXPECT_EQ(First(diagnosis).component(), "shop");
  EXPECT_GE(First(diagnosis).confidence(), 0.85) << All(diagnosis);
}

// Nobody asks it anything: systemd alone knows that it is down.
TEST_F(UnitFaultsTest, AWorkerThatCannotBeStarted) {
  v1::Service* worker = case_.system.add_services();
  worker->set_name("worker");
  worker->set_unit("worker@1");
  journal_.TellCrash(now_ - absl::Minutes(3), "worker@1.service", "code=exited, status=203/EXEC", "exit-code");
  journal_.TellCrash(now_ - absl::Minutes(3), "worker@2.service", "code=exited, status=1/FAILURE", "exit-code");
  const v1::Diagnosis diagnosis = Read();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "service.process_down") << All(diagnosis) << Told();
  EXPECT_THAT(first.title(), HasSubstr("worker does not run: it exited with status 203/EXEC"));
  EXPECT_EQ(diagnosis.symptoms_size(), 1);
}

TEST_F(UnitFaultsTest, AWorkerThatWasStoppedAndThatNobodyMissesIsNotBlamed) {
  v1::Service* worker = case_.system.add_services();
  worker->set_name("worker");
  worker->set_unit("worker");
  journal_.Tell(now_ - absl::Minutes(3), "worker.service", "Stopping worker.service - Worker...");
  journal_.Tell(now_ - absl::Minutes(3), "worker.service", "Stopped worker.service - Worker.");
  const v1::Diagnosis diagnosis = Read();
  EXPECT_EQ(diagnosis.hypotheses_size(), 0) << All(diagnosis);
  EXPECT_EQ(diagnosis.symptoms_size(), 0) << All(diagnosis);
  EXPECT_THAT(Told(), HasSubstr("systemd: unit worker.service: it was stopped on request at "));
}

TEST_F(UnitFaultsTest, AJobThatIsStartedAgainEachTimeItIsDoneIsNotBlamed) {
  v1::Service* job = case_.system.add_services();
  job->set_name("job");
  job->set_unit("job");
  for (int ago = 10; ago > 0; --ago) {
    journal_.Tell(now_ - absl::Minutes(ago), "job.service", "Started job.service - Job.");
    journal_.Tell(now_ - absl::Minutes(ago), "job.service", "job.service: Deactivated successfully.");
    journal_.TellRestart(now_ - absl::Minutes(ago) + absl::Seconds(30), "job.service", 10 - ago);
  }
  const v1::Diagnosis diagnosis = Read();
  EXPECT_EQ(diagnosis.hypotheses_size(), 0) << All(diagnosis);
}

// The text has no level; the entry has.
TEST_F(UnitFaultsTest, ThePriorityTellsOfAFailure) {
  Serve(port_, "        self.answer(500 if self.path == '/items' else 200)");
  AddUnit("shop", "/items")->add_endpoints()->set_path("/health");
  WriteNormalTime("shop.service");
  journal_.Say(now_ - absl::Minutes(1), "shop.service", "the till is shut", 3);
  const v1::Diagnosis diagnosis = Read();
  EXPECT_THAT(diagnosis.summary() + First(diagnosis).explanation(), HasSubstr("[error] the till is shut"))
      << All(diagnosis) << Told();
}

// What analyzers look for in log files they find in a journal.
TEST_F(UnitFaultsTest, AValueThatTheJournalNames) {
  Write("shop.env", "QUEUE=orders\nMAX_BATCH=10\n");
  Commit("Start");
  Write("shop.env", "QUEUE=orders\nMAX_BATCH=ten\n");
  Commit("Larger batches");
  AddUnit("shop", "/items")->add_config_files()->set_path(Path("shop.env"));
  journal_.Say(now_ - absl::Minutes(1), "shop.service", "\x1b[31mERROR\x1b[0m invalid value for MAX_BATCH: ten");
  journal_.TellCrash(now_ - absl::Minutes(1), "shop.service", kFailed, "exit-code");
  const v1::Diagnosis diagnosis = Read();
  EXPECT_EQ(First(diagnosis).kind(), "config.wrong_value") << All(diagnosis) << Told();
  EXPECT_EQ(First(diagnosis).location().line(), 2u);
}

// Written since the trouble began; what it wrote before and its end are known all the same.
TEST_F(UnitFaultsTest, AUnitThatWritesMoreThanIsRead) {
  AddUnit("shop", "/items");
  WriteNormalTime("shop.service");
  journal_.TellCrash(now_ - absl::Minutes(10), "shop.service", kFailed, "exit-code");
  for (int i = 0; i < 15000; ++i)
    journal_.Say(now_ - absl::Minutes(9) + absl::Milliseconds(30 * i), "shop.service",
                 fmt::format("INFO served an order {}", i));
  const v1::Diagnosis diagnosis = Read();
  EXPECT_EQ(First(diagnosis).kind(), "service.process_down") << All(diagnosis) << Told();
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("it exited with status 1/FAILURE at "));
  EXPECT_THAT(Told(), Not(HasSubstr("new, 1"))) << "a usual line is not new";
}

TEST_F(UnitFaultsTest, WhatCannotBeReadIsSaid) {
  AddUnit("shop", "/items");
  EXPECT_EQ(First(Run()).kind(), "service.process_down");
  EXPECT_THAT(Told(), HasSubstr("systemd: journal of unit shop.service: not read: "));
  case_.system.mutable_services(0)->set_unit("shop*");
  Run();
  EXPECT_THAT(Told(), HasSubstr("systemd: \"shop*\" is no name of a unit"));
}

TEST_F(UnitFaultsTest, WithoutSystemd) {
  if (RunsSystemd()) GTEST_SKIP() << "systemd runs here";
  case_.system.clear_journal_directory();
  AddUnit("shop", "/items");
  EXPECT_EQ(First(Run()).kind(), "service.process_down");
  EXPECT_THAT(Told(), HasSubstr("this machine does not run systemd"));
}

TEST_F(UnitFaultsTest, WithoutUnitsNothingIsSaidOfThem) {
  AddService("shop", port_, {"/items"});
  Read();
  EXPECT_THAT(Told(), Not(HasSubstr("systemd")));
  EXPECT_THAT(Told(), Not(HasSubstr("journal of unit")));
}

}  // namespace
}  // namespace omnix
