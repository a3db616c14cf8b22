#include "orchestrator/api/handlers.h"

namespace omnix {

ApiHandler HeartbeatHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    const absl::Status taken = parts.heartbeats == nullptr
                                   ? absl::NotFoundError("no source is declared: start omnixd with --sources FILE")
                                   : parts.heartbeats->Sign(request.parameters.at("name"));
    if (!taken.ok()) return responder->Send(Problem(taken));
    ApiResponse response;
    response.body = R"({"status":"ok"})";
    responder->Send(std::move(response));
  };
}

}  // namespace omnix
