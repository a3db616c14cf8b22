#include "agents/recovery/planner.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "agents/recovery/actions/action_kind.h"
#include "agents/recovery/config.h"
#include "agents/recovery/edit/unified_diff.h"
#include "agents/recovery/plan_hash.h"
#include "agents/recovery/safe_file.h"
#include "common/hash.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr char kTestCommand[] = "test_config";
constexpr char kReloadCommand[] = "reload";
constexpr char kRestartCommand[] = "restart";
constexpr int kMaxActions = 100;
constexpr size_t kShownHashDigits = 12;

bool Matches(const google::protobuf::RepeatedPtrField<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return fnmatch(pattern.c_str(), path.c_str(), 0) == 0; });
}

absl::Status CheckEditable(const v1::SystemModel& system, const std::string& path) {
  for (const auto& service : system.services()) {
    for (const auto& file : service.config_files()) {
      if (file.path() == path && file.has_editable() && !file.editable()) {
        return PermissionDenied("{} of service {} is not editable by the system model", path, service.name());
      }
    }
  }
  for (const auto& client : system.clients()) {
    const bool owns = Matches(client.files(), path) || Matches(client.dev_proxy_files(), path);
    if (owns && client.has_editable() && !client.editable()) {
      return PermissionDenied("{} belongs to client {}, which is not editable by the system model", path,
                              client.name());
    }
  }
  return absl::OkStatus();
}

class PlanWorkspace final : public Workspace {
 public:
  struct File {
    std::string before;
    std::string now;
    std::vector<std::string> action_ids;
  };

  PlanWorkspace(const v1::SystemModel& system, const v1::RecoveryConfig& config)
      : system_(system), config_(config), files_({config.allowed_paths().begin(), config.allowed_paths().end()}) {}

  void Begin(const std::string& action_id) { action_id_ = action_id; }

  absl::StatusOr<std::string> Read(const std::string& path) override {
    if (const auto known = contents_.find(path); known != contents_.end()) return known->second.now;
    OMNIX_RETURN_IF_ERROR(CheckEditable(system_, path));
    OMNIX_ASSIGN_OR_RETURN(FileState state, files_.Read(path));
    if (state.content.find('\0') != std::string::npos) return FailedPrecondition("{} is no text file", path);
    order_.push_back(path);
    contents_[path] = {state.content, state.content, {}};
    return state.content;
  }

  void Write(const std::string& path, std::string content) override {
    File& file = contents_[path];
    file.now = std::move(content);
    if (std::find(file.action_ids.begin(), file.action_ids.end(), action_id_) == file.action_ids.end())
      file.action_ids.push_back(action_id_);
  }

  absl::Status AddCommand(const std::string& service, const std::string& name) override {
    for (const auto& command : commands_) {
      if (command.service() == service && command.name() == name) return absl::OkStatus();
    }
    OMNIX_ASSIGN_OR_RETURN(v1::PlannedCommand command, AllowedPlannedCommand(system_, config_, service, name));
    commands_.push_back(std::move(command));
    return absl::OkStatus();
  }

  // The reload of each changed configuration file, once a service, its test before it; then what actions asked for.
  absl::Status AddReloads() {
    const std::vector<v1::PlannedCommand> asked = std::exchange(commands_, {});
    for (const auto& service : system_.services()) {
      std::set<std::string> reloads;
      for (const auto& file : service.config_files()) {
        const auto found = contents_.find(file.path());
        const bool changed = found != contents_.end() && found->second.before != found->second.now;
        if (changed && !file.reload().empty()) reloads.insert(file.reload());
      }
      if (!reloads.empty() && service.commands().contains(kTestCommand))
        OMNIX_RETURN_IF_ERROR(AddCommand(service.name(), kTestCommand));
      for (const std::string& reload : reloads) OMNIX_RETURN_IF_ERROR(AddCommand(service.name(), reload));
    }
    for (const auto& command : asked) OMNIX_RETURN_IF_ERROR(AddCommand(command.service(), command.name()));
    return absl::OkStatus();
  }

  const std::vector<std::string>& order() const { return order_; }
  const File& file(const std::string& path) const { return contents_.at(path); }
  const std::vector<v1::PlannedCommand>& commands() const { return commands_; }

 private:
  const v1::SystemModel& system_;
  const v1::RecoveryConfig& config_;
  SafeFiles files_;
  std::string action_id_;
  std::vector<std::string> order_;
  std::map<std::string, File> contents_;
  std::vector<v1::PlannedCommand> commands_;
};

v1::Risk RiskOf(const v1::Plan& plan) {
  std::set<std::string> services;
  v1::Risk risk = v1::RISK_LOW;
  for (const auto& command : plan.commands()) {
    services.insert(command.service());
    if (command.name() == kTestCommand || command.name() == kReloadCommand) continue;
    if (command.name() != kRestartCommand) return v1::RISK_HIGH;
    risk = v1::RISK_MEDIUM;
  }
  return services.size() > 1 ? v1::RISK_MEDIUM : risk;
}

