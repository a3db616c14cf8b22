#include "orchestrator/api/http_stream.h"

#include <utility>

#include "orchestrator/api/http_connection.h"

namespace omnix {
namespace {

constexpr const char* kTooSlowFrame =
    "event: end\ndata: {\"status\":503,\"detail\":\"the reader is too slow; connect again with Last-Event-ID\"}\n\n";

}  // namespace

bool HttpStream::Send(std::string frame) {
  bool taken = true;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return false;
    // One frame is always taken, however large: else its reader could never get past it.
    if (!waiting_.empty() && waiting_.size() + frame.size() > max_bytes_) {
      waiting_ += kTooSlowFrame;
      ended_ = true;
      taken = false;
    } else {
      waiting_ += frame;
    }
  }
  if (const auto connection = connection_.lock()) connection->StreamReady();
  return taken;
}

void HttpStream::End(std::string last_frame) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    waiting_ += last_frame;
    ended_ = true;
  }
  if (const auto connection = connection_.lock()) connection->StreamReady();
}

std::string HttpStream::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

bool HttpStream::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_ && waiting_.empty();
}

void HttpStream::Close() {
  std::function<void()> closed;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    waiting_.clear();
    closed = std::exchange(closed_, nullptr);
  }
  if (closed) closed();
}

}  // namespace omnix
