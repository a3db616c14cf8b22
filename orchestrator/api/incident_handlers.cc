#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <map>
#include <optional>

#include "common/json.h"
#include "common/status.h"
#include "orchestrator/api/handlers.h"

namespace omnix {
namespace {

constexpr unsigned kCreated = 201;
constexpr unsigned kNotFoundStatus = 404;
constexpr unsigned kUnprocessable = 422;
constexpr unsigned kUnavailableStatus = 503;
// Who acts where neither the body nor a Basic authorization says so.
constexpr const char* kDefaultBy = "http";

template <typename Response>
Callback<Response> AnswerWithJson(std::shared_ptr<Responder> responder, unsigned status = 200) {
  return [responder = std::move(responder), status](absl::StatusOr<Response> result) {
    if (!result.ok()) return responder->Send(Problem(result.status()));
    ApiResponse response;
    response.status = status;
    response.body = MessageToJson(*result);
    responder->Send(std::move(response));
  };
}

// Query parameters, typed; an unknown or malformed one is an error.
class Query {
 public:
  explicit Query(const ApiRequest& request) : query_(request.query) {}
  absl::Status Only(std::initializer_list<std::string_view> known) const {
    for (const auto& [name, value] : query_) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return InvalidArgument("the query has an unknown parameter; known: {}", fmt::join(known, ", "));
      }
    }
    return absl::OkStatus();
  }
  template <typename Number>
  absl::Status Get(const std::string& name, Number* number) const {
    const auto found = query_.find(name);
    if (found == query_.end()) return absl::OkStatus();
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    if (error == std::errc() && end == text.data() + text.size()) return absl::OkStatus();
    return InvalidArgument("query parameter {}: expected an integer from 0 on", name);
  }
  absl::Status GetFlag(const std::string& name, bool* flag) const {
    const auto found = query_.find(name);
    if (found == query_.end()) return absl::OkStatus();
    *flag = found->second == "true";
    if (*flag || found->second == "false") return absl::OkStatus();
    return InvalidArgument("query parameter {}: expected true or false", name);
  }

 private:
  const std::map<std::string, std::string>& query_;
};

absl::StatusOr<v1::ListIncidentsRequest> ReadListIncidents(const Query& query) {
  uint32_t limit = 0;
  bool open_only = false;
  OMNIX_RETURN_IF_ERROR(query.Only({"open_only", "limit"}));
  OMNIX_RETURN_IF_ERROR(query.Get("limit", &limit));
  OMNIX_RETURN_IF_ERROR(query.GetFlag("open_only", &open_only));
  v1::ListIncidentsRequest request;
  request.set_limit(limit);
  request.set_open_only(open_only);
  return request;
}

absl::StatusOr<v1::ListAlertsRequest> ReadListAlerts(const Query& query) {
  uint32_t limit = 0;
  bool firing_only = false;
  bool pending_only = false;
  OMNIX_RETURN_IF_ERROR(query.Only({"firing_only", "limit", "pending_only"}));
  OMNIX_RETURN_IF_ERROR(query.Get("limit", &limit));
  OMNIX_RETURN_IF_ERROR(query.GetFlag("firing_only", &firing_only));
  OMNIX_RETURN_IF_ERROR(query.GetFlag("pending_only", &pending_only));
  v1::ListAlertsRequest request;
  request.set_limit(limit);
  request.set_firing_only(firing_only);
  request.set_pending_only(pending_only);
  return request;
}

absl::StatusOr<v1::ListEventsRequest> ReadListEvents(const ApiRequest& api) {
  const Query query(api);
  uint32_t limit = 0;
  uint64_t after = 0;
  OMNIX_RETURN_IF_ERROR(query.Only({"after_sequence", "limit"}));
  OMNIX_RETURN_IF_ERROR(query.Get("limit", &limit));
  OMNIX_RETURN_IF_ERROR(query.Get("after_sequence", &after));
  v1::ListEventsRequest request;
  request.set_incident_id(api.parameters.at("id"));
  request.set_limit(limit);
  request.set_after_sequence(after);
  return request;
}

