// The gRPC service of silences (silence.proto), for operators.
#pragma once

#include <omnix/v1/silence.grpc.pb.h>

#include "orchestrator/engine/silence_desk.h"

namespace omnix {

// Thread-safe. `desk` outlives it.
class SilenceService final : public v1::Silences::CallbackService {
 public:
  explicit SilenceService(SilenceDesk* desk) : desk_(desk) {}

  grpc::ServerUnaryReactor* AddSilence(grpc::CallbackServerContext* context, const v1::AddSilenceRequest* request,
                                       v1::SilenceView* response) override;
  grpc::ServerUnaryReactor* GetSilence(grpc::CallbackServerContext* context, const v1::GetSilenceRequest* request,
                                       v1::SilenceView* response) override;
  grpc::ServerUnaryReactor* ListSilences(grpc::CallbackServerContext* context, const v1::ListSilencesRequest* request,
                                         v1::ListSilencesResponse* response) override;
  grpc::ServerUnaryReactor* ExpireSilence(grpc::CallbackServerContext* context, const v1::ExpireSilenceRequest* request,
                                          v1::SilenceView* response) override;

 private:
  SilenceDesk* const desk_;
};

}  // namespace omnix
