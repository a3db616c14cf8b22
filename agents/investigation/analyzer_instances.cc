// secret.mismatch, config.wrong_value and service.process_down of one copy: the copies of a service should be told the
// same. What differs between one that fails and one that doesn't is the suspect. Secrets are compared by their hash and
// never shown.
#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_config.h"
#include "agents/investigation/probe_instances.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/probe_service_logs.h"
#include "agents/investigation/signing_secrets.h"
#include "agents/investigation/symptoms_of.h"
#include "common/hash.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kSecretShown = 0.93;
constexpr double kSecretLogged = 0.88;
constexpr double kSecretFitting = 0.75;
constexpr double kOnlyDifference = 0.85;
constexpr double kOneOfSeveral = 0.6;
constexpr size_t kMaxDifferences = 4;

bool SpeaksOfSignature(const std::string& line) {
  static const RE2 kSignature(
      R"((?i)((invalid|bad|wrong|mismatch\w*|failed|verif\w+|unverified)[^.]{0,30}(signature|hmac|token|secret|jwt|mac\b|cookie|session)|(signature|hmac|secret|token|jwt)[^.]{0,30}(invalid|mismatch|verif\w+ failed|failed|does not match|doesn't match|not valid|incorrect)|InvalidSignature|BadSignature|SignatureVerif|InvalidTokenError|JsonWebTokenError|InvalidToken\b))");
  return RE2::PartialMatch(line, kSignature);
}

struct Setting {
  std::string value;
  // Null: of the environment.
  const ConfigFacts* file = nullptr;
  const ConfigValue* config = nullptr;

  bool IsSecret(const std::string& key) const {
    return config == nullptr ? IsSecretKey(key) : omnix::IsSecret(*config);
  }
};
using Settings = std::map<std::string, Setting>;

bool IsProcessNoise(const std::string& name) {
  static const RE2 kNoise(
      R"((?i)^(_|PWD|OLDPWD|SHLVL|HOME|USER|LOGNAME|SHELL|TERM|PATH|LANG|LC_.*|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_.*|SSH_.*|XDG_.*|MAIL|HOSTNAME|MEMORY_PRESSURE_.*|PID|PPID)$)");
  return RE2::FullMatch(name, kNoise);
}

// What one copy (or the whole service, `instance` null) is told.
Settings SettingsOf(const Scene& scene, const v1::Service& service, const v1::Instance* instance) {
  Settings settings;
  for (const ConfigFacts* file : ConfigsOf(scene, service, instance)) {
    if (file->instance != instance) continue;
    for (const ConfigValue& value : file->config.values) settings[value.key] = {value.value, file, &value};
  }
  const ProcessFacts* process = ProcessOf(scene, service, instance);
  if (process == nullptr || process->processes.empty()) return settings;
  for (const auto& [name, value] : ReadEnvironment(process->processes[0].pid)) {
    if (!IsProcessNoise(name)) settings.try_emplace(name, Setting{value, nullptr, nullptr});
  }
  return settings;
}

// Copies differ in what tells them apart: name, address, files of their own.
bool TellsApart(const std::string& key, const std::string& a, const std::string& b, const v1::Instance& x,
                const v1::Instance& y) {
  static const RE2 kOwn(
      R"((?i)(^|[._\-])(port|listen|bind|address|addr|name|id|instance\w*|node|host|hostname|pid\w*|log\w*|label|index|weight|zone|replica)$)");
  if (RE2::PartialMatch(key, kOwn)) return true;
  const auto own = [](const std::string& text, const v1::Instance& instance) {
    const std::string address = AddressOf(instance.base_url());
    const std::string port = address.substr(address.rfind(':') + 1);
    return text.find(instance.name()) != std::string::npos || text == port ||
           text.find(":" + port) != std::string::npos;
  };
  return own(a, x) && own(b, y);
}

