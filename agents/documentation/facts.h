// What the report is made of: the incident and its events as the journal keeps them, and what follows from them by
// arithmetic alone.
#pragma once

#include <omnix/v1/operator.pb.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace omnix {

inline constexpr char kNotKnown[] = "not known";

// How long each part of the response took. Unset: it has not happened, or the journal does not say.
struct Metrics {
  std::optional<absl::Duration> detect;         // trouble started -> incident opened
  std::optional<absl::Duration> mobilize;       // stays in Mobilizing
  std::optional<absl::Duration> diagnose;       // stays in Investigating
  std::optional<absl::Duration> plan;           // assigned -> planned, last planning task
  std::optional<absl::Duration> approval_wait;  // all requests -> their answers
  std::optional<absl::Duration> recover;        // assigned -> applied, last applying task
  std::optional<absl::Duration> validate;       // stays in Validating
  std::optional<absl::Duration> total;          // trouble started -> validated (resolved, where nothing was validated)
};

struct Facts {
  v1::Incident incident;
  // All events, in order.
  std::vector<v1::RecordedEvent> events;
  // When the report was made.
  absl::Time now;
  // True for the report that closes the incident.
  bool final = false;

  // The evidence of the journal, which has more than the incident; by id as the incident names it.
  std::map<std::string, v1::Evidence> Evidence() const;
  // The hypotheses that the last validated (or the chosen) explanation names; empty where none is.
  std::vector<v1::Hypothesis> RootCauses() const;
  // The recovery that validated, or nullptr.
  const v1::Recovery* Validated() const;
  Metrics ResponseTimes() const;
  // "resolved", "escalated", "cancelled", "under way (Investigating)"; "recovered and validated" while the report is
  // written.
  std::string Outcome() const;
  // From the trouble's start to its end, or until now.
  absl::Duration Lasted() const;
};

// "2025-09-04 07:14:03 UTC", or "not known".
std::string TimeText(const google::protobuf::Timestamp& time);
std::string DurationText(const std::optional<absl::Duration>& duration);
// "httpClient.js:12", or "not known".
std::string PlaceText(const v1::Location& location);
std::string OrNotKnown(const std::string& text);
std::string PhaseText(v1::Phase phase);
// Enum value without its prefix, in lower case with spaces.
std::string EnumText(const std::string& name, size_t prefix_length);

}  // namespace omnix
