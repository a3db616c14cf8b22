#include "tests/bench/support/board.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace omnix::bench {
namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;
constexpr uint64_t kNsPerUs = 1'000;
constexpr double kNsPerMs = 1e6;
constexpr long kMaxWaitNs = 100'000'000;

Board* Map(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0600);
  const bool sized = fd >= 0 && ((flags & O_CREAT) == 0 || ftruncate(fd, sizeof(Board)) == 0);
  void* memory = sized ? mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (memory == MAP_FAILED) {
    std::perror(path.c_str());
    std::abort();
  }
  close(fd);
  // All zeros is a valid board.
  return static_cast<Board*>(memory);
}

}  // namespace

void Histogram::Add(uint64_t nanoseconds) {
  const double doublings = std::log2(std::max(1.0, static_cast<double>(nanoseconds) / kNsPerUs));
  const size_t bucket = std::min(buckets_.size() - 1, static_cast<size_t>(doublings * kBucketsPerDoubling));
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
}

void Histogram::Clear() {
  for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
}

uint64_t Histogram::count() const {
  uint64_t sum = 0;
  for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
  return sum;
}

double Histogram::QuantileMs(double share) const {
  const double wanted = share * static_cast<double>(count());
  double seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    const uint64_t here = buckets_[i].load(std::memory_order_relaxed);
    seen += static_cast<double>(here);
    if (here > 0 && seen >= wanted) {
      return std::exp2(static_cast<double>(i + 1) / kBucketsPerDoubling) * kNsPerUs / kNsPerMs;
    }
  }
  return 0;
}

void Board::StepBegan(uint64_t incident_number, bool first) {
  const uint64_t now = MonotonicNs();
  const uint64_t before = last_heard[incident_number % kSlots].exchange(now, std::memory_order_relaxed);
  if (!first && before != 0) latency.Add(now - before);
  steps.fetch_add(1, std::memory_order_relaxed);
}

void Board::IncidentFinished() {
  finished.fetch_add(1, std::memory_order_release);
  syscall(SYS_futex, &finished, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

uint32_t Board::WaitForFinished(uint32_t seen) {
  timespec timeout{0, kMaxWaitNs};
  if (finished.load(std::memory_order_acquire) == seen) {
    syscall(SYS_futex, &finished, FUTEX_WAIT, seen, &timeout, nullptr, 0);
  }
  return finished.load(std::memory_order_acquire);
}

uint64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * kNsPerSecond + static_cast<uint64_t>(now.tv_nsec);
}

Board* MakeBoard(const std::string& path) { return Map(path, O_CREAT | O_TRUNC); }
Board* OpenBoard(const std::string& path) { return Map(path, 0); }

}  // namespace omnix::bench
