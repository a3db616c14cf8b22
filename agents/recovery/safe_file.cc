#include "agents/recovery/safe_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/crash_point.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kMaxAttributeBytes = 1 << 16;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

absl::Status ErrnoError(const char* what, const std::string& path, int error) {
  const std::string text = std::generic_category().message(error);
  if (error == ELOOP) return PermissionDenied("{} {}: a symbolic link is on the way", what, path);
  if (error == ENOTDIR) return PermissionDenied("{} {}: a link or a file stands where a folder is needed", what, path);
  if (error == ENOENT) return NotFound("{} {}: {}", what, path, text);
  if (error == EACCES || error == EPERM || error == EROFS) return PermissionDenied("{} {}: {}", what, path, text);
  if (error == ENOSPC || error == EDQUOT) return ResourceExhausted("{} {}: {}", what, path, text);
  return Internal("{} {}: {}", what, path, text);
}

struct Place {
  Descriptor folder;
  std::string name;
};

// Opens the folder of `path`, component by component below the allowed entry, following nothing.
absl::StatusOr<Place> OpenFolder(const std::string& path, const std::string& allowed) {
  const bool is_entry = path == allowed;
  std::string root = is_entry ? std::filesystem::path(allowed).parent_path().string() : allowed;
  std::string_view rest = std::string_view(path).substr(root == "/" ? 1 : root.size() + 1);
  Descriptor folder(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok()) return ErrnoError("open", root, errno);
  for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    const std::string part(rest.substr(0, slash));
    Descriptor next(openat(folder.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next.ok()) return ErrnoError("open", path, errno);
    folder = std::move(next);
    rest.remove_prefix(slash + 1);
  }
  // A descriptor that can be read and synced, of the very folder that was reached.
  Descriptor real(openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!real.ok()) return ErrnoError("open the folder of", path, errno);
  return Place{std::move(real), std::string(rest)};
}

absl::StatusOr<Place> Find(const std::string& path, const std::vector<std::string>& allowed) {
  OMNIX_RETURN_IF_ERROR(CheckPathText(path));
  for (const std::string& entry : allowed) {
    const std::string prefix = entry == "/" ? entry : entry + "/";
    if (path == entry || path.compare(0, prefix.size(), prefix) == 0) return OpenFolder(path, entry);
  }
  return PermissionDenied("{} is not below allowed_paths of the recovery agent's configuration", path);
}

struct OpenFile {
  Descriptor fd;
  struct stat info {};
};

