// A lean system under care, with the real omnixd and agents around it: services that are one file and three commands
// each. Whatever is done to them is counted from outside: renames in the files' folder by the kernel (inotify),
// commands by the line that each appends to a file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/world.h"

namespace omnix::testing {

// What happens with each of them is in script_agent.cc and load.cc.
inline const std::vector<std::string> kServices = {"plain", "asked", "invalid", "failing", "cancelled"};

inline constexpr char kOmnixd[] = "omnixd";
inline constexpr char kRecovery[] = "recovery";
inline constexpr char kScript[] = "script";

using Environment = std::map<std::string, std::string>;

// The program's copy with crash points.
std::string ProgramPath(const std::string& program);

class CrashWorld {
 public:
  CrashWorld();
  ~CrashWorld();
  CrashWorld(const CrashWorld&) = delete;
  CrashWorld& operator=(const CrashWorld&) = delete;

  std::string grpc_address() const;
  std::string http_url() const;
  std::string journal() const { return folder_ / "data/journal.db"; }
  std::string journal_key() const { return folder_ / "data/journal.key"; }
  std::string trace_file(const std::string& name) const { return folder_ / ("trace-" + name); }

  // kOmnixd, kRecovery or kScript; more than one agent of a kind by `name`. Recovery agents of one `host` share their
  // state and their locks.
  void Start(const std::string& program, const Environment& environment, const std::string& name = "",
             const std::string& host = "host");
  Program& program(const std::string& name) { return programs_[name]; }
  // Ends all, agents first.
  void Stop();

  std::string File(const std::string& service) const { return folder_ / ("srv/" + service + ".conf"); }
  // How often the service's file was replaced, and a command of it run.
  int Writes(const std::string& service);
  int Commands(const std::string& service, const std::string& command) const;
  // The last lines of each program.
  std::string Logs() const;

 private:
  void WriteSystem();
  // What a recovery agent on this host may do; gives the file's name.
  std::string WriteRecoveryConfig(const std::string& host) const;
  void WritePlaybook();
  void WatchFiles();

  TemporaryFolder folder_;
  int grpc_port_;
  int http_port_;
  int inotify_ = -1;
  std::string allowed_commands_;
  std::map<std::string, int> writes_;
  std::map<std::string, Program> programs_;
};

}  // namespace omnix::testing
