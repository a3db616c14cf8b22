#include "cli/operator_client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <re2/re2.h>

#include <vector>

#include "cli/words.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

// An incident carries its report: far more than gRPC's default of 4 MiB.
constexpr int kMaxAnswerBytes = 256 << 20;
constexpr int kFirstReconnectMs = 100;
constexpr int kMaxReconnectMs = 2000;
// An orchestrator that hangs keeps its connections: a watch notices by asking on an idle one. No more often than the
// server allows (5 s).
constexpr int kKeepaliveTimeMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
// The server's own bound for one list.
constexpr uint32_t kMaxListed = 1000;
// Ids that an error lists, so that it stays readable.
constexpr size_t kMaxNamed = 10;

std::shared_ptr<grpc::Channel> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

std::string Lines(const std::vector<const v1::IncidentSummary*>& incidents) {
  std::string lines;
  for (size_t i = 0; i < incidents.size() && i < kMaxNamed; ++i) {
    lines += fmt::format("\n  {}  {}  {}", incidents[i]->id(), PhaseWord(incidents[i]->phase()), incidents[i]->title());
  }
  if (incidents.size() > kMaxNamed) lines += fmt::format("\n  and {} more", incidents.size() - kMaxNamed);
  return lines;
}

bool IsWholeId(const std::string& reference) {
  static const re2::RE2 kWhole("INC-\\d{4}-\\d{2}-\\d{2}-\\d+");
  return re2::RE2::FullMatch(reference, kWhole);
}

bool EndsWith(const std::string& id, const std::string& suffix) {
  return id == suffix ||
         (id.size() > suffix.size() && id.ends_with(suffix) && id[id.size() - suffix.size() - 1] == '-');
}

}  // namespace

OperatorClient::OperatorClient(std::string target, absl::Duration timeout)
    : target_(std::move(target)),
      timeout_(timeout),
      channel_(Connect(target_)),
      stub_(v1::Operator::NewStub(channel_)) {}

absl::Status OperatorClient::ToError(const grpc::Status& status) const {
  const bool connected = channel_->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY;
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  if (code == absl::StatusCode::kUnavailable && connected) return Aborted("{}", status.error_message());
  if (code == absl::StatusCode::kUnavailable || (code == absl::StatusCode::kDeadlineExceeded && !connected)) {
    return Unavailable(
        "cannot reach the orchestrator at {}: {}. Start omnixd there, or name another one with --orchestrator "
        "HOST:PORT "
        "or OMNIX_ORCHESTRATOR",
        target_, status.error_message());
  }
  if (code == absl::StatusCode::kDeadlineExceeded) {
    return DeadlineExceeded(
        "no answer from {} within {}; what was asked may have happened: look with `omnix incident show`, or wait "
        "longer "
        "with --timeout",
        target_, omnix::FormatDuration(timeout_));
  }
  if (code == absl::StatusCode::kUnimplemented) {
    return absl::UnimplementedError(
        fmt::format("{} does not serve this call: is it an omnixd of this version? (`omnix status`)", target_));
  }
  return absl::Status(code, status.error_message());
}

absl::StatusOr<v1::GetIncidentResponse> OperatorClient::GetIncident(const std::string& incident_id) {
  v1::GetIncidentRequest request;
  request.set_incident_id(incident_id);
  return Call(&v1::Operator::Stub::GetIncident, request);
}

absl::StatusOr<v1::ListIncidentsResponse> OperatorClient::List(bool open_only) {
  v1::ListIncidentsRequest request;
  request.set_open_only(open_only);
  request.set_limit(kMaxListed);
  return Call(&v1::Operator::Stub::ListIncidents, request);
}

absl::StatusOr<std::string> OperatorClient::ResolveIncident(const std::string& reference) {
  if (IsWholeId(reference)) return reference;
  std::vector<const v1::IncidentSummary*> matches;
  auto match = [&](const v1::ListIncidentsResponse& list) {
    for (const auto& incident : list.incidents()) {
      if (reference.empty() || EndsWith(incident.id(), reference)) matches.push_back(&incident);
    }
  };
  OMNIX_ASSIGN_OR_RETURN(const v1::ListIncidentsResponse open, List(/*open_only=*/true));
  match(open);
  if (matches.size() == 1) return matches[0]->id();
  if (matches.size() > 1) {
    return InvalidArgument("{}; name one of them:{}",
                           reference.empty() ? fmt::format("{} incidents are open", matches.size())
                                             : fmt::format("'{}' fits {} open incidents", reference, matches.size()),
                           Lines(matches));
  }
  if (reference.empty()) {
    return InvalidArgument("no incident is open; name an ended one (`omnix incident list` shows them)");
  }
  OMNIX_ASSIGN_OR_RETURN(const v1::ListIncidentsResponse all, List(/*open_only=*/false));
  match(all);
  if (matches.size() == 1) return matches[0]->id();
  if (matches.size() > 1) {
    return InvalidArgument("'{}' fits {} ended incidents; name one of them:{}", reference, matches.size(),
                           Lines(matches));
  }
  return InvalidArgument("no incident is called '{}' (`omnix incident list` shows them)", reference);
}

}  // namespace omnix