absl::StatusOr<OpenFile> Open(const Place& place, const std::string& path) {
  OpenFile file;
  file.fd = Descriptor(openat(place.folder.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.fd.ok()) return ErrnoError("open", path, errno);
  if (fstat(file.fd.get(), &file.info) != 0) return ErrnoError("stat", path, errno);
  if (!S_ISREG(file.info.st_mode)) return FailedPrecondition("{} is no regular file", path);
  if (file.info.st_nlink != 1) return PermissionDenied("{} has {} names (hard links)", path, file.info.st_nlink);
  if ((file.info.st_mode & (S_ISUID | S_ISGID)) != 0) return PermissionDenied("{} is setuid or setgid", path);
  struct statfs system {};
  if (fstatfs(file.fd.get(), &system) != 0) return ErrnoError("stat", path, errno);
  if (system.f_type == PROC_SUPER_MAGIC || system.f_type == SYSFS_MAGIC) {
    return PermissionDenied("{} is the kernel's and no file", path);
  }
  return file;
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

absl::Status CopyExtendedAttributes(int from, int to, const std::string& path) {
  std::string names(kMaxAttributeBytes, '\0'), value(kMaxAttributeBytes, '\0');
  const ssize_t size = flistxattr(from, names.data(), names.size());
  if (size < 0) return errno == ENOTSUP ? absl::OkStatus() : ErrnoError("list attributes of", path, errno);
  for (size_t i = 0; i < static_cast<size_t>(size);) {
    const std::string name = names.c_str() + i;
    i += name.size() + 1;
    const ssize_t bytes = fgetxattr(from, name.c_str(), value.data(), value.size());
    if (bytes < 0 || fsetxattr(to, name.c_str(), value.data(), static_cast<size_t>(bytes), 0) != 0) {
      return ErrnoError("keep the extended attributes of", path, errno);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPathText(const std::string& path) {
  if (path.empty() || path.front() != '/') return InvalidArgument("'{}' is no absolute path", path);
  if (path.find('\0') != std::string::npos) return InvalidArgument("a path holds a NUL");
  if (path != "/" && std::filesystem::path(path).lexically_normal().string() != path) {
    return InvalidArgument("'{}' holds '..', '.' or an empty part: write it without", path);
  }
  if (path != "/" && path.back() == '/') return InvalidArgument("'{}' ends in '/': write it without", path);
  return absl::OkStatus();
}

absl::StatusOr<FileState> SafeFiles::Read(const std::string& path) const {
  OMNIX_ASSIGN_OR_RETURN(const Place place, Find(path, allowed_));
  OMNIX_ASSIGN_OR_RETURN(const OpenFile file, Open(place, path));
  FileState state;
  state.attributes = {file.info.st_mode & 07777, file.info.st_uid, file.info.st_gid, file.info.st_mtim};
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t n = read(file.fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("read", path, errno);
    if (n == 0) return state;
    state.content.append(buffer.data(), static_cast<size_t>(n));
    if (state.content.size() > kMaxEditableBytes) {
      return ResourceExhausted("{} is larger than {} bytes, the most that is edited", path, kMaxEditableBytes);
    }
  }
}

absl::Status SafeFiles::Write(const std::string& path, std::string_view content,
                              const FileAttributes* attributes) const {
  OMNIX_ASSIGN_OR_RETURN(const Place place, Find(path, allowed_));
  OMNIX_ASSIGN_OR_RETURN(const OpenFile old, Open(place, path));
  // One name for each file, so that what a crash left behind is found and removed by the next try. Hidden: no include
  // pattern takes it.
  const std::string temporary = "." + place.name + ".omnix-new";
  if (unlinkat(place.folder.get(), temporary.c_str(), 0) != 0 && errno != ENOENT)
    return ErrnoError("remove", temporary, errno);
  const Descriptor file(
      openat(place.folder.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return ErrnoError("create a file beside", path, errno);
  const FileAttributes kept = attributes != nullptr
                                  ? *attributes
                                  : FileAttributes{old.info.st_mode & 07777, old.info.st_uid, old.info.st_gid, {}};
  auto finish = [&]() -> absl::Status {
    OMNIX_RETURN_IF_ERROR(WriteAll(file.get(), content, path));
    OMNIX_CRASH_POINT("recovery.file_written");
    const bool own = kept.owner == geteuid() && kept.group == getegid();
    if (!own && fchown(file.get(), kept.owner, kept.group) != 0) return ErrnoError("keep the owner of", path, errno);
    OMNIX_RETURN_IF_ERROR(CopyExtendedAttributes(old.fd.get(), file.get(), path));
    if (fchmod(file.get(), kept.mode) != 0) return ErrnoError("keep the mode of", path, errno);
    const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT}, kept.modified};
    if (attributes != nullptr && futimens(file.get(), times.data()) != 0)
      return ErrnoError("set the time of", path, errno);
    if (fsync(file.get()) != 0) return ErrnoError("fsync", path, errno);
    OMNIX_CRASH_POINT("recovery.before_rename");
    if (renameat(place.folder.get(), temporary.c_str(), place.folder.get(), place.name.c_str()) != 0) {
      return ErrnoError("rename to", path, errno);
    }
    OMNIX_CRASH_POINT("recovery.after_rename");
    if (fsync(place.folder.get()) != 0) return ErrnoError("fsync the folder of", path, errno);
    OMNIX_CRASH_POINT("recovery.after_fsync");
    return absl::OkStatus();
  };
  const absl::Status status = finish();
  if (!status.ok()) unlinkat(place.folder.get(), temporary.c_str(), 0);
  return status;
}

absl::Status SafeFiles::Replace(const std::string& path, std::string_view content) const {
  return Write(path, content, nullptr);
}

absl::Status SafeFiles::Restore(const std::string& path, const FileState& state) const {
  return Write(path, state.content, &state.attributes);
}

}  // namespace omnix
