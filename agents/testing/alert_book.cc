#include <algorithm>

#include "absl/strings/str_join.h"
#include "agents/checks/check.h"
#include "agents/testing/monitor.h"
#include "common/hash.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr char kAlertName[] = "CheckFailing";
constexpr size_t kFingerprintDigits = 16;
constexpr size_t kMaxDescribed = 10;

// Critical where nothing of the group works, a warning where some of it does or where it could not be evaluated.
std::string SeverityOf(const std::vector<const v1::CheckResult*>& results) {
  const bool all = std::all_of(results.begin(), results.end(),
                               [](const auto* result) { return result->status() == v1::CHECK_STATUS_FAILED; });
  return all ? "critical" : "warning";
}

std::string InstanceOf(const v1::CheckResult& result) {
  for (const char* name : {"url", "address", "path"}) {
    if (const auto found = result.attributes().find(name); found != result.attributes().end()) return found->second;
  }
  return result.service();
}

}  // namespace

void AlertBook::Fail(const Key& key, const std::vector<const v1::CheckResult*>& results, absl::Time now,
                     std::vector<std::string>* lines) {
  Group& group = groups_[key];
  // Failing again before its end was taken: to the receiver it never ended.
  if (group.resolved) group = Group{};
  std::vector<std::string> failing;
  std::vector<std::string> described;
  for (const v1::CheckResult* result : results) {
    if (!Blocks(*result)) continue;
    if (failing.empty() && group.instance.empty()) group.instance = InstanceOf(*result);
    failing.push_back(result->name());
    if (described.size() < kMaxDescribed) described.push_back(result->summary());
  }
  if (group.failing_runs++ == 0) group.since = now;
  group.description = absl::StrJoin(described, "\n");
  group.severity = SeverityOf(results);
  if (group.firing && failing != group.failing) changed_ = true;
  group.failing = std::move(failing);
  if (!group.firing && group.failing_runs >= after_) {
    group.firing = changed_ = true;
    lines->push_back(fmt::format("firing: {} {}: {}", key.first, key.second, absl::StrJoin(group.failing, ", ")));
  }
}

std::vector<std::string> AlertBook::Observe(const std::vector<v1::CheckResult>& results, absl::Time now) {
  std::map<Key, std::vector<const v1::CheckResult*>> by_group;
  for (const v1::CheckResult& result : results) by_group[{result.service(), result.kind()}].push_back(&result);
  std::vector<std::string> lines;
  std::map<Key, bool> failing;
  for (const auto& [key, members] : by_group) {
    failing[key] = std::any_of(members.begin(), members.end(), [](const auto* result) { return Blocks(*result); });
    if (failing[key]) Fail(key, members, now, &lines);
  }
  for (auto item = groups_.begin(); item != groups_.end();) {
    auto& [key, group] = *item;
    const bool passes = !failing[key] && !group.resolved;
    if (passes && group.firing) {
      group.resolved = changed_ = true;
      group.firing = false;
      group.until = now;
      lines.push_back(
          fmt::format("resolved: {} {} after {}", key.first, key.second, omnix::FormatDuration(now - group.since)));
    }
    item = passes && !group.resolved ? groups_.erase(item) : std::next(item);
  }
  return lines;
}

bool AlertBook::firing() const {
  return std::any_of(groups_.begin(), groups_.end(), [](const auto& item) { return item.second.firing; });
}

Json AlertBook::AlertOf(const Key& key, const Group& group) const {
  const auto& [service, kind] = key;
  Json alert;
  alert["status"] = group.firing ? "firing" : "resolved";
  alert["labels"] = {{"alertname", kAlertName},    {"service", service},         {"check", kind},
                     {"severity", group.severity}, {"instance", group.instance}, {"system", system_}};
  const std::string summary =
      fmt::format("{} {} failing on {}", group.failing.size(), kind, service.empty() ? system_ : service);
  alert["annotations"] = {{"summary", summary}, {"description", group.description}};
  alert["startsAt"] = omnix::FormatTime(group.since);
  alert["endsAt"] = group.firing ? "0001-01-01T00:00:00Z" : omnix::FormatTime(group.until);
  alert["generatorURL"] = "";
  alert["fingerprint"] =
      Sha256Hex(fmt::format("{}\n{}\n{}\n{}", kAlertName, system_, service, kind)).substr(0, kFingerprintDigits);
  return alert;
}

Json AlertBook::Payload() const {
  Json alerts = Json::array();
  for (const auto& [key, group] : groups_) {
    if (group.firing || group.resolved) alerts.push_back(AlertOf(key, group));
  }
  const Json common = {{"alertname", kAlertName}, {"system", system_}};
  Json payload;
  payload["version"] = "4";
  payload["groupKey"] = fmt::format("{{}}:{{system=\"{}\"}}", system_);
  payload["truncatedAlerts"] = 0;
  payload["status"] = firing() ? "firing" : "resolved";
  payload["receiver"] = "omnix";
  payload["groupLabels"] = {{"system", system_}};
  payload["commonLabels"] = common;
  payload["commonAnnotations"] = Json::object();
  payload["externalURL"] = "";
  payload["alerts"] = alerts;
  return payload;
}

void AlertBook::Taken() {
  changed_ = false;
  std::erase_if(groups_, [](const auto& item) { return item.second.resolved; });
}

}  // namespace omnix
