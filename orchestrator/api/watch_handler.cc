#include <charconv>
#include <optional>

#include "common/json.h"
#include "common/status.h"
#include "orchestrator/api/handlers.h"
#include "orchestrator/api/status_codes.h"

namespace omnix {
namespace {

// Passes the engine's updates on to the stream.
class StreamSink final : public WatchSink {
 public:
  // Set before the watch begins.
  void SetStream(std::shared_ptr<EventStream> stream, bool numbered) {
    stream_ = std::move(stream);
    numbered_ = numbered;
  }

  bool OnUpdate(const v1::WatchIncidentResponse& update) override {
    std::string frame;
    // Sequence numbers tell where to go on within one incident only.
    if (numbered_ && update.has_event()) frame += fmt::format("id: {}\n", update.event().sequence());
    frame += fmt::format("event: {}\ndata: {}\n\n", update.has_event() ? "event" : "progress", MessageToJson(update));
    return stream_->Send(std::move(frame));
  }

  void OnEnd(const absl::Status& status) override {
    const Json data = {{"status", ToHttpStatus(status.code())}, {"detail", Message(status)}};
    stream_->End(fmt::format("event: end\ndata: {}\n\n", DumpJson(data)));
  }

 private:
  std::shared_ptr<EventStream> stream_;
  bool numbered_ = false;
};

void StartWatch(OperatorPort* port, v1::WatchIncidentRequest request, const std::shared_ptr<Responder>& responder) {
  auto sink = std::make_shared<StreamSink>();
  auto stream = responder->StartStream([port, sink] { port->Unwatch(sink); });
  if (stream == nullptr) return;
  sink->SetStream(std::move(stream), !request.incident_id().empty());
  port->Watch(std::move(request), sink);
}

absl::StatusOr<uint64_t> AfterSequence(const ApiRequest& request) {
  const auto query = request.query.find("after_sequence");
  // The header is newer: a browser repeats the URL and adds the header when it connects again.
  const std::string text = !request.last_event_id.empty() ? request.last_event_id
                           : query == request.query.end() ? "0"
                                                          : query->second;
  uint64_t after = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), after);
  if (error == std::errc() && end == text.data() + text.size()) return after;
  return InvalidArgument("after_sequence or Last-Event-ID: expected an integer from 0 on");
}

}  // namespace

ApiHandler WatchHandler(const ApiParts& parts) {
  return [parts](const ApiRequest& request, std::shared_ptr<Responder> responder) {
    const auto id = request.parameters.find("id");
    v1::WatchIncidentRequest watch;
    if (id == request.parameters.end()) return StartWatch(parts.port, std::move(watch), responder);
    const absl::StatusOr<uint64_t> after = AfterSequence(request);
    if (!after.ok()) return responder->Send(Problem(after.status()));
    watch.set_incident_id(id->second);
    watch.set_after_sequence(*after);
    // An unknown incident is answered 404 rather than by a stream that ends at once.
    v1::GetIncidentRequest get;
    get.set_incident_id(id->second);
    parts.port->GetIncident(std::move(get),
                            [port = parts.port, watch, responder](absl::StatusOr<v1::GetIncidentResponse> result) {
                              if (!result.ok()) return responder->Send(Problem(result.status()));
                              StartWatch(port, watch, responder);
                            });
  };
}

}  // namespace omnix
