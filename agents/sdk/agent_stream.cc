#include "agents/sdk/agent_stream.h"

#include <utility>

#include "common/crash_point.h"

namespace omnix {

void ClientStream::Start(const std::shared_ptr<grpc::Channel>& channel) {
  stub_ = v1::AgentLink::NewStub(channel);
  stub_->async()->Connect(&context_, this);
  {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  AddHold();
  StartRead(&incoming_);
  StartCall();
  Pump();
}

void ClientStream::Pump() {
  std::unique_lock lock(mutex_);
  if (writing_) {
    again_ = true;
    return;
  }
  Write(std::move(lock));
}

void ClientStream::HalfClose() {
  std::unique_lock lock(mutex_);
  half_close_ = true;
  if (!writing_) Write(std::move(lock));
}

void ClientStream::Write(std::unique_lock<std::mutex> lock) {
  while (!broken_ && !half_closed_) {
    // `writing_` keeps the hold, and others away, while the lock is released.
    writing_ = true;
    again_ = false;
    lock.unlock();
    outgoing_ = events_.next();
    if (!outgoing_.items().empty()) {
      StartWrite(&outgoing_);
      return;
    }
    lock.lock();
    writing_ = false;
    if (again_) continue;
    if (half_close_ && !broken_) {
      half_closed_ = true;
      writing_ = true;
      lock.unlock();
      StartWritesDone();
      return;
    }
    break;
  }
  if (broken_) Release(std::move(lock));
}

void ClientStream::OnWriteDone(bool ok) {
  OMNIX_CRASH_POINT("sdk.written");
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (!ok) broken_ = true;
  Write(std::move(lock));
}

void ClientStream::OnWritesDoneDone(bool) {
  std::unique_lock lock(mutex_);
  writing_ = false;
  if (broken_) Release(std::move(lock));
}

void ClientStream::OnReadDone(bool ok) {
  if (ok) {
    if (!events_.received(std::move(incoming_))) Cancel();
    incoming_.Clear();
    Pump();
    StartRead(&incoming_);
    return;
  }
  std::unique_lock lock(mutex_);
  broken_ = true;
  if (!writing_) Release(std::move(lock));
}

void ClientStream::Release(std::unique_lock<std::mutex> lock) {
  if (!std::exchange(held_, false)) return;
  // OnDone may come at once, and this be gone.
  lock.unlock();
  RemoveHold();
}

void ClientStream::OnDone(const grpc::Status& status) {
  events_.ended(absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
}

}  // namespace omnix
