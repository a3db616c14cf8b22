#include "tests/bench/support/disk_probe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/bench/support/board.h"
#include "tests/bench/support/child.h"
#include "tests/bench/support/quantile.h"

namespace omnix::bench {
namespace {

constexpr size_t kFileBytes = 4 << 20;
constexpr size_t kCommitBytes = 12 << 10;

void Write(int fd, size_t bytes, size_t offset) {
  const std::string text(bytes, 'x');
  if (pwrite(fd, text.data(), bytes, static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes))
    Die(std::string("pwrite: ") + std::strerror(errno));
}

}  // namespace

DiskProbe::DiskProbe(const std::string& path) : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) Die(path + ": " + std::strerror(errno));
  Write(fd_, kFileBytes, 0);
  if (fsync(fd_) != 0) Die(path + ": " + std::strerror(errno));
}

DiskProbe::~DiskProbe() { close(fd_); }

void DiskProbe::Sync() {
  if (offset_ + kCommitBytes > kFileBytes) offset_ = 0;
  Write(fd_, kCommitBytes, offset_);
  offset_ += kCommitBytes;
  const uint64_t begun = MonotonicNs();
  if (fdatasync(fd_) != 0) Die(std::string("fdatasync: ") + std::strerror(errno));
  waits_ms_.push_back(static_cast<double>(MonotonicNs() - begun) / 1e6);
}

DiskSyncs DiskProbe::Result() const {
  std::vector<double> sorted = waits_ms_;
  std::ranges::sort(sorted);
  return {sorted.size(), Quantile(sorted, 0.5), Quantile(sorted, 0.99), Quantile(sorted, 1)};
}

}  // namespace omnix::bench
