// Threads that run handlers. A thread is made only when work waits and none is idle, and stays.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace omnix {

// Thread-safe. The queue is bounded by its user (LinkState starts at most `capacity` tasks).
class WorkerPool {
 public:
  explicit WorkerPool(size_t max_threads) : max_threads_(max_threads) {}
  // Waits until everything that was added has run.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Add(std::vector<std::function<void()>> jobs);

 private:
  void Work();
  // Wakes or makes one thread where work waits. One at a time: each that wakes calls the next, so that a thread which
  // is done with tiny jobs before the next is awake leaves the others asleep.
  void WakeOneLocked();

  const size_t max_threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  size_t idle_ = 0;
  bool waking_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace omnix
