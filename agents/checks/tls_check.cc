// tls: the certificate at `address` ("host:port"; default: every entry of the service's `tls`) is trusted, for this
// name, and not about to expire.
//   min_days (21): warns below it. server_name (the address's host), ca_file (the system's trust store).
#include "absl/strings/str_join.h"
#include "agents/checks/budget.h"
#include "agents/checks/certificate.h"
#include "agents/checks/check.h"
#include "agents/checks/parameters.h"
#include "agents/checks/result.h"
#include "agents/checks/url.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 15;
constexpr double kDefaultMinDays = 21;
constexpr double kMaxDays = 3650;
constexpr double kHoursPerDay = 24;

struct Options {
  std::string address;
  std::string server_name;
  std::string ca_file;
  double min_days = kDefaultMinDays;
};

absl::StatusOr<Options> Read(const Json& json) {
  Parameters with(json);
  Options options;
  options.address = with.String("address");
  options.server_name = with.String("server_name");
  options.ca_file = with.String("ca_file");
  options.min_days = with.Number("min_days", 0, kMaxDays, kDefaultMinDays);
  OMNIX_RETURN_IF_ERROR(with.status());
  return options;
}

v1::CheckResult Judge(const v1::Check& check, const std::string& address, const Options& options,
                      const Certificate& certificate) {
  const double days_left = absl::ToDoubleHours(certificate.not_after - absl::Now()) / kHoursPerDay;
  std::string observed = fmt::format("valid for {:.0f} more days", days_left);
  v1::CheckStatus status = v1::CHECK_STATUS_PASSED;
  if (days_left < 0) {
    observed = fmt::format("expired {:.0f} days ago", -days_left);
    status = v1::CHECK_STATUS_FAILED;
  } else if (!certificate.mistake.empty()) {
    observed = certificate.mistake;
    status = v1::CHECK_STATUS_FAILED;
  } else if (days_left < options.min_days) {
    status = v1::CHECK_STATUS_WARNING;
  }
  v1::CheckResult result = MakeResult(check, status, fmt::format("TLS {}: {}", address, observed));
  result.set_expected(fmt::format("trusted, for this name, for {:.0f} more days", options.min_days));
  result.set_observed(observed);
  result.set_excerpt(certificate.subject);
  auto& attributes = *result.mutable_attributes();
  attributes["address"] = address;
  attributes["days_left"] = fmt::format("{:.0f}", days_left);
  attributes["not_before"] = omnix::FormatTime(certificate.not_before);
  attributes["not_after"] = omnix::FormatTime(certificate.not_after);
  attributes["names"] = absl::StrJoin(certificate.names, ", ");
  attributes["issuer"] = certificate.issuer;
  attributes["self_signed"] = certificate.self_signed ? "true" : "false";
  attributes["fits_name"] = certificate.fits_name ? "true" : "false";
  attributes["sent"] = std::to_string(certificate.sent);
  attributes["fingerprint"] = certificate.fingerprint;
  return result;
}

v1::CheckResult CheckAddress(const v1::Check& check, const std::string& text, const Options& options,
                             const CheckContext& context) {
  const auto address = ParseHostPort(text);
  if (!address.ok()) return ErrorResult(check, address.status());
  const auto certificate = FetchCertificate(ConnectableAddress(*address), {options.server_name, options.ca_file},
                                            Budget(context).Remaining());
  if (!certificate.ok()) return UnansweredResult(check, certificate.status());
  return Judge(check, text, options, *certificate);
}

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json& with, CheckContext& context) {
  const auto options = Read(with);
  if (!options.ok()) return {ErrorResult(check, options.status())};
  if (!options->address.empty()) return {CheckAddress(check, options->address, *options, context)};
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  const auto& addresses = (*service)->tls();
  if (addresses.empty()) return {NothingToCheck(check, fmt::format("service {} has no `tls`", check.service()))};
  return RunPieces(check, context, static_cast<size_t>(addresses.size()), [&](size_t i) {
    const std::string& address = addresses[static_cast<int>(i)];
    v1::CheckResult result = CheckAddress(check, address, *options, context);
    if (addresses.size() > 1) result.set_name(check.name() + ": " + address);
    return result;
  });
}

absl::Status Validate(const Json& with) { return Read(with).status(); }

}  // namespace

CheckKind TlsCheck() {
  return {"tls", kDefaultWeight, {"address", "min_days", "server_name", "ca_file"}, Run, Validate};
}

}  // namespace omnix
