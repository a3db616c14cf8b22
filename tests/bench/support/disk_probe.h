// What the disk itself takes for a commit: measured beside omnixd's waits, most of which are the disk's.
#pragma once

#include <string>
#include <vector>

namespace omnix::bench {

struct DiskSyncs {
  size_t syncs = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

// Not thread-safe.
class DiskProbe {
 public:
  // Makes `path`, as large as the write-ahead log's usual file.
  explicit DiskProbe(const std::string& path);
  ~DiskProbe();
  DiskProbe(const DiskProbe&) = delete;
  DiskProbe& operator=(const DiskProbe&) = delete;

  // Writes as many bytes as a small commit does, behind the last ones, and waits for the disk.
  void Sync();
  DiskSyncs Result() const;

 private:
  int fd_ = -1;
  size_t offset_ = 0;
  std::vector<double> waits_ms_;
};

}  // namespace omnix::bench
