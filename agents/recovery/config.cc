#include "agents/recovery/config.h"

#include <algorithm>

#include "agents/recovery/safe_file.h"
#include "common/status.h"
#include "common/yaml.h"

namespace omnix {
namespace {

constexpr char kHowTo[] =
    "Write a YAML file and give it with --config:\n"
    "  allowed_paths: [/etc/nginx/conf.d, /srv/web/src/httpClient.js]\n"
    "  allowed_commands:\n"
    "    - argv: [nginx, -t]\n"
    "    - argv: [nginx, -s, reload]\n"
    "  state_dir: /var/lib/omnix/recovery";

}  // namespace

absl::StatusOr<v1::RecoveryConfig> LoadRecoveryConfig(const std::string& path) {
  if (path.empty()) return InvalidArgument("the recovery agent needs a configuration of its own. {}", kHowTo);
  v1::RecoveryConfig config;
  absl::Status status = ReadYamlFile(path, &config);
  if (status.ok()) status = Annotate(CheckRecoveryConfig(&config), path + ": ");
  if (!status.ok()) return absl::Status(status.code(), Message(status) + "\n" + kHowTo);
  return config;
}

absl::Status CheckRecoveryConfig(v1::RecoveryConfig* config) {
  std::string mistakes;
  auto wrong = [&](const std::string& text) { mistakes += (mistakes.empty() ? "" : "; ") + text; };
  for (const std::string& path : config->allowed_paths()) {
    const absl::Status status = CheckPathText(path);
    if (!status.ok()) wrong("allowed_paths: " + Message(status));
  }
  for (const auto& command : config->allowed_commands()) {
    if (command.argv().empty() || command.argv(0).empty()) wrong("allowed_commands: a command without a program");
  }
  if (config->state_dir().empty() || config->state_dir().front() != '/')
    wrong("state_dir: an absolute folder is needed");
  if (config->lock_dir().empty()) config->set_lock_dir(config->state_dir() + "/locks");
  if (config->lock_dir().front() != '/') wrong("lock_dir: an absolute folder is needed");
  if (!mistakes.empty()) return InvalidArgument("{}", mistakes);
  return absl::OkStatus();
}

bool CommandAllowed(const v1::RecoveryConfig& config, const std::vector<std::string>& argv) {
  return std::any_of(config.allowed_commands().begin(), config.allowed_commands().end(), [&](const auto& command) {
    return std::equal(command.argv().begin(), command.argv().end(), argv.begin(), argv.end());
  });
}

}  // namespace omnix
