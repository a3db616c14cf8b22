#include "orchestrator/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <sstream>

#include "common/status.h"
#include "orchestrator/intake/sns_confirmer.h"

namespace omnix {
namespace {

constexpr int64_t kMinWalLimitMib = 16;
constexpr int64_t kMaxWalLimitMib = 1 << 20;

absl::Status ReadDuration(const std::string& flag, const std::string& text, absl::Duration& duration) {
  if (!absl::ParseDuration(text, &duration) || duration < absl::Milliseconds(10) || duration > absl::Minutes(10)) {
    return InvalidArgument("{} '{}' is no duration from 10ms to 10m, such as 2s", flag, text);
  }
  return absl::OkStatus();
}

absl::Status CheckLease(const DaemonOptions& options) {
  constexpr int kHeartbeatsPerLease = 3;
  if (options.lease_duration >= kHeartbeatsPerLease * options.heartbeat_interval) return absl::OkStatus();
  return InvalidArgument("--lease must be at least {} times --heartbeat, so that one lost heartbeat loses no lease",
                         kHeartbeatsPerLease);
}

absl::Status CheckDeadManUrl(const std::string& url) {
  if (url.empty() || url.starts_with("http://") || url.starts_with("https://")) return absl::OkStatus();
  return InvalidArgument("--deadman-url: expected a URL that begins with http:// or https://");
}

}  // namespace

absl::StatusOr<DaemonOptions> ParseDaemonOptions(int argc, char** argv, int* exit_code) {
  DaemonOptions options;
  std::string heartbeat = "2s";
  std::string lease = "10s";
  std::string deadman = "30s";
  CLI::App app("omnixd: takes alerts, handles incidents with the agents that connect to it, and records every step.");
  app.set_version_flag("--version", OMNIX_VERSION);
  app.add_option("--data", options.data_folder, "Folder of the journal (made if absent)")->required();
  app.add_option("--system", options.system_file, "System model: the services under care (YAML)")->required();
  app.add_option("--policy", options.policy_file, "What may run without approval (YAML); absent: everything is asked");
  app.add_option("--grouping", options.grouping_file,
                 "How alerts become incidents (YAML); absent: by the dependencies of the system model");
  app.add_option("--playbooks", options.playbooks_folder, "Folder of further playbooks (*.yaml)");
  app.add_option("--formats", options.formats_folder, "Folder of further alert formats (*.jq, mappings *.yaml)");
  app.add_option("--poll", options.poll_file, "Monitors to ask for their alerts (YAML), where they can't send them");
  app.add_option("--sources", options.sources_file, "Sources that must show that they live (YAML)");
  app.add_option("--deadman-url", options.deadman_url, "URL to call while incidents move (a dead-man switch)");
  app.add_option("--deadman-interval", deadman, "How often the dead-man URL is called")->capture_default_str();
  app.add_option("--sns-topic", options.sns_topics, "ARN of an SNS topic whose subscription may be confirmed");
  app.add_option("--grpc", options.grpc_listen, "Address for agents and operators")->capture_default_str();
  app.add_option("--http", options.http_listen, "Address for alerts, the HTTP API and the console")
      ->capture_default_str();
  app.add_option("--token-file", options.token_file, "File with the bearer token that the HTTP API asks for");
  app.add_option("--http-host", options.http_hosts, "Further host names that HTTP requests may name");
  app.add_option("--heartbeat", heartbeat, "How often agents show that they live")->capture_default_str();
  app.add_option("--lease", lease, "A silent agent loses its tasks after this")->capture_default_str();
  app.add_option(
         "--wal-limit", options.wal_limit_mib,
         "MiB to which the journal's write-ahead log may grow while another program reads; then work is refused")
      ->check(CLI::Range(kMinWalLimitMib, kMaxWalLimitMib))
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "trace, debug, info, warning, error, off")->capture_default_str();
  app.add_flag("--check", options.check_only, "Read all configuration, say what is wrong with it, and end");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    *exit_code = app.exit(success);
    return options;
  } catch (const CLI::ParseError& error) {
    return InvalidArgument("{}; see omnixd --help", error.what());
  }
  OMNIX_RETURN_IF_ERROR(ReadDuration("--heartbeat", heartbeat, options.heartbeat_interval));
  OMNIX_RETURN_IF_ERROR(ReadDuration("--lease", lease, options.lease_duration));
  OMNIX_RETURN_IF_ERROR(CheckLease(options));
  OMNIX_RETURN_IF_ERROR(ReadDuration("--deadman-interval", deadman, options.deadman_interval));
  OMNIX_RETURN_IF_ERROR(CheckDeadManUrl(options.deadman_url));
  for (const auto& topic : options.sns_topics) OMNIX_RETURN_IF_ERROR(CheckSnsTopic(topic));
  return options;
}

}  // namespace omnix
