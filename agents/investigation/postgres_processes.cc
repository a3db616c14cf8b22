#include "agents/investigation/postgres_processes.h"

#include <re2/re2.h>

#include <set>

#include "agents/investigation/process_table.h"

namespace omnix {

std::optional<PostgresProcess> ParsePostgresTitle(const std::string& command) {
  // A cluster_name, where there is one, stands before the user.
  static const RE2 kTitle(R"(postgres: (?:\S+: )?(\S+) (\S+) (\[local\]|\S+\(\d+\)) (.+?)\s*)");
  PostgresProcess process;
  if (!RE2::FullMatch(command, kTitle, &process.user, &process.database, &process.client, &process.doing))
    return std::nullopt;
  return process;
}

std::vector<PostgresProcess> ReadPostgresProcesses(const std::string& address) {
  std::vector<PostgresProcess> sessions;
  if (!address.starts_with("127.0.0.1:")) return sessions;
  const int port = std::atoi(address.c_str() + address.rfind(':') + 1);
  const auto listeners = ReadListeners();
  std::set<pid_t> servers;
  const auto [first, last] = listeners.equal_range(port);
  for (auto at = first; at != last; ++at) servers.insert(at->second.pids.begin(), at->second.pids.end());
  for (const RunningProcess& process : ReadProcesses()) {
    if (!servers.contains(process.parent)) continue;
    if (auto session = ParsePostgresTitle(process.command)) sessions.push_back(*std::move(session));
  }
  return sessions;
}

}  // namespace omnix
