#include <algorithm>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agents/checks/check.h"
#include "agents/checks/result.h"
#include "agents/checks/variables.h"
#include "common/clock.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"

// One line a kind: <Name>Check() is defined in <name>_check.cc.
#define OMNIX_CHECK_KINDS(X) \
  X(Http)                    \
  X(Endpoints)               \
  X(Cors)                    \
  X(WebSocket)               \
  X(ClientCalls)             \
  X(Tcp)                     \
  X(Process)                 \
  X(Listen)                  \
  X(Disk)                    \
  X(Memory)                  \
  X(Database)                \
  X(Tls)                     \
  X(ConfigTest)              \
  X(DevProxy)

namespace omnix {

#define OMNIX_DECLARE_KIND(Name) CheckKind Name##Check();
OMNIX_CHECK_KINDS(OMNIX_DECLARE_KIND)
#undef OMNIX_DECLARE_KIND

namespace {

constexpr size_t kMaxSummaryBytes = 500;
constexpr size_t kMaxFieldBytes = 1000;
constexpr size_t kMaxExcerptBytes = 2048;

// Their responses have a body to capture from.
constexpr std::string_view kKindWithCaptures = "http";

const CheckKind* FindKind(const std::string& name) {
  for (const CheckKind& kind : CheckKinds()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

std::string KindNames() {
  return absl::StrJoin(CheckKinds(), ", ", [](std::string* out, const CheckKind& kind) { out->append(kind.name); });
}

std::string ParameterNames(const CheckKind& kind) {
  if (kind.parameters.empty()) return "none";
  return absl::StrJoin(kind.parameters, ", ", [](std::string* out, std::string_view name) {
    out->append(name.front() == '!' ? std::string(name.substr(1)) + " (required)" : std::string(name));
  });
}

absl::Status ValidateNames(const CheckKind& kind, const Json& with) {
  for (const auto& [key, value] : with.items()) {
    const bool known = std::any_of(kind.parameters.begin(), kind.parameters.end(), [&key = key](std::string_view name) {
      return name == key || (name.front() == '!' && name.substr(1) == key);
    });
    if (!known)
      return InvalidArgument("unknown parameter '{}' of kind {}, which has: {}", key, kind.name, ParameterNames(kind));
  }
  for (const std::string_view name : kind.parameters) {
    if (name.front() != '!' || with.contains(std::string(name.substr(1)))) continue;
    return InvalidArgument("parameter '{}' of kind {} is missing; it has: {}", name.substr(1), kind.name,
                           ParameterNames(kind));
  }
  return absl::OkStatus();
}

// Secrets out, sizes bounded.
void CleanText(const std::vector<std::string>& secrets, size_t max_bytes, std::string* text) {
  std::vector<std::pair<std::string, std::string>> replacements;
  for (const std::string& secret : secrets) replacements.emplace_back(secret, "[redacted]");
  if (!replacements.empty()) absl::StrReplaceAll(replacements, text);
  *text = Excerpt(*text, max_bytes);
}

void Clean(const std::vector<std::string>& secrets, v1::CheckResult* result) {
  CleanText(secrets, kMaxSummaryBytes, result->mutable_summary());
  CleanText(secrets, kMaxFieldBytes, result->mutable_expected());
  CleanText(secrets, kMaxFieldBytes, result->mutable_observed());
  CleanText(secrets, kMaxExcerptBytes, result->mutable_excerpt());
  for (auto& [key, value] : *result->mutable_attributes()) CleanText(secrets, kMaxFieldBytes, &value);
}

std::vector<v1::CheckResult> Evaluate(const v1::Check& check, const CheckKind& kind, const Json& with,
                                      CheckContext& context) {
  const auto expanded = ExpandJson(with, context.variables);
  if (absl::IsNotFound(expanded.status())) {
    const std::string name = Message(expanded.status());
    v1::CheckResult result =
        MakeResult(check, v1::CHECK_STATUS_SKIPPED,
                   fmt::format("skipped: ${{{}}} has no value (was an earlier step to capture it?)", name));
    (*result.mutable_attributes())["missing"] = name;
    return {result};
  }
  if (!expanded.ok()) return {ErrorResult(check, expanded.status())};
  std::vector<v1::CheckResult> results = kind.run(check, *expanded, context);
  if (results.empty()) results.push_back(NothingToCheck(check, "the check gave no result"));
  return results;
}

}  // namespace

const std::vector<CheckKind>& CheckKinds() {
#define OMNIX_LIST_KIND(Name) Name##Check(),
  static const auto* const kinds = new std::vector<CheckKind>{OMNIX_CHECK_KINDS(OMNIX_LIST_KIND)};
#undef OMNIX_LIST_KIND
  return *kinds;
}

absl::Status ValidateCheck(const v1::Check& check) {
  const CheckKind* kind = FindKind(check.kind());
  if (kind == nullptr) return InvalidArgument("unknown check kind '{}'; there are: {}", check.kind(), KindNames());
  if (!check.capture().empty() && check.kind() != kKindWithCaptures) {
    return InvalidArgument("kind {} has nothing to capture from; only {} has", check.kind(), kKindWithCaptures);
  }
  for (const auto& [name, pointer] : check.capture()) {
    if (!pointer.empty() && pointer.front() != '/') {
      return InvalidArgument("capture {}: '{}' is no JSON pointer; it begins with '/', such as /token", name, pointer);
    }
  }
  const Json with = StructToJson(check.with());
  OMNIX_RETURN_IF_ERROR(ValidateNames(*kind, with));
  return kind->validate == nullptr ? absl::OkStatus() : kind->validate(with);
}

std::vector<v1::CheckResult> RunCheck(const v1::Check& check, CheckContext& context) {
  const SystemClock clock;
  const absl::Time begin = clock.Now();
  const absl::Duration start = clock.Monotonic();
  const CheckKind* kind = FindKind(check.kind());
  const Json with = StructToJson(check.with());
  std::vector<v1::CheckResult> results;
  if (const absl::Status valid = ValidateCheck(check); !valid.ok()) {
    results = {ErrorResult(check, valid)};
  } else if (context.cancelled()) {
    results = {MakeResult(check, v1::CHECK_STATUS_SKIPPED, "skipped: cancelled")};
    (*results[0].mutable_attributes())["missing"] = "cancelled";
  } else {
    results = Evaluate(check, *kind, with, context);
  }
  const std::vector<std::string> secrets = SecretValues(with, context.variables);
  const uint32_t fallback_weight = kind == nullptr ? 0 : kind->default_weight;
  for (v1::CheckResult& result : results) {
    if (result.weight() == 0) result.set_weight(check.weight() > 0 ? check.weight() : fallback_weight);
    if (!result.has_duration()) *result.mutable_duration() = ToProto(clock.Monotonic() - start);
    *result.mutable_evaluated_at() = ToProto(begin);
    Clean(secrets, &result);
  }
  return results;
}

}  // namespace omnix
