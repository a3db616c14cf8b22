#include "orchestrator/engine/run_by.h"

#include <algorithm>

#include "common/hash.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

Json JsonOrNull(const google::protobuf::Message* message) {
  return message == nullptr ? Json(nullptr) : MessageToJsonValue(*message);
}

const v1::Explanation* ExplanationInWork(const v1::Incident& incident) {
  for (const auto& explanation : incident.diagnosis().explanations()) {
    if (explanation.id() == incident.explanation_id()) return &explanation;
  }
  return nullptr;
}

Json HypothesesOf(const v1::Incident& incident, const v1::Explanation* explanation) {
  Json list = Json::array();
  if (explanation == nullptr) return list;
  for (const auto& cause : explanation->causes()) {
    for (const auto& hypothesis : incident.diagnosis().hypotheses()) {
      if (hypothesis.id() == cause.hypothesis_id()) list.push_back(MessageToJsonValue(hypothesis));
    }
  }
  return list;
}

template <typename Message>
absl::Status ReadInto(const std::string& hash, Journal& journal, Message& message) {
  OMNIX_ASSIGN_OR_RETURN(const std::string content, journal.ReadPin(hash));
  if (!message.ParseFromString(content)) return DataLoss("pin {} of the journal can't be read", hash);
  return absl::OkStatus();
}

std::string KeyOf(const v1::Pins& pins) { return pins.playbook_hash() + pins.system_hash() + pins.policy_hash(); }

}  // namespace

const RunByCache::Made& RunByCache::Make(const v1::Playbook& playbook, const v1::SystemModel& system,
                                         const v1::Policy& policy) {
  const auto [entry, is_new] = made_.try_emplace({&playbook, &system, &policy});
  Made& made = entry->second;
  if (!is_new) return made;
  auto pin = [&](const std::string& kind, const google::protobuf::Message& message) {
    const std::string content = SerializeDeterministically(message);
    made.contents.push_back({Sha256Hex(content), kind, content});
    return made.contents.back().hash;
  };
  made.pins.set_playbook_hash(pin("playbook", playbook));
  made.pins.set_playbook_name(playbook.name());
  made.pins.set_system_hash(pin("system", system));
  made.pins.set_system_name(system.name());
  made.pins.set_policy_hash(pin("policy", policy));
  Json system_json = MessageToJsonValue(system);
  std::string system_text = DumpJson(system_json);
  loaded_.try_emplace(KeyOf(made.pins),
                      std::make_shared<RunBy>(RunBy{playbook, system, std::move(system_json), std::move(system_text),
                                                    policy, DependencyGraph(system)}));
  return made;
}

const v1::Pins& RunByCache::PinsFor(const v1::Playbook& playbook, const v1::SystemModel& system,
                                    const v1::Policy& policy, std::vector<Pin>& new_pins) {
  const Made& made = Make(playbook, system, policy);
  for (const Pin& pin : made.contents) {
    if (written_.insert(pin.hash).second) new_pins.push_back(pin);
  }
  return made.pins;
}

absl::StatusOr<std::shared_ptr<const RunBy>> RunByCache::Load(const v1::Pins& pins, Journal& journal) {
  const std::string key = KeyOf(pins);
  if (const auto found = loaded_.find(key); found != loaded_.end()) return found->second;
  auto run_by = std::make_shared<RunBy>();
  OMNIX_RETURN_IF_ERROR(ReadInto(pins.playbook_hash(), journal, run_by->playbook));
  OMNIX_RETURN_IF_ERROR(ReadInto(pins.system_hash(), journal, run_by->system));
  OMNIX_RETURN_IF_ERROR(ReadInto(pins.policy_hash(), journal, run_by->policy));
  run_by->system_json = MessageToJsonValue(run_by->system);
  run_by->system_text = DumpJson(run_by->system_json);
  run_by->graph = DependencyGraph(run_by->system);
  loaded_[key] = run_by;
  return std::shared_ptr<const RunBy>(run_by);
}

Json ExpressionContext(const v1::Incident& incident, const RunBy& run_by, absl::Time now) {
  const v1::Explanation* explanation = ExplanationInWork(incident);
  const v1::Recovery* recovery =
      incident.recoveries().empty() ? nullptr : &incident.recoveries(incident.recoveries_size() - 1);
  Json context;
  context["incident"] = MessageToJsonValue(incident);
  context["system"] = run_by.system_json;
  context["explanation"] = JsonOrNull(explanation);
  context["hypotheses"] = HypothesesOf(incident, explanation);
  context["plan"] = JsonOrNull(recovery != nullptr && recovery->has_plan() ? &recovery->plan() : nullptr);
  context["approval"] = JsonOrNull(recovery != nullptr && recovery->has_approval() ? &recovery->approval() : nullptr);
  context["application"] =
      JsonOrNull(recovery != nullptr && recovery->has_application() ? &recovery->application() : nullptr);
  context["now"] = omnix::FormatTime(now);
  return context;
}

}  // namespace omnix