std::string SignatureLine(Scene* scene, const v1::Service& service) {
  for (const ServiceLogFacts* log : LogsOf(*scene, service)) {
    const auto line = std::find_if(log->lines.rbegin(), log->lines.rend(), SpeaksOfSignature);
    if (line != log->lines.rend()) return AddLogEvidence(scene, *log, *line);
  }
  return "";
}

class CopyJudge {
 public:
  CopyJudge(Scene* scene, const v1::Service& service, std::vector<Candidate>* candidates)
      : scene_(*scene), service_(service), candidates_(*candidates) {}

  void Judge() {
    const auto copies = InstancesOf(scene_, service_);
    if (copies.size() < 2) return;
    // The one that fails against one that does not; where asking tells nothing, the odd one out by its settings.
    const auto bad =
        std::find_if(copies.begin(), copies.end(), [&](const InstanceFacts* c) { return FailsAlone(scene_, *c); });
    if (bad != copies.end()) {
      const auto good =
          std::find_if(copies.begin(), copies.end(), [&](const InstanceFacts* c) { return !FailsAlone(scene_, *c); });
      if (good != copies.end()) Compare(**bad, **good, true);
      return;
    }
    for (size_t i = 1; i < copies.size(); ++i) Compare(*copies[i], *copies[0], false);
  }

 private:
  void Compare(const InstanceFacts& bad, const InstanceFacts& good, bool shown) {
    const Settings of_bad = SettingsOf(scene_, service_, bad.instance);
    const Settings of_good = SettingsOf(scene_, service_, good.instance);
    std::vector<std::string> secrets, others;
    for (const auto& [key, setting] : of_bad) {
      const auto other = of_good.find(key);
      if (other == of_good.end() || other->second.value == setting.value) continue;
      if (setting.IsSecret(key)) {
        secrets.push_back(key);
      } else if (!TellsApart(key, setting.value, other->second.value, *bad.instance, *good.instance)) {
        others.push_back(key);
      }
    }
    const std::string logged = SignatureLine(&scene_, service_);
    for (const std::string& key : secrets) AddSecret(key, of_bad.at(key), of_good.at(key), bad, good, shown, logged);
    if (!shown || !secrets.empty() || others.size() > kMaxDifferences) return;
    for (const std::string& key : others) AddValue(key, of_bad.at(key), of_good.at(key), bad, good, others.size());
  }

  std::string DifferenceEvidence(const std::string& key, const Setting& a, const Setting& b, const InstanceFacts& x,
                                 const InstanceFacts& y) {
    const auto show = [&](const Setting& s) {
      constexpr size_t kShownHash = 8;
      return s.IsSecret(key) ? "SHA-256 " + Sha256Hex(s.value).substr(0, kShownHash) + "..." : "\"" + s.value + "\"";
    };
    return scene_.book.Add(MakeEvidence(
        "instances", service_.name(),
        fmt::format("{} differs: {} has {}, {} has {}", key, x.instance->name(), show(a), y.instance->name(), show(b)),
        "", a.config == nullptr ? v1::Location() : a.config->location));
  }

  v1::Hypothesis Make(const std::string& kind, const std::string& key, const Setting& bad_value,
                      const Setting& good_value, const InstanceFacts& bad, const InstanceFacts& good) {
    v1::Hypothesis h;
    h.set_kind(kind);
    h.set_component(service_.name());
    if (bad_value.config != nullptr) *h.mutable_location() = bad_value.config->location;
    h.add_evidence_for(DifferenceEvidence(key, bad_value, good_value, bad, good));
    for (const std::string& id : bad.evidence) h.add_evidence_for(id);
    if (bad_value.file != nullptr) {
      const ValueChange change = ChangeOf(scene_, *bad_value.file, *bad_value.config);
      if (change.change != nullptr) h.add_evidence_for(change.change->evidence);
      v1::Action action = SetValue(*bad_value.file, *bad_value.config, good_value.value);
      if (!action.kind().empty())
        *h.add_remedies() = MakeRemedy("as-sibling", fmt::format("Set {} as at {}", key, good.instance->name()),
                                       "configuration", {action});
      const bool editable = !bad_value.file->file->has_editable() || bad_value.file->file->editable();
      if (editable && change.change != nullptr && change.change->IsRevertible())
        *h.add_remedies() = MakeRemedy("revert", fmt::format("Take back {}", change.change->Title()), "configuration",
                                       {GitRevert(service_.name(), *change.change)});
    }
    for (const std::string& id : SymptomsBehind(scene_, service_, IsDenial)) h.add_symptom_ids(id);
    return h;
  }

