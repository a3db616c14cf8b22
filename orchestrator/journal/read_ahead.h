// Makes values in a thread of its own while earlier ones are in use: the start reads the journal on one core and builds
// incidents on another.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "common/status.h"

namespace omnix {

// One user. What was made and is not taken ends with it.
template <typename T>
class ReadAhead {
 public:
  // `make` gives one value after the other, no value at the end; it is called in the other thread, at most `ahead`
  // values before Next. After an error it is called no more.
  ReadAhead(size_t ahead, std::function<absl::StatusOr<std::optional<T>>()> make)
      : ahead_(ahead), make_(std::move(make)), thread_([this] { Run(); }) {}
  ~ReadAhead() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wakes_.notify_all();
    thread_.join();
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // No value: that was all. Errors: those of `make`.
  absl::StatusOr<std::optional<T>> Next() {
    std::unique_lock lock(mutex_);
    wakes_.wait(lock, [&] { return !made_.empty() || ended_; });
    if (made_.empty()) {
      OMNIX_RETURN_IF_ERROR(error_);
      return std::optional<T>();
    }
    std::optional<T> value = std::move(made_.front());
    made_.pop_front();
    wakes_.notify_all();
    return value;
  }

 private:
  void Run() {
    while (true) {
      absl::StatusOr<std::optional<T>> value = make_();
      std::unique_lock lock(mutex_);
      wakes_.wait(lock, [&] { return made_.size() < ahead_ || stopping_; });
      ended_ = stopping_ || !value.ok() || !value->has_value();
      if (!value.ok()) error_ = value.status();
      if (!ended_) made_.push_back(**std::move(value));
      wakes_.notify_all();
      if (ended_) return;
    }
  }

  const size_t ahead_;
  const std::function<absl::StatusOr<std::optional<T>>()> make_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::deque<T> made_;
  absl::Status error_;
  bool ended_ = false;
  bool stopping_ = false;
  // Last: it uses all of the above.
  std::thread thread_;
};

}  // namespace omnix
