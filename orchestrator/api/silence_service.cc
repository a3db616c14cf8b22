#include "orchestrator/api/silence_service.h"

#include "orchestrator/api/status_codes.h"

namespace omnix {
namespace {

template <typename Response>
grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context, absl::StatusOr<Response> result,
                                 Response* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (result.ok()) *response = *std::move(result);
  reactor->Finish(ToGrpcStatus(result.status()));
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* SilenceService::AddSilence(grpc::CallbackServerContext* context,
                                                     const v1::AddSilenceRequest* request, v1::SilenceView* response) {
  return Finish(context, desk_->Add(*request), response);
}

grpc::ServerUnaryReactor* SilenceService::GetSilence(grpc::CallbackServerContext* context,
                                                     const v1::GetSilenceRequest* request, v1::SilenceView* response) {
  return Finish(context, desk_->Get(*request), response);
}

grpc::ServerUnaryReactor* SilenceService::ListSilences(grpc::CallbackServerContext* context,
                                                       const v1::ListSilencesRequest* request,
                                                       v1::ListSilencesResponse* response) {
  return Finish(context, absl::StatusOr<v1::ListSilencesResponse>(desk_->List(*request)), response);
}

grpc::ServerUnaryReactor* SilenceService::ExpireSilence(grpc::CallbackServerContext* context,
                                                        const v1::ExpireSilenceRequest* request,
                                                        v1::SilenceView* response) {
  return Finish(context, desk_->Expire(*request), response);
}

}  // namespace omnix
