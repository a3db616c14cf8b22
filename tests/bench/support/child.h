// Processes of a benchmark, and what the system says of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace omnix::bench {

// A program in the background; ended (SIGTERM, then SIGKILL after 5 s) when the object goes. It dies with its parent.
class Child {
 public:
  Child(std::vector<std::string> argv, const std::string& log, std::map<std::string, std::string> environment = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  bool IsRunning();
  // User and system time that it has used, in seconds.
  double CpuSeconds() const;
  uint64_t ResidentBytes() const;
  void Stop();

 private:
  pid_t pid_ = -1;
};

// A folder below TMPDIR that goes with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A count of fsync and fdatasync calls of the children that get `environment()`.
class SyncCount {
 public:
  SyncCount(const std::string& path, std::string library);
  std::map<std::string, std::string> environment() const;
  uint64_t value() const;

 private:
  std::string path_;
  std::string library_;
  const uint64_t* memory_ = nullptr;
};

// A TCP port of 127.0.0.1 that nobody listens on.
int FreePort();
// Waits until the condition holds; ends the program with `what` where it doesn't within 60 s.
void WaitFor(const std::function<bool()>& condition, const std::string& what);
// Sum of the sizes of the files whose names begin with the path.
uint64_t BytesOf(const std::string& path_prefix);
// Ends the program with a message.
[[noreturn]] void Die(const std::string& message);

}  // namespace omnix::bench
