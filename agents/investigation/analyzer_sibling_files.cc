// secret.mismatch between the copies of a service that the model does not name one by one: configuration files of the
// same keys, one a copy, with different secrets, where a log says that signatures are refused. Secrets are compared by
// their hash and never shown.
#include <algorithm>
#include <map>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/log_signs.h"
#include "agents/investigation/probe_config.h"
#include "agents/investigation/symptoms_of.h"
#include "common/hash.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kLogged = 0.88;
// Keys in common, of all keys of either.
constexpr double kSameKeys = 0.8;
constexpr size_t kLeastKeys = 3;

using Values = std::map<std::string, const ConfigValue*>;

Values ValuesOf(const ConfigFacts& file) {
  Values values;
  for (const ConfigValue& value : file.config.values) values[value.key] = &value;
  return values;
}

bool AreSiblings(const Values& a, const Values& b) {
  const auto common = std::count_if(a.begin(), a.end(), [&](const auto& entry) { return b.contains(entry.first); });
  const size_t all = a.size() + b.size() - static_cast<size_t>(common);
  return static_cast<size_t>(common) >= kLeastKeys &&
         static_cast<double>(common) >= kSameKeys * static_cast<double>(all);
}

bool IsRefusal(const v1::CheckResult& result) { return StatusOf(result) == 401 || StatusOf(result) == 403; }

std::string NameOf(const ConfigFacts& file) { return file.file->path().substr(file.file->path().rfind('/') + 1); }

Candidate Make(Scene* scene, const v1::Service& service, const LogSign& sign, const ConfigFacts& first,
               const ConfigFacts& second, const ConfigValue& value, const ConfigValue& other) {
  constexpr size_t kShownHash = 8;
  // The one that was changed last is the one to be looked at.
  const ValueChange changed = ChangeOf(*scene, first, value), changed_other = ChangeOf(*scene, second, other);
  const bool is_first = changed.change != nullptr && (changed_other.change == nullptr ||
                                                      changed.change->commit.time >= changed_other.change->commit.time);
  const ValueChange& change = is_first ? changed : changed_other;
  v1::Hypothesis h;
  h.set_kind("secret.mismatch");
  h.set_component(service.name());
  *h.mutable_location() = (is_first || change.change == nullptr ? value : other).location;
  h.add_evidence_for(sign.evidence);
  h.add_evidence_for(
      scene->book.Add(MakeEvidence("configuration", service.name(),
                                   fmt::format("{} differs: SHA-256 {}... in {}, {}... in {}", value.key,
                                               Sha256Hex(value.value).substr(0, kShownHash), NameOf(first),
                                               Sha256Hex(other.value).substr(0, kShownHash), NameOf(second)),
                                   "", h.location())));
  h.set_title(
      fmt::format("{} and {} of {} have different {}", NameOf(first), NameOf(second), service.name(), value.key));
  h.set_explanation(
      fmt::format("The copies of {} are told different {}, and its log says that signatures are refused: what one copy "
                  "signs the other does not accept.",
                  service.name(), value.key));
  for (const std::string& id : SymptomsBehind(*scene, service, IsRefusal)) h.add_symptom_ids(id);
  if (h.symptom_ids_size() == 0)
    h.add_symptom_ids(scene->AddSymptom(service.name(), "log", "signatures are refused now and then", sign.evidence));
  if (change.change != nullptr) {
    h.add_evidence_for(change.change->evidence);
    const v1::ConfigFile& file = *(is_first ? first : second).file;
    if (change.change->last_of_file && (!file.has_editable() || file.editable()))
      *h.add_remedies() = MakeRemedy("revert", fmt::format("Take back \"{}\"", change.change->commit.subject),
                                     "configuration", {GitRevert(service.name(), *change.change)});
  }
  h.set_confidence(kLogged);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  return {h, {}};
}

}  // namespace

void AnalyzeSiblingFiles(Scene* scene, std::vector<Candidate>* candidates) {
  for (const v1::Service& service : scene->input.system.services()) {
    const auto signs = SignsOf(*scene, service);
    const auto sign =
        std::find_if(signs.begin(), signs.end(), [](const LogSign* s) { return s->shape->kind == "secret.mismatch"; });
    if (sign == signs.end()) continue;
    std::vector<const ConfigFacts*> files;
    for (const ConfigFacts* file : ConfigsOf(*scene, service, nullptr)) {
      if (file->instance == nullptr) files.push_back(file);
    }
    for (size_t i = 0; i < files.size(); ++i) {
      for (size_t j = i + 1; j < files.size(); ++j) {
        const Values a = ValuesOf(*files[i]), b = ValuesOf(*files[j]);
        if (!AreSiblings(a, b)) continue;
        for (const auto& [key, value] : a) {
          const auto other = b.find(key);
          if (other == b.end() || other->second->value == value->value || !IsSecretKey(key)) continue;
          candidates->push_back(Make(scene, service, **sign, *files[i], *files[j], *value, *other->second));
        }
      }
    }
  }
}

}  // namespace omnix
