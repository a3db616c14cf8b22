// Threads that run alert filters, each with a process of its own.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "orchestrator/intake/filter_worker.h"

namespace omnix {

struct FilterPoolOptions {
  // omnix-alert-filter.
  std::string executable = DefaultFilterExecutable();
  size_t threads = 2;
  // Jobs that wait for a thread; beyond it Post refuses.
  size_t max_waiting = 64;
};

// Thread-safe.
class FilterPool {
 public:
  // What one of the threads does with its worker. Must not throw.
  using Job = std::function<void(FilterWorker&)>;

  explicit FilterPool(const FilterPoolOptions& options);
  // Runs the jobs that wait, then ends the threads and processes.
  ~FilterPool();

  // False: too many wait, nothing was done.
  bool Post(Job job);

 private:
  void Work(const std::string& executable);

  const size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace omnix
