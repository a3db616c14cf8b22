#include "orchestrator/api/watch_reactor.h"

#include <utility>

#include "common/status.h"
#include "orchestrator/api/status_codes.h"

namespace omnix {

WatchReactor* WatchReactor::Start(OperatorPort* port, const v1::WatchIncidentRequest& request, WatchBounds bounds) {
  auto* reactor = new WatchReactor(port, bounds);
  // The engine may end the watch, and gRPC the reactor, before Watch returns.
  port->Watch(request, std::shared_ptr<WatchSink>(reactor->sink_));
  return reactor;
}

void WatchReactor::OnWriteDone(bool ok) {
  const std::shared_ptr<Sink> sink = sink_;
  sink->WriteDone(ok);
}

void WatchReactor::OnCancel() {
  const std::shared_ptr<Sink> sink = sink_;
  port_->Unwatch(sink);
  sink->Cancel();
}

void WatchReactor::OnDone() {
  port_->Unwatch(sink_);
  delete this;
}

bool WatchReactor::Sink::OnUpdate(const v1::WatchIncidentResponse& update) {
  const size_t bytes = update.ByteSizeLong();
  {
    const std::lock_guard lock(mutex_);
    if (end_ || finished_) return false;
    const bool full = queue_.size() >= bounds_.max_updates || queued_bytes_ + bytes > bounds_.max_bytes;
    if (full && !queue_.empty()) {
      EndLocked(ResourceExhausted("the reader is too slow: watch again after the last sequence number that was read"));
    } else {
      queue_.push_back(update);
      queued_bytes_ += bytes;
    }
  }
  Advance();
  const std::lock_guard lock(mutex_);
  return !end_;
}

void WatchReactor::Sink::OnEnd(const absl::Status& status) {
  {
    const std::lock_guard lock(mutex_);
    EndLocked(status);
  }
  Advance();
}

void WatchReactor::Sink::WriteDone(bool ok) {
  {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) {
      queue_.clear();
      queued_bytes_ = 0;
      EndLocked(Cancelled("the reader has gone"));
    }
  }
  Advance();
}

void WatchReactor::Sink::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    queue_.clear();
    queued_bytes_ = 0;
    EndLocked(Cancelled("the reader has gone"));
  }
  Advance();
}

void WatchReactor::Sink::EndLocked(const absl::Status& status) {
  if (!end_) end_ = status;
}

void WatchReactor::Sink::Advance() {
  bool write = false;
  {
    const std::lock_guard lock(mutex_);
    if (writing_ || finished_) return;
    if (!queue_.empty()) {
      current_ = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= current_.ByteSizeLong();
      writing_ = write = true;
    } else if (end_) {
      finished_ = true;
    } else {
      return;
    }
  }
  if (write) {
    reactor_->StartWrite(&current_);
  } else {
    reactor_->Finish(ToGrpcStatus(*end_));
  }
}

}  // namespace omnix
