// Diagnoses of real processes that are down, hang, or are told wrong things.
#include <gmock/gmock.h>

#include <mutex>

#include "agents/investigation/faulty_system.h"
#include "common/file.h"

namespace omnix {
namespace {

using testing::HasSubstr;
using testing::Not;

class ServiceFaultsTest : public FaultySystem {};

TEST_F(ServiceFaultsTest, ASyntaxErrorKeepsAServiceDown) {
  const int port = FreePort();
  Write("billing.json", "{\n  \"port\": 1,\n  \"rates\": [1, 2]\n}\n");
  Commit("Start");
  Write("billing.json", "{\n  \"port\": 1\n  \"rates\": [1, 2]\n}\n");
  Commit("Tidy up");
  v1::Service* billing = AddService("billing", port, {"/rates"});
  billing->add_config_files()->set_path(Path("billing.json"));
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "config.syntax_error") << All(diagnosis);
  EXPECT_EQ(first.component(), "billing");
  EXPECT_EQ(first.location().line(), 3u);
  ASSERT_GT(first.remedies_size(), 0);
  EXPECT_EQ(first.remedies(0).actions(0).kind(), "git.revert");
}

TEST_F(ServiceFaultsTest, ABrokenFileOfAHealthyServiceIsNotBlamed) {
  const int port = FreePort();
  Serve(port, "        self.answer(200)");
  Write("old.yaml", "a: [1\n");
  v1::Service* billing = AddService("billing", port, {"/rates"});
  billing->add_config_files()->set_path(Path("old.yaml"));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(diagnosis.hypotheses_size(), 0) << All(diagnosis);
}

// No reader of ours refuses the file; the program does, and says so in the level of pino.
TEST_F(ServiceFaultsTest, TheProgramItselfNamesTheLineThatItCannotRead) {
  const int port = FreePort();
  Write("app.conf", "title = a\nrate = [1\n");
  v1::Service* billing = AddService("billing", port, {"/rates"});
  billing->mutable_process()->set_pid_file(Path("billing.pid"));
  billing->add_config_files()->set_path(Path("app.conf"));
  v1::LogFile* log = billing->add_logs();
  log->set_path(Path("billing.log"));
  log->set_kind("application");
  const std::string milliseconds = std::to_string(absl::ToUnixMillis(absl::Now()));
  Write("billing.log",
        "{\"level\":60,\"time\":" + milliseconds +
            ",\"err\":{\"message\":\"app.conf:2: a list is not closed\"},\"msg\":\"failed to start\"}\n");
  const v1::Diagnosis diagnosis = Run();
  const std::string all = All(diagnosis);
  EXPECT_THAT(all, HasSubstr("config.syntax_error billing")) << all;
  EXPECT_THAT(all, HasSubstr("billing cannot read " + Path("app.conf") + ":2"));
}

// Changed in place, as people do at night: no commit tells of it.
TEST_F(ServiceFaultsTest, AnEditThatIsNotCommittedIsAChange) {
  const int port = FreePort();
  Serve(port, "        self.answer(500)");
  Write("billing.yaml", "rates:\n  fallback: 3\n");
  Commit("Start");
  Write("billing.yaml", "rates:\n  fallback: 0\n");
  v1::Service* billing = AddService("billing", port, {"/rates"});
  billing->add_config_files()->set_path(Path("billing.yaml"));
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "config.wrong_value") << All(diagnosis);
  EXPECT_EQ(first.location().line(), 2u);
  EXPECT_THAT(first.explanation(), HasSubstr("not committed"));
  ASSERT_EQ(first.remedies_size(), 1) << "git has no commit to take back";
  EXPECT_EQ(Text(first.remedies(0).actions(0), "new"), "3");
}

