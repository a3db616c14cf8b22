// clock.skew: one machine's or process' clock is off, and what depends on time (tokens, certificates, signatures)
// fails. Seen in the Date of its answers, or in its log's own times beside when the file was written. Where all that
// were asked are off by the same, our own clock is: no service is blamed.
#include <re2/re2.h>

#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_clocks.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/symptoms_of.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kSkew = absl::Seconds(30);
constexpr absl::Duration kLogSkew = absl::Minutes(2);
constexpr double kSeenAndLogged = 0.93;
constexpr double kSeenAndRefused = 0.82;
constexpr double kLogTimesOnly = 0.5;

// Of libraries of JSON Web Tokens, OAuth, SAML, TOTP, AWS signatures, Kerberos and TLS.
bool SpeaksOfTime(const std::string& line) {
  static const RE2 kTime(
      R"((?i)(not yet valid|used before issued|before (issued|its time)|issued (at|in) (the )?future|\b(iat|nbf)\b|ImmatureSignature|NotBeforeError|clock (skew|is (off|ahead|behind))|RequestTimeTooSkewed|timestamp[^.]{0,40}(future|skew|too (old|new|far)|outside|expired)|future timestamp|in the future|time drift))");
  static const RE2 kExpired(
      R"((?i)(token|signature|jwt|session|assertion)[^.]{0,20}(has )?expired|TokenExpired|ExpiredSignature)");
  return RE2::PartialMatch(line, kTime) || RE2::PartialMatch(line, kExpired);
}

struct Skew {
  const v1::Service* service;
  const v1::Instance* instance;
  absl::Duration offset;
  std::string evidence;
  bool by_log;
};

std::vector<Skew> FindSkews(Scene* scene) {
  std::vector<Skew> skews;
  const auto clocks = scene->facts.All<ClockFacts>();
  const bool all = clocks.size() > 1 && std::all_of(clocks.begin(), clocks.end(), [&](const ClockFacts* c) {
                     return absl::AbsDuration(c->offset) > kSkew &&
                            absl::AbsDuration(c->offset - clocks[0]->offset) < kTellingOffset;
                   });
  if (all) {
    scene->ruled_out.push_back("clocks: all services agree with each other; this machine's own clock is off");
    return skews;
  }
  for (const ClockFacts* c : clocks) {
    if (absl::AbsDuration(c->offset) > kSkew) skews.push_back({c->service, c->instance, c->offset, c->evidence, false});
  }
  if (!skews.empty()) return skews;
  for (const ServiceLogFacts* log : scene->facts.All<ServiceLogFacts>()) {
    if (!log->clock_offset || absl::AbsDuration(*log->clock_offset) < kLogSkew) continue;
    // A line that is older than the file's last change may only lack lines with a time after it.
    if (*log->clock_offset < absl::ZeroDuration()) continue;
    const std::string evidence = scene->book.Add(
        MakeLogEvidence("clock", log->service->name(), log->log,
                        fmt::format("its log is ahead of the time at which it was written by {}",
                                    omnix::FormatDuration(absl::Trunc(*log->clock_offset, absl::Seconds(1))))));
    skews.push_back({log->service, log->instance, *log->clock_offset, evidence, true});
  }
  return skews;
}

// Lines about time in the logs of the service or of any that deals with it.
std::vector<std::string> TimeLines(Scene* scene, const v1::Service& service) {
  std::vector<std::string> ids;
  for (const ServiceLogFacts* log : scene->facts.All<ServiceLogFacts>()) {
    const std::string& other = log->service->name();
    const v1::SystemModel& system = scene->input.system;
    if (log->service != &service && !Needs(system, other, service.name()) && !Needs(system, service.name(), other))
      continue;
    const auto line = std::find_if(log->lines.rbegin(), log->lines.rend(), SpeaksOfTime);
    if (line != log->lines.rend()) ids.push_back(AddLogEvidence(scene, *log, *line));
  }
  return ids;
}

}  // namespace

void AnalyzeClock(Scene* scene, std::vector<Candidate>* candidates) {
  const auto refused = [](const v1::CheckResult& result) { return StatusOf(result) == 401 || StatusOf(result) == 403; };
  for (const Skew& skew : FindSkews(scene)) {
    v1::Hypothesis h;
    const v1::Service& service = *skew.service;
    for (const std::string& id : SymptomsBehind(*scene, service, refused)) h.add_symptom_ids(id);
    const std::vector<std::string> lines = TimeLines(scene, service);
    // An odd clock that nobody minds.
    if (lines.empty() && h.symptom_ids_size() == 0) continue;
    const std::string amount = omnix::FormatDuration(absl::Trunc(absl::AbsDuration(skew.offset), absl::Seconds(1)));
    const std::string name = service.name() + (skew.instance == nullptr ? "" : "/" + skew.instance->name());
    const char* direction = skew.offset > absl::ZeroDuration() ? "ahead" : "behind";
    h.set_kind("clock.skew");
    h.set_component(service.name());
    h.set_title(fmt::format("the clock of {} is {} {}", name, amount, direction));
    h.set_explanation(fmt::format(
        "{} lives {} {} of the others. What it issues or checks by time (tokens, signatures) is not valid to them{}.",
        name, amount, direction, lines.empty() ? "" : ", as the logs say"));
    if (h.symptom_ids_size() == 0)
      h.add_symptom_ids(scene->AddSymptom(service.name(), "clock", h.title(), skew.evidence));
    h.add_evidence_for(skew.evidence);
    for (const std::string& id : lines) h.add_evidence_for(id);
    v1::Counterfactual* test = h.add_tests();
    test->set_description(skew.by_log ? "its log is ahead of the file's own time"
                                      : "the Date of its answers is not ours, that of others is");
    test->set_agrees(!skew.by_log || !lines.empty());
    test->add_evidence_ids(skew.evidence);
    h.set_confidence(skew.by_log && lines.empty() ? kLogTimesOnly : lines.empty() ? kSeenAndRefused : kSeenAndLogged);
    h.set_status(lines.empty() ? v1::HYPOTHESIS_STATUS_PROPOSED : v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates->push_back({std::move(h), {}});
  }
}

}  // namespace omnix
