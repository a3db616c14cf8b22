#include <map>
#include <vector>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/playbook/checks.h"

namespace omnix {
namespace {

constexpr uint32_t kMaxAttempts = 100;
constexpr uint32_t kMaxRecoveries = 100;
constexpr int kMaxTasksPerPhase = 100;
constexpr absl::Duration kMaxTaskTimeout = absl::Hours(24);
constexpr absl::Duration kMaxWait = absl::Hours(24 * 7);
constexpr absl::Duration kMaxBackoff = absl::Minutes(1);

using Tasks = google::protobuf::RepeatedPtrField<v1::TaskSpec>;

std::vector<std::string> Names(const Tasks& tasks) {
  std::vector<std::string> names;
  for (const auto& task : tasks) names.push_back(task.name());
  return names;
}

void CheckRange(bool given, const google::protobuf::Duration& value, absl::Duration max, const std::string& path,
                YamlReport* report) {
  if (!given) return;
  const absl::Duration duration = FromProto(value);
  if (duration > absl::ZeroDuration() && duration <= max) return;
  report->Add(path, fmt::format("must be more than 0 and at most {}", omnix::FormatDuration(max)));
}

// "investigation.diagnose": an agent kind, a dot, a word.
void CheckType(const std::string& type, const std::string& path, YamlReport* report) {
  if (type.empty()) return report->Add(path, "a task type is required, such as investigation.diagnose");
  const size_t dot = type.find('.');
  if (dot != 0 && dot != std::string::npos && dot + 1 < type.size()) return;
  report->Add(path, fmt::format("\"{}\" is no task type; it has the form kind.verb", type));
}

void CheckTask(const v1::TaskSpec& task, const std::string& path, YamlReport* report) {
  CheckType(task.type(), path + ".type", report);
  CheckJq(task.when(), path + ".when", report);
  CheckJq(task.input(), path + ".input", report);
  CheckRange(task.has_timeout(), task.timeout(), kMaxTaskTimeout, path + ".timeout", report);
  CheckRange(task.has_backoff(), task.backoff(), kMaxBackoff, path + ".backoff", report);
  if (task.attempts() > kMaxAttempts) {
    report->Add(path + ".attempts", fmt::format("at most {} attempts are allowed", kMaxAttempts));
  }
}

void CheckNeeds(const Tasks& tasks, const std::string& phase, YamlReport* report) {
  const std::vector<std::string> names = Names(tasks);
  const std::set<std::string> known(names.begin(), names.end());
  for (int i = 0; i < tasks.size(); ++i) {
    for (int j = 0; j < tasks[i].needs_size(); ++j) {
      const std::string& need = tasks[i].needs(j);
      if (known.contains(need)) continue;
      const std::string nearest = NearestWord(need, names);
      const std::string hint = nearest.empty() ? "" : "; did you mean " + nearest + "?";
      report->Add(fmt::format("{}[{}].needs[{}]", phase, i, j), fmt::format("no task {} in this phase{}", need, hint));
    }
  }
}

// Takes away, again and again, the tasks whose needs are all gone: what is left lies on or behind a circle.
void CheckCircle(const Tasks& tasks, const std::string& phase, YamlReport* report) {
  const std::vector<std::string> names = Names(tasks);
  std::set<std::string> left(names.begin(), names.end());
  const auto free = [&](const v1::TaskSpec& task) {
    for (const std::string& need : task.needs()) {
      if (left.contains(need)) return false;
    }
    return true;
  };
  for (bool moved = true; moved;) {
    moved = false;
    for (const auto& task : tasks) moved |= left.contains(task.name()) && free(task) && left.erase(task.name()) > 0;
  }
  if (left.empty()) return;
  for (int i = 0; i < tasks.size(); ++i) {
    if (!left.contains(tasks[i].name())) continue;
    return report->Add(fmt::format("{}[{}].needs", phase, i),
                       fmt::format("tasks that wait for each other: {}", fmt::join(left, ", ")));
  }
}

void CheckPhase(const Tasks& tasks, const std::string& phase, bool may_need_approval, YamlReport* report) {
  if (tasks.size() > kMaxTasksPerPhase) {
    report->Add(phase, fmt::format("{} tasks; at most {} are allowed", tasks.size(), kMaxTasksPerPhase));
    return;
  }
  std::set<std::string> seen;
  for (int i = 0; i < tasks.size(); ++i) {
    const std::string path = fmt::format("{}[{}]", phase, i);
    CheckName(tasks[i].name(), path + ".name", &seen, report);
    CheckTask(tasks[i], path, report);
    if (tasks[i].approval() && !may_need_approval) {
      report->Add(path + ".approval",
                  "only tasks of `recovering` can wait for an approval: there is no plan elsewhere");
    }
  }
  CheckNeeds(tasks, phase, report);
  CheckCircle(tasks, phase, report);
}

}  // namespace

void CheckPlaybook(const v1::Playbook& playbook, YamlReport* report) {
  std::set<std::string> names;
  CheckName(playbook.name(), "name", &names, report);
  CheckJq(playbook.match(), "match", report);
  CheckRange(playbook.has_mobilize_timeout(), playbook.mobilize_timeout(), kMaxTaskTimeout, "mobilize_timeout", report);
  CheckRange(playbook.has_budget(), playbook.budget(), kMaxWait, "budget", report);
  CheckRange(playbook.has_approval_timeout(), playbook.approval_timeout(), kMaxWait, "approval_timeout", report);
  if (playbook.max_recoveries() > kMaxRecoveries) {
    report->Add("max_recoveries", fmt::format("at most {} are allowed", kMaxRecoveries));
  }
  if (playbook.investigating().empty()) report->Add("investigating", "at least one task is required");
  if (playbook.validating().empty()) {
    report->Add("validating", "at least one task is required: nothing else proves that the repair worked");
  }
  if (!playbook.recovering().empty() && playbook.rollback().empty()) {
    report->Add("rollback", "at least one task is required where there are tasks in `recovering`");
  }
  CheckPhase(playbook.investigating(), "investigating", false, report);
  CheckPhase(playbook.recovering(), "recovering", true, report);
  CheckPhase(playbook.validating(), "validating", false, report);
  CheckPhase(playbook.rollback(), "rollback", false, report);
  CheckPhase(playbook.documenting(), "documenting", false, report);
}

}  // namespace omnix
