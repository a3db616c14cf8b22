// disk: room (bytes and inodes) on the file system of `path`; without a path, of every entry of the service's `disks`.
//   min_free_percent (5).
// memory: MemAvailable of /proc/meminfo. min_available_percent (5).
// Both warn below twice their minimum.
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sstream>
#include <system_error>

#include "agents/checks/check.h"
#include "agents/checks/parameters.h"
#include "agents/checks/result.h"
#include "common/file.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 10;
constexpr double kDefaultMinPercent = 5;
constexpr double kWarnFactor = 2;
constexpr double kWhole = 100;
constexpr size_t kMaxMeminfoBytes = 64 << 10;

v1::CheckResult JudgePercent(const v1::Check& check, const std::string& what, double percent, double least) {
  const v1::CheckStatus status = percent < least                 ? v1::CHECK_STATUS_FAILED
                                 : percent < kWarnFactor * least ? v1::CHECK_STATUS_WARNING
                                                                 : v1::CHECK_STATUS_PASSED;
  v1::CheckResult result =
      MakeResult(check, status, fmt::format("{}: {:.1f} %, at least {:.1f} % wanted", what, percent, least));
  result.set_expected(fmt::format("at least {:.1f} %", least));
  result.set_observed(fmt::format("{:.1f} %", percent));
  (*result.mutable_attributes())["percent"] = fmt::format("{:.1f}", percent);
  return result;
}

v1::CheckResult CheckDisk(const v1::Check& check, const std::string& path, double least) {
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) != 0) {
    return ErrorResult(check, FailedPrecondition("{}: {}", path, std::generic_category().message(errno)));
  }
  if (info.f_blocks == 0) return NothingToCheck(check, path + " is on a file system without a size");
  const double bytes = kWhole * static_cast<double>(info.f_bavail) / static_cast<double>(info.f_blocks);
  // Some file systems make inodes as they need them, and count none.
  const double inodes =
      info.f_files == 0 ? kWhole : kWhole * static_cast<double>(info.f_favail) / static_cast<double>(info.f_files);
  const std::string what = inodes < bytes ? "inodes free on " : "space free on ";
  v1::CheckResult result = JudgePercent(check, what + path, std::min(bytes, inodes), least);
  (*result.mutable_attributes())["path"] = path;
  return result;
}

std::vector<v1::CheckResult> RunDisk(const v1::Check& check, const Json& with, CheckContext& context) {
  Parameters parameters(with);
  const double least = parameters.Number("min_free_percent", 0, kWhole, kDefaultMinPercent);
  if (parameters.Has("path")) return {CheckDisk(check, parameters.String("path"), least)};
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  std::vector<v1::CheckResult> results;
  for (const v1::DiskNeed& disk : (*service)->disks()) {
    results.push_back(CheckDisk(check, disk.path(), disk.min_free_percent() > 0 ? disk.min_free_percent() : least));
    if ((*service)->disks_size() > 1) results.back().set_name(check.name() + ": " + disk.path());
  }
  if (results.empty()) return {NothingToCheck(check, fmt::format("service {} says no disks", check.service()))};
  return results;
}

absl::Status ValidateDisk(const Json& with) {
  Parameters parameters(with);
  parameters.String("path");
  parameters.Number("min_free_percent", 0, kWhole, kDefaultMinPercent);
  return parameters.status();
}

std::optional<double> MeminfoField(const std::string& meminfo, const std::string& field) {
  std::istringstream lines(meminfo);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    double value = 0;
    if (words >> name >> value && name == field + ":") return value;
  }
  return std::nullopt;
}

std::vector<v1::CheckResult> RunMemory(const v1::Check& check, const Json& with, CheckContext&) {
  Parameters parameters(with);
  const double least = parameters.Number("min_available_percent", 0, kWhole, kDefaultMinPercent);
  const auto meminfo = ReadFile("/proc/meminfo", kMaxMeminfoBytes);
  if (!meminfo.ok()) return {ErrorResult(check, meminfo.status())};
  const auto total = MeminfoField(*meminfo, "MemTotal");
  const auto available = MeminfoField(*meminfo, "MemAvailable");
  if (!total || !available || *total <= 0)
    return {ErrorResult(check, FailedPrecondition("/proc/meminfo lacks MemTotal or MemAvailable"))};
  return {JudgePercent(check, "memory available", kWhole * *available / *total, least)};
}

absl::Status ValidateMemory(const Json& with) {
  Parameters parameters(with);
  parameters.Number("min_available_percent", 0, kWhole, kDefaultMinPercent);
  return parameters.status();
}

}  // namespace

CheckKind DiskCheck() { return {"disk", kDefaultWeight, {"path", "min_free_percent"}, RunDisk, ValidateDisk}; }
CheckKind MemoryCheck() { return {"memory", kDefaultWeight, {"min_available_percent"}, RunMemory, ValidateMemory}; }

}  // namespace omnix
