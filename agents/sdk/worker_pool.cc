#include "agents/sdk/worker_pool.h"

#include <utility>

namespace omnix {

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void WorkerPool::Add(std::vector<std::function<void()>> jobs) {
  if (jobs.empty()) return;
  const std::lock_guard lock(mutex_);
  for (auto& job : jobs) jobs_.push_back(std::move(job));
  WakeOneLocked();
}

void WorkerPool::WakeOneLocked() {
  if (jobs_.empty() || waking_ || stopping_) return;
  if (idle_ > 0) {
    waking_ = true;
    wake_.notify_one();
  } else if (threads_.size() < max_threads_) {
    waking_ = true;
    threads_.emplace_back([this] { Work(); });
  }
}

void WorkerPool::Work() {
  std::unique_lock lock(mutex_);
  waking_ = false;
  while (true) {
    if (!jobs_.empty()) {
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      WakeOneLocked();
      lock.unlock();
      job();
      lock.lock();
      continue;
    }
    if (stopping_) return;
    ++idle_;
    wake_.wait(lock, [this] { return waking_ || stopping_ || !jobs_.empty(); });
    --idle_;
    waking_ = false;
  }
}

}  // namespace omnix