// The body as an object: {} where it is empty, `by` filled in. Sends the problem and gives nothing where it is no
// object.
std::optional<Json> ReadBody(const ApiRequest& request, const std::shared_ptr<Responder>& responder) {
  absl::StatusOr<Json> body = request.body.empty() ? Json::object() : ParseJson(request.body);
  if (!body.ok()) {
    responder->Send(Problem(body.status()));
    return std::nullopt;
  }
  if (!body->is_object()) {
    responder->Send(Problem(kUnprocessable, "the body: expected an object"));
    return std::nullopt;
  }
  if (!body->contains("by")) (*body)["by"] = request.user.empty() ? kDefaultBy : request.user;
  return *std::move(body);
}

absl::StatusOr<v1::CommandIncidentRequest> ReadCommand(const std::string& incident_id, const std::string& command,
                                                       const std::string& required, Json body) {
  Json message = {{"incident_id", incident_id}};
  for (const char* shared : {"by", "reason"}) {
    if (!body.contains(shared)) continue;
    message[shared] = body[shared];
    body.erase(shared);
  }
  for (const auto& [key, value] : body.items()) {
    if (key != required) {
      return InvalidArgument("the body has an unknown key; {} takes by, reason{}{}", command,
                             required.empty() ? "" : ", ", required);
    }
  }
  // A text, or a list where the command takes one.
  const Json value = required.empty() ? Json() : body.value(required, Json());
  const bool given = (value.is_string() && !value.get<std::string>().empty()) || (value.is_array() && !value.empty());
  if (!required.empty() && !given) return InvalidArgument("/{}: required, and not empty", required);
  message[command] = std::move(body);
  v1::CommandIncidentRequest request;
  OMNIX_RETURN_IF_ERROR(JsonToMessage(DumpJson(message), &request, "the body"));
  return request;
}

// Documents come from agents: a browser shows them, but runs nothing in them.
ApiResponse ArtifactResponse(const v1::Artifact& artifact) {
  constexpr std::string_view kMediaTypeCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+-.;= ";
  const bool plain = artifact.media_type().find_first_not_of(kMediaTypeCharacters) == std::string::npos;
  ApiResponse response;
  response.content_type = plain && !artifact.media_type().empty() ? artifact.media_type() : "application/octet-stream";
  if (response.content_type.starts_with("text/") && response.content_type.find(';') == std::string::npos) {
    response.content_type += "; charset=utf-8";
  }
  response.headers.emplace_back("Content-Security-Policy",
                                "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");
  response.body = artifact.content();
  return response;
}

}  // namespace

ApiHandler HealthHandler() {
  return [](const ApiRequest&, std::shared_ptr<Responder> responder) {
    ApiResponse response;
    response.body = R"({"status":"ok"})";
    responder->Send(std::move(response));
  };
}

ApiHandler ReadyHandler(const ApiParts& parts) {
  return [parts](const ApiRequest&, std::shared_ptr<Responder> responder) {
    parts.port->GetStatus({}, [responder](absl::StatusOr<v1::GetStatusResponse> status) {
      if (!status.ok()) return responder->Send(Problem(status.status()));
      if (status->journal() != "ok")
        return responder->Send(Problem(kUnavailableStatus, "journal: " + status->journal()));
      ApiResponse response;
      response.body = R"({"status":"ok"})";
      responder->Send(std::move(response));
    });
  };
}

ApiHandler MetricsHandler(const ApiParts& parts) {
  return [parts](const ApiRequest&, std::shared_ptr<Responder> responder) {
    const auto answer = [responder, metrics = parts.metrics](absl::StatusOr<v1::GetStatusResponse> status) {
      ApiResponse response;
      response.content_type = "text/plain; version=0.0.4; charset=utf-8";
      // Metrics matter most while the engine is in trouble.
      response.body = metrics->Text(status.ok() ? *status : v1::GetStatusResponse());
      responder->Send(std::move(response));
    };
    GetWholeStatus(parts.port, parts.supplement, answer);
  };
}

