#include "agents/investigation/cgroup_memory.h"

#include <re2/re2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kMaxFileBytes = 64 << 10;
constexpr char kMount[] = "/sys/fs/cgroup";
// v1 writes "no limit" as the largest number of whole pages.
constexpr uint64_t kUnlimited = uint64_t{1} << 60;

// What differs between the two versions.
struct Version {
  std::string mount;
  std::vector<const char*> limits;
  const char* usage;
  const char* cache_prefix;
  const char* events;
};

Version VersionOne() {
  return {std::string(kMount) + "/memory",
          {"memory.limit_in_bytes"},
          "memory.usage_in_bytes",
          "total_",
          "memory.oom_control"};
}
// memory.high does not kill, but slows down what uses more.
Version VersionTwo() { return {kMount, {"memory.max", "memory.high"}, "memory.current", "", "memory.events"}; }

std::string ReadText(const std::string& path) {
  const auto text = ReadFile(path, kMaxFileBytes);
  return text.ok() ? *text : "";
}

// Nothing for "max", and where there is no such file.
std::optional<uint64_t> ReadNumber(const std::string& path) {
  uint64_t number = 0;
  const std::string text = ReadText(path);
  return absl::SimpleAtoi(text, &number) && number < kUnlimited ? std::optional(number) : std::nullopt;
}

// "name 123" of a file of such lines; 0 where it has none.
uint64_t FieldOf(const std::string& text, const std::string& name) {
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint64_t number = 0;
    if (words.size() == 2 && words[0] == name && absl::SimpleAtoi(words[1], &number)) return number;
  }
  return 0;
}

struct Place {
  Version version;
  std::string group;
};

// The group that counts the process' memory: v1's where that controller is mounted, else v2's.
std::optional<Place> PlaceOf(pid_t pid, const std::string& root) {
  static const RE2 kVersionOne(R"((?m)^\d+:(?:[\w=,]+,)?memory(?:,[\w=,]+)?:(/.*)$)");
  static const RE2 kVersionTwo(R"((?m)^0::(/.*)$)");
  const std::string groups = ReadText(fmt::format("{}/proc/{}/cgroup", root, pid));
  const auto is_there = [&](const Version& version, const std::string& group) {
    return access(fmt::format("{}{}{}/{}", root, version.mount, group, version.usage).c_str(), R_OK) == 0;
  };
  std::string group;
  const auto place = [&](const Version& version) -> std::optional<Place> {
    if (group == "/") group.clear();
    // A container that sees its own part of the tree as the whole, and the names of the machine's.
    if (group.find("/..") != std::string::npos || !is_there(version, group)) group.clear();
    return is_there(version, group) ? std::optional(Place{version, group}) : std::nullopt;
  };
  if (RE2::PartialMatch(groups, kVersionOne, &group)) return place(VersionOne());
  if (RE2::PartialMatch(groups, kVersionTwo, &group)) return place(VersionTwo());
  return std::nullopt;
}

std::string NameOf(const std::string& group) { return group.empty() ? "/" : group; }

void LookAtLimits(const Version& version, const std::string& root, const std::string& group, CgroupMemory* memory) {
  const std::string folder = root + version.mount + group;
  const auto usage = ReadNumber(folder + "/" + version.usage);
  if (!usage) return;
  const std::string stat = ReadText(folder + "/memory.stat");
  const std::string prefix = version.cache_prefix;
  const uint64_t cache = FieldOf(stat, prefix + "inactive_file") + FieldOf(stat, prefix + "active_file");
  for (const char* file : version.limits) {
    const auto limit = ReadNumber(folder + "/" + file);
    if (!limit || *limit == 0) continue;
    const MemoryLimit found{NameOf(group), folder + "/" + file, *limit, *usage - std::min(cache, *usage)};
    if (!memory->tightest || found.share() > memory->tightest->share()) memory->tightest = found;
  }
}

}  // namespace

std::string MemoryLimit::Name() const { return fmt::format("{} of {}", file.substr(file.rfind('/') + 1), group); }

std::optional<CgroupMemory> ReadCgroupMemory(pid_t pid, const std::string& root) {
  const auto place = PlaceOf(pid, root);
  if (!place) return std::nullopt;
  const Version& version = place->version;
  const std::string folder = root + version.mount + place->group;
  CgroupMemory memory;
  memory.group = NameOf(place->group);
  memory.oom_kills = FieldOf(ReadText(folder + "/" + version.events), "oom_kill");
  if (struct stat info{}; stat(folder.c_str(), &info) == 0) memory.made = absl::TimeFromTimespec(info.st_mtim);
  std::string group = place->group;
  LookAtLimits(version, root, group, &memory);
  while (!group.empty()) {
    group.resize(group.rfind('/'));
    LookAtLimits(version, root, group, &memory);
  }
  return memory;
}

std::optional<MachineMemory> ReadMachineMemory(const std::string& root) {
  static const RE2 kTotal(R"((?m)^MemTotal:\s+(\d+) kB)");
  static const RE2 kAvailable(R"((?m)^MemAvailable:\s+(\d+) kB)");
  static const RE2 kFull(R"((?m)^full avg10=([\d.]+))");
  constexpr uint64_t kKilobyte = 1024;
  constexpr double kWhole = 100;
  const std::string text = ReadText(root + "/proc/meminfo");
  MachineMemory memory;
  if (!RE2::PartialMatch(text, kTotal, &memory.total_bytes) || memory.total_bytes == 0 ||
      !RE2::PartialMatch(text, kAvailable, &memory.available_bytes))
    return std::nullopt;
  memory.total_bytes *= kKilobyte;
  memory.available_bytes *= kKilobyte;
  if (double percent = 0; RE2::PartialMatch(ReadText(root + "/proc/pressure/memory"), kFull, &percent))
    memory.stalled = percent / kWhole;
  return memory;
}

uint64_t ReadResidentBytes(pid_t pid, const std::string& root) {
  static const RE2 kResident(R"(^\d+ (\d+))");
  uint64_t pages = 0;
  RE2::PartialMatch(ReadText(fmt::format("{}/proc/{}/statm", root, pid)), kResident, &pages);
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace omnix
