// The orchestrator's operator API, as commands call it: with a deadline, errors that say what to do next, and incidents
// named the short way.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <omnix/v1/operator.grpc.pb.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

// Not thread-safe.
class OperatorClient {
 public:
  OperatorClient(std::string target, absl::Duration timeout);

  // One call. Errors: UNAVAILABLE where the orchestrator cannot be reached (and only then); what the server answers
  // otherwise, an UNAVAILABLE of its own (it cannot write its journal now) as ABORTED.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::Operator::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                           Response*),
                                const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(timeout_));
    Response response;
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    if (!status.ok()) return ToError(status);
    return response;
  }

  absl::StatusOr<v1::GetIncidentResponse> GetIncident(const std::string& incident_id);

  // A whole id ("INC-2025-09-04-001"), a suffix that only one incident has ("001"; open incidents go before ended
  // ones), or nothing where exactly one incident is open. Errors: INVALID_ARGUMENT with the ids to choose from.
  absl::StatusOr<std::string> ResolveIncident(const std::string& reference);

  absl::Status ToError(const grpc::Status& status) const;

  v1::Operator::Stub& stub() { return *stub_; }
  grpc::Channel& channel() { return *channel_; }
  const std::string& target() const { return target_; }

 private:
  absl::StatusOr<v1::ListIncidentsResponse> List(bool open_only);

  std::string target_;
  absl::Duration timeout_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Operator::Stub> stub_;
};

}  // namespace omnix
