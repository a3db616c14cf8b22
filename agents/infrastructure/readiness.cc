#include "agents/infrastructure/readiness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_join.h"
#include "common/json.h"

namespace omnix {
namespace {

constexpr uint32_t kFullScore = 100;
constexpr double kWarningShare = 3;
constexpr uint32_t kLeastWarning = 1;
constexpr uint32_t kGatewayWeight = 25;

v1::Check MakeCheck(const std::string& kind, const std::string& service, const std::string& name,
                    const Json& with = Json::object()) {
  v1::Check check;
  check.set_kind(kind);
  check.set_service(service);
  check.set_name(name);
  *check.mutable_with() = JsonToStruct(with);
  return check;
}

std::string ProbePath(const v1::Service& service) {
  for (const v1::Endpoint& endpoint : service.endpoints()) {
    const bool read = endpoint.method().empty() || endpoint.method() == "GET";
    if (read && !endpoint.websocket() && endpoint.path().find('{') == std::string::npos) return endpoint.path();
  }
  return "/";
}

void DeriveForService(const v1::Service& service, std::vector<v1::Check>* checks) {
  const std::string& name = service.name();
  const bool has_process = !service.process().pid_file().empty() || !service.process().match().empty();
  if (has_process) checks->push_back(MakeCheck("process", name, name + ": process"));
  if (!service.listen().empty()) checks->push_back(MakeCheck("listen", name, name + ": ports"));
  if (!service.base_url().empty()) {
    checks->push_back(MakeCheck("http", name, name + ": answers HTTP",
                                {{"path", ProbePath(service)}, {"status", {"2xx", "3xx", "4xx"}}}));
    checks->back().set_weight(kGatewayWeight);
  }
  if (service.has_database()) checks->push_back(MakeCheck("database", name, name + ": database"));
  if (!service.disks().empty()) checks->push_back(MakeCheck("disk", name, name + ": disks"));
  if (!service.tls().empty()) checks->push_back(MakeCheck("tls", name, name + ": certificates"));
  if (service.commands().contains("test_config"))
    checks->push_back(MakeCheck("config_test", name, name + ": configuration"));
}

// Reasons of one check's results of this status, joined.
std::string Reasons(const std::vector<v1::CheckResult>& results, v1::CheckStatus status) {
  std::vector<std::string> reasons;
  for (const v1::CheckResult& result : results) {
    if (result.status() == status) reasons.push_back(result.summary());
  }
  return absl::StrJoin(reasons, "; ");
}

bool Any(const std::vector<v1::CheckResult>& results, v1::CheckStatus status) {
  return std::any_of(results.begin(), results.end(),
                     [&](const v1::CheckResult& result) { return result.status() == status; });
}

void Deduct(const v1::Check& check, uint32_t points, const std::string& reason, v1::Readiness* readiness) {
  v1::Deduction& deduction = *readiness->add_deductions();
  deduction.set_points(points);
  deduction.set_reason(reason);
  deduction.set_check(check.name());
}

uint32_t WarningPoints(uint32_t weight) {
  return std::max(kLeastWarning, static_cast<uint32_t>(std::lround(weight / kWarningShare)));
}

}  // namespace

std::vector<v1::Check> DeriveInfrastructureChecks(const v1::SystemModel& system) {
  std::vector<v1::Check> checks;
  for (const v1::Service& service : system.services()) DeriveForService(service, &checks);
  checks.push_back(MakeCheck("memory", "", "memory of this host"));
  return checks;
}

v1::Readiness Score(const std::vector<v1::Check>& checks, const std::vector<std::vector<v1::CheckResult>>& results) {
  v1::Readiness readiness;
  std::vector<std::string> unknown;
  uint32_t lost = 0;
  uint32_t failed = 0;
  for (size_t i = 0; i < checks.size(); ++i) {
    const uint32_t weight = results[i].empty() ? 0 : results[i].front().weight();
    if (Any(results[i], v1::CHECK_STATUS_FAILED)) {
      Deduct(checks[i], weight, Reasons(results[i], v1::CHECK_STATUS_FAILED), &readiness);
      lost += weight;
      ++failed;
    } else if (Any(results[i], v1::CHECK_STATUS_WARNING)) {
      Deduct(checks[i], WarningPoints(weight), Reasons(results[i], v1::CHECK_STATUS_WARNING), &readiness);
      lost += WarningPoints(weight);
    }
    if (Any(results[i], v1::CHECK_STATUS_ERROR) || Any(results[i], v1::CHECK_STATUS_SKIPPED))
      unknown.push_back(checks[i].name());
    for (const v1::CheckResult& result : results[i]) *readiness.add_results() = result;
  }
  readiness.set_score(kFullScore - std::min(lost, kFullScore));
  std::string summary =
      fmt::format("readiness {} of {}: {} of {} checks failed", readiness.score(), kFullScore, failed, checks.size());
  if (!unknown.empty()) summary += "; not evaluated: " + absl::StrJoin(unknown, ", ");
  readiness.set_summary(summary);
  return readiness;
}

}  // namespace omnix
