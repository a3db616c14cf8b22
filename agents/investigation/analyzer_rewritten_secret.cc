// secret.mismatch where secrets are held in files of their own, which no history keeps: a log says that signatures are
// refused, and one secret of those that may have to do with it was written lately. What it was before is not known, so
// the time it was written is all that tells it from the others. Secrets are compared and never shown.
#include <re2/re2.h>
#include <sys/stat.h>

#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_config.h"
#include "agents/investigation/signing_secrets.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kAlone = 0.85;
constexpr double kOfAnotherName = 0.6;
constexpr double kOneOfSeveral = 0.55;
// What a deployment writes all anew tells nothing.
constexpr size_t kMaxRewritten = 2;

struct HeldSecret {
  const v1::Service* service = nullptr;
  const ConfigValue* value = nullptr;
  absl::Time written;
  // Several services are told to read the same file.
  bool shared = false;
};

bool IsOfLogin(const std::string& key) {
  static const RE2 kLogin(R"((?i)(passw|pwd|pass$|user|dsn|url|database|(^|[._\-])db))");
  return RE2::PartialMatch(key, kLogin);
}

std::vector<HeldSecret> HeldSecrets(const Scene& scene) {
  std::vector<HeldSecret> secrets;
  for (const ConfigFacts* file : scene.facts.All<ConfigFacts>()) {
    for (const ConfigValue& value : file->config.values) {
      struct stat info {};
      if (!value.held_apart || IsOfLogin(value.key) || stat(value.location.file().c_str(), &info) != 0) continue;
      const auto same = std::find_if(secrets.begin(), secrets.end(), [&](const HeldSecret& s) {
        return s.value->location.file() == value.location.file();
      });
      if (same == secrets.end()) {
        secrets.push_back({file->service, &value, absl::TimeFromTimespec(info.st_mtim), false});
      } else {
        same->shared |= same->service != file->service;
      }
    }
  }
  return secrets;
}

bool IsSharedStill(const std::vector<HeldSecret>& all, const HeldSecret& secret) {
  return secret.shared || std::any_of(all.begin(), all.end(), [&](const HeldSecret& other) {
           return other.value != secret.value && other.value->value == secret.value->value;
         });
}

Candidate Make(Scene* scene, const v1::Service& refusing, const LogSign& sign, const HeldSecret& secret, bool alone) {
  const std::string& path = secret.value->location.file();
  v1::Hypothesis h;
  h.set_kind("secret.mismatch");
  h.set_component(secret.service->name());
  *h.mutable_location() = secret.value->location;
  h.add_evidence_for(sign.evidence);
  h.add_evidence_for(
      scene->book.Add(MakeEvidence("configuration", secret.service->name(),
                                   fmt::format("{} of {} is held in {}, written {}", secret.value->key,
                                               secret.service->name(), path, omnix::FormatTime(secret.written)),
                                   "", secret.value->location)));
  h.set_title(fmt::format("{} of {} was written anew, and {} refuses signatures", secret.value->key,
                          secret.service->name(), refusing.name()));
  h.set_explanation(fmt::format(
      "{} was written {}. No other file holds the same, and the log of {} says that signatures are refused.", path,
      omnix::FormatTime(secret.written), refusing.name()));
  for (const std::string& id : SymptomsOfRefusal(scene, refusing, sign)) h.add_symptom_ids(id);
  h.set_confidence(!alone ? kOneOfSeveral : IsOfSigning(*secret.value) ? kAlone : kOfAnotherName);
  h.set_status(alone ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
  return {h, {}};
}

}  // namespace

void AnalyzeRewrittenSecret(Scene* scene, std::vector<Candidate>* candidates) {
  const std::vector<HeldSecret> all = HeldSecrets(*scene);
  std::vector<HeldSecret> rewritten;
  for (const HeldSecret& secret : all) {
    if (scene->IsRecent(secret.written) && !IsSharedStill(all, secret)) rewritten.push_back(secret);
  }
  if (rewritten.empty() || rewritten.size() > kMaxRewritten) return;
  for (const v1::Service& service : scene->input.system.services()) {
    const LogSign* sign = RefusedSignatures(*scene, service);
    if (sign == nullptr) continue;
    for (const HeldSecret& secret : rewritten)
      candidates->push_back(Make(scene, service, *sign, secret, rewritten.size() == 1));
  }
}

}  // namespace omnix
