// Points in time and durations: absl::Time and absl::Duration in code, google.protobuf.Timestamp and Duration in
// messages.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);
absl::Time FromProto(const google::protobuf::Timestamp& time);
absl::Duration FromProto(const google::protobuf::Duration& duration);

// `duration` where it is set and positive, else `fallback`.
absl::Duration OrDefault(const google::protobuf::Duration& duration, absl::Duration fallback);

// "2025-09-04T07:14:03.250Z": UTC, milliseconds.
std::string FormatTime(absl::Time time);
std::string FormatTime(const google::protobuf::Timestamp& time);

// "850ms", "12.4s", "3m 20s", "2h 05m": for people.
std::string FormatDuration(absl::Duration duration);

// RFC 3339. Errors: INVALID_ARGUMENT.
absl::StatusOr<absl::Time> ParseTime(const std::string& text);

}  // namespace omnix
