// What handlers of the HTTP API see of a request, and what they answer with.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace omnix {

struct ApiRequest {
  std::string method;
  // Decoded path parameters by the name in the pattern.
  std::map<std::string, std::string> parameters;
  std::map<std::string, std::string> query;
  std::string body;
  // Value of the Last-Event-ID header; empty: none.
  std::string last_event_id;
  // By lower-case name: content-type and the attributes of CloudEvents (ce-*).
  std::map<std::string, std::string> headers;
  // User of a Basic authorization; empty: none.
  std::string user;
};

struct ApiResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

// A streaming answer (server-sent events). Thread-safe; never blocks.
class EventStream {
 public:
  virtual ~EventStream() = default;
  // Queues one frame. False: the stream has ended, because of End, a reader that is too slow (what is queued is still
  // sent), or one that has gone.
  virtual bool Send(std::string frame) = 0;
  // Ends the stream after what is queued and this last frame.
  virtual void End(std::string last_frame) = 0;
};

// Takes the one answer to a request. Thread-safe; all but the first answer are ignored. Dropped without an answer: 500.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void Send(ApiResponse response) = 0;
  // Answers with a stream. `closed` is called once when it is over, whoever ended it. Null where too many streams are
  // open (that has been answered then) or the request was answered already.
  virtual std::shared_ptr<EventStream> StartStream(std::function<void()> closed) = 0;
};

using ApiHandler = std::function<void(const ApiRequest&, std::shared_ptr<Responder>)>;

// RFC 7807: {"type": "about:blank", "title", "status", "detail"}. 503 bears Retry-After.
ApiResponse Problem(unsigned status, const std::string& detail);
// The problem that a failed call amounts to.
ApiResponse Problem(const absl::Status& status);

}  // namespace omnix
