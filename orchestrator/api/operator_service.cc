#include "orchestrator/api/operator_service.h"

#include <atomic>
#include <memory>
#include <utility>

#include "common/crash_point.h"
#include "common/status.h"
#include "orchestrator/api/status_codes.h"
#include "orchestrator/api/watch_reactor.h"

namespace omnix {
namespace {

// Ends a unary call exactly once: by Finish, or when the last copy of the callback goes without having been called.
class UnaryCall {
 public:
  explicit UnaryCall(grpc::ServerUnaryReactor* reactor) : reactor_(reactor) {}
  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;
  ~UnaryCall() { Finish(Unavailable("the orchestrator stopped before it answered; ask again")); }

  void Finish(const absl::Status& status) {
    if (!finished_.exchange(true)) reactor_->Finish(ToGrpcStatus(status));
  }

 private:
  grpc::ServerUnaryReactor* reactor_;
  std::atomic<bool> finished_ = false;
};

// Passes the request to `method` of the port and its answer to the caller.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* Forward(OperatorPort* port, void (OperatorPort::*method)(Request, Callback<Response>),
                                  grpc::CallbackServerContext* context, const Request& request, Response* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto call = std::make_shared<UnaryCall>(reactor);
  (port->*method)(request, [call, response](absl::StatusOr<Response> result) {
    if (result.ok()) *response = *std::move(result);
    call->Finish(result.status());
  });
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* OperatorService::OpenIncident(grpc::CallbackServerContext* context,
                                                        const v1::OpenIncidentRequest* request,
                                                        v1::OpenIncidentResponse* response) {
  OMNIX_CRASH_POINT("operator.opening");
  return Forward(port_, &OperatorPort::OpenIncident, context, *request, response);
}

grpc::ServerUnaryReactor* OperatorService::ListIncidents(grpc::CallbackServerContext* context,
                                                         const v1::ListIncidentsRequest* request,
                                                         v1::ListIncidentsResponse* response) {
  return Forward(port_, &OperatorPort::ListIncidents, context, *request, response);
}

grpc::ServerUnaryReactor* OperatorService::GetIncident(grpc::CallbackServerContext* context,
                                                       const v1::GetIncidentRequest* request,
                                                       v1::GetIncidentResponse* response) {
  return Forward(port_, &OperatorPort::GetIncident, context, *request, response);
}

grpc::ServerUnaryReactor* OperatorService::ListEvents(grpc::CallbackServerContext* context,
                                                      const v1::ListEventsRequest* request,
                                                      v1::ListEventsResponse* response) {
  return Forward(port_, &OperatorPort::ListEvents, context, *request, response);
}

grpc::ServerUnaryReactor* OperatorService::CommandIncident(grpc::CallbackServerContext* context,
                                                           const v1::CommandIncidentRequest* request,
                                                           v1::CommandIncidentResponse* response) {
  OMNIX_CRASH_POINT("operator.commanding");
  return Forward(port_, &OperatorPort::CommandIncident, context, *request, response);
}

grpc::ServerUnaryReactor* OperatorService::ListAgents(grpc::CallbackServerContext* context,
                                                      const v1::ListAgentsRequest* request,
                                                      v1::ListAgentsResponse* response) {
  return Forward(port_, &OperatorPort::ListAgents, context, *request, response);
}

grpc::ServerUnaryReactor* OperatorService::DrainAgent(grpc::CallbackServerContext* context,
                                                      const v1::DrainAgentRequest* request,
                                                      v1::DrainAgentResponse* response) {
  return Forward(port_, &OperatorPort::DrainAgent, context, *request, response);
}

grpc::ServerUnaryReactor* OperatorService::ListAlerts(grpc::CallbackServerContext* context,
                                                      const v1::ListAlertsRequest* request,
                                                      v1::ListAlertsResponse* response) {
  return Forward(port_, &OperatorPort::ListAlerts, context, *request, response);
}

grpc::ServerUnaryReactor* OperatorService::GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest*,
                                                     v1::GetStatusResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto call = std::make_shared<UnaryCall>(reactor);
  GetWholeStatus(port_, supplement_, [call, response](absl::StatusOr<v1::GetStatusResponse> status) {
    if (status.ok()) *response = *std::move(status);
    call->Finish(status.status());
  });
  return reactor;
}

grpc::ServerWriteReactor<v1::WatchIncidentResponse>* OperatorService::WatchIncident(
    grpc::CallbackServerContext*, const v1::WatchIncidentRequest* request) {
  return WatchReactor::Start(port_, *request, bounds_);
}

}  // namespace omnix
