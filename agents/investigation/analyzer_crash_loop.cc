// service.crash_loop: it is started again and again and ends each time. Seen in the process table while it is watched,
// or in what its supervisor and itself write: repeated starts and ends. The reason is its last words; where an analyzer
// of that reason names it, that one is the sharper cause.
#include <re2/re2.h>

#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/symptoms_of.h"
#include "common/process.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kSeen = 0.9;
constexpr double kLoggedAndDown = 0.86;
constexpr double kLogged = 0.6;
constexpr double kDownBetweenStarts = 0.3;
constexpr size_t kLeastEnds = 3;
constexpr absl::Duration kJournalTimeout = absl::Seconds(4);
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

// systemd's count of restarts; -1: no such unit here.
int RestartsOfUnit(const std::string& unit) {
  if (unit.empty()) return -1;
  ProcessOptions options;
  options.timeout = kJournalTimeout;
  const auto shown = RunProcess({"systemctl", "show", unit, "--property=NRestarts", "--value"}, options);
  if (!shown.ok() || shown->exit_code != 0 || shown->out.empty()) return -1;
  return std::atoi(shown->out.c_str());
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

void Judge(Scene* scene, const v1::Service& service, std::vector<Candidate>* candidates) {
  const ProcessFacts* facts = ProcessOf(*scene, service);
  const Ends ends = Count(*scene, service);
  const int restarts = RestartsOfUnit(service.unit());
  const bool down = facts == nullptr || !facts->listens || facts->processes.empty();
  // A pool's workers come and go while the service stays up.
  const bool seen = facts != nullptr && facts->restarts_seen > 1 && (facts->addresses.empty() || !facts->listens);
  const bool logged = ends.count >= kLeastEnds || restarts >= static_cast<int>(kLeastEnds);
  if (!seen && (!logged || (facts != nullptr && !down && facts->restarts_seen == 0))) return;
  v1::Hypothesis h;
  for (const std::string& id : SymptomsBehind(*scene, service)) h.add_symptom_ids(id);
  if (h.symptom_ids_size() == 0 && !seen) return;
  h.set_kind("service.crash_loop");
  h.set_component(service.name());
  h.set_title(fmt::format("{} is started again and again and ends{}", service.name(),
                          ends.reason.empty() ? "" : ": " + ends.reason.substr(0, kShownWords)));
  std::string how = seen ? fmt::format("{} new processes of it came within {} seconds", facts->restarts_seen,
                                       absl::ToInt64Seconds(kProcessWatch))
                         : fmt::format("its log tells of {} ends in the time of the trouble", ends.count);
  h.set_explanation(fmt::format(
      "{} does not stay up: {}. {}", service.name(), how,
      ends.reason.empty() ? "It does not say why." : "Its last words: " + ends.reason.substr(0, kShownWords)));
  if (facts != nullptr) h.add_evidence_for(facts->evidence);
  if (ends.log != nullptr) h.add_evidence_for(AddLogEvidence(scene, *ends.log, ends.last));
  if (ends.reason_log != nullptr && ends.reason != ends.last)
    h.add_evidence_for(AddLogEvidence(scene, *ends.reason_log, ends.reason));
  if (restarts > 0)
    h.add_evidence_for(scene->book.Add(
        MakeEvidence("systemd", service.name(), fmt::format("{}: restarted {} times", service.unit(), restarts))));
  if (h.symptom_ids_size() == 0)
    h.add_symptom_ids(
        scene->AddSymptom(service.name(), "process", h.title(), h.evidence_for_size() > 0 ? h.evidence_for(0) : ""));
  v1::Counterfactual* test = h.add_tests();
  test->set_description("watched, its process does not stay");
  test->set_agrees(seen || down);
  if (facts != nullptr) test->add_evidence_ids(facts->evidence);
  h.set_confidence(seen ? kSeen : down ? kLoggedAndDown : kLogged);
  h.set_status(seen || down ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  if (seen || down) PutBehind(h, candidates);
  candidates->push_back({std::move(h), {}});
}

}  // namespace

void AnalyzeCrashLoop(Scene* scene, std::vector<Candidate>* candidates) {
  for (const v1::Service& service : scene->input.system.services()) Judge(scene, service, candidates);
}

}  // namespace omnix
