#include "agents/investigation/sign_tests.h"

#include <pwd.h>
#include <re2/re2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "absl/strings/str_split.h"
#include "agents/investigation/config_addresses.h"
#include "agents/investigation/gateway_limits.h"
#include "agents/investigation/gateway_request.h"
#include "agents/investigation/name_lookup.h"
#include "agents/investigation/probe_processes.h"
#include "agents/investigation/process_limits.h"
#include "common/file.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kFullShare = 0.01;
constexpr size_t kMaxSearchedBytes = 1 << 20;
constexpr size_t kMaxNames = 8;

v1::Counterfactual Told(Scene* scene, const LogSign& sign, const std::string& text, bool agrees) {
  v1::Counterfactual test;
  test.set_description(text);
  test.set_agrees(agrees);
  test.add_evidence_ids(scene->book.Add(MakeEvidence("sign_test", sign.service->name(), text)));
  return test;
}

// The path itself or the nearest folder above it that exists; "" for what is no absolute path.
std::string Existing(const std::string& path) {
  if (path.empty() || path[0] != '/') return "";
  std::error_code error;
  std::filesystem::path at(path);
  while (!std::filesystem::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  return at.string();
}

// Where the service would have written: what the message names, else its declared disks.
std::vector<std::string> Places(const LogSign& sign, const v1::Service& component) {
  std::vector<std::string> places;
  if (const std::string named = Existing(sign.what); !named.empty()) places.push_back(named);
  for (const v1::DiskNeed& disk : component.disks()) places.push_back(disk.path());
  return places;
}

std::optional<v1::Counterfactual> TestDisk(Scene* scene, const LogSign& sign, const v1::Service& component) {
  std::optional<v1::Counterfactual> roomy;
  for (const std::string& place : Places(sign, component)) {
    struct statvfs info {};
    if (statvfs(place.c_str(), &info) != 0 || info.f_blocks == 0) continue;
    const double free = static_cast<double>(info.f_bavail) / static_cast<double>(info.f_blocks);
    const bool no_inodes = info.f_files > 0 && info.f_favail == 0;
    if (free < kFullShare || no_inodes) {
      return Told(scene, sign,
                  no_inodes ? fmt::format("the file system of {} has no inode left", place)
                            : fmt::format("the file system of {} has {:.1f} % left", place, free * 100),
                  true);
    }
    roomy = Told(scene, sign, fmt::format("the file system of {} has {:.0f} % left now", place, free * 100), false);
  }
  return roomy;
}

// As whom the service's processes run: as they do now, else as the model says.
std::vector<ProcessIdentity> Identities(const Scene& scene, const v1::Service& component) {
  std::vector<ProcessIdentity> identities;
  for (const ProcessFacts* facts : scene.facts.All<ProcessFacts>()) {
    if (facts->service != &component) continue;
    for (const RunningProcess& process : facts->processes) {
      if (const auto identity = ReadIdentity(process.pid)) identities.push_back(*identity);
    }
  }
  const std::string& user = component.process().user();
  const passwd* entry = user.empty() || !identities.empty() ? nullptr : getpwnam(user.c_str());
  if (entry != nullptr) identities.push_back({entry->pw_uid, entry->pw_gid, {}});
  return identities;
}

std::string UserName(uid_t user) {
  const passwd* entry = getpwuid(user);
  return entry == nullptr ? fmt::format("user {}", user) : entry->pw_name;
}

std::optional<v1::Counterfactual> TestWritable(Scene* scene, const LogSign& sign, const v1::Service& component) {
  const std::string place = Existing(sign.what);
  struct statvfs system {};
  struct stat info {};
  if (place.empty() || statvfs(place.c_str(), &system) != 0 || stat(place.c_str(), &info) != 0) return std::nullopt;
  if ((system.f_flag & ST_RDONLY) != 0)
    return Told(scene, sign, fmt::format("the file system of {} is mounted read-only", place), true);
  const std::vector<ProcessIdentity> identities = Identities(*scene, component);
  if (identities.empty()) return std::nullopt;
  // Of several processes (a master and its workers) one that may not is enough.
  const auto refused = std::find_if(identities.begin(), identities.end(),
                                    [&](const ProcessIdentity& who) { return !MayWrite(info, who); });
  const bool may = refused == identities.end();
  return Told(scene, sign,
              fmt::format("{} {} write {} (mode {:o})", UserName((may ? identities.front() : *refused).user),
                          may ? "may" : "may not", place, info.st_mode & 07777),
              !may);
}

// "client intended to send too large body: 20480 bytes" against the limit that is in effect where it was sent.
std::optional<v1::Counterfactual> TestBodyLimit(Scene* scene, const LogSign& sign, const v1::Service& component,
                                                const v1::Hypothesis& h) {
  static const RE2 kBytes(R"(body: (\d+) bytes)");
  uint64_t bytes = 0;
  if (!RE2::PartialMatch(sign.text, kBytes, &bytes)) return std::nullopt;
  const NginxDirective* limit = LimitBehind(*scene, component, h.symptom_ids(), {"client_max_body_size"});
  const std::string text = limit == nullptr ? "1m, nginx' default" : limit->Argument(1);
  const auto size = limit == nullptr ? std::optional(kDefaultBodyLimit) : NginxSize(limit->Argument(1));
  if (!size) return std::nullopt;
  return Told(scene, sign, fmt::format("a body of {} bytes came, and the limit there is {}", bytes, text),
              bytes > *size);
}

// By the name server that the service's own configuration names, else by this machine's.
std::optional<v1::Counterfactual> TestName(Scene* scene, const LogSign& sign, const v1::Service& component) {
  if (sign.what.empty()) return std::nullopt;
  const NginxFacts* nginx = scene->NginxOf(&component);
  const NginxDirective* resolver =
      nginx == nullptr ? nullptr
                       : FindDirective(*nginx->config, [](const NginxDirective& d) { return d.name() == "resolver"; });
  const NameAnswer answer =
      resolver == nullptr ? ResolveHere(sign.what) : AskNameServer(resolver->Argument(1), sign.what);
  return Told(scene, sign, answer.told, answer.state != NameState::kKnown);
}

// Whether the check of the store itself fails, too. That it passes says something only where nobody gets in.
std::optional<v1::Counterfactual> TestStore(Scene* scene, const LogSign& sign, const v1::Service& component) {
  for (const v1::CheckResult& result : scene->results) {
    if (result.service() != component.name() || result.kind() != "database") continue;
    if (result.status() == v1::CHECK_STATUS_FAILED)
      return Told(scene, sign, fmt::format("a connection of our own fails as well: {}", result.summary()), true);
    if (result.status() == v1::CHECK_STATUS_PASSED && sign.shape->kind == "database.refuses")
      return Told(scene, sign, "a connection of our own is accepted now", false);
  }
  return std::nullopt;
}

}  // namespace

