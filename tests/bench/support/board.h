// What the agent processes of a benchmark write and its driver reads: counters and latencies in shared memory.
// Lock-free; several processes may write at once.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace omnix::bench {

// Latencies from 1 us to about 70 s in buckets of at most 3 %.
class Histogram {
 public:
  void Add(uint64_t nanoseconds);
  void Clear();
  uint64_t count() const;
  // Upper bound of the bucket that holds this share (0 to 1) of the values, in milliseconds; 0 where there are none.
  double QuantileMs(double share) const;

 private:
  static constexpr int kBucketsPerDoubling = 32;
  static constexpr int kDoublings = 26;
  std::array<std::atomic<uint64_t>, kBucketsPerDoubling * kDoublings> buckets_;
};

struct Board {
  static constexpr size_t kSlots = 1 << 17;
  Histogram latency;
  std::atomic<uint64_t> steps;
  // Incidents whose last task was done (a futex: 32 bits).
  std::atomic<uint32_t> finished;
  // When the incident in this slot was heard of last (monotonic, ns); 0: never.
  std::array<std::atomic<uint64_t>, kSlots> last_heard;

  // A step of the incident with this number began now: its latency is the time since the step before.
  void StepBegan(uint64_t incident_number, bool first);
  void IncidentFinished();
  // Returns once `finished` is no longer `seen`, or after 100 ms; gives its value.
  uint32_t WaitForFinished(uint32_t seen);
};

// Monotonic nanoseconds, the same for all processes of the machine.
uint64_t MonotonicNs();

// Makes (or opens) the board in the file; the memory stays mapped until the process ends. Aborts with a message where
// it can't be had: a benchmark has nothing else to do.
Board* MakeBoard(const std::string& path);
Board* OpenBoard(const std::string& path);

}  // namespace omnix::bench
