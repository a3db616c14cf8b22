#include "agents/investigation/logs/line_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <vector>

#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kBlockBytes = 1 << 18;

class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& take) : take_(take) {}

  void Add(std::string_view block) {
    while (!block.empty()) {
      const size_t end = block.find('\n');
      const std::string_view part = block.substr(0, end);
      if (end == std::string_view::npos) {
        Keep(part);
        return;
      }
      if (held_.empty()) {
        Give(part);
      } else {
        Keep(part);
        Give(held_);
        held_.clear();
      }
      block.remove_prefix(end + 1);
    }
  }
  void Finish() {
    if (!held_.empty()) Give(held_);
  }

 private:
  void Keep(std::string_view part) {
    held_.append(part.substr(0, std::min(part.size(), kMaxLogLineBytes - std::min(held_.size(), kMaxLogLineBytes))));
  }
  void Give(std::string_view line) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    take_(line.substr(0, kMaxLogLineBytes));
  }

  const std::function<void(std::string_view)>& take_;
  std::string held_;
};

struct Descriptor {
  int fd;
  ~Descriptor() { close(fd); }
};

}  // namespace

absl::StatusOr<uint64_t> ReadLines(const std::string& path, uint64_t max_bytes,
                                   const std::function<void(std::string_view)>& take) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) {
    const std::string text = std::generic_category().message(errno);
    if (errno == ENOENT || errno == ENOTDIR) return NotFound("{}: {}", path, text);
    if (errno == EACCES || errno == EPERM) return PermissionDenied("{}: {}", path, text);
    return FailedPrecondition("{}: {}", path, text);
  }
  struct stat status {};
  if (fstat(file.fd, &status) != 0 || !S_ISREG(status.st_mode))
    return FailedPrecondition("{}: not a regular file", path);
  const auto size = static_cast<uint64_t>(status.st_size);
  uint64_t at = max_bytes == 0 || size <= max_bytes ? 0 : size - max_bytes;
  // What grows meanwhile is left out: a busy log must not be read forever.
  const uint64_t begin = at;
  bool skip_to_line = at > 0;
  Lines lines(take);
  std::vector<char> block(kBlockBytes);
  while (at < size) {
    const ssize_t got =
        pread(file.fd, block.data(), std::min<uint64_t>(block.size(), size - at), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Internal("{}: {}", path, std::generic_category().message(errno));
    if (got == 0) break;
    at += static_cast<uint64_t>(got);
    std::string_view text(block.data(), static_cast<size_t>(got));
    if (skip_to_line) {
      const size_t end = text.find('\n');
      if (end == std::string_view::npos) continue;
      text.remove_prefix(end + 1);
      skip_to_line = false;
    }
    lines.Add(text);
  }
  lines.Finish();
  return at - begin;
}

}  // namespace omnix
