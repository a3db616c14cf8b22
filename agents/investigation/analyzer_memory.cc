// memory.exhausted: a service has used up the memory that it may have, or the OOM killer took processes of it, as the
// kernel counts for its control group and systemd for its unit; or the whole machine is short of memory. What the
// kernel takes away is no crash of the program's own: more memory, or less use of it, mends it.
#include <re2/re2.h>

#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/log_signs.h"
#include "agents/investigation/log_source.h"
#include "agents/investigation/probe_memory.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/probe_units.h"
#include "agents/investigation/symptoms_of.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kKilledByUnit = 0.9;
constexpr double kUsedUp = 0.87;
// Others may have used it, or been killed in its place.
constexpr double kSharedGroup = 0.7;
// The kernel does not say when.
constexpr double kKilledOnce = 0.6;
constexpr double kKilledOnceShared = 0.45;
constexpr double kMachineStalls = 0.7;
constexpr double kMachineShort = 0.5;
constexpr double kFull = 0.95;
constexpr double kFar = 0.5;
constexpr double kWhole = 100;

// When, in the time of the trouble, or at the end that the unit still stands at.
std::vector<absl::Time> KillsOf(const UnitFacts& unit, absl::Time begin) {
  std::vector<absl::Time> kills;
  const UnitEnd* standing = unit.StandingEnd();
  for (const absl::Time time : unit.history.oom_kills) {
    if (time >= begin || (standing != nullptr && standing->oom && standing->time <= time)) kills.push_back(time);
  }
  // Known by the unit's result alone.
  if (kills.empty() && standing != nullptr && standing->oom) kills.push_back(standing->time);
  return kills;
}

std::string LimitOf(const UnitFacts& unit) {
  if (!unit.state || !unit.state->memory_max) return "";
  return fmt::format(" (MemoryMax of {} is {})", unit.unit, Megabytes(*unit.state->memory_max));
}

void JudgeUnit(Scene* scene, const UnitFacts& unit, std::vector<Candidate>* candidates) {
  const std::vector<absl::Time> kills = KillsOf(unit, LogWindowBegin(scene->input));
  if (kills.empty()) return;
  v1::Hypothesis h;
  for (const std::string& id : SymptomsBehind(*scene, *unit.service)) h.add_symptom_ids(id);
  h.set_kind("memory.exhausted");
  h.set_component(unit.service->name());
  h.set_title(fmt::format("{} runs out of memory: the OOM killer took processes of {}{}", unit.service->name(),
                          unit.unit, LimitOf(unit)));
  h.set_explanation(
      fmt::format("systemd counts {} kills by the OOM killer since {}. A restart helps until it has grown "
                  "again: it needs more memory, or has to use less.",
                  kills.size(), omnix::FormatTime(kills[0])));
  h.add_evidence_for(unit.evidence);
  if (h.symptom_ids_size() == 0)
    h.add_symptom_ids(scene->AddSymptom(unit.service->name(), "systemd", h.title(), unit.evidence));
  v1::Counterfactual* test = h.add_tests();
  test->set_description(fmt::format("systemd names the OOM killer as the reason of {}", unit.unit));
  test->set_agrees(true);
  test->add_evidence_ids(unit.evidence);
  h.set_confidence(kKilledByUnit);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  candidates->push_back({std::move(h), {}});
}

// Whether kills that the group counts may be of the time of the trouble. Where its unit's journal was read, that tells
// (and is judged by itself): a group that is older than the trouble may count those of yesterday.
bool MayBeNow(const Scene& scene, const MemoryFacts& facts) {
  const UnitFacts* unit = UnitOf(scene, *facts.service);
  return unit == nullptr || unit->history.ends.empty() || facts.memory.made >= LogWindowBegin(scene.input);
}

double ConfidenceOf(const Scene& scene, const MemoryFacts& facts, bool full) {
  if (full) return facts.shared || facts.memory.tightest->group != facts.memory.group ? kSharedGroup : kUsedUp;
  const bool now = facts.memory.made >= LogWindowBegin(scene.input);
  if (facts.shared) return kKilledOnceShared;
  return now ? kUsedUp : kKilledOnce;
}

