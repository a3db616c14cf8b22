#include "tests/simulation/people.h"

#include "orchestrator/core/names.h"

namespace omnix::simulation {
namespace {

constexpr double kAnswers = 0.4;
constexpr double kRejects = 0.25;
constexpr double kInterferes = 0.3;
constexpr double kNamesOtherPlan = 0.2;
constexpr double kRepeats = 0.2;
constexpr double kOpens = 0.02;

}  // namespace

void People::LookLater() {
  bench_.scheduler.After(random_.Between(absl::Milliseconds(300), absl::Seconds(4)), [this] {
    if (!bench_.faulty) return;
    Look();
    LookLater();
  });
}

void People::Look() {
  const auto& incidents = bench_.promises.incidents();
  if (bench_.scenario.Has(Fault::kOperatorCommands) && random_.Chance(kOpens)) {
    const std::string by = fmt::format("person-{}", ++commands_);
    v1::OpenIncidentRequest request;
    request.set_title("opened by hand");
    request.set_by(by);
    Callback<v1::OpenIncidentResponse> done = [this, by](const absl::StatusOr<v1::OpenIncidentResponse>& answer) {
      if (answer.ok()) bench_.promises.CommandAcknowledged(by, "opening an incident");
    };
    done = daemon_.Checked("the opening of an incident", std::move(done));
    daemon_.Give([&](Engine& engine) { engine.OpenIncident(request, done); });
  }
  if (incidents.empty()) return;
  auto chosen = incidents.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(random_.Below(incidents.size())));
  const v1::Incident& incident = chosen->second;
  const v1::Recovery* recovery =
      incident.recoveries().empty() ? nullptr : &incident.recoveries(incident.recoveries_size() - 1);
  if (recovery != nullptr && recovery->approval().state() == v1::APPROVAL_STATE_REQUESTED && random_.Chance(kAnswers)) {
    v1::CommandIncidentRequest request;
    request.set_incident_id(incident.id());
    if (random_.Chance(kRejects)) {
      request.mutable_reject()->set_plan_hash(PlanToName(incident));
    } else {
      request.mutable_approve()->set_plan_hash(PlanToName(incident));
    }
    return Send(std::move(request));
  }
  if (bench_.Strikes(Fault::kOperatorCommands, random_, kInterferes)) Interfere(incident);
}

// The plan that is shown, or by mistake that of another incident.
std::string People::PlanToName(const v1::Incident& incident) {
  const std::string& shown = incident.recoveries(incident.recoveries_size() - 1).plan().hash();
  if (!bench_.Strikes(Fault::kOperatorNamesOtherPlan, random_, kNamesOtherPlan)) return shown;
  for (const auto& [id, other] : bench_.promises.incidents()) {
    for (const auto& recovery : other.recoveries()) {
      if (!recovery.plan().hash().empty() && recovery.plan().hash() != shown) return recovery.plan().hash();
    }
  }
  return "another";
}

void People::Interfere(const v1::Incident& incident) {
  v1::CommandIncidentRequest request;
  request.set_incident_id(incident.id());
  switch (random_.Below(11)) {
    case 0:
    case 1:
      request.mutable_note()->set_text("a note");
      break;
    case 2:
      request.mutable_pause();
      break;
    case 3:
    case 4:
      request.mutable_resume();
      break;
    case 5:
      request.mutable_escalate();
      break;
    case 6:
      if (random_.Chance(0.5)) {
        request.mutable_cancel();
      } else {
        request.mutable_escalate();
      }
      break;
    case 7:
      request.mutable_rollback();
      break;
    case 8: {
      const auto& incidents = bench_.promises.incidents();
      auto into = incidents.begin();
      std::advance(into, static_cast<std::ptrdiff_t>(random_.Below(incidents.size())));
      request.mutable_merge()->set_into(into->first);
      break;
    }
    case 9:
      request.mutable_split();
      for (const auto& alert : incident.alerts()) {
        if (random_.Chance(0.4)) request.mutable_split()->add_fingerprints(alert.fingerprint());
      }
      break;
    default:
      request.mutable_choose()->set_explanation_id(fmt::format("x{}", random_.Between(1, 3)));
  }
  Send(std::move(request));
}

void People::Send(v1::CommandIncidentRequest request) {
  // Tells this command from all others in the journal.
  const std::string by = fmt::format("person-{}", ++commands_);
  request.set_by(by);
  bench_.trace.Add(bench_.now(), "operator", "{} sends command {} of {}", by, static_cast<int>(request.command_case()),
                   request.incident_id());
  const bool repeats = bench_.Strikes(Fault::kOperatorRepeats, random_, kRepeats);
  for (int i = 0; i < (repeats ? 2 : 1); ++i) {
    Callback<v1::CommandIncidentResponse> done = [this, by](const absl::StatusOr<v1::CommandIncidentResponse>& answer) {
      bench_.trace.Add(bench_.now(), "operator", "{} is answered {}", by,
                       answer.ok() ? std::string("OK") : answer.status().ToString());
      if (answer.ok()) bench_.promises.CommandAcknowledged(by, "a command");
    };
    done = daemon_.Checked("a command", std::move(done));
    daemon_.Give([&](Engine& engine) { engine.CommandIncident(request, done); });
  }
}

}  // namespace omnix::simulation