std::optional<v1::Counterfactual> TestSign(Scene* scene, const LogSign& sign, const v1::Service& component,
                                           const v1::Hypothesis& h) {
  const std::string_view kind = sign.shape->kind;
  if (kind == "gateway.body_limit") return TestBodyLimit(scene, sign, component, h);
  if (kind == "disk.full") return TestDisk(scene, sign, component);
  if (kind == "path.not_writable") return TestWritable(scene, sign, component);
  if (kind == "dns.failure") return TestName(scene, sign, component);
  if (component.has_database() && sign.shape->place == SignPlace::kStore) return TestStore(scene, sign, component);
  return std::nullopt;
}

std::string UnknownName(const Scene& scene, const v1::Service& component) {
  std::set<std::string> asked;
  for (const NamedAddress& named : AddressesIn(scene, component)) {
    const std::string host = named.address.substr(0, named.address.rfind(':'));
    if (asked.size() >= kMaxNames || !NeedsResolver(host) || !asked.insert(host).second) continue;
    if (ResolveHere(host).state == NameState::kUnknown) return host;
  }
  return "";
}

v1::Location PlaceInConfiguration(const v1::Service& service, const std::string& text) {
  v1::Location location;
  if (text.empty()) return location;
  const auto look = [&](const v1::ConfigFile& file) {
    const auto content = ReadFileTail(file.path(), kMaxSearchedBytes + 1);
    if (!location.file().empty() || !content.ok() || content->size() > kMaxSearchedBytes) return;
    uint32_t number = 0;
    for (const auto line : absl::StrSplit(*content, '\n')) {
      ++number;
      if (line.find(absl::string_view(text.data(), text.size())) == absl::string_view::npos) continue;
      location.set_file(file.path());
      location.set_line(number);
      return;
    }
  };
  for (const v1::ConfigFile& file : service.config_files()) look(file);
  for (const v1::Instance& instance : service.instances()) {
    for (const v1::ConfigFile& file : instance.config_files()) look(file);
  }
  return location;
}

}  // namespace omnix
