#include "common/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/status.h"

namespace omnix {
namespace {

constexpr char kPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
// A killed group that has not ended by then sits in the kernel (a dead network disk): it is left to itself.
constexpr absl::Duration kKillWait = absl::Seconds(5);
// Read at most this much from each pipe after the program ended: more comes from a daemon that it left behind.
constexpr size_t kMaxPipeBytes = 1 << 20;
constexpr int kSignalBase = 128;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Descriptor() { Close(); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

std::string ErrorText(int error) { return std::generic_category().message(error); }

// The lowest three numbers are the child's: a parent that closed its own must not get them for a pipe.
Descriptor AboveStandard(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return Descriptor(fd);
  const Descriptor low(fd);
  return Descriptor(fcntl(low.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return Internal("pipe: {}", ErrorText(errno));
  Pipe made{AboveStandard(fds[0]), AboveStandard(fds[1])};
  if (!made.read.ok() || !made.write.ok() || fcntl(made.read.get(), F_SETFL, O_NONBLOCK) != 0) {
    return Internal("pipe: {}", ErrorText(errno));
  }
  return made;
}

// A file in memory: the program reads it at its own pace, and nothing here waits for it.
absl::StatusOr<Descriptor> MakeInput(std::string_view input) {
  if (input.empty()) {
    Descriptor null = AboveStandard(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null.ok()) return Internal("open /dev/null: {}", ErrorText(errno));
    return null;
  }
  Descriptor file = AboveStandard(memfd_create("omnix-input", MFD_CLOEXEC));
  if (!file.ok()) return Internal("memfd_create: {}", ErrorText(errno));
  while (!input.empty()) {
    const ssize_t n = write(file.get(), input.data(), input.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Internal("write input: {}", ErrorText(errno));
    input.remove_prefix(static_cast<size_t>(n));
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return Internal("seek input: {}", ErrorText(errno));
  return file;
}

bool IsProgram(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

absl::StatusOr<std::string> FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  std::string_view folders = kPath;
  while (!folders.empty()) {
    const size_t end = std::min(folders.find(':'), folders.size());
    std::string path = std::string(folders.substr(0, end)) + "/" + name;
    if (IsProgram(path)) return path;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return NotFound("no program '{}' in {}", name, kPath);
}

std::vector<std::string> MakeEnvironment(const std::map<std::string, std::string>& added) {
  std::map<std::string, std::string> all = {{"PATH", kPath}, {"LANG", "C.UTF-8"}};
  if (const char* home = getenv("HOME")) all["HOME"] = home;
  for (const auto& [key, value] : added) all[key] = value;
  std::vector<std::string> lines;
  lines.reserve(all.size());
  for (const auto& [key, value] : all) lines.push_back(key + "=" + value);
  return lines;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status Validate(const std::vector<std::string>& argv, const ProcessOptions& options) {
  if (argv.empty() || argv[0].empty()) return InvalidArgument("no program to run was given");
  auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (std::any_of(argv.begin(), argv.end(), has_nul)) return InvalidArgument("an argument of {} holds a NUL", argv[0]);
  for (const auto& [key, value] : options.environment) {
    if (key.empty() || key.find('=') != std::string::npos || has_nul(key) || has_nul(value)) {
      return InvalidArgument("'{}' can't be an environment variable of {}", key, argv[0]);
    }
  }
  struct stat info {};
  if (!options.cwd.empty() && (stat(options.cwd.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))) {
    return NotFound("working folder {} of {} does not exist", options.cwd, argv[0]);
  }
  return absl::OkStatus();
}

// Attributes and file actions of posix_spawn, released with their owner. (posix_spawn shares memory with the parent
// until exec and runs no fork handlers, so it is safe and quick in a process with many threads.)
struct SpawnSettings {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  SpawnSettings() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
  }
  ~SpawnSettings() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& argv, const ProcessOptions& options, int in, int out,
                            int err) {
  OMNIX_ASSIGN_OR_RETURN(const std::string program, FindProgram(argv[0]));
  SpawnSettings settings;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawn_file_actions_adddup2(&settings.actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&settings.actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&settings.actions, err, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  if (!options.cwd.empty()) posix_spawn_file_actions_addchdir_np(&settings.actions, options.cwd.c_str());

  const std::vector<std::string> environment = MakeEnvironment(options.environment);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, program.c_str(), &settings.actions, &settings.attributes, Pointers(argv).data(),
                                Pointers(environment).data());
  switch (error) {
    case 0:
      return pid;
    case ENOENT:
    case ENOTDIR:
      return NotFound("run {}: {}", program, ErrorText(error));
    case EACCES:
    case EPERM:
    case ENOEXEC:
      return PermissionDenied("run {}: {}", program, ErrorText(error));
    default:
      return Internal("run {}: {}", program, ErrorText(error));
  }
}

// One output of the program, read as it comes.
class Output {
 public:
  Output(Descriptor pipe, size_t max_bytes) : pipe_(std::move(pipe)), max_bytes_(max_bytes) {}

  // Reads what is there, at most `limit` bytes; closes the pipe at its end.
  void Read(size_t limit) {
    std::array<char, 1 << 16> buffer;
    while (pipe_.ok() && limit > 0) {
      const ssize_t n = read(pipe_.get(), buffer.data(), std::min(buffer.size(), limit));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) {
        pipe_.Close();
        return;
      }
      const auto size = static_cast<size_t>(n);
      limit -= size;
      const size_t kept = std::min(size, max_bytes_ - text_.size());
      text_.append(buffer.data(), kept);
      truncated_ |= kept < size;
    }
  }
  // poll ignores negative descriptors: a closed pipe is -1.
  pollfd Wanted() const { return {pipe_.get(), POLLIN, 0}; }
  bool truncated() const { return truncated_; }
  std::string Take() { return std::move(text_); }

 private:
  Descriptor pipe_;
  size_t max_bytes_;
  std::string text_;
  bool truncated_ = false;
};

int PollMilliseconds(absl::Duration left) {
  if (left <= absl::ZeroDuration()) return 0;
  const int64_t whole = absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)));
  return static_cast<int>(std::min<int64_t>(whole, std::numeric_limits<int>::max()));
}

absl::Time MonotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

// True once the process has ended, false at the deadline.
bool WaitWhileReading(int process, absl::Time deadline, Output& out, Output& err) {
  while (true) {
    std::array<pollfd, 3> fds = {pollfd{process, POLLIN, 0}, out.Wanted(), err.Wanted()};
    const int ready = poll(fds.data(), fds.size(), PollMilliseconds(deadline - MonotonicNow()));
    // Ended first, whatever else is ready: its output is drained by the caller, a daemon's flood can't hold this loop.
    if (ready > 0 && fds[0].revents != 0) return true;
    if (ready > 0 && fds[1].revents != 0) out.Read(kMaxPipeBytes);
    if (ready > 0 && fds[2].revents != 0) err.Read(kMaxPipeBytes);
    if (MonotonicNow() >= deadline) return false;
  }
}

int ExitCode(const siginfo_t& info) {
  return info.si_code == CLD_EXITED ? info.si_status : kSignalBase + info.si_status;
}

}  // namespace

absl::StatusOr<ProcessResult> RunProcess(const std::vector<std::string>& argv, const ProcessOptions& options) {
  OMNIX_RETURN_IF_ERROR(Validate(argv, options));
  const absl::Time deadline = MonotonicNow() + options.timeout;
  OMNIX_ASSIGN_OR_RETURN(Descriptor in, MakeInput(options.input));
  OMNIX_ASSIGN_OR_RETURN(Pipe out_pipe, MakePipe());
  OMNIX_ASSIGN_OR_RETURN(Pipe err_pipe, MakePipe());
  OMNIX_ASSIGN_OR_RETURN(const pid_t pid, Spawn(argv, options, in.get(), out_pipe.write.get(), err_pipe.write.get()));
  in.Close();
  out_pipe.write.Close();
  err_pipe.write.Close();
  Output out(std::move(out_pipe.read), options.max_output_bytes);
  Output err(std::move(err_pipe.read), options.max_output_bytes);

  ProcessResult result;
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int open_error = errno;
  if (!process.ok() || !WaitWhileReading(process.get(), deadline, out, err)) {
    kill(-pid, SIGKILL);
    result.timed_out = process.ok();
    if (result.timed_out) WaitWhileReading(process.get(), MonotonicNow() + kKillWait, out, err);
  }
  siginfo_t info{};
  // Without a pidfd (a kernel that has none) the group was killed above and ends by itself.
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | (process.ok() ? WNOHANG : 0)) != 0) {
    return Internal("wait for {}: {}", argv[0], ErrorText(errno));
  }
  if (!process.ok()) return Internal("watch {}: {}", argv[0], ErrorText(open_error));
  out.Read(kMaxPipeBytes);
  err.Read(kMaxPipeBytes);
  result.exit_code = info.si_pid == 0 ? kSignalBase + SIGKILL : ExitCode(info);
  result.truncated = out.truncated() || err.truncated();
  result.out = out.Take();
  result.err = err.Take();
  return result;
}

}  // namespace omnix
