// The queue between the engine's threads and one event stream's connection. Internal to the server.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "orchestrator/api/http_message.h"

namespace omnix {

class HttpConnection;

// Thread-safe.
class HttpStream final : public EventStream {
 public:
  HttpStream(std::weak_ptr<HttpConnection> connection, size_t max_bytes, std::function<void()> closed)
      : connection_(std::move(connection)), max_bytes_(max_bytes), closed_(std::move(closed)) {}

  bool Send(std::string frame) override;
  void End(std::string last_frame) override;

  // For the connection: all that waits, in one piece; empty where nothing does.
  std::string Take();
  bool ended() const;
  // The connection has gone: calls `closed` once.
  void Close();

 private:
  const std::weak_ptr<HttpConnection> connection_;
  const size_t max_bytes_;
  mutable std::mutex mutex_;
  std::string waiting_;
  bool ended_ = false;
  std::function<void()> closed_;
};

}  // namespace omnix
