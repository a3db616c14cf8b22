// One process omnix-alert-filter and the jq programs that it knows.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

// A jq program, the same wherever its id is the same.
struct FilterProgram {
  uint32_t id = 0;
  std::string text;
};

// The program omnix-alert-filter beside this one (or in ../bin, ../libexec/omnix).
std::string DefaultFilterExecutable();

// Starts its process when it is first needed, and again after it has died or been ended. For one thread at a time, and
// always the same one: the process is ended by the kernel with the thread that started it.
class FilterWorker {
 public:
  explicit FilterWorker(std::string executable) : executable_(std::move(executable)) {}
  ~FilterWorker() { End(); }
  FilterWorker(const FilterWorker&) = delete;
  FilterWorker& operator=(const FilterWorker&) = delete;

  // OK where the program compiles. Errors: INVALID_ARGUMENT with jq's own words, DEADLINE_EXCEEDED, UNAVAILABLE (no
  // process).
  absl::Status Load(const FilterProgram& program, absl::Duration timeout);

  // First output of the program for this JSON document, loading it where need be. After `timeout` the process is
  // killed. Errors: INVALID_ARGUMENT (the filter failed, in jq's words: they may quote the input), DEADLINE_EXCEEDED,
  // ABORTED (the process died: out of memory, most likely), UNAVAILABLE (no process could be started).
  absl::StatusOr<std::string> Run(const FilterProgram& program, const std::string& input, absl::Duration timeout);

  // The process, or -1.
  pid_t pid() const { return pid_; }

 private:
  absl::Status Start();
  void End();
  absl::StatusOr<std::string> Ask(uint32_t kind, uint32_t filter, const std::string& text, absl::Duration timeout);

  std::string executable_;
  pid_t pid_ = -1;
  int socket_ = -1;
  std::set<uint32_t> loaded_;
};

}  // namespace omnix
