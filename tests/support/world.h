// Test support: temporary folders, free ports, programs started and ended by their own pid, waiting on conditions.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/support/free_port.h"

namespace omnix::testing {

// A folder that goes with the object (kept where OMNIX_KEEP_TEST_FOLDERS is set).
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// True once `condition` holds; false where it does not within `deadline`. Asks every few milliseconds.
bool WaitUntil(const std::function<bool()>& condition, absl::Duration deadline = absl::Seconds(20));

// A program in the background, in a process group of its own. Killed (the whole group) when the object goes.
class Program {
 public:
  Program() = default;
  // Output goes to `log` (appended).
  Program(std::vector<std::string> argv, const std::string& log, std::map<std::string, std::string> environment = {});
  ~Program();
  Program(Program&& other) noexcept;
  Program& operator=(Program&& other) noexcept;

  bool IsRunning();
  // SIGKILL to the process, and waits for its end.
  void Kill();
  // -1 where it has ended.
  pid_t pid() const { return pid_; }
  // To the process alone; nothing where it has ended.
  void Signal(int number);
  // SIGTERM, waits for its end; gives the exit code (128 + signal).
  int Terminate();

 private:
  void Reap(bool block);
  pid_t pid_ = -1;
  int exit_code_ = -1;
};

// Runs a program to its end; its output is in the result. Fails the test where it can't be run.
struct Finished {
  int exit_code = -1;
  std::string out;
};
Finished RunToEnd(const std::vector<std::string>& argv, absl::Duration timeout = absl::Seconds(60));

std::string Slurp(const std::string& path);
void Spill(const std::string& path, const std::string& content);

// Every file below `folder` with its content, for byte-for-byte comparison; paths relative to it, `.git` left out.
std::map<std::string, std::string> Snapshot(const std::string& folder);

}  // namespace omnix::testing
