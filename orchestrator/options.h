// Command line of omnixd.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

struct DaemonOptions {
  std::string data_folder;
  std::string grpc_listen = "127.0.0.1:7420";
  std::string http_listen = "127.0.0.1:7421";
  std::string token_file;
  std::vector<std::string> http_hosts;
  std::string system_file;
  std::string policy_file;
  std::string grouping_file;
  std::string playbooks_folder;
  std::string formats_folder;
  std::string poll_file;
  std::string sources_file;
  // Empty: no dead-man switch.
  std::string deadman_url;
  absl::Duration deadman_interval = absl::Seconds(30);
  std::vector<std::string> sns_topics;
  std::string log_level = "info";
  // Of the journal's write-ahead log.
  int64_t wal_limit_mib = 1024;
  absl::Duration heartbeat_interval = absl::Seconds(2);
  absl::Duration lease_duration = absl::Seconds(10);
  bool check_only = false;
};

// Errors: INVALID_ARGUMENT (the message is what to print). `exit_code` is set where --help or --version was asked, and
// the result's value means nothing then.
absl::StatusOr<DaemonOptions> ParseDaemonOptions(int argc, char** argv, int* exit_code);

}  // namespace omnix
