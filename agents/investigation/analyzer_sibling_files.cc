// secret.mismatch between the copies of a service that the model does not name one by one (configuration files of the
// same keys, one a copy), or between services that sign and judge: files that give another value to the same key of
// signing, or a value that another file has still and that this one had until its last change; where a log says that
// signatures are refused. Secrets are compared by their hash and never shown.
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_config.h"
#include "agents/investigation/signing_secrets.h"
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

// Where no history tells which was changed last.
int64_t WrittenAt(const ConfigFacts& file) {
  struct stat info {};
  return stat(file.file->path().c_str(), &info) == 0 ? info.st_mtime : 0;
}

std::string NameOf(const ConfigFacts& file) { return file.file->path().substr(file.file->path().rfind('/') + 1); }

Candidate Make(Scene* scene, const v1::Service& service, const LogSign& sign, const ConfigFacts& first,
               const ConfigFacts& second, const ConfigValue& value, const ConfigValue& other) {
  constexpr size_t kShownHash = 8;
  // The one that was changed last is the one to be looked at.
  const ValueChange changed = ChangeOf(*scene, first, value), changed_other = ChangeOf(*scene, second, other);
  const bool is_first =
      changed.change == nullptr && changed_other.change == nullptr
          ? WrittenAt(first) >= WrittenAt(second)
          : changed.change != nullptr &&
                (changed_other.change == nullptr || changed.change->commit.time >= changed_other.change->commit.time);
  const ConfigFacts& last = is_first ? first : second;
  const ValueChange& change = is_first ? changed : changed_other;
  v1::Hypothesis h;
  h.set_kind("secret.mismatch");
  h.set_component(last.service->name());
  *h.mutable_location() = (is_first ? value : other).location;
  h.add_evidence_for(sign.evidence);
  h.add_evidence_for(
      scene->book.Add(MakeEvidence("configuration", service.name(),
                                   fmt::format("{} differs: SHA-256 {}... in {}, {}... in {}", value.key,
                                               Sha256Hex(value.value).substr(0, kShownHash), NameOf(first),
                                               Sha256Hex(other.value).substr(0, kShownHash), NameOf(second)),
                                   "", h.location())));
  h.set_title(fmt::format("{} of {} and {} of {} have different {}", NameOf(first), first.service->name(),
                          NameOf(second), second.service->name(), LastOf(value.key)));
  h.set_explanation(
      fmt::format("{} and {} are told different values, and the log of {} says that signatures are refused: what one "
                  "signs the other "
                  "does not accept.",
                  first.file->path(), second.file->path(), service.name()));
  for (const std::string& id : SymptomsOfRefusal(scene, service, sign)) h.add_symptom_ids(id);
  if (change.change != nullptr) {
    h.add_evidence_for(change.change->evidence);
    const v1::ConfigFile& file = *last.file;
    if (change.change->IsRevertible() && (!file.has_editable() || file.editable()))
      *h.add_remedies() = MakeRemedy("revert", fmt::format("Take back {}", change.change->Title()), "configuration",
                                     {GitRevert(h.component(), *change.change)});
  }
  h.set_confidence(kLogged);
  h.set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  return {h, {}};
}

}  // namespace

namespace {

// Another service's file that gives the key of signing another value, and none that gives it the same.
void JudgeOthers(Scene* scene, const v1::Service& service, const LogSign& sign, const ConfigFacts& own,
                 std::vector<Candidate>* candidates) {
  for (const ConfigValue& value : own.config.values) {
    if (!IsOfSigning(value)) continue;
    const ConfigFacts* file = nullptr;
    const ConfigValue* other = nullptr;
    bool agrees = false;
    for (const ConfigFacts* facts : scene->facts.All<ConfigFacts>()) {
      if (facts->service == &service) continue;
      for (const ConfigValue& one : facts->config.values) {
        if (LastOf(one.key) != LastOf(value.key)) continue;
        agrees |= one.value == value.value;
        if (one.value == value.value) continue;
        file = facts;
        other = &one;
      }
    }
    if (other != nullptr && !agrees) candidates->push_back(Make(scene, service, sign, own, *file, value, *other));
  }
}

// A secret of this service, or of one whose signatures it judges, that was another one's until it was changed, whatever
// the keys are called.
void JudgeFormer(Scene* scene, const v1::Service& service, const LogSign& sign, std::vector<Candidate>* candidates) {
  // Short ones may be alike by chance.
  constexpr size_t kLeastSecret = 6;
  const auto files = scene->facts.All<ConfigFacts>();
  for (const ConfigFacts* file : files) {
    for (const ConfigValue& value : file->config.values) {
      if (!IsSecret(value)) continue;
      const std::string before = ChangeOf(*scene, *file, value).before;
      if (before.size() < kLeastSecret) continue;
      for (const ConfigFacts* other : files) {
        if (other == file || (file->service != &service && other->service != &service)) continue;
        for (const ConfigValue& one : other->config.values) {
          if (IsSecret(one) && one.value == before && LastOf(one.key) != LastOf(value.key))
            candidates->push_back(Make(scene, service, sign, *file, *other, value, one));
        }
      }
    }
  }
}

}  // namespace

void AnalyzeSiblingFiles(Scene* scene, std::vector<Candidate>* candidates) {
  for (const v1::Service& service : scene->input.system.services()) {
    const LogSign* sign = RefusedSignatures(*scene, service);
    if (sign == nullptr) continue;
    std::vector<const ConfigFacts*> files;
    for (const ConfigFacts* file : ConfigsOf(*scene, service, nullptr)) {
      if (file->instance == nullptr) files.push_back(file);
    }
    for (const ConfigFacts* file : files) JudgeOthers(scene, service, *sign, *file, candidates);
    JudgeFormer(scene, service, *sign, candidates);
    for (size_t i = 0; i < files.size(); ++i) {
      for (size_t j = i + 1; j < files.size(); ++j) {
        const Values a = ValuesOf(*files[i]), b = ValuesOf(*files[j]);
        if (!AreSiblings(a, b)) continue;
        for (const auto& [key, value] : a) {
          const auto other = b.find(key);
          if (other == b.end() || other->second->value == value->value || !IsSecret(*value)) continue;
          candidates->push_back(Make(scene, service, *sign, *files[i], *files[j], *value, *other->second));
        }
      }
    }
  }
}

}  // namespace omnix
