// The last lines that each service wrote in the time of the trouble, for analyzers that look for what it said of
// itself: why it ended, which value it could not use, whom it could not reach.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/investigation/log_source.h"
#include "agents/investigation/scene.h"

namespace omnix {

struct ServiceLogFacts {
  const v1::Service* service = nullptr;
  // Null: the service's own log.
  const v1::Instance* instance = nullptr;
  LogSource log;
  // Of the incident's window, oldest first, at most kMaxRecentLines; lines without a time belong to the line before.
  std::vector<std::string> lines;
  // What its last line says of the time, less the time at which the file was written; unset where the lines have no
  // time, or in another time zone than ours.
  std::optional<absl::Duration> clock_offset;
};

inline constexpr size_t kMaxRecentLines = 2000;
// A trace in one line of JSON is long, and says what happened at its end.
inline constexpr size_t kMaxRecentLineBytes = 16 << 10;
// Leaves the newest kMaxRecentLines.
void KeepRecentLines(std::vector<std::string>* lines);

// Logs of kind "access" are left out. What cannot be read is evidence of source "service_log".
void ProbeServiceLogs(Scene* scene);

// Of the service and its instances; `instance` not null: of that one alone.
std::vector<const ServiceLogFacts*> LogsOf(const Scene& scene, const v1::Service& service,
                                           const v1::Instance* instance = nullptr);

// Whether a line tells of a failure (its level, or an exception's name). Not of a warning.
bool TellsOfFailure(const std::string& line);

// The last such line of the window, "Name: text" of the exception where it is the end of a stack trace; "" where there
// is none.
std::string LastFailure(const ServiceLogFacts& log);

// As evidence of source "service_log": the line, and those around it. The id.
std::string AddLogEvidence(Scene* scene, const ServiceLogFacts& log, const std::string& line);

}  // namespace omnix
