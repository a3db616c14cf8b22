#include "orchestrator/intake/alert_source_config.h"

#include <algorithm>
#include <set>

#include "common/file.h"
#include "common/status.h"
#include "common/time.h"
#include "common/yaml.h"

namespace omnix {
namespace {

constexpr absl::Duration kMinInterval = absl::Seconds(1);
constexpr absl::Duration kMaxInterval = absl::Hours(24 * 7);
constexpr size_t kMaxNameBytes = 64;

bool IsName(const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  return !name.empty() && name.size() <= kMaxNameBytes && name.find_first_not_of(kAllowed) == std::string::npos;
}

void Check(const v1::AlertSource& source, const std::string& path, std::set<std::string>& names,
           const std::vector<std::string>& formats, YamlReport* report) {
  if (!IsName(source.name())) {
    report->Add(path + ".name", "expected up to 64 lower-case letters, digits, '-' and '_'");
  } else if (!names.insert(source.name()).second) {
    report->Add(path + ".name", "this name is taken already");
  }
  const absl::Duration interval = FromProto(source.interval());
  if (!source.has_interval()) {
    report->Add(path + ".interval", "required");
  } else if (interval < kMinInterval || interval > kMaxInterval) {
    report->Add(path + ".interval", "expected 1s to 168h");
  }
  const absl::Duration grace = FromProto(source.grace());
  if (grace < absl::ZeroDuration() || grace > kMaxInterval) report->Add(path + ".grace", "expected 0s to 168h");
  if (!source.format().empty() && std::ranges::find(formats, source.format()) == formats.end()) {
    report->Add(path + ".format", fmt::format("no alert format has this name; known: {}", fmt::join(formats, ", ")));
  }
}

void FillIn(v1::AlertSource& source) {
  if (source.severity() == v1::SEVERITY_UNKNOWN) source.set_severity(v1::SEVERITY_CRITICAL);
  if (source.service().empty()) source.set_service(source.name());
}

}  // namespace

absl::StatusOr<v1::AlertSources> LoadAlertSources(const std::string& path, const std::vector<std::string>& formats) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxYamlBytes));
  v1::AlertSources sources;
  YamlReport report(path);
  ParseYaml(text, &sources, &report);
  if (sources.sources_size() > kMaxAlertSources) {
    report.Add("sources", fmt::format("{} sources; at most {} are watched", sources.sources_size(), kMaxAlertSources));
  } else {
    std::set<std::string> names;
    for (int i = 0; i < sources.sources_size(); ++i) {
      Check(sources.sources(i), fmt::format("sources[{}]", i), names, formats, &report);
      FillIn(*sources.mutable_sources(i));
    }
  }
  OMNIX_RETURN_IF_ERROR(report.status());
  return sources;
}

}  // namespace omnix
