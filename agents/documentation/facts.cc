#include "agents/documentation/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "common/time.h"

namespace omnix {
namespace {

bool IsSet(const google::protobuf::Timestamp& time) { return time.seconds() != 0 || time.nanos() != 0; }

std::optional<absl::Duration> Stays(const v1::Incident& incident, v1::Phase phase) {
  std::optional<absl::Duration> sum;
  for (const auto& visit : incident.visits()) {
    if (visit.phase() != phase || !visit.has_left_at()) continue;
    sum = sum.value_or(absl::ZeroDuration()) + (FromProto(visit.left_at()) - FromProto(visit.entered_at()));
  }
  return sum;
}

// From the assignment of a task to its success, for the last success whose product `matches`.
template <typename Matches>
std::optional<absl::Duration> TaskTime(const std::vector<v1::RecordedEvent>& events, Matches matches) {
  std::map<std::string, absl::Time> assigned;
  std::optional<absl::Duration> last;
  for (const auto& recorded : events) {
    const v1::Event& event = recorded.event();
    if (event.has_task_assigned()) assigned[event.task_assigned().task_id()] = FromProto(event.time());
    if (!event.has_task_succeeded() || !matches(event.task_succeeded().product())) continue;
    const auto start = assigned.find(event.task_succeeded().task_id());
    if (start != assigned.end()) last = FromProto(event.time()) - start->second;
  }
  return last;
}

std::optional<absl::Duration> ApprovalWait(const std::vector<v1::RecordedEvent>& events) {
  std::optional<absl::Duration> sum;
  std::optional<absl::Time> asked;
  for (const auto& recorded : events) {
    const v1::Event& event = recorded.event();
    if (event.has_approval_requested()) asked = FromProto(event.time());
    if (asked && (event.has_approval_granted() || event.has_approval_rejected())) {
      sum = sum.value_or(absl::ZeroDuration()) + (FromProto(event.time()) - *asked);
      asked.reset();
    }
  }
  return sum;
}

// When the trouble was known to be over.
std::optional<absl::Time> Recovered(const v1::Incident& incident, bool validated) {
  if (validated) {
    for (auto visit = incident.visits().rbegin(); visit != incident.visits().rend(); ++visit) {
      if (visit->phase() == v1::PHASE_VALIDATING && visit->has_left_at()) return FromProto(visit->left_at());
    }
  }
  if (IsSet(incident.resolved_at())) return FromProto(incident.resolved_at());
  return std::nullopt;
}

std::optional<absl::Time> Started(const v1::Incident& incident) {
  if (IsSet(incident.started_at())) return FromProto(incident.started_at());
  if (IsSet(incident.opened_at())) return FromProto(incident.opened_at());
  return std::nullopt;
}

}  // namespace

std::map<std::string, v1::Evidence> Facts::Evidence() const {
  std::map<std::string, v1::Evidence> all;
  for (const auto& item : incident.evidence()) all[item.id()] = item;
  // In order: where a task was tried again, what its last attempt saw is what its product speaks of.
  for (const auto& recorded : events) {
    for (const auto& item : recorded.event().evidence_recorded().evidence()) all[item.id()] = item;
  }
  return all;
}

const v1::Recovery* Facts::Validated() const {
  for (auto recovery = incident.recoveries().rbegin(); recovery != incident.recoveries().rend(); ++recovery) {
    if (recovery->verdict().passed() && recovery->application().applied() && !recovery->has_rollback())
      return &*recovery;
  }
  return nullptr;
}

std::vector<v1::Hypothesis> Facts::RootCauses() const {
  const std::string& id = Validated() != nullptr ? Validated()->explanation_id() : incident.explanation_id();
  std::vector<v1::Hypothesis> causes;
  for (const auto& explanation : incident.diagnosis().explanations()) {
    if (explanation.id() != id) continue;
    for (const auto& cause : explanation.causes()) {
      for (const auto& hypothesis : incident.diagnosis().hypotheses()) {
        if (hypothesis.id() == cause.hypothesis_id()) causes.push_back(hypothesis);
      }
    }
  }
  return causes;
}

Metrics Facts::ResponseTimes() const {
  Metrics metrics;
  if (IsSet(incident.started_at()) && IsSet(incident.opened_at())) {
    metrics.detect = FromProto(incident.opened_at()) - FromProto(incident.started_at());
  }
  metrics.mobilize = Stays(incident, v1::PHASE_MOBILIZING);
  metrics.diagnose = Stays(incident, v1::PHASE_INVESTIGATING);
  metrics.plan = TaskTime(events, [](const v1::Product& p) { return p.has_plan(); });
  metrics.approval_wait = ApprovalWait(events);
  metrics.recover = TaskTime(events, [](const v1::Product& p) { return p.has_application(); });
  metrics.validate = Stays(incident, v1::PHASE_VALIDATING);
  const auto start = Started(incident), end = Recovered(incident, Validated() != nullptr);
  if (start && end) metrics.total = *end - *start;
  return metrics;
}

std::string Facts::Outcome() const {
  switch (incident.phase()) {
    case v1::PHASE_RESOLVED:
      return "resolved";
    case v1::PHASE_ESCALATED:
      return "escalated to people";
    case v1::PHASE_CANCELLED:
      return "cancelled";
    default:
      if (incident.phase() == v1::PHASE_DOCUMENTING && Validated() != nullptr) return "recovered and validated";
      return fmt::format("under way ({})", PhaseText(incident.phase()));
  }
}

absl::Duration Facts::Lasted() const {
  const auto start = Started(incident);
  if (!start) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), Recovered(incident, Validated() != nullptr).value_or(now) - *start);
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (!IsSet(time)) return kNotKnown;
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", FromProto(time), absl::UTCTimeZone());
}

std::string DurationText(const std::optional<absl::Duration>& duration) {
  return duration ? omnix::FormatDuration(*duration) : kNotKnown;
}

std::string PlaceText(const v1::Location& location) {
  if (location.file().empty()) return kNotKnown;
  return location.line() > 0 ? fmt::format("{}:{}", location.file(), location.line()) : location.file();
}

std::string OrNotKnown(const std::string& text) { return text.empty() ? kNotKnown : text; }

std::string EnumText(const std::string& name, size_t prefix_length) {
  std::string text = name.size() > prefix_length ? name.substr(prefix_length) : kNotKnown;
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return c == '_' ? ' ' : static_cast<char>(std::tolower(c)); });
  return text;
}

std::string PhaseText(v1::Phase phase) {
  std::string text = EnumText(v1::Phase_Name(phase), sizeof("PHASE_") - 1);
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace omnix