// The keys have different names: that both had the same value until the last edit tells that they belong together.
TEST_F(ServiceFaultsTest, ASecretThatWasTheOthersUntilItWasChanged) {
  const int port = FreePort(), judge_port = FreePort();
  Serve(port, "        self.answer(200)");
  Serve(judge_port, "        self.answer(401)");
  Write("shop.env", "SESSION_KEY=c41f77ab90e25d38\n");
  Write("judge.json", "{\n  \"jwt\": {\"secret\": \"c41f77ab90e25d38\", \"algorithm\": \"HS256\"}\n}\n");
  Commit("Start");
  Write("judge.json", "{\n  \"jwt\": {\"secret\": \"0badc0de0badc0de\", \"algorithm\": \"HS256\"}\n}\n");
  AddService("shop", port, {"/"})->add_config_files()->set_path(Path("shop.env"));
  v1::Service* judge = AddService("judge", judge_port, {});
  judge->add_endpoints()->set_path("/mine");
  judge->mutable_endpoints(0)->add_status(200);
  judge->add_config_files()->set_path(Path("judge.json"));
  v1::LogFile* log = judge->add_logs();
  log->set_path(Path("judge.log"));
  log->set_kind("application");
  Write("judge.log", Now() + " WARN session refused: JWT verification failed: signature does not match\n");
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "secret.mismatch") << All(diagnosis);
  EXPECT_EQ(first.component(), "judge");
  EXPECT_EQ(first.location().line(), 2u);
  EXPECT_THAT(diagnosis.ShortDebugString(), Not(HasSubstr("c41f77ab90e25d38")));
  EXPECT_THAT(diagnosis.ShortDebugString(), Not(HasSubstr("0badc0de0badc0de")));
}

// Its declared endpoint is quick; what its caller asks for stands in its log alone.
TEST_F(ServiceFaultsTest, ADependencyThatIsLateWhereItsLogSaysSo) {
  const int port = FreePort(), labs_port = FreePort();
  Serve(labs_port, "        time.sleep(1.5 if self.path == '/tests' else 0)\n        self.answer(200)");
  Serve(
      port,
      fmt::format("        urllib.request.urlopen('http://127.0.0.1:{}/tests').read() if self.path == '/catalog' else "
                  "None\n        self.answer(200)",
                  labs_port),
      "import urllib.request");
  v1::Service* shop = AddService("shop", port, {"/ready"});
  v1::Endpoint* catalog = shop->add_endpoints();
  catalog->set_path("/catalog");
  catalog->mutable_max_duration()->set_seconds(1);
  shop->add_depends_on("labs");
  v1::Service* labs = AddService("labs", labs_port, {"/alive"});
  v1::LogFile* log = labs->add_logs();
  log->set_path(Path("labs.log"));
  log->set_kind("application");
  Write("labs.log", Now() + " INFO \"GET /alive HTTP/1.1\" 200 0ms\n" + Now() +
                        " INFO \"GET /tests HTTP/1.1\" 200 1502ms agent=\"shop/6\"\n");
  v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "dependency.slow") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "labs");
  // The same, as keys and values.
  Write("labs.log", Now() + " \"HTTP\" verb=\"GET\" URI=\"/tests\" latency=\"1503.525ms\" resp=200\n");
  diagnosis = Run();
  EXPECT_EQ(First(diagnosis).component(), "labs") << All(diagnosis);
}

TEST_F(ServiceFaultsTest, TheServiceLooksForItsDependencyElsewhere) {
  const int port = FreePort(), ledger_port = FreePort(), nobody = FreePort();
  Serve(ledger_port, "        self.answer(200)");
  Serve(port, "        self.answer(500 if self.path == '/totals' else 200)");
  Write("settings.toml",
        fmt::format("[http]\nport = {}\n\n[ledger]\nbase = \"http://127.0.0.1:{}/v2\"\n", port, nobody));
  v1::Service* billing = AddService("billing", port, {"/totals", "/version"});
  billing->add_depends_on("ledger");
  billing->add_config_files()->set_path(Path("settings.toml"));
  AddService("ledger", ledger_port, {"/"});
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "dependency.wrong_address") << All(diagnosis);
  EXPECT_EQ(first.component(), "billing");
  EXPECT_EQ(first.location().line(), 5u);
  EXPECT_GE(first.confidence(), 0.8);
  ASSERT_GT(first.remedies_size(), 0);
  EXPECT_EQ(Text(first.remedies(0).actions(0), "new"), fmt::format(":{}", ledger_port));
}

