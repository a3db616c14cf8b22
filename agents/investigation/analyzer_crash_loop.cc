// service.crash_loop: it is started again and again and ends each time. Seen in the process table while it is watched,
// or in what systemd, its supervisor and itself write: repeated starts and ends. The reason is its last words; where an
// analyzer of that reason names it, that one is the sharper cause.
#include <re2/re2.h>

#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/probe_units.h"
#include "agents/investigation/symptoms_of.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kSeen = 0.9;
constexpr double kLoggedAndDown = 0.86;
constexpr double kLogged = 0.6;
constexpr double kDownBetweenStarts = 0.3;
constexpr size_t kLeastEnds = 3;
// A unit that is up for so long, and for twice as long as it ever was between two ends, stays up.
constexpr absl::Duration kSettled = absl::Minutes(1);
constexpr size_t kShownWords = 200;

// What systemd, supervisord, Docker, PM2, runit, Kubernetes and hand-made supervisors say of an end.
bool TellsOfEnd(const std::string& line) {
  static const RE2 kEnd(
      R"((?i)(main process exited|failed with result|scheduled restart job|exited: \S+ \(|gave up: |exit(ed)? (with )?(code|status)|exit(ed)?[ :=(]+(code|status)?[ :=]*[1-9-]|terminated by sig|killed by signal|\bsignal (6|9|11)\b|SIGKILL|SIGSEGV|SIGABRT|core dumped|restarting|respawn|back-?off|CrashLoop|process (ended|died|exited|crashed)))");
  return RE2::PartialMatch(line, kEnd);
}

// "Name: text" of exceptions, by which a repeated failure is told from different ones.
std::string Exception(const std::string& line) {
  static const RE2 kException(
      R"((?:^|\s)((?:\w+\.)*[A-Z]\w*(?:Error|Exception|Exit)\b:?.*|panic: .*|Fatal error: .*))");
  std::string name;
  return RE2::PartialMatch(line, kException, &name) ? name : "";
}

struct Ends {
  size_t count = 0;
  const ServiceLogFacts* log = nullptr;
  std::string last;
  // What it said itself before the end; empty: nothing.
  std::string reason;
  const ServiceLogFacts* reason_log = nullptr;
};

Ends Count(const Scene& scene, const v1::Service& service) {
  Ends ends;
  std::map<std::string, size_t> exceptions;
  for (const ServiceLogFacts* log : LogsOf(scene, service)) {
    size_t count = 0;
    for (const std::string& line : log->lines) {
      if (TellsOfEnd(line)) {
        ++count;
        ends.last = line;
        ends.log = log;
      }
      const std::string exception = Exception(line);
      if (exception.empty() && !TellsOfFailure(line)) continue;
      // A level and text are less than an exception's name.
      if (exception.empty() && !ends.reason.empty() && !Exception(ends.reason).empty()) continue;
      ends.reason = line;
      ends.reason_log = log;
      if (!exception.empty()) count = std::max(count, ++exceptions[exception]);
    }
    ends.count = std::max(ends.count, count);
  }
  return ends;
}

// What systemd tells of a unit's ends in the time of the trouble.
struct UnitEnds {
  // Zero where it is up and stays up, or was stopped by hand in the end.
  size_t count = 0;
  const UnitEnd* last = nullptr;
};

UnitEnds CountOfUnit(const Scene& scene, const UnitFacts* unit) {
  if (unit == nullptr) return {};
  const absl::Time begin = LogWindowBegin(scene.input);
  const UnitEnd* standing = unit->StandingEnd();
  if (standing != nullptr && (standing->asked || standing->signalled)) return {};
  const std::vector<const UnitEnd*> ends = unit->UnwantedEndsSince(begin);
  // Without a journal there is systemd's own count of restarts alone, which may be of yesterday.
  const bool counted = unit->history.ends.size() <= 1 && unit->state && unit->state->changed >= begin;
  const size_t restarts = counted ? static_cast<size_t>(std::max(0, unit->state->restarts)) : 0;
  if (ends.empty()) return {restarts, nullptr};
  absl::Duration longest;
  for (size_t i = 1; i < ends.size(); ++i) longest = std::max(longest, ends[i]->time - ends[i - 1]->time);
  const bool stays = standing == nullptr && scene.input.now - ends.back()->time > std::max(kSettled, 2 * longest);
  return stays ? UnitEnds() : UnitEnds{std::max(ends.size(), restarts), ends.back()};
}

// Nobody listens between one start and the next: the same state, told less exactly.
void PutBehind(const v1::Hypothesis& loop, std::vector<Candidate>* candidates) {
  for (Candidate& candidate : *candidates) {
    v1::Hypothesis& h = candidate.hypothesis;
    if (h.component() != loop.component() || h.kind() != "service.process_down") continue;
    h.set_confidence(kDownBetweenStarts);
    for (const std::string& id : loop.evidence_for()) h.add_evidence_against(id);
  }
}

struct Loop {
  const ProcessFacts* process = nullptr;
  const UnitFacts* unit = nullptr;
  Ends ends;
  UnitEnds unit_ends;
  // Watched.
  bool seen = false;
  bool down = false;