  void AddSecret(const std::string& key, const Setting& bad_value, const Setting& good_value, const InstanceFacts& bad,
                 const InstanceFacts& good, bool shown, const std::string& logged) {
    const bool refused = std::any_of(bad.answers.begin(), bad.answers.end(),
                                     [](const auto& a) { return a.second == 401 || a.second == 403; });
    v1::Hypothesis h = Make("secret.mismatch", key, bad_value, good_value, bad, good);
    // Different and nobody suffers: nothing to be blamed.
    if (h.symptom_ids_size() == 0 && logged.empty()) return;
    if (!logged.empty()) h.add_evidence_for(logged);
    if (h.symptom_ids_size() == 0)
      h.add_symptom_ids(scene_.AddSymptom(service_.name(), "instances", "signatures are refused now and then", logged));
    h.set_title(fmt::format("{} and {} of {} have different {}", bad.instance->name(), good.instance->name(),
                            service_.name(), key));
    h.set_explanation(
        fmt::format("The copies of {} must share {}, and {} has another than {}: what one signs the other refuses, so "
                    "about one request in {} fails.",
                    service_.name(), key, bad.instance->name(), good.instance->name(), service_.instances_size()));
    AddTest(&h, shown && refused,
            fmt::format("asked straight, {} refuses what {} accepts", bad.instance->name(), good.instance->name()),
            bad.evidence);
    h.set_confidence(shown && refused ? kSecretShown : !logged.empty() ? kSecretLogged : kSecretFitting);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates_.push_back({std::move(h), {}});
  }

  void AddValue(const std::string& key, const Setting& bad_value, const Setting& good_value, const InstanceFacts& bad,
                const InstanceFacts& good, size_t differences) {
    v1::Hypothesis h = Make("config.wrong_value", key, bad_value, good_value, bad, good);
    if (h.symptom_ids_size() == 0) return;
    h.set_title(fmt::format("{} is \"{}\" at {} and \"{}\" at {}, which is well", key, bad_value.value,
                            bad.instance->name(), good_value.value, good.instance->name()));
    h.set_explanation(fmt::format("{} of {} fails what {} serves. {} {} tells them apart.", bad.instance->name(),
                                  service_.name(), good.instance->name(), key,
                                  differences == 1 ? "alone" : fmt::format("(one of {} values)", differences)));
    AddTest(&h, true,
            fmt::format("asked straight, {} fails and {} does not", bad.instance->name(), good.instance->name()),
            bad.evidence);
    h.set_confidence(differences == 1 ? kOnlyDifference : kOneOfSeveral);
    h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
    candidates_.push_back({std::move(h), {}});
  }

  static void AddTest(v1::Hypothesis* h, bool agrees, const std::string& description,
                      const std::vector<std::string>& evidence) {
    if (!agrees) return;
    v1::Counterfactual* test = h->add_tests();
    test->set_description(description);
    test->set_agrees(true);
    for (const std::string& id : evidence) test->add_evidence_ids(id);
  }

  Scene& scene_;
  const v1::Service& service_;
  std::vector<Candidate>& candidates_;
};

}  // namespace

void AnalyzeInstances(Scene* scene, std::vector<Candidate>* candidates) {
  for (const v1::Service& service : scene->input.system.services()) CopyJudge(scene, service, candidates).Judge();
}

}  // namespace omnix
