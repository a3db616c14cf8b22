// The words that people read for the API's enumerations and values, and the nearest word to a mistyped one.
#pragma once

#include <google/protobuf/timestamp.pb.h>
#include <omnix/v1/incident.pb.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace omnix {

std::string PhaseWord(v1::Phase phase);           // "Investigating"
std::string SeverityWord(v1::Severity severity);  // "critical"
std::string RiskWord(v1::Risk risk);              // "low"
std::string StepWord(v1::StepOutcome outcome);    // "already done"

// Unset for a word that is no severity.
std::optional<v1::Severity> ParseSeverity(const std::string& word);

// "2025-09-04 07:14:03Z", or "-" for a time that was never set.
std::string TimeWord(const google::protobuf::Timestamp& time);
// "3m 20s ago"; "-" for a time that was never set.
std::string AgoWord(const google::protobuf::Timestamp& time, absl::Time now);

// Enough of a plan's hash for people; commands send all of it.
std::string ShortHash(const std::string& hash);

// The choice with the fewest edits to `word`, where these are few enough to be a slip of the fingers.
std::optional<std::string> Nearest(const std::string& word, const std::vector<std::string>& choices);

// Resolved, Escalated or Cancelled: nothing happens by itself any more.
bool HasEnded(v1::Phase phase);

}  // namespace omnix
