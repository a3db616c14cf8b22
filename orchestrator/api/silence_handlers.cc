#include "common/json.h"
#include "common/status.h"
#include "orchestrator/api/handlers.h"

namespace omnix {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kCreated = 201;

template <typename Message>
void Answer(const std::shared_ptr<Responder>& responder, const absl::StatusOr<Message>& result, unsigned status = kOk) {
  if (!result.ok()) return responder->Send(Problem(result.status()));
  ApiResponse response;
  response.status = status;
  response.body = MessageToJson(*result);
  responder->Send(std::move(response));
}

}  // namespace

ApiHandler ListSilencesHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    v1::ListSilencesRequest list;
    const auto all = request.query.find("all");
    list.set_all(all != request.query.end() && all->second == "true");
    Answer(responder, absl::StatusOr<v1::ListSilencesResponse>(parts.silences->List(list)));
  };
}

ApiHandler AddSilenceHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    v1::AddSilenceRequest add;
    const absl::Status read = JsonToMessage(request.body, &add, "the body");
    if (!read.ok()) return responder->Send(Problem(read));
    if (add.author().empty()) add.set_author(request.user);
    Answer(responder, parts.silences->Add(add), kCreated);
  };
}

ApiHandler GetSilenceHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    v1::GetSilenceRequest get;
    get.set_id(request.parameters.at("id"));
    Answer(responder, parts.silences->Get(get));
  };
}

ApiHandler ExpireSilenceHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    v1::ExpireSilenceRequest expire;
    if (!request.body.empty()) {
      const absl::Status read = JsonToMessage(request.body, &expire, "the body");
      if (!read.ok()) return responder->Send(Problem(read));
    }
    expire.set_id(request.parameters.at("id"));
    if (expire.by().empty()) expire.set_by(request.user.empty() ? "http" : request.user);
    Answer(responder, parts.silences->Expire(expire));
  };
}

}  // namespace omnix
