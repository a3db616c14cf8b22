#include "orchestrator/journal/wal_guard.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "common/file.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr int64_t kWarnShare = 16;
// About twice what the log reaches between two checkpoints.
constexpr int64_t kSmallBytes = int64_t{8} << 20;

std::string Mebibytes(int64_t bytes) { return fmt::format("{} MiB", bytes >> 20); }

int64_t FreeBytes(const std::string& path) {
  struct statvfs info;
  if (statvfs(path.c_str(), &info) != 0) return INT64_MAX;
  return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
}

bool HasOpen(const std::filesystem::path& process, const std::filesystem::path& file) {
  std::error_code error;
  for (std::filesystem::directory_iterator fd(process / "fd", error), end; !error && fd != end; fd.increment(error)) {
    std::error_code gone;
    if (std::filesystem::read_symlink(fd->path(), gone) == file) return true;
  }
  return false;
}

}  // namespace

std::string ProgramsWithOpen(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  std::set<std::string> programs;
  for (std::filesystem::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const std::string pid = process->path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == std::to_string(getpid())) continue;
    if (!HasOpen(process->path(), file)) continue;
    std::string name = ReadFile(process->path() / "comm").value_or("unknown");
    while (!name.empty() && name.back() == '\n') name.pop_back();
    programs.insert(fmt::format("{} (process {})", name, pid));
  }
  return fmt::format("{}", fmt::join(programs, ", "));
}

WalGuard::WalGuard(std::string path, int64_t limit_bytes)
    : path_(std::move(path)),
      wal_path_(path_ + "-wal"),
      limit_bytes_(std::max(limit_bytes, kMinWalLimitBytes)),
      small_at_(clock_.Monotonic()) {}

std::string WalGuard::Describe(int64_t bytes) const {
  const std::string programs = ProgramsWithOpen(path_);
  return fmt::format(
      "{} has grown to {} in {}: a program that reads the journal holds a transaction; end it (open in: {})", wal_path_,
      Mebibytes(bytes), omnix::FormatDuration(clock_.Monotonic() - small_at_),
      programs.empty() ? "no other program that this user may see" : programs);
}

absl::Status WalGuard::Check() {
  struct stat info;
  const int64_t bytes = stat(wal_path_.c_str(), &info) == 0 ? static_cast<int64_t>(info.st_size) : 0;
  // Frames that SQLite believes to be there are gone: to go on would copy holes into the database file.
  if (bytes < std::min(bytes_before_, kWalFileKeptBytes)) {
    return DataLoss("{} was cut off from {} to {} bytes by another program: stop omnixd, restore a backup", wal_path_,
                    bytes_before_, bytes);
  }
  if (bytes <= kSmallBytes || bytes < bytes_before_) {
    small_at_ = clock_.Monotonic();
    warned_at_bytes_ = 0;
  }
  bytes_before_ = bytes;
  if (bytes <= kSmallBytes) return absl::OkStatus();
  if (bytes > limit_bytes_) {
    return Unavailable("{}; beyond {} nothing more is taken", Describe(bytes), Mebibytes(limit_bytes_));
  }
  // What the log holds must still find room in the database file.
  if (const int64_t free = FreeBytes(path_); free < bytes) {
    return Unavailable("{}; the disk has {} left, too little to move that into the database file", Describe(bytes),
                       Mebibytes(free));
  }
  if (bytes > limit_bytes_ / kWarnShare && bytes >= 2 * warned_at_bytes_) {
    warned_at_bytes_ = bytes;
    spdlog::warn("{}; beyond {} nothing more is taken", Describe(bytes), Mebibytes(limit_bytes_));
  }
  return absl::OkStatus();
}

}  // namespace omnix
