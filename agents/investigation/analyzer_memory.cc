// memory.exhausted: the OOM killer took processes of a service, as systemd counts them for its unit. What the kernel
// takes away is no crash of the program's own: more memory, or less use of it, mends it.
#include "agents/investigation/analyzer.h"
#include "agents/investigation/log_source.h"
#include "agents/investigation/probe_units.h"
#include "agents/investigation/symptoms_of.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kKilledByUnit = 0.9;

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
  constexpr double kMegabyte = 1 << 20;
  if (!unit.state || !unit.state->memory_max) return "";
  return fmt::format(" (MemoryMax of {} is {:.0f} MB)", unit.unit,
                     static_cast<double>(*unit.state->memory_max) / kMegabyte);
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

}  // namespace

void AnalyzeMemory(Scene* scene, std::vector<Candidate>* candidates) {
  for (const UnitFacts* unit : scene->facts.All<UnitFacts>()) JudgeUnit(scene, *unit, candidates);
}

}  // namespace omnix
