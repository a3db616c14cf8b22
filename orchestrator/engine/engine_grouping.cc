// How alerts come together in incidents, and what their dependencies say.
#include <algorithm>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/engine/engine.h"

namespace omnix {
namespace {

// Author of the notes.
constexpr char kGrouping[] = "omnix:grouping";

bool Same(const v1::Suspect& a, const v1::Suspect& b) {
  return a.service() == b.service() && a.explains() == b.explains() && a.reason() == b.reason();
}

}  // namespace

// By the rule that its first alert fits now: an incident that was opened under other rules goes on under today's.
void Engine::OpenToAlerts(const Live& live) {
  const v1::Incident& incident = live.state;
  static const v1::Alert kNone;
  const v1::Alert& first = incident.alerts().empty() ? kNone : incident.alerts(0);
  const GroupingRule& rule = grouping_.For(first);
  joins_.Open(incident.id(), live.run_by->graph, rule, rule.KeyOf(first), FromProto(incident.last_alert_at()));
  for (const auto& alert : incident.alerts()) joins_.AddAlert(incident.id(), alert.subject());
}

// The ended incident and the one that has its alert now name each other.
absl::Status Engine::NoteLate(const std::string& incident_id, const std::string& ended_id,
                              std::set<std::string>& touched) {
  if (ended_id.empty() || ended_id == incident_id) return absl::OkStatus();
  OMNIX_ASSIGN_OR_RETURN(Live * live, FindOrLoad(incident_id));
  OMNIX_RETURN_IF_ERROR(
      Run(*live,
          command::AddNote{kGrouping, fmt::format("An alert of {}, which has ended, fires again in this incident: see "
                                                  "what was found and changed there.",
                                                  ended_id)}));
  touched.insert(incident_id);
  const auto ended = FindOrLoad(ended_id);
  // It was pruned meanwhile.
  if (absl::IsNotFound(ended.status())) return absl::OkStatus();
  OMNIX_RETURN_IF_ERROR(ended.status());
  touched.insert(ended_id);
  return Run(**ended,
             command::AddNote{kGrouping, fmt::format("An alert of this incident fires again, in {}.", incident_id)});
}

// Tells people where to look first, each time that the alerting services say something else.
void Engine::NameSuspects(Live& live) {
  if (!joins_.TakeServicesChanged(live.state.id())) return;
  command::NameSuspects name;
  for (const Suspect& found : joins_.SuspectsOf(live.state.id())) {
    v1::Suspect& suspect = name.suspects.emplace_back();
    suspect.set_service(found.service);
    suspect.set_explains(static_cast<uint32_t>(found.explains));
    suspect.set_reason(found.reason);
  }
  // Services that people put together need have nothing in common.
  if (name.suspects.empty() || name.suspects[0].explains() < 2) return;
  const auto& known = live.state.suspects();
  if (std::equal(known.begin(), known.end(), name.suspects.begin(), name.suspects.end(), Same)) return;
  Run(live, std::move(name)).IgnoreError();
}

}  // namespace omnix
