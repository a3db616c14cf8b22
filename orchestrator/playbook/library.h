// What incidents run by: the playbooks, the system model and the policy, read, checked and pinned by hash.
#pragma once

#include <omnix/v1/alert.pb.h>
#include <omnix/v1/incident.pb.h>
#include <omnix/v1/playbook.pb.h>
#include <omnix/v1/system_model.pb.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

// The default playbook that is part of the program.
const v1::Playbook& BuiltInPlaybook();

// Reads and checks one file. Everything that is wrong is reported at once, with file, line and key: unknown keys,
// duplicate task names, `needs` that name no task or form a circle, jq that does not compile, durations out of range.
absl::StatusOr<v1::Playbook> LoadPlaybook(const std::string& path);

// The same for a policy; an absent policy is "ask for everything".
absl::StatusOr<v1::Policy> LoadPolicy(const std::string& path);

// Reads a system model, resolves its relative paths against the file's folder (config_files, logs, clients,
// repositories, pid files, sqlite dsn, commands' cwd, disks), loads its suites, and checks that names are unique and
// references (depends_on, reload, client.service, client.origin, check.service) name something that exists.
absl::StatusOr<v1::SystemModel> LoadSystemModel(const std::string& path);

struct PolicyOutcome {
  v1::PolicyDecision decision = v1::POLICY_DECISION_ASK;
  std::string rule;
  std::string reason;
};

// The first rule whose `when` holds over `context` ({incident, plan, hypotheses, now}) decides; none, or a rule that
// can't be evaluated: ask.
PolicyOutcome EvaluatePolicy(const v1::Policy& policy, const Json& context);

// The first playbook whose `match` holds over {alert, incident}; else the built-in one. A condition that can't be
// evaluated does not match.
const v1::Playbook& SelectPlaybook(const std::vector<v1::Playbook>& playbooks, const Json& context);

}  // namespace omnix
