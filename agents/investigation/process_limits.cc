#include "agents/investigation/process_limits.h"

#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "common/file.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kMaxProcBytes = 64 << 10;
constexpr uint64_t kMaxDescriptors = 1 << 20;

}  // namespace

std::optional<ProcessIdentity> ReadIdentity(pid_t pid) {
  static const RE2 kUser(R"((?m)^Uid:\s+\d+\s+(\d+))");
  static const RE2 kGroup(R"((?m)^Gid:\s+\d+\s+(\d+))");
  static const RE2 kGroups(R"((?m)^Groups:[ \t]*([\d \t]*)$)");
  const auto status = ReadFile(fmt::format("/proc/{}/status", pid), kMaxProcBytes);
  ProcessIdentity identity;
  std::string groups;
  if (!status.ok() || !RE2::PartialMatch(*status, kUser, &identity.user) ||
      !RE2::PartialMatch(*status, kGroup, &identity.group))
    return std::nullopt;
  RE2::PartialMatch(*status, kGroups, &groups);
  std::istringstream words(groups);
  for (gid_t group = 0; words >> group;) identity.groups.push_back(group);
  return identity;
}

bool MayWrite(const struct stat& info, const ProcessIdentity& who) {
  if (who.user == 0) return true;
  if (info.st_uid == who.user) return (info.st_mode & S_IWUSR) != 0;
  const bool in_group =
      info.st_gid == who.group || std::find(who.groups.begin(), who.groups.end(), info.st_gid) != who.groups.end();
  return (info.st_mode & (in_group ? S_IWGRP : S_IWOTH)) != 0;
}

std::optional<DescriptorUse> ReadDescriptorUse(pid_t pid) {
  static const RE2 kLimit(R"((?m)^Max open files\s+(\d+))");
  const auto limits = ReadFile(fmt::format("/proc/{}/limits", pid), kMaxProcBytes);
  DescriptorUse use;
  if (!limits.ok() || !RE2::PartialMatch(*limits, kLimit, &use.limit)) return std::nullopt;
  std::error_code error;
  std::filesystem::directory_iterator at(fmt::format("/proc/{}/fd", pid), error);
  for (const std::filesystem::directory_iterator end; !error && at != end && use.open < kMaxDescriptors;
       at.increment(error))
    ++use.open;
  if (error) return std::nullopt;
  return use;
}

}  // namespace omnix
