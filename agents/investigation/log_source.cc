#include "agents/investigation/log_source.h"

#include <algorithm>

#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kBeforeAlert = absl::Minutes(5);
constexpr absl::Duration kLeastWindow = absl::Minutes(15);

}  // namespace

std::string LogSource::Name() const { return path.empty() ? "journal of unit " + unit : path; }

v1::Evidence MakeLogEvidence(const std::string& source, const std::string& component, const LogSource& log,
                             const std::string& summary, const std::string& excerpt,
                             std::map<std::string, std::string> attributes) {
  v1::Location location;
  location.set_file(log.path);
  if (!log.path.empty()) return MakeEvidence(source, component, summary, excerpt, location, attributes);
  attributes["unit"] = log.unit;
  return MakeEvidence(source, component, fmt::format("{}: {}", log.Name(), summary), excerpt, location, attributes);
}

absl::Time LogWindowBegin(const Case& investigation) {
  return std::min(investigation.started_at - kBeforeAlert, investigation.now - kLeastWindow);
}

}  // namespace omnix
