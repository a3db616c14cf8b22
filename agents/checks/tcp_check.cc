// tcp: something accepts connections at `address` ("host:port").
// listen: the service accepts connections at every address of its `listen`. One result for each.
#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/parameters.h"
#include "agents/checks/result.h"
#include "agents/checks/socket.h"
#include "agents/checks/url.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr uint32_t kTcpWeight = 15;
constexpr uint32_t kListenWeight = 20;

v1::CheckResult Probe(const v1::Check& check, const std::string& text, const CheckContext& context) {
  const auto address = ParseHostPort(text);
  if (!address.ok()) return ErrorResult(check, address.status());
  const absl::Status status = TryConnect(ConnectableAddress(*address), Budget(context).ForOne());
  v1::CheckResult result = status.ok() ? MakeResult(check, v1::CHECK_STATUS_PASSED, text + " accepts connections")
                                       : UnansweredResult(check, status);
  result.set_expected(text + " accepts connections");
  if (status.ok()) result.set_observed("accepted");
  (*result.mutable_attributes())["address"] = text;
  (*result.mutable_attributes())["port"] = address->port;
  return result;
}

std::vector<v1::CheckResult> RunTcp(const v1::Check& check, const Json& with, CheckContext& context) {
  Parameters parameters(with);
  return {Probe(check, parameters.String("address"), context)};
}

std::vector<v1::CheckResult> RunListen(const v1::Check& check, const Json&, CheckContext& context) {
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  const auto& addresses = (*service)->listen();
  if (addresses.empty()) return {NothingToCheck(check, fmt::format("service {} has no `listen`", check.service()))};
  return RunPieces(check, context, static_cast<size_t>(addresses.size()), [&](size_t i) {
    const std::string& address = addresses[static_cast<int>(i)];
    v1::CheckResult result = Probe(check, address, context);
    if (addresses.size() > 1) result.set_name(check.name() + ": " + address);
    return result;
  });
}

absl::Status ValidateTcp(const Json& with) {
  Parameters parameters(with);
  const std::string address = parameters.String("address");
  OMNIX_RETURN_IF_ERROR(parameters.status());
  if (address.find("${") != std::string::npos) return absl::OkStatus();
  return ParseHostPort(address).status();
}

}  // namespace

CheckKind TcpCheck() { return {"tcp", kTcpWeight, {"!address"}, RunTcp, ValidateTcp}; }
CheckKind ListenCheck() { return {"listen", kListenWeight, {}, RunListen}; }

}  // namespace omnix
