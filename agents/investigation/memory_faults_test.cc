// Diagnoses of services that meet the limit of their control group: by made facts, and in a real group where one may be
// made here.
#include <gmock/gmock.h>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/faulty_system.h"
#include "agents/investigation/log_signs.h"
#include "agents/investigation/probe_memory.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/probe_units.h"

namespace omnix {

void AnalyzeMemory(Scene* scene, std::vector<Candidate>* candidates);

namespace {

using testing::HasSubstr;
using testing::Not;

constexpr uint64_t kMegabyte = 1 << 20;

class MemoryAnalysisTest : public testing::Test {
 protected:
  MemoryAnalysisTest() {
    case_.now = case_.started_at = absl::Now();
    service_ = case_.system.add_services();
    service_->set_name("shop");
    facts_.service = service_;
    facts_.started = absl::Now() - absl::Hours(9);
    facts_.memory.group = "/system.slice/shop.service";
    facts_.memory.made = facts_.started;
    facts_.evidence = book_.Add(MakeEvidence("memory", "shop", "memory"));
    SetUse(20, 128);
  }
  void SetUse(uint64_t used, uint64_t limit) {
    facts_.memory.tightest = MemoryLimit{facts_.memory.group, "/sys/fs/cgroup/system.slice/shop.service/memory.max",
                                         limit * kMegabyte, used * kMegabyte};
  }
  void Fail() { scene_.AddSymptom("shop", "http", "GET /items: 500", ""); }
  // A machine with little memory left, where the service has 7000 MB.
  void AddMachine(double stalled) {
    ProcessFacts processes;
    processes.service = service_;
    processes.processes.emplace_back();
    scene_.facts.Add(processes);
    MachineMemoryFacts machine;
    machine.memory = {8000 * kMegabyte, 200 * kMegabyte, stalled};
    machine.largest = service_;
    machine.largest_bytes = 7000 * kMegabyte;
    scene_.facts.Add(machine);
  }
  std::vector<Candidate> Analyze() {
    scene_.facts.Add(facts_);
    AnalyzeMemory(&scene_, &candidates_);
    return candidates_;
  }

  Case case_;
  EvidenceBook book_{case_};
  HttpBroker http_{case_.system, {}, case_.cancelled};
  Prober prober_{case_, &book_, &http_};
  Scene scene_{case_, &book_, &http_, &prober_};
  v1::Service* service_ = nullptr;
  MemoryFacts facts_;
  std::vector<Candidate> candidates_;
};

TEST_F(MemoryAnalysisTest, AFullGroupIsNamedWithItsLimit) {
  Fail();
  SetUse(125, 128);
  const auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1u);
  const v1::Hypothesis& h = candidates[0].hypothesis;
  EXPECT_EQ(h.kind(), "memory.exhausted");
  EXPECT_EQ(h.component(), "shop");
  EXPECT_THAT(h.title(), HasSubstr("125 MB of 128 MB used, memory.max of /system.slice/shop.service"));
  EXPECT_EQ(h.location().file(), "/sys/fs/cgroup/system.slice/shop.service/memory.max");
  EXPECT_GE(h.confidence(), 0.85);
}

TEST_F(MemoryAnalysisTest, WhereNothingFailsNothingIsBlamed) {
  SetUse(125, 128);
  facts_.memory.oom_kills = 4;
  EXPECT_TRUE(Analyze().empty());
}

TEST_F(MemoryAnalysisTest, KillsOfAGroupThatWasMadeMeanwhile) {
  Fail();
  facts_.memory.oom_kills = 2;
  facts_.memory.made = case_.now - absl::Minutes(2);
  const auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1u);
  EXPECT_THAT(candidates[0].hypothesis.title(), HasSubstr("took 2 processes of /system.slice/shop.service"));
  EXPECT_GE(candidates[0].hypothesis.confidence(), 0.85);
}

TEST_F(MemoryAnalysisTest, KillsOfWhichNobodyKnowsTheTimeAreLess) {
  Fail();
  facts_.memory.oom_kills = 2;
  auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1u);
  EXPECT_LE(candidates[0].hypothesis.confidence(), 0.6);
}

TEST_F(MemoryAnalysisTest, KillsBeforeTheTroubleByTheJournalAreNotBlamed) {
  Fail();
  facts_.memory.oom_kills = 2;
  UnitFacts unit;
  unit.service = service_;
  unit.unit = "shop.service";
  unit.history.ends.push_back({});
  unit.history.ends.back().time = case_.now - absl::Hours(8);
  unit.history.oom_kills = {case_.now - absl::Hours(8)};
  scene_.facts.Add(unit);
  EXPECT_TRUE(Analyze().empty());
}

TEST_F(MemoryAnalysisTest, AGroupThatOthersShareIsLessCertain) {
  Fail();
  SetUse(125, 128);
  facts_.shared = true;
  const auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1u);
  EXPECT_LE(candidates[0].hypothesis.confidence(), 0.7);
}