TEST_F(ServiceFaultsTest, AnAddressThatIsNamedRightElsewhereIsNotBlamed) {
  const int port = FreePort(), ledger_port = FreePort();
  Serve(ledger_port, "        self.answer(200)");
  Serve(port, "        self.answer(500 if self.path == '/totals' else 200)");
  Write("old.env", fmt::format("LEDGER_HOST=127.0.0.1\nLEDGER_PORT={}\n", FreePort()));
  Write("app.env", fmt::format("LEDGER_HOST=127.0.0.1\nLEDGER_PORT={}\n", ledger_port));
  v1::Service* billing = AddService("billing", port, {"/totals", "/version"});
  billing->add_depends_on("ledger");
  billing->add_config_files()->set_path(Path("old.env"));
  billing->add_config_files()->set_path(Path("app.env"));
  AddService("ledger", ledger_port, {"/"});
  const v1::Diagnosis diagnosis = Run();
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("dependency.wrong_address")));
}

TEST_F(ServiceFaultsTest, AStoppedProcessHangs) {
  const int port = FreePort(), front_port = FreePort();
  const pid_t pid = Serve(port, "        self.answer(200)");
  Serve(front_port, "        self.answer(504 if self.path == '/all' else 200)");
  AddService("front", front_port, {"/all", "/about"})->add_depends_on("store");
  AddService("store", port, {"/items"});
  kill(pid, SIGSTOP);
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "service.hung") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "store");
  EXPECT_THAT(First(diagnosis).explanation(), HasSubstr(fmt::format("process {} is stopped", pid)));
  EXPECT_GE(First(diagnosis).confidence(), 0.9);
}

TEST_F(ServiceFaultsTest, ASlowPathIsNoHang) {
  const int port = FreePort();
  Serve(port, "        if self.path == '/slow': time.sleep(8)\n        self.answer(200)");
  AddService("store", port, {"/slow", "/fast"});
  const v1::Diagnosis diagnosis = Run();
  EXPECT_THAT(All(diagnosis), Not(HasSubstr("service.hung")));
}

TEST_F(ServiceFaultsTest, AValueThatItsOwnMessageNames) {
  const int port = FreePort();
  Write("worker.env", "QUEUE=orders\nMAX_BATCH=10\n");
  Commit("Start");
  Write("worker.env", "QUEUE=orders\nMAX_BATCH=ten\n");
  Commit("Write numbers as words");
  Write("worker.log",
        Now() +
            " INFO starting\nTraceback (most recent call last):\n  File \"worker.py\", line 4, in <module>\n"
            "ValueError: invalid literal for int() with base 10: 'ten'\n");
  v1::Service* worker = AddService("worker", port, {"/health"});
  worker->add_config_files()->set_path(Path("worker.env"));
  worker->add_logs()->set_path(Path("worker.log"));
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "config.wrong_value") << All(diagnosis);
  EXPECT_EQ(first.location().line(), 2u);
  ASSERT_GT(first.remedies_size(), 0);
  EXPECT_EQ(Text(first.remedies(0).actions(0), "new"), "10");
}

TEST_F(ServiceFaultsTest, AMissingVariableThatACommitTookAway) {
  const int port = FreePort();
  Write("app.env", "QUEUE=orders\nREPORT_DIR=/tmp\n");
  Commit("Start");
  Write("app.env", "QUEUE=orders\n");
  Commit("Remove what nobody uses");
  Write("app.log", Now() + " ERROR cannot start\nKeyError: 'REPORT_DIR'\n");
  v1::Service* app = AddService("app", port, {"/health"});
  app->add_config_files()->set_path(Path("app.env"));
  app->add_logs()->set_path(Path("app.log"));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "config.wrong_value") << All(diagnosis);
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("lacks REPORT_DIR"));
}

