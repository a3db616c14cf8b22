#include "agents/investigation/signing_secrets.h"

#include <re2/re2.h>

#include <algorithm>

#include "agents/investigation/symptoms_of.h"

namespace omnix {

bool IsOfSigning(const ConfigValue& value) {
  static const RE2 kSigning(R"((?i)(sign|jwt|hmac|token|session|cookie))");
  static const RE2 kLogin(R"((?i)(passw|pwd|user|dsn|url))");
  return IsSecret(value) && RE2::PartialMatch(value.key, kSigning) &&
         !RE2::PartialMatch(std::string(LastOf(value.key)), kLogin);
}

bool IsDenial(const v1::CheckResult& result) { return StatusOf(result) == 401 || StatusOf(result) == 403; }

const LogSign* RefusedSignatures(const Scene& scene, const v1::Service& service) {
  const auto signs = SignsOf(scene, service);
  const auto sign =
      std::find_if(signs.begin(), signs.end(), [](const LogSign* s) { return s->shape->kind == "secret.mismatch"; });
  return sign == signs.end() ? nullptr : *sign;
}

std::vector<std::string> SymptomsOfRefusal(Scene* scene, const v1::Service& service, const LogSign& sign) {
  std::vector<std::string> ids = SymptomsBehind(*scene, service, IsDenial);
  if (ids.empty())
    ids.push_back(scene->AddSymptom(service.name(), "log", "signatures are refused now and then", sign.evidence));
  return ids;
}

}  // namespace omnix
