#include "orchestrator/intake/filter_worker.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "absl/time/clock.h"
#include "common/status.h"
#include "orchestrator/intake/filter_frame.h"

namespace omnix {
namespace {

// Moves bytes until all are through or the deadline has passed.
class DeadlineSocket {
 public:
  DeadlineSocket(int socket, absl::Time deadline) : socket_(socket), deadline_(deadline) {}

  absl::Status Send(const void* data, size_t size) {
    return Move(POLLOUT, size, [this, at = static_cast<const char*>(data)](size_t done, size_t left) {
      return send(socket_, at + done, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    });
  }
  absl::Status Receive(void* data, size_t size) {
    return Move(POLLIN, size, [this, at = static_cast<char*>(data)](size_t done, size_t left) {
      return recv(socket_, at + done, left, MSG_DONTWAIT);
    });
  }

 private:
  template <typename Step>
  absl::Status Move(short events, size_t size, Step step) {
    for (size_t done = 0; done < size;) {
      const ssize_t moved = step(done, size - done);
      if (moved > 0) {
        done += static_cast<size_t>(moved);
      } else if (moved == 0 || (errno != EAGAIN && errno != EINTR)) {
        return Aborted("the filter's process died");
      } else {
        OMNIX_RETURN_IF_ERROR(Wait(events));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Wait(short events) {
    const int64_t left_ms = absl::ToInt64Milliseconds(absl::Ceil(deadline_ - absl::Now(), absl::Milliseconds(1)));
    if (left_ms <= 0) return DeadlineExceeded("the filter took too long and was ended");
    pollfd waiting{socket_, events, 0};
    poll(&waiting, 1, static_cast<int>(left_ms));
    return absl::OkStatus();
  }

  int socket_;
  absl::Time deadline_;
};

}  // namespace

std::string DefaultFilterExecutable() {
  constexpr const char* kName = "omnix-alert-filter";
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path folder = own.parent_path();
  for (const char* place : {".", "../bin", "../libexec/omnix"}) {
    const std::string path = (folder / place / kName).lexically_normal();
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return (folder / kName).string();
}

absl::Status FilterWorker::Start() {
  if (pid_ > 0) return absl::OkStatus();
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Unavailable("no socket for the alert filter: {}", std::strerror(errno));
  }
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  // omnixd blocks signals for all of its threads; a child would inherit that.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  // In a group of its own, so that a terminal's Ctrl-C reaches the program that waits for it alone.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  char* const arguments[] = {executable_.data(), nullptr};
  char* const environment[] = {nullptr};
  const int error = posix_spawn(&pid_, executable_.c_str(), &files, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    pid_ = -1;
    return Unavailable("{}: {}", executable_, std::strerror(error));
  }
  socket_ = ends[0];
  return absl::OkStatus();
}

void FilterWorker::End() {
  loaded_.clear();
  if (pid_ <= 0) return;
  close(socket_);
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

absl::StatusOr<std::string> FilterWorker::Ask(uint32_t kind, uint32_t filter, const std::string& text,
                                              absl::Duration timeout) {
  if (text.size() > kMaxFilterFrameBytes) return ResourceExhausted("too large for a filter");
  OMNIX_RETURN_IF_ERROR(Start());
  DeadlineSocket socket(socket_, absl::Now() + timeout);
  FilterFrame frame{static_cast<FilterFrameKind>(kind), filter, static_cast<uint32_t>(text.size())};
  std::string answer;
  const absl::Status status = [&] {
    OMNIX_RETURN_IF_ERROR(socket.Send(&frame, sizeof(frame)));
    OMNIX_RETURN_IF_ERROR(socket.Send(text.data(), text.size()));
    OMNIX_RETURN_IF_ERROR(socket.Receive(&frame, sizeof(frame)));
    if (frame.size > kMaxFilterFrameBytes) return ResourceExhausted("the filter gave more than is taken");
    answer.resize(frame.size);
    return socket.Receive(answer.data(), answer.size());
  }();
  if (!status.ok()) {
    End();
    return status;
  }
  if (frame.kind == FilterFrameKind::kOutput) return answer;
  return absl::InvalidArgumentError(answer);
}

absl::Status FilterWorker::Load(const FilterProgram& program, absl::Duration timeout) {
  if (loaded_.contains(program.id)) return absl::OkStatus();
  OMNIX_RETURN_IF_ERROR(Ask(static_cast<uint32_t>(FilterFrameKind::kLoad), program.id, program.text, timeout).status());
  loaded_.insert(program.id);
  return absl::OkStatus();
}

absl::StatusOr<std::string> FilterWorker::Run(const FilterProgram& program, const std::string& input,
                                              absl::Duration timeout) {
  OMNIX_RETURN_IF_ERROR(Load(program, timeout));
  return Ask(static_cast<uint32_t>(FilterFrameKind::kRun), program.id, input, timeout);
}

}  // namespace omnix