TEST_F(ServiceFaultsTest, ItListensElsewhereThanItIsLookedFor) {
  const int port = FreePort(), other = FreePort();
  Serve(other, "        self.answer(200)");
  Write("app.ini", fmt::format("[server]\nport = {}\n", other));
  v1::Service* app = AddService("app", port, {"/health"});
  app->add_config_files()->set_path(Path("app.ini"));
  app->mutable_process()->set_match(fmt::format("serve-{}.py", other));
  const v1::Diagnosis diagnosis = Run();
  const v1::Hypothesis first = First(diagnosis);
  EXPECT_EQ(first.kind(), "config.wrong_value") << All(diagnosis);
  EXPECT_EQ(first.location().line(), 2u);
  ASSERT_GT(first.remedies_size(), 0);
  EXPECT_EQ(Text(first.remedies(0).actions(0), "new"), std::to_string(port));
}

TEST_F(ServiceFaultsTest, WhereAPidFileNamesItAnotherThatLooksLikeItIsNotIt) {
  const int port = FreePort(), other = FreePort();
  Serve(other, "        self.answer(200)");
  v1::Service* app = AddService("app", port, {"/health"});
  app->mutable_process()->set_match(fmt::format("serve-{}.py", other));
  app->mutable_process()->set_pid_file(Path("app.pid"));
  const v1::Diagnosis diagnosis = Run();
  for (const v1::Hypothesis& h : diagnosis.hypotheses()) EXPECT_NE(h.kind(), "config.wrong_value") << All(diagnosis);
}

TEST_F(ServiceFaultsTest, SomebodysLookAtItsFilesIsNotTheService) {
  const int port = FreePort();
  Write("billing.log", Now() + " started\n");
  v1::Service* billing = AddService("billing", port, {"/health"});
  billing->mutable_process()->set_match("billing.log");
  Start({"tail", "-f", Path("billing.log")});
  std::mutex mutex;
  std::string processes;
  case_.report = [&](const v1::Evidence& evidence) {
    const std::lock_guard lock(mutex);
    if (evidence.source() == "processes") processes += evidence.summary();
  };
  const v1::Diagnosis diagnosis = Run();
  EXPECT_THAT(processes, HasSubstr("no process of it was found"));
  EXPECT_THAT(First(diagnosis).kind(), testing::AnyOf("process.missing", "service.process_down")) << All(diagnosis);
}

TEST_F(ServiceFaultsTest, ACrashLoopIsSeenInTheProcessTable) {
  const int port = FreePort();
  Write("job.sh", "while true; do python3 -c \"import time, sys; time.sleep(0.3); print('" + Now() +
                      " FATAL out of licences'); sys.exit(3)\" looping-" + std::to_string(port) + " >> " +
                      Path("job.log") + "; echo \"" + Now() + " job exited with code 3, restarting\" >> " +
                      Path("job.log") + "; done\n");
  v1::Service* job = AddService("job", port, {"/health"});
  job->add_logs()->set_path(Path("job.log"));
  job->mutable_process()->set_match(fmt::format("looping-{}", port));
  Start({"bash", Path("job.sh")});
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  const auto ended = [&] {
    const auto text = ReadFile(Path("job.log"));
    return text.ok() && text->find("restarting") != std::string::npos;
  };
  while (!ended() && absl::Now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "service.crash_loop") << All(diagnosis);
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("out of licences"));
}

TEST_F(ServiceFaultsTest, ACrashLoopIsSeenByThePidFileAlone) {
  Write("job.sh", "while true; do sleep 0.3 & echo $! > " + Path("job.pid") + "; wait; done\n");
  v1::Service* job = case_.system.add_services();
  job->set_name("job");
  job->mutable_process()->set_pid_file(Path("job.pid"));
  Start({"bash", Path("job.sh")});
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!std::filesystem::exists(Path("job.pid")) && absl::Now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const v1::Diagnosis diagnosis = Run();
  EXPECT_EQ(First(diagnosis).kind(), "service.crash_loop") << All(diagnosis);
}

}  // namespace
}  // namespace omnix
