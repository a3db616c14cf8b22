// Where the lines of a log come from: a file, or the journal of a systemd unit.
#pragma once

#include <map>
#include <string>

#include "agents/investigation/scene.h"

namespace omnix {

struct LogSource {
  // A file's. Empty: the journal of `unit`.
  std::string path;
  std::string unit;
  // For people: the path, or "journal of unit shop.service".
  std::string Name() const;
};

// Evidence of what a log says. A file is its location; a journal is named before the summary, and its unit is the
// attribute "unit".
v1::Evidence MakeLogEvidence(const std::string& source, const std::string& component, const LogSource& log,
                             const std::string& summary, const std::string& excerpt = "",
                             std::map<std::string, std::string> attributes = {});

// Where the time of the trouble begins in logs: some minutes before the alert, which comes a while after the first
// error; without one so much of the past is "now".
absl::Time LogWindowBegin(const Case& investigation);

}  // namespace omnix