ApiHandler ListIncidentsHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    auto list = ReadListIncidents(Query(request));
    if (!list.ok()) return responder->Send(Problem(list.status()));
    parts.port->ListIncidents(*std::move(list), AnswerWithJson<v1::ListIncidentsResponse>(responder));
  };
}

ApiHandler ListAlertsHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    auto list = ReadListAlerts(Query(request));
    if (!list.ok()) return responder->Send(Problem(list.status()));
    parts.port->ListAlerts(*std::move(list), AnswerWithJson<v1::ListAlertsResponse>(responder));
  };
}

ApiHandler ListEventsHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    auto list = ReadListEvents(request);
    if (!list.ok()) return responder->Send(Problem(list.status()));
    parts.port->ListEvents(*std::move(list), AnswerWithJson<v1::ListEventsResponse>(responder));
  };
}

ApiHandler GetIncidentHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    v1::GetIncidentRequest get;
    get.set_incident_id(request.parameters.at("id"));
    parts.port->GetIncident(std::move(get), AnswerWithJson<v1::GetIncidentResponse>(responder));
  };
}

ApiHandler ArtifactHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    v1::GetIncidentRequest get;
    get.set_incident_id(request.parameters.at("id"));
    auto done = [responder, name = request.parameters.at("name")](absl::StatusOr<v1::GetIncidentResponse> result) {
      if (!result.ok()) return responder->Send(Problem(result.status()));
      std::vector<std::string> names;
      for (const v1::Artifact& artifact : result->incident().document().artifacts()) {
        if (artifact.name() == name) return responder->Send(ArtifactResponse(artifact));
        names.push_back(artifact.name());
      }
      responder->Send(
          Problem(kNotFoundStatus, fmt::format("no such artifact; this incident has: {}", fmt::join(names, ", "))));
    };
    parts.port->GetIncident(std::move(get), std::move(done));
  };
}

ApiHandler OpenIncidentHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    const std::optional<Json> body = ReadBody(request, responder);
    if (!body) return;
    v1::OpenIncidentRequest open;
    const absl::Status read = JsonToMessage(DumpJson(*body), &open, "the body");
    if (!read.ok()) return responder->Send(Problem(kUnprocessable, Message(read)));
    if (open.title().empty()) return responder->Send(Problem(kUnprocessable, "/title: required"));
    parts.port->OpenIncident(std::move(open), AnswerWithJson<v1::OpenIncidentResponse>(responder, kCreated));
  };
}

ApiHandler CommandHandler(const ApiParts& parts, const std::string& command, const std::string& required) {
  return [parts, command, required](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    const std::optional<Json> body = ReadBody(request, responder);
    if (!body) return;
    auto read = ReadCommand(request.parameters.at("id"), command, required, *body);
    if (!read.ok()) return responder->Send(Problem(kUnprocessable, Message(read.status())));
    parts.port->CommandIncident(*std::move(read), AnswerWithJson<v1::CommandIncidentResponse>(responder));
  };
}

ApiHandler ListAgentsHandler(const ApiParts& parts) {
  return [parts](const ApiRequest&, std::shared_ptr<Responder> responder) {
    parts.port->ListAgents({}, AnswerWithJson<v1::ListAgentsResponse>(responder));
  };
}

ApiHandler DrainAgentHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    std::optional<Json> body = ReadBody(request, responder);
    if (!body) return;
    (*body)["name"] = request.parameters.at("name");
    v1::DrainAgentRequest drain;
    const absl::Status read = JsonToMessage(DumpJson(*body), &drain, "the body");
    if (!read.ok()) return responder->Send(Problem(kUnprocessable, Message(read)));
    parts.port->DrainAgent(std::move(drain), AnswerWithJson<v1::DrainAgentResponse>(responder));
  };
}

ApiHandler StatusHandler(const ApiParts& parts) {
  return [parts](const ApiRequest&, std::shared_ptr<Responder> responder) {
    GetWholeStatus(parts.port, parts.supplement, AnswerWithJson<v1::GetStatusResponse>(responder));
  };
}

}  // namespace omnix
