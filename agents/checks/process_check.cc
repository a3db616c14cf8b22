// process: the service's process runs: the one of its pid file (alive, no zombie, of the right program), and at least
// min_count that match.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>

#include "absl/strings/ascii.h"
#include "agents/checks/check.h"
#include "agents/checks/result.h"
#include "common/file.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 25;
constexpr size_t kMaxProcFileBytes = 64 << 10;
constexpr size_t kMaxPidFileBytes = 4 << 10;

struct ProcessInfo {
  std::string name;     // /proc/PID/comm
  std::string command;  // arguments, separated by spaces
  char state = '?';
};

// Nothing where there is no such process.
std::optional<ProcessInfo> ReadProcess(const std::string& pid) {
  const std::string folder = "/proc/" + pid + "/";
  const auto stat = ReadFile(folder + "stat", kMaxProcFileBytes);
  if (!stat.ok()) return std::nullopt;
  // "PID (name) S ...": the name may hold anything, so its end is the last parenthesis.
  const size_t open = stat->find('(');
  const size_t close = stat->rfind(") ");
  if (open == std::string::npos || close == std::string::npos || close + 2 >= stat->size()) return std::nullopt;
  ProcessInfo info;
  info.name = stat->substr(open + 1, close - open - 1);
  info.state = (*stat)[close + 2];
  if (const auto command = ReadFile(folder + "cmdline", kMaxProcFileBytes); command.ok()) info.command = *command;
  std::replace(info.command.begin(), info.command.end(), '\0', ' ');
  return info;
}

bool Runs(const ProcessInfo& info) { return info.state != 'Z' && info.state != 'X'; }

bool Matches(const ProcessInfo& info, const std::string& match) {
  return match.empty() || info.name == match || info.command.find(match) != std::string::npos;
}

bool IsPid(const std::string& text) {
  int pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  return error == std::errc() && end == text.data() + text.size() && pid > 0;
}

size_t CountMatching(const std::string& match) {
  size_t count = 0;
  const std::string self = std::to_string(getpid());
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string pid = entry.path().filename();
    if (!IsPid(pid) || pid == self) continue;
    const auto info = ReadProcess(pid);
    if (info && Runs(*info) && Matches(*info, match)) ++count;
  }
  return count;
}

v1::CheckResult Failed(const v1::Check& check, const std::string& expected, const std::string& observed) {
  v1::CheckResult result = MakeResult(check, v1::CHECK_STATUS_FAILED, fmt::format("{}: {}", check.service(), observed));
  result.set_expected(expected);
  result.set_observed(observed);
  return result;
}

v1::CheckResult CheckPidFile(const v1::Check& check, const v1::Process& process) {
  const std::string expected = fmt::format("the process of {} runs", process.pid_file());
  const auto text = ReadFile(process.pid_file(), kMaxPidFileBytes);
  if (absl::IsNotFound(text.status()))
    return Failed(check, expected, fmt::format("no pid file {}", process.pid_file()));
  if (!text.ok()) return ErrorResult(check, text.status());
  // PostgreSQL's has more lines after the first.
  const std::string pid(absl::StripAsciiWhitespace(text->substr(0, text->find('\n'))));
  if (!IsPid(pid)) return Failed(check, expected, fmt::format("{} holds no process id", process.pid_file()));
  const auto info = ReadProcess(pid);
  if (!info || !Runs(*info))
    return Failed(check, expected, fmt::format("process {} of {} does not run", pid, process.pid_file()));
  if (!Matches(*info, process.match())) {
    return Failed(check, expected,
                  fmt::format("process {} of {} is {}, not {}", pid, process.pid_file(), info->name, process.match()));
  }
  v1::CheckResult result = MakeResult(check, v1::CHECK_STATUS_PASSED,
                                      fmt::format("{}: process {} ({}) runs", check.service(), pid, info->name));
  result.set_expected(expected);
  result.set_observed("runs");
  (*result.mutable_attributes())["pid"] = pid;
  return result;
}

v1::CheckResult CheckCount(const v1::Check& check, const v1::Process& process) {
  const size_t wanted = std::max<size_t>(process.min_count(), 1);
  const size_t count = CountMatching(process.match());
  const std::string expected = fmt::format("at least {} process(es) '{}'", wanted, process.match());
  const std::string observed = fmt::format("{} process(es) '{}' run", count, process.match());
  v1::CheckResult result =
      count < wanted ? Failed(check, expected, observed)
                     : MakeResult(check, v1::CHECK_STATUS_PASSED, fmt::format("{}: {}", check.service(), observed));
  result.set_expected(expected);
  result.set_observed(observed);
  (*result.mutable_attributes())["count"] = std::to_string(count);
  return result;
}

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json&, CheckContext& context) {
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  const v1::Process& process = (*service)->process();
  if (process.pid_file().empty() && process.match().empty()) {
    return {NothingToCheck(check, fmt::format("service {} says neither pid_file nor match", check.service()))};
  }
  if (!process.pid_file().empty()) {
    v1::CheckResult result = CheckPidFile(check, process);
    const bool counts = process.min_count() > 1 && !process.match().empty();
    if (result.status() != v1::CHECK_STATUS_PASSED || !counts) return {result};
  }
  return {CheckCount(check, process)};
}

}  // namespace

CheckKind ProcessCheck() { return {"process", kDefaultWeight, {}, Run}; }

}  // namespace omnix
