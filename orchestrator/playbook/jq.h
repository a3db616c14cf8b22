// jq programs (libjq): conditions and mappings of playbooks and policies.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

inline constexpr size_t kMaxJqProgramBytes = 64 << 10;

// A compiled program. It sees its input alone: no environment, no further inputs. Compiling loads jq's own library and
// takes some milliseconds: keep a program that is used more than once. Movable; one thread at a time.
class JqProgram {
 public:
  // Errors: INVALID_ARGUMENT with jq's own message, cut to 300 bytes.
  static absl::StatusOr<JqProgram> Compile(const std::string& program);

  JqProgram(JqProgram&&) noexcept;
  JqProgram& operator=(JqProgram&&) noexcept;
  ~JqProgram();

  // First output of the program for this input; null where it gives none. Errors: INVALID_ARGUMENT (the program raised
  // an error).
  absl::StatusOr<Json> Run(const Json& input);

  // jq's truth: everything but false and null.
  absl::StatusOr<bool> Test(const Json& input);

 private:
  struct State;
  explicit JqProgram(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The program, compiled at most once by this thread while it is in the cache of the last kMaxCachedJqPrograms. The
// pointer holds until this thread's next call. Errors: as Compile.
inline constexpr size_t kMaxCachedJqPrograms = 256;
absl::StatusOr<JqProgram*> CachedJqProgram(const std::string& program);

}  // namespace omnix
