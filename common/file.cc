#include "common/file.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "common/hash.h"
#include "common/status.h"

namespace omnix {
namespace {

absl::Status ErrnoError(const std::string& what, const std::string& path, int error) {
  const std::string text = std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return NotFound("{} {}: {}", what, path, text);
    case EACCES:
    case EPERM:
    case EROFS:
      return PermissionDenied("{} {}: {}", what, path, text);
    case ENOSPC:
    case EDQUOT:
      return ResourceExhausted("{} {}: {}", what, path, text);
    default:
      return Internal("{} {}: {}", what, path, text);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

absl::StatusOr<struct stat> StatRegular(const Descriptor& file, const std::string& path) {
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return ErrnoError("stat", path, errno);
  if (!S_ISREG(info.st_mode)) return FailedPrecondition("{} is no regular file", path);
  return info;
}

absl::Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("write", path, errno);
    content.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadFrom(const Descriptor& file, const std::string& path, off_t offset, size_t limit) {
  std::string content;
  char buffer[1 << 16];
  while (true) {
    const ssize_t n = pread(file.get(), buffer, sizeof buffer, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("read", path, errno);
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
    offset += n;
    if (content.size() > limit) return ResourceExhausted("{} is larger than {} bytes", path, limit);
  }
}

absl::Status SyncFolder(const std::string& folder) {
  const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || fsync(fd.get()) != 0) return ErrnoError("fsync", folder, errno);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max_bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) return ErrnoError("open", path, errno);
  OMNIX_RETURN_IF_ERROR(StatRegular(file, path).status());
  return ReadFrom(file, path, 0, max_bytes);
}

absl::StatusOr<std::string> ReadFileTail(const std::string& path, size_t max_bytes) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) return ErrnoError("open", path, errno);
  OMNIX_ASSIGN_OR_RETURN(const struct stat info, StatRegular(file, path));
  const off_t start = std::max<off_t>(0, info.st_size - static_cast<off_t>(max_bytes));
  // A file that grows while it is read may give a little more than asked.
  OMNIX_ASSIGN_OR_RETURN(std::string tail, ReadFrom(file, path, start, max_bytes + (1 << 20)));
  if (start > 0) tail.erase(0, std::min(tail.find('\n'), tail.size() - 1) + 1);
  return tail;
}

absl::Status ReplaceFile(const std::string& path, std::string_view content, mode_t mode) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const std::string temporary = path + ".omnix-" + RandomHex(6);
  const Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.ok()) return ErrnoError("create", temporary, errno);
  auto finish = [&]() -> absl::Status {
    OMNIX_RETURN_IF_ERROR(WriteAll(file.get(), content, temporary));
    struct stat old {};
    const bool replaces = lstat(path.c_str(), &old) == 0;
    if (replaces && !S_ISREG(old.st_mode)) return FailedPrecondition("{} is no regular file", path);
    if (replaces && (old.st_uid != geteuid() || old.st_gid != getegid()) &&
        fchown(file.get(), old.st_uid, old.st_gid) != 0) {
      return ErrnoError("chown", temporary, errno);
    }
    if (fchmod(file.get(), replaces ? old.st_mode & 07777 : mode) != 0) return ErrnoError("chmod", temporary, errno);
    if (fsync(file.get()) != 0) return ErrnoError("fsync", temporary, errno);
    if (rename(temporary.c_str(), path.c_str()) != 0) return ErrnoError("rename to", path, errno);
    return SyncFolder(folder.empty() ? "." : folder);
  };
  const absl::Status status = finish();
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

absl::Status MakeFolders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return ErrnoError("create folder", path, error.value());
  return absl::OkStatus();
}

std::vector<std::string> Glob(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string ResolvePath(const std::string& path, const std::string& folder) {
  if (path.empty()) return path;
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

}  // namespace omnix
