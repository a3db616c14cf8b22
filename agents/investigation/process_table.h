// The processes of this machine and who listens where, from /proc. What belongs to other users is seen as far as the
// kernel shows it.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace omnix {

struct RunningProcess {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string name;
  // Arguments, separated by spaces.
  std::string command;
  // As in /proc/PID/stat: 'R' runs, 'S' waits, 'D' waits for a device, 'T' stopped, 't' traced, 'Z' ended.
  char state = '?';
  absl::Time started;
  uid_t user = 0;
  int threads = 0;
  // CPU time used so far.
  absl::Duration cpu;
  bool stopped() const { return state == 'T' || state == 't'; }
};

struct Listener {
  // "127.0.0.1:8080"; wildcard addresses as "0.0.0.0:8080".
  std::string address;
  // Connections that wait to be accepted.
  int waiting = 0;
  // Who has the socket, as far as that may be seen.
  std::vector<pid_t> pids;
};

// Nothing where there is no such process.
std::optional<RunningProcess> ReadProcess(pid_t pid);
std::vector<RunningProcess> ReadProcesses();
// All listening TCP sockets of this network namespace, by port.
std::multimap<int, Listener> ReadListeners();
// Environment that a process was started with; empty where it may not be read.
std::map<std::string, std::string> ReadEnvironment(pid_t pid);

}  // namespace omnix
