#include "orchestrator/engine/prior_incidents.h"

#include <algorithm>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/evolve.h"

namespace omnix {
namespace {

// At the start so many of the newest incidents are looked at...
constexpr size_t kMaxListed = 200;
// ...and of each so many events: one with more (a storm of alerts) teaches nothing after a restart.
constexpr size_t kMaxEvents = 1000;

const v1::Explanation* ValidatedExplanation(const v1::Incident& incident) {
  if (incident.phase() != v1::PHASE_RESOLVED || incident.recoveries().empty()) return nullptr;
  const v1::Recovery& last = incident.recoveries(incident.recoveries_size() - 1);
  if (last.outcome() != "validated") return nullptr;
  const auto& explanations = incident.diagnosis().explanations();
  const auto found = std::find_if(explanations.begin(), explanations.end(), [&](const v1::Explanation& explanation) {
    return explanation.id() == last.explanation_id();
  });
  return found == explanations.end() ? nullptr : &*found;
}

Json CausesOf(const v1::Incident& incident, const v1::Explanation& explanation) {
  Json causes = Json::array();
  for (const v1::Cause& cause : explanation.causes()) {
    for (const v1::Hypothesis& h : incident.diagnosis().hypotheses()) {
      if (h.id() == cause.hypothesis_id())
        causes.push_back({{"kind", h.kind()}, {"component", h.component()}, {"file", h.location().file()}});
    }
  }
  return causes;
}

}  // namespace

absl::Status PriorIncidents::Load(Journal& journal) {
  OMNIX_ASSIGN_OR_RETURN(const auto listed, journal.ListIncidents(false, kMaxListed));
  size_t taken = 0;
  std::deque<v1::Incident> newest_first;
  for (const v1::IncidentSummary& summary : listed) {
    if (summary.phase() != v1::PHASE_RESOLVED || ++taken > kMaxPriorIncidents) continue;
    OMNIX_ASSIGN_OR_RETURN(const auto events, journal.ReadEvents(summary.id(), 0, kMaxEvents));
    v1::Incident incident;
    for (const v1::RecordedEvent& recorded : events) Evolve(incident, recorded.event());
    newest_first.push_back(std::move(incident));
  }
  for (auto incident = newest_first.rbegin(); incident != newest_first.rend(); ++incident) Add(*incident);
  return absl::OkStatus();
}

void PriorIncidents::Add(const v1::Incident& incident) {
  std::erase_if(priors_, [&](const Prior& prior) { return prior.incident == incident.id(); });
  const v1::Explanation* explanation = ValidatedExplanation(incident);
  if (explanation == nullptr) return;
  priors_.push_front({incident.id(),
                      {{"incident", incident.id()},
                       {"resolved_at", omnix::FormatTime(FromProto(incident.resolved_at()))},
                       {"causes", CausesOf(incident, *explanation)}}});
  if (priors_.size() > kMaxPriorIncidents) priors_.pop_back();
}

Json PriorIncidents::ToJson() const {
  Json list = Json::array();
  for (const Prior& prior : priors_) list.push_back(prior.json);
  return list;
}

}  // namespace omnix