// The kernel's message in its log was of another program.
TEST_F(MemoryAnalysisTest, ALimitFarAwaySpeaksAgainstTheOomKiller) {
  Fail();
  std::string what;
  const std::string text = "kernel: Out of memory: Killed process 4711 (batch)";
  scene_.facts.Add(LogSign{FindSign(text, &what), service_, "a.log", "", text, 1, case_.now, ""});
  Candidate candidate;
  candidate.hypothesis.set_kind("memory.exhausted");
  candidate.hypothesis.set_component("shop");
  candidates_ = {candidate};
  EXPECT_EQ(Analyze()[0].hypothesis.evidence_against_size(), 1);
}

TEST_F(MemoryAnalysisTest, ALimitFarAwaySaysNothingOfARuntimesOwnLimitOrOfAProcessThatIsNew) {
  Fail();
  Candidate candidate;
  candidate.hypothesis.set_kind("memory.exhausted");
  candidate.hypothesis.set_component("shop");
  candidates_ = {candidate};
  facts_.started = absl::Now();
  EXPECT_EQ(Analyze()[0].hypothesis.evidence_against_size(), 0);
  std::string what;
  const std::string text = "java.lang.OutOfMemoryError: Java heap space";
  scene_.facts.Add(LogSign{FindSign(text, &what), service_, "a.log", "", text, 1, case_.now, ""});
  facts_.started = absl::Now() - absl::Hours(9);
  EXPECT_EQ(Analyze()[0].hypothesis.evidence_against_size(), 0);
}

TEST_F(MemoryAnalysisTest, AMachineThatStalls) {
  Fail();
  AddMachine(0.4);
  const auto candidates = Analyze();
  ASSERT_EQ(candidates.size(), 1u);
  EXPECT_THAT(candidates[0].hypothesis.title(), HasSubstr("200 MB of 8000 MB are available; shop has most of it"));
}

TEST_F(MemoryAnalysisTest, AMachineWithLittleFreeThatGetsOnIsNotBlamed) {
  Fail();
  AddMachine(0.0);
  EXPECT_TRUE(Analyze().empty());
}

// A control group of this machine, made and taken away again.
class RealGroup {
 public:
  explicit RealGroup(uint64_t limit_bytes) {
    for (const char* parent : {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"}) {
      const std::string folder = fmt::format("{}/omnix-test-{}", parent, RandomHex(6));
      if (mkdir(folder.c_str(), 0755) != 0) continue;
      for (const char* file : {"/memory.limit_in_bytes", "/memory.max"}) {
        if (folder_.empty() && Write(folder + file, std::to_string(limit_bytes))) folder_ = folder;
      }
      if (!folder_.empty()) return;
      rmdir(folder.c_str());
    }
  }
  // Its processes are gone by now, at the latest when the kernel has taken them away.
  ~RealGroup() {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (!folder_.empty() && rmdir(folder_.c_str()) != 0 && absl::Now() < deadline) std::this_thread::yield();
  }
  bool ok() const { return !folder_.empty(); }
  bool Take(pid_t pid) const { return Write(folder_ + "/cgroup.procs", std::to_string(pid)); }

 private:
  static bool Write(const std::string& path, const std::string& text) {
    if (access(path.c_str(), W_OK) != 0) return false;
    std::ofstream file(path);
    file << text << std::flush;
    return file.good();
  }
  std::string folder_;
};

class MemoryFaultsTest : public FaultySystem {
 protected:
  static constexpr uint64_t kLimit = 64 * kMegabyte;
  // Its first request makes it `megabytes` larger.
  v1::Diagnosis RunWith(int megabytes, const RealGroup& group) {
    const int port = FreePort();
    const pid_t pid = Serve(port,
                            fmt::format("        with lock:\n"
                                        "            if not held: held.append(b'x' * ({} << 20))\n"
                                        "        self.answer(200 if self.path == '/health' else 500)",
                                        megabytes),
                            "import threading\nheld, lock = [], threading.Lock()\n");
    AddService("shop", port, {"/items", "/health"});
    EXPECT_TRUE(group.Take(pid));
    v1::Diagnosis diagnosis = Run();
    kill(pid, SIGKILL);
    return diagnosis;
  }
};

TEST_F(MemoryFaultsTest, AServiceAtTheLimitOfItsGroup) {
  const RealGroup group(kLimit);
  if (!group.ok()) GTEST_SKIP() << "no control group with a limit of memory can be made here";
  const v1::Diagnosis diagnosis = RunWith(62, group);
  EXPECT_EQ(First(diagnosis).kind(), "memory.exhausted") << All(diagnosis);
  EXPECT_EQ(First(diagnosis).component(), "shop");
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("of 64 MB used, memory."));
  EXPECT_THAT(First(diagnosis).title(), HasSubstr("/omnix-test-"));
}

TEST_F(MemoryFaultsTest, AServiceFarFromItIsNotBlamed) {
  const RealGroup group(kLimit);
  if (!group.ok()) GTEST_SKIP() << "no control group with a limit of memory can be made here";
  EXPECT_THAT(All(RunWith(8, group)), Not(HasSubstr("memory.exhausted")));
}

}  // namespace
}  // namespace omnix
