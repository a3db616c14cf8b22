#include "tests/crash/story.h"

#include <fmt/format.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <sstream>

namespace omnix::testing {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(60);
// Each is twice in the journal's row.
constexpr size_t kLongNoteBytes = 500'000;

class Director {
 public:
  Director(const Story& story, CrashWorld& world, Tracing tracing) : story_(story), world_(world), tracing_(tracing) {}

  Told Run() {
    for (const char* program : {kOmnixd, kRecovery, kScript}) Start(program);
    LinkWitness witness(world_.grpc_address());
    {
      Load load(world_, witness, story_.plot == Plot::kLongLog ? kLongNoteBytes : 0);
      const bool ended = WaitUntil(
          [&] {
            StartTheDead();
            Interfere(load);
            return load.done();
          },
          kDeadline);
      EXPECT_TRUE(ended) << world_.Logs();
      told_.ledger = load.TakeLedger();
    }
    for (const auto& failure : told_.ledger.failures) ADD_FAILURE() << failure << "\n" << world_.Logs();
    StopAll();
    told_.acknowledged_results = witness.acknowledged();
    told_.assigned = witness.assigned();
    if (tracing_ == Tracing::kYes) ReadTraces();
    return std::move(told_);
  }

 private:
  std::string TraceFile(const std::string& program, int life) const {
    return world_.trace_file(fmt::format("{}-{}", program, life));
  }

  void Start(const std::string& program) {
    const int life = ++lives_[program];
    Environment environment;
    if (tracing_ == Tracing::kYes) environment["OMNIX_CRASH_TRACE"] = TraceFile(program, life);
    if (story_.death && story_.death->program == program && story_.death->life == life) {
      environment["OMNIX_CRASH_AT"] = fmt::format("{}:{}", story_.death->point, story_.death->count);
    }
    if (story_.plot == Plot::kCommitToldFailed && program == kOmnixd && life == 1) {
      environment["OMNIX_FAULT_AT"] = fmt::format("journal.commit_told_failed:{}", story_.failed_commit);
    }
    world_.Start(program, environment);
  }

  void Bury(const std::string& program, int exit_code) {
    constexpr int kKilled = 128 + SIGKILL;
    EXPECT_EQ(kKilled, exit_code) << program << " ended by itself\n" << world_.Logs();
    const bool expected = story_.death && story_.death->program == program && !told_.died;
    EXPECT_TRUE(expected) << program << " died unasked\n" << world_.Logs();
    told_.died = true;
  }

  void StartTheDead() {
    for (const char* program : {kOmnixd, kRecovery, kScript}) {
      if (world_.program(program).IsRunning()) continue;
      Bury(program, world_.program(program).Terminate());
      Start(program);
    }
  }

  void Interfere(const Load& load) {
    if (interfered_ || !load.under_way()) return;
    if (story_.plot == Plot::kPlain && lives_[kOmnixd] == 1) {
      StopOmnixd();
      Start(kOmnixd);
    } else if (story_.plot == Plot::kSilentAgent) {
      world_.program(kScript).Signal(SIGSTOP);
      EXPECT_TRUE(WaitUntil([&] {
        StartTheDead();
        return IsGone(kScript);
      })) << world_.Logs();
      world_.program(kScript).Signal(SIGCONT);
    }
    interfered_ = true;
  }

  // Not before it serves: a program that has only just been started dies of the signal like any other.
  void StopOmnixd() {
    EXPECT_TRUE(WaitUntil([&] { return Answers() || !world_.program(kOmnixd).IsRunning(); })) << world_.Logs();
    if (const int exit_code = world_.program(kOmnixd).Terminate(); exit_code != 0) Bury(kOmnixd, exit_code);
  }

  bool Answers() {
    const auto api = v1::Operator::NewStub(NewChannel(world_.grpc_address()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
    v1::ListAgentsResponse response;
    return api->ListAgents(&context, {}, &response).ok();
  }

  bool IsGone(const std::string& agent) {
    const auto api = v1::Operator::NewStub(NewChannel(world_.grpc_address()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
    v1::ListAgentsResponse response;
    if (!api->ListAgents(&context, {}, &response).ok()) return false;
    for (const auto& info : response.agents()) {
      if (info.name() == agent) return !info.connected();
    }
    // Its name went with an omnixd that died meanwhile.
    return true;
  }

  void StopAll() {
    for (const char* agent : {kRecovery, kScript}) world_.program(agent).Kill();
    StopOmnixd();
  }

  void ReadTraces() {
    for (const auto& [program, lives] : lives_) {
      for (int life = 1; life <= lives; ++life) {
        std::istringstream lines(Slurp(TraceFile(program, life)));
        for (std::string point; std::getline(lines, point);) ++told_.passes[{program, life}][point];
      }
    }
  }

  const Story& story_;
  CrashWorld& world_;
  const Tracing tracing_;
  std::map<std::string, int> lives_;
  bool interfered_ = false;
  Told told_;
};

}  // namespace

std::string Describe(const Story& story) {
  const std::map<Plot, std::string> names = {
      {Plot::kPlain, "plain"},
      {Plot::kCommitToldFailed, fmt::format("commit {} told failed", story.failed_commit)},
      {Plot::kSilentAgent, "silent agent"},
      {Plot::kLongLog, "long log"}};
  std::string text = names.at(story.plot);
  if (story.death) {
    text += fmt::format("; {} dies in its life {} at {}:{}", story.death->program, story.death->life,
                        story.death->point, story.death->count);
  }
  return text;
}

Told Tell(const Story& story, CrashWorld& world, Tracing tracing) { return Director(story, world, tracing).Run(); }

}  // namespace omnix::testing