void AddFile(const std::string& path, const PlanWorkspace::File& file, v1::Plan* plan) {
  const UnifiedDiff diff = MakeUnifiedDiff(path, file.before, file.now);
  v1::FileChange* change = plan->add_files();
  change->set_path(path);
  change->set_before_sha256(Sha256Hex(file.before));
  change->set_after_sha256(Sha256Hex(file.now));
  change->set_diff(diff.text);
  change->set_lines_added(diff.lines_added);
  change->set_lines_removed(diff.lines_removed);
  change->set_after(file.now);
  for (const std::string& id : file.action_ids) change->add_action_ids(id);
  plan->add_resources("file:" + path);
  plan->mutable_diff()->append(diff.text);
}

void AddServices(const std::vector<v1::Action>& actions, const v1::SystemModel& system, v1::Plan* plan) {
  std::set<std::string> services;
  for (const auto& command : plan->commands()) services.insert(command.service());
  for (const auto& name : services) plan->add_resources("service:" + name);
  for (const auto& action : actions) {
    if (FindService(system, action.component()) != nullptr) services.insert(action.component());
  }
  for (const auto& name : services) plan->add_services(name);
}

std::string Summary(const v1::Plan& plan, const std::string& given) {
  uint32_t added = 0, removed = 0;
  for (const auto& file : plan.files()) {
    added += file.lines_added();
    removed += file.lines_removed();
  }
  std::string text = fmt::format("changes {} file{} (+{} -{} lines)", plan.files_size(),
                                 plan.files_size() == 1 ? "" : "s", added, removed);
  for (const auto& command : plan.commands()) text += fmt::format(", runs {}.{}", command.service(), command.name());
  return given.empty() ? text : given + ": " + text;
}

}  // namespace

const v1::Service* FindService(const v1::SystemModel& system, const std::string& name) {
  const auto found = std::find_if(system.services().begin(), system.services().end(),
                                  [&](const auto& service) { return service.name() == name; });
  return found == system.services().end() ? nullptr : &*found;
}

bool MayRunAgain(const std::string& command_name) {
  return command_name == kTestCommand || command_name == kReloadCommand || command_name == kRestartCommand;
}

absl::StatusOr<v1::PlannedCommand> AllowedPlannedCommand(const v1::SystemModel& system,
                                                         const v1::RecoveryConfig& config, const std::string& service,
                                                         const std::string& name) {
  const v1::Service* owner = FindService(system, service);
  if (owner == nullptr) return NotFound("'{}' is no service of the system model", service);
  const auto found = owner->commands().find(name);
  if (found == owner->commands().end())
    return NotFound("service {} has no command '{}' in the system model", service, name);
  if (!CommandAllowed(config, {found->second.argv().begin(), found->second.argv().end()})) {
    return PermissionDenied("command {}.{} is not in allowed_commands of the recovery agent's configuration", service,
                            name);
  }
  v1::PlannedCommand command;
  command.set_service(service);
  command.set_name(name);
  *command.mutable_argv() = found->second.argv();
  return command;
}

absl::StatusOr<v1::Plan> MakePlan(const PlanRequest& request, const v1::SystemModel& system,
                                  const v1::RecoveryConfig& config) {
  if (request.actions.empty()) return InvalidArgument("the explanation names no action: there is nothing to plan");
  if (request.actions.size() > kMaxActions)
    return InvalidArgument("{} actions are more than {}", request.actions.size(), kMaxActions);
  PlanWorkspace workspace(system, config);
  v1::Plan plan;
  plan.set_explanation_id(request.explanation_id);
  for (const v1::Action& action : request.actions) {
    workspace.Begin(action.id());
    OMNIX_RETURN_IF_ERROR(RunAction(action, system, workspace));
    *plan.add_actions() = action;
  }
  OMNIX_RETURN_IF_ERROR(workspace.AddReloads());
  for (const std::string& path : workspace.order()) {
    const PlanWorkspace::File& file = workspace.file(path);
    if (file.before != file.now) AddFile(path, file, &plan);
  }
  for (const auto& command : workspace.commands()) *plan.add_commands() = command;
  for (const auto& command : plan.commands()) {
    if (plan.files_size() > 0 && MayRunAgain(command.name())) *plan.add_rollback_commands() = command;
  }
  if (plan.files().empty() && plan.commands().empty()) return FailedPrecondition("the actions would change nothing");
  AddServices(request.actions, system, &plan);
  plan.set_risk(RiskOf(plan));
  plan.set_summary(Summary(plan, request.summary));
  plan.set_id(fmt::format("plan-{}-{}", request.incident_id, PlanHash(plan).substr(0, kShownHashDigits)));
  plan.set_hash(PlanHash(plan));
  return plan;
}

}  // namespace omnix
