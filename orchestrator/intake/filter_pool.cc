#include "orchestrator/intake/filter_pool.h"

#include <utility>

namespace omnix {

FilterPool::FilterPool(const FilterPoolOptions& options) : max_waiting_(options.max_waiting) {
  for (size_t i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this, executable = options.executable] { Work(executable); });
  }
}

FilterPool::~FilterPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool FilterPool::Post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= max_waiting_) return false;
    waiting_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void FilterPool::Work(const std::string& executable) {
  FilterWorker worker(executable);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job(worker);
    // What it holds is let go before the lock is taken again.
    job = nullptr;
    lock.lock();
  }
}

}  // namespace omnix