  bool ByUnit() const { return unit_ends.count >= kLeastEnds; }
};

Loop LookAt(const Scene& scene, const v1::Service& service) {
  Loop loop;
  const ProcessFacts* process = loop.process = ProcessOf(scene, service);
  loop.unit = UnitOf(scene, service);
  loop.ends = Count(scene, service);
  loop.unit_ends = CountOfUnit(scene, loop.unit);
  // A pool's workers come and go while the service stays up.
  loop.seen = process != nullptr && process->restarts_seen > 1 && (process->addresses.empty() || !process->listens);
  if (process != nullptr) {
    loop.down = !process->listens || process->processes.empty();
  } else {
    loop.down = loop.unit == nullptr || loop.unit->StandingEnd() != nullptr || loop.ByUnit();
  }
  return loop;
}

bool MayLoop(const Loop& loop) {
  if (loop.seen || loop.ByUnit()) return loop.seen || loop.down || loop.process->restarts_seen > 0;
  const UnitEnd* standing = loop.unit == nullptr ? nullptr : loop.unit->StandingEnd();
  // systemd knows how often it ended: its log tells of that, or of failures that it outlived.
  if (standing != nullptr || loop.ends.count < kLeastEnds) return false;
  return loop.process == nullptr || loop.down || loop.process->restarts_seen > 0;
}

std::string ReasonOf(const Loop& loop) {
  if (!loop.ends.reason.empty()) return loop.ends.reason.substr(0, kShownWords);
  return loop.unit_ends.last == nullptr ? "" : "it " + loop.unit_ends.last->Describe();
}

std::string HowKnown(const Scene& scene, const Loop& loop) {
  std::string how;
  if (loop.ByUnit()) {
    how = fmt::format("systemd tells of {} ends since {}", loop.unit_ends.count,
                      omnix::FormatTime(LogWindowBegin(scene.input)));
  } else if (loop.seen) {
    how = fmt::format("{} new processes of it came within {} seconds", loop.process->restarts_seen,
                      absl::ToInt64Seconds(kProcessWatch));
  } else {
    how = fmt::format("its log tells of {} ends in the time of the trouble", loop.ends.count);
  }
  if (loop.unit_ends.last != nullptr)
    how += fmt::format("; the last time it {}", DescribeWithTime(*loop.unit_ends.last));
  return how;
}

void AddEvidence(Scene* scene, const Loop& loop, v1::Hypothesis* h) {
  if (loop.process != nullptr) h->add_evidence_for(loop.process->evidence);
  if (loop.unit_ends.count > 0) h->add_evidence_for(loop.unit->evidence);
  const Ends& ends = loop.ends;
  if (ends.log != nullptr) h->add_evidence_for(AddLogEvidence(scene, *ends.log, ends.last));
  if (ends.reason_log != nullptr && ends.reason != ends.last)
    h->add_evidence_for(AddLogEvidence(scene, *ends.reason_log, ends.reason));
}

void Judge(Scene* scene, const v1::Service& service, std::vector<Candidate>* candidates) {
  const Loop loop = LookAt(*scene, service);
  if (!MayLoop(loop)) return;
  v1::Hypothesis h;
  for (const std::string& id : SymptomsBehind(*scene, service)) h.add_symptom_ids(id);
  // A job that ends well and is started again, as it should, fails nobody.
  const bool crashes = loop.ByUnit() && loop.unit_ends.last != nullptr && loop.unit_ends.last->IsCrash();
  if (h.symptom_ids_size() == 0 && !loop.seen && !crashes) return;
  const std::string reason = ReasonOf(loop);
  h.set_kind("service.crash_loop");
  h.set_component(service.name());
  h.set_title(
      fmt::format("{} is started again and again and ends{}{}", service.name(), reason.empty() ? "" : ": ", reason));
  h.set_explanation(fmt::format("{} does not stay up: {}. {}", service.name(), HowKnown(*scene, loop),
                                loop.ends.reason.empty()
                                    ? "It does not say why."
                                    : "Its last words: " + loop.ends.reason.substr(0, kShownWords)));
  AddEvidence(scene, loop, &h);
  if (h.symptom_ids_size() == 0) {
    h.add_symptom_ids(
        scene->AddSymptom(service.name(), "process", h.title(), h.evidence_for_size() > 0 ? h.evidence_for(0) : ""));
  }
  const bool agrees = loop.seen || loop.down;
  v1::Counterfactual* test = h.add_tests();
  test->set_description(loop.seen || !loop.ByUnit()
                            ? "watched, its process does not stay"
                            : fmt::format("{} has ended {} times", loop.unit->unit, loop.unit_ends.count));
  test->set_agrees(agrees);
  if (loop.process != nullptr) test->add_evidence_ids(loop.process->evidence);
  h.set_confidence(loop.seen ? kSeen : loop.down ? kLoggedAndDown : kLogged);
  h.set_status(agrees ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  if (agrees) PutBehind(h, candidates);
  candidates->push_back({std::move(h), {}});
}

}  // namespace

void AnalyzeCrashLoop(Scene* scene, std::vector<Candidate>* candidates) {
  for (const v1::Service& service : scene->input.system.services()) Judge(scene, service, candidates);
}

}  // namespace omnix