void JudgeGroup(Scene* scene, const MemoryFacts& facts, std::vector<Candidate>* candidates) {
  const CgroupMemory& memory = facts.memory;
  const bool full = memory.tightest && memory.tightest->share() >= kFull;
  const bool killed = memory.oom_kills > 0 && MayBeNow(*scene, facts);
  v1::Hypothesis h;
  for (const std::string& id : SymptomsBehind(*scene, *facts.service)) h.add_symptom_ids(id);
  if ((!full && !killed) || h.symptom_ids_size() == 0) return;
  const std::string& name = facts.service->name();
  h.set_kind("memory.exhausted");
  h.set_component(name);
  std::string used;
  if (full) {
    used = fmt::format("{} of {} used, {}", Megabytes(memory.tightest->used_bytes),
                       Megabytes(memory.tightest->limit_bytes), memory.tightest->Name());
  }
  const std::string kills = fmt::format("the OOM killer took {} processes of {}", memory.oom_kills, memory.group);
  h.set_title(fmt::format("{} has used up its memory: {}", name, full ? used : kills));
  h.set_explanation(
      fmt::format("{}{}{}. File cache, which the kernel takes back, is not counted. It needs a higher "
                  "limit, or has to use less; a restart helps until it has grown again.",
                  used, full && killed ? "; " : "", killed ? kills : ""));
  if (memory.tightest) h.mutable_location()->set_file(memory.tightest->file);
  h.add_evidence_for(facts.evidence);
  v1::Counterfactual* test = h.add_tests();
  test->set_description(full ? fmt::format("{:.0f} % of what it may use is used", kWhole * memory.tightest->share())
                             : kills);
  test->set_agrees(true);
  test->add_evidence_ids(facts.evidence);
  h.set_confidence(ConfidenceOf(*scene, facts, full));
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  candidates->push_back({std::move(h), {}});
}

// A log's word of the OOM killer, while the process is older than the trouble, was never killed and is far from any
// limit: another program's.
void SpeakAgainst(Scene* scene, const MemoryFacts& facts, std::vector<Candidate>* candidates) {
  static const RE2 kOfKernel(R"((?i)oom[-_ ]?kill|out of memory: kill|memory cgroup out of memory)");
  const CgroupMemory& memory = facts.memory;
  const bool far = memory.tightest && memory.tightest->share() < kFar && memory.oom_kills == 0;
  if (!far || facts.started >= LogWindowBegin(scene->input)) return;
  for (const LogSign* sign : SignsOf(*scene, *facts.service)) {
    if (sign->shape->kind == "memory.exhausted" && !RE2::PartialMatch(sign->text, kOfKernel)) return;
  }
  for (Candidate& candidate : *candidates) {
    v1::Hypothesis& h = candidate.hypothesis;
    if (h.kind() == "memory.exhausted" && h.component() == facts.service->name())
      h.add_evidence_against(facts.evidence);
  }
}

// Nobody's own limit: the one that has most is named, as the one that a person would look at.
void JudgeMachine(Scene* scene, const MachineMemoryFacts& facts, std::vector<Candidate>* candidates) {
  constexpr double kStalls = 0.1, kLittle = 0.1, kNothing = 0.03;
  const MachineMemory& memory = facts.memory;
  const bool stalls = memory.stalled.value_or(0) >= kStalls && memory.available() < kLittle;
  const bool is_short = !memory.stalled && memory.available() < kNothing;
  if ((!stalls && !is_short) || facts.largest == nullptr) return;
  v1::Hypothesis h;
  for (const v1::Symptom& symptom : scene->symptoms) {
    const v1::Service* service = scene->FindService(symptom.component());
    const ProcessFacts* processes = service == nullptr ? nullptr : ProcessOf(*scene, *service);
    if (processes != nullptr && !processes->processes.empty()) h.add_symptom_ids(symptom.id());
  }
  if (h.symptom_ids_size() == 0) return;
  h.set_kind("memory.exhausted");
  h.set_component(facts.largest->name());
  h.set_title(fmt::format("this machine is short of memory: {} of {} are available; {} has most of it, {}",
                          Megabytes(memory.available_bytes), Megabytes(memory.total_bytes), facts.largest->name(),
                          Megabytes(facts.largest_bytes)));
  h.set_explanation(h.title() + ". What runs there is slow or is killed.");
  h.add_evidence_for(facts.evidence);
  h.set_confidence(stalls ? kMachineStalls : kMachineShort);
  h.set_status(v1::HYPOTHESIS_STATUS_PROPOSED);
  candidates->push_back({std::move(h), {}});
}

}  // namespace

void AnalyzeMemory(Scene* scene, std::vector<Candidate>* candidates) {
  for (const MemoryFacts* facts : scene->facts.All<MemoryFacts>()) SpeakAgainst(scene, *facts, candidates);
  for (const MemoryFacts* facts : scene->facts.All<MemoryFacts>()) JudgeGroup(scene, *facts, candidates);
  for (const MachineMemoryFacts* facts : scene->facts.All<MachineMemoryFacts>())
    JudgeMachine(scene, *facts, candidates);
  for (const UnitFacts* unit : scene->facts.All<UnitFacts>()) JudgeUnit(scene, *unit, candidates);
}

}  // namespace omnix
