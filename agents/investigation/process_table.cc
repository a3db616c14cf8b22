#include "agents/investigation/process_table.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "absl/strings/str_split.h"
#include "common/file.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kMaxProcFileBytes = 64 << 10;
constexpr size_t kMaxSocketTableBytes = 8 << 20;
constexpr size_t kMaxDescriptors = 4096;

pid_t PidOf(const std::string& text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  return error == std::errc() && end == text.data() + text.size() ? pid : 0;
}

std::vector<pid_t> Pids() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    if (const pid_t pid = PidOf(entry.path().filename()); pid > 0) pids.push_back(pid);
  }
  return pids;
}

absl::Time BootTime() {
  const auto stat = ReadFile("/proc/stat", kMaxSocketTableBytes);
  const size_t at = stat.ok() ? stat->find("\nbtime ") : std::string::npos;
  return at == std::string::npos ? absl::UnixEpoch() : absl::FromUnixSeconds(std::atoll(stat->c_str() + at + 7));
}

// "0100007F:1F90": the port, and the address in the order of this machine's bytes, a word at a time.
std::string AddressOfHex(const std::string& hex, int* port) {
  const size_t colon = hex.find(':');
  *port = static_cast<int>(std::strtol(hex.c_str() + colon + 1, nullptr, 16));
  const std::string address = hex.substr(0, colon);
  constexpr size_t kIpv4Digits = 8;
  if (address.find_first_not_of('0') == std::string::npos) return fmt::format("0.0.0.0:{}", *port);
  // ::1 and IPv4 in IPv6 are told by their last word.
  const std::string last = address.substr(address.size() - kIpv4Digits);
  if (address.size() > kIpv4Digits && last == "01000000") return fmt::format("127.0.0.1:{}", *port);
  const uint32_t word = static_cast<uint32_t>(std::strtoul(last.c_str(), nullptr, 16));
  return fmt::format("{}.{}.{}.{}:{}", word & 255, (word >> 8) & 255, (word >> 16) & 255, word >> 24, *port);
}

std::multimap<std::string, Listener> ListenersByInode() {
  constexpr size_t kLocal = 1, kState = 3, kQueues = 4, kInode = 9;
  std::multimap<std::string, Listener> found;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto text = ReadFile(path, kMaxSocketTableBytes);
    if (!text.ok()) continue;
    const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
    for (const std::string& line : lines) {
      const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (fields.size() <= kInode || fields[kState] != "0A") continue;
      Listener listener;
      int port = 0;
      listener.address = AddressOfHex(fields[kLocal], &port);
      const size_t colon = fields[kQueues].find(':');
      listener.waiting = static_cast<int>(std::strtol(fields[kQueues].c_str() + colon + 1, nullptr, 16));
      found.emplace(fields[kInode], std::move(listener));
    }
  }
  return found;
}

}  // namespace

std::optional<RunningProcess> ReadProcess(pid_t pid) {
  static const absl::Time boot = BootTime();
  static const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const std::string folder = fmt::format("/proc/{}", pid);
  const auto stat = ReadFile(folder + "/stat", kMaxProcFileBytes);
  if (!stat.ok()) return std::nullopt;
  // "PID (name) S parent ...": the name may hold anything, so its end is the last parenthesis.
  const size_t open = stat->find('(');
  const size_t close = stat->rfind(") ");
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  const std::vector<std::string> fields = absl::StrSplit(stat->substr(close + 2), ' ', absl::SkipEmpty());
  constexpr size_t kState = 0, kParent = 1, kUser = 11, kSystem = 12, kThreads = 17, kStart = 19;
  if (fields.size() <= kStart) return std::nullopt;
  RunningProcess process;
  process.pid = pid;
  process.name = stat->substr(open + 1, close - open - 1);
  process.state = fields[kState][0];
  process.parent = std::atoi(fields[kParent].c_str());
  process.threads = std::atoi(fields[kThreads].c_str());
  process.cpu = absl::Seconds((std::atof(fields[kUser].c_str()) + std::atof(fields[kSystem].c_str())) / ticks);
  process.started = boot + absl::Seconds(std::atof(fields[kStart].c_str()) / ticks);
  if (const auto command = ReadFile(folder + "/cmdline", kMaxProcFileBytes); command.ok()) process.command = *command;
  std::replace(process.command.begin(), process.command.end(), '\0', ' ');
  struct ::stat owner {};
  if (::stat(folder.c_str(), &owner) == 0) process.user = owner.st_uid;
  return process;
}

std::vector<RunningProcess> ReadProcesses() {
  std::vector<RunningProcess> processes;
  for (const pid_t pid : Pids()) {
    if (auto process = ReadProcess(pid); process && pid != getpid()) processes.push_back(*std::move(process));
  }
  return processes;
}

std::multimap<int, Listener> ReadListeners() {
  std::multimap<std::string, Listener> by_inode = ListenersByInode();
  constexpr std::string_view kSocket = "socket:[";
  for (const pid_t pid : Pids()) {
    std::error_code error;
    size_t seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
      if (++seen > kMaxDescriptors) break;
      const std::string target = std::filesystem::read_symlink(entry.path(), error);
      if (!target.starts_with(kSocket)) continue;
      const auto [begin, end] = by_inode.equal_range(target.substr(kSocket.size(), target.size() - kSocket.size() - 1));
      for (auto it = begin; it != end; ++it) it->second.pids.push_back(pid);
    }
  }
  std::multimap<int, Listener> by_port;
  for (auto& [inode, listener] : by_inode) {
    const int port = std::atoi(listener.address.c_str() + listener.address.rfind(':') + 1);
    by_port.emplace(port, std::move(listener));
  }
  return by_port;
}

std::map<std::string, std::string> ReadEnvironment(pid_t pid) {
  std::map<std::string, std::string> environment;
  const auto text = ReadFile(fmt::format("/proc/{}/environ", pid), kMaxSocketTableBytes);
  if (!text.ok()) return environment;
  const std::vector<std::string> entries = absl::StrSplit(*text, '\0');
  for (const std::string& entry : entries) {
    const size_t equals = entry.find('=');
    if (equals != std::string::npos) environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return environment;
}

}  // namespace omnix
