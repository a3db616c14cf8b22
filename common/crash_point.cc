#include "common/crash_point.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// Bounds of the section, made by the linker; absent in a program without points.
extern "C" {
[[gnu::weak]] extern const char __start_omnix_crash_points[];
[[gnu::weak]] extern const char __stop_omnix_crash_points[];
}

namespace omnix {
namespace {

void Trace(std::string_view name) {
  const char* file = std::getenv("OMNIX_CRASH_TRACE");
  if (file == nullptr) return;
  const int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const std::string line = std::string(name) + "\n";
  // One write, so that lines of several threads stay whole.
  if (fd < 0 || write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  close(fd);
}

// True at the pass of `name` that the variable names.
bool IsDue(const char* variable, std::string_view name, std::atomic<int>& passes) {
  const char* wanted = std::getenv(variable);
  if (wanted == nullptr) return false;
  std::string_view point = wanted;
  int count = 1;
  if (const size_t colon = point.find(':'); colon != std::string_view::npos) {
    const std::string_view digits = point.substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    point = point.substr(0, colon);
  }
  return point == name && ++passes == count;
}

// The names lie one behind the other, with zeros between them.
void PrintNames() {
  for (const char* at = __start_omnix_crash_points; at < __stop_omnix_crash_points; ++at) {
    if (*at == '\0') continue;
    const std::string_view name = at;
    std::printf("%.*s\n", static_cast<int>(name.size()), name.data());
    at += name.size();
  }
  std::fflush(stdout);
}

// Before main, so that no program needs code of its own for it.
[[maybe_unused]] const bool kListed = [] {
  if (std::getenv("OMNIX_CRASH_LIST") != nullptr && __start_omnix_crash_points != nullptr) {
    PrintNames();
    _exit(0);
  }
  return true;
}();

}  // namespace

void CrashPoint(const char* name) {
  static std::atomic<int> passes = 0;
  static std::atomic<int> stop_passes = 0;
  Trace(name);
  if (IsDue("OMNIX_CRASH_AT", name, passes)) kill(getpid(), SIGKILL);
  // To this thread, so that it does not go on until another one has taken the signal.
  if (IsDue("OMNIX_STOP_AT", name, stop_passes)) raise(SIGSTOP);
}

bool FaultPoint(const char* name) {
  static std::atomic<int> passes = 0;
  Trace(name);
  return IsDue("OMNIX_FAULT_AT", name, passes);
}

}  // namespace omnix
