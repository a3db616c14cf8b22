// Errors: absl::Status with a formatted message, and the macros that pass one on.
//
//   OMNIX_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
//   if (n > kMax) return InvalidArgument("{}: {} steps, at most {} are allowed", path, n, kMax);
//
// A message says what was wrong, where (file, line, key, peer) and, where the reader can do something, what to do next.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace omnix {

template <typename... Args>
absl::Status MakeError(absl::StatusCode code, fmt::format_string<Args...> format, Args&&... args) {
  return absl::Status(code, fmt::format(format, std::forward<Args>(args)...));
}

#define OMNIX_DEFINE_ERROR(Name, Code)                                             \
  template <typename... Args>                                                      \
  absl::Status Name(fmt::format_string<Args...> format, Args&&... args) {          \
    return MakeError(absl::StatusCode::Code, format, std::forward<Args>(args)...); \
  }

OMNIX_DEFINE_ERROR(InvalidArgument, kInvalidArgument)
OMNIX_DEFINE_ERROR(NotFound, kNotFound)
OMNIX_DEFINE_ERROR(AlreadyExists, kAlreadyExists)
OMNIX_DEFINE_ERROR(PermissionDenied, kPermissionDenied)
OMNIX_DEFINE_ERROR(FailedPrecondition, kFailedPrecondition)
OMNIX_DEFINE_ERROR(ResourceExhausted, kResourceExhausted)
OMNIX_DEFINE_ERROR(DeadlineExceeded, kDeadlineExceeded)
OMNIX_DEFINE_ERROR(Cancelled, kCancelled)
OMNIX_DEFINE_ERROR(Aborted, kAborted)
OMNIX_DEFINE_ERROR(Unavailable, kUnavailable)
OMNIX_DEFINE_ERROR(DataLoss, kDataLoss)
OMNIX_DEFINE_ERROR(Internal, kInternal)

#undef OMNIX_DEFINE_ERROR

// The message as a std::string (Debian's Abseil has a string_view of its own).
inline std::string Message(const absl::Status& status) { return std::string(status.message()); }

// The same error with `context` before its message ("system.yaml: "); OK stays OK.
absl::Status Annotate(const absl::Status& status, const std::string& context);

}  // namespace omnix

#define OMNIX_RETURN_IF_ERROR(expression)                                                  \
  do {                                                                                     \
    if (absl::Status omnix_status = (expression); !omnix_status.ok()) return omnix_status; \
  } while (false)

#define OMNIX_CONCAT_INNER(a, b) a##b
#define OMNIX_CONCAT(a, b) OMNIX_CONCAT_INNER(a, b)
#define OMNIX_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                        \
  if (!result.ok()) return result.status();                          \
  declaration = *std::move(result)
#define OMNIX_ASSIGN_OR_RETURN(declaration, expression) \
  OMNIX_ASSIGN_OR_RETURN_IMPL(OMNIX_CONCAT(omnix_result_, __LINE__), declaration, expression)
