// The gRPC service of operators over the engine's OperatorPort.
#pragma once

#include <omnix/v1/operator.grpc.pb.h>

#include <cstddef>
#include <utility>

#include "orchestrator/api/status_supplement.h"
#include "orchestrator/engine/ports.h"

namespace omnix {

// What waits for a reader of WatchIncident. Beyond either bound the watch ends with RESOURCE_EXHAUSTED once what waits
// was sent; the reader watches again after the last sequence number it saw. One update is always taken, however large.
inline constexpr size_t kMaxQueuedUpdates = 16'384;
inline constexpr size_t kMaxQueuedUpdateBytes = 8 << 20;

struct WatchBounds {
  size_t max_updates = kMaxQueuedUpdates;
  size_t max_bytes = kMaxQueuedUpdateBytes;
};

// Thread-safe. Calls end in the port's callbacks; a call whose callback is dropped ends with UNAVAILABLE.
class OperatorService final : public v1::Operator::CallbackService {
 public:
  // `port` is not owned and outlives the service and its server. `supplement`: see there.
  explicit OperatorService(OperatorPort* port, WatchBounds bounds = {}, StatusSupplement supplement = nullptr)
      : port_(port), bounds_(bounds), supplement_(std::move(supplement)) {}

  grpc::ServerUnaryReactor* OpenIncident(grpc::CallbackServerContext* context, const v1::OpenIncidentRequest* request,
                                         v1::OpenIncidentResponse* response) override;
  grpc::ServerUnaryReactor* ListIncidents(grpc::CallbackServerContext* context, const v1::ListIncidentsRequest* request,
                                          v1::ListIncidentsResponse* response) override;
  grpc::ServerUnaryReactor* GetIncident(grpc::CallbackServerContext* context, const v1::GetIncidentRequest* request,
                                        v1::GetIncidentResponse* response) override;
  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context, const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerUnaryReactor* CommandIncident(grpc::CallbackServerContext* context,
                                            const v1::CommandIncidentRequest* request,
                                            v1::CommandIncidentResponse* response) override;
  grpc::ServerUnaryReactor* ListAgents(grpc::CallbackServerContext* context, const v1::ListAgentsRequest* request,
                                       v1::ListAgentsResponse* response) override;
  grpc::ServerUnaryReactor* DrainAgent(grpc::CallbackServerContext* context, const v1::DrainAgentRequest* request,
                                       v1::DrainAgentResponse* response) override;
  grpc::ServerUnaryReactor* ListAlerts(grpc::CallbackServerContext* context, const v1::ListAlertsRequest* request,
                                       v1::ListAlertsResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchIncidentResponse>* WatchIncident(grpc::CallbackServerContext* context,
                                                                     const v1::WatchIncidentRequest* request) override;

 private:
  OperatorPort* port_;
  WatchBounds bounds_;
  StatusSupplement supplement_;
};

}  // namespace omnix
