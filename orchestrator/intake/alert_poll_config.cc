#include "orchestrator/intake/alert_poll_config.h"

#include <set>

#include "common/file.h"
#include "common/status.h"
#include "common/time.h"
#include "common/yaml.h"

namespace omnix {
namespace {

constexpr absl::Duration kMinInterval = absl::Seconds(1);
constexpr absl::Duration kMaxInterval = absl::Hours(1);
constexpr absl::Duration kMaxTimeout = absl::Minutes(1);
constexpr size_t kMaxNameBytes = 64;

bool IsName(const std::string& name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  return !name.empty() && name.size() <= kMaxNameBytes && name.find_first_not_of(kAllowed) == std::string::npos;
}

// `duration` where it is given must lie between the bounds.
void CheckDuration(const std::string& path, absl::Duration least, absl::Duration most,
                   const google::protobuf::Duration& duration, YamlReport* report) {
  const absl::Duration value = FromProto(duration);
  if (value >= least && value <= most) return;
  report->Add(path, fmt::format("expected {} to {}", omnix::FormatDuration(least), omnix::FormatDuration(most)));
}

void FillIn(v1::AlertPoll& poll) {
  if (!poll.has_interval()) *poll.mutable_interval() = ToProto(kDefaultPollInterval);
  if (!poll.has_timeout()) *poll.mutable_timeout() = ToProto(kDefaultPollTimeout);
  if (!poll.has_settle()) *poll.mutable_settle() = ToProto(kDefaultPollSettle);
  while (poll.url().ends_with('/')) poll.mutable_url()->pop_back();
}

void CheckUrl(const std::string& url, const std::string& path, YamlReport* report) {
  const size_t scheme = url.find("://");
  if (url.empty()) return report->Add(path, "required");
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return report->Add(path, "expected a URL that begins with http:// or https://");
  }
  const std::string authority = url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3);
  if (authority.find('@') != std::string::npos) {
    report->Add(path, "holds credentials: put them into a file or the environment and name that in `header`");
  }
  if (url.find_first_of("?#") != std::string::npos) report->Add(path, "must have no query");
}

void CheckHeader(const v1::AlertPollHeader& header, const std::string& path, YamlReport* report) {
  if (header.value_file().empty() == header.value_env().empty()) {
    report->Add(path, "needs one of value_file and value_env");
  }
}

void Check(const v1::AlertPoll& poll, const std::string& path, std::set<std::string>& names, YamlReport* report) {
  if (!IsName(poll.name())) {
    report->Add(path + ".name", "expected up to 64 lower-case letters, digits, '-' and '_'");
  } else if (!names.insert(poll.name()).second) {
    report->Add(path + ".name", "this name is taken already");
  }
  if (poll.kind() == v1::ALERT_POLL_KIND_UNSPECIFIED) {
    report->Add(path + ".kind", "required: alertmanager or prometheus");
  }
  CheckUrl(poll.url(), path + ".url", report);
  CheckDuration(path + ".interval", kMinInterval, kMaxInterval, poll.interval(), report);
  CheckDuration(path + ".timeout", kMinInterval, kMaxTimeout, poll.timeout(), report);
  CheckDuration(path + ".settle", absl::ZeroDuration(), kMaxInterval, poll.settle(), report);
  if (poll.has_header()) CheckHeader(poll.header(), path + ".header", report);
}

}  // namespace

absl::StatusOr<v1::AlertPolls> LoadAlertPolls(const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxYamlBytes));
  v1::AlertPolls polls;
  YamlReport report(path);
  ParseYaml(text, &polls, &report);
  if (polls.polls_size() > kMaxAlertPolls) {
    report.Add("polls", fmt::format("{} monitors; at most {} are polled", polls.polls_size(), kMaxAlertPolls));
  } else {
    std::set<std::string> names;
    for (int i = 0; i < polls.polls_size(); ++i) {
      FillIn(*polls.mutable_polls(i));
      Check(polls.polls(i), fmt::format("polls[{}]", i), names, &report);
    }
  }
  OMNIX_RETURN_IF_ERROR(report.status());
  return polls;
}

}  // namespace omnix
