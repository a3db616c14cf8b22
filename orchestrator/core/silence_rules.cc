#include "orchestrator/core/silence_rules.h"

#include <algorithm>
#include <cstdlib>

#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/names.h"

namespace omnix {
namespace {

constexpr char kIdPrefix[] = "SIL-";

// 0 for what is no id.
uint64_t NumberOf(const std::string& id) {
  if (!id.starts_with(kIdPrefix)) return 0;
  return std::strtoull(id.c_str() + sizeof(kIdPrefix) - 1, nullptr, 10);
}

bool IsPattern(const v1::SilenceMatcher& matcher) {
  return matcher.op() == v1::SILENCE_OPERATOR_MATCHES || matcher.op() == v1::SILENCE_OPERATOR_NOT_MATCHES;
}

std::shared_ptr<const re2::RE2> Compile(const v1::SilenceMatcher& matcher) {
  if (!IsPattern(matcher)) return nullptr;
  return std::make_shared<const re2::RE2>(matcher.value(), re2::RE2::Quiet);
}

std::string ValueOf(const v1::Alert& alert, const std::string& label) {
  if (label == "source") return alert.source();
  if (label == "severity") return SeverityName(alert.severity());
  if (label == "service" && !alert.subject().empty()) return alert.subject();
  const auto found = alert.labels().find(label);
  return found == alert.labels().end() ? "" : found->second;
}

bool Holds(const v1::SilenceMatcher& matcher, const re2::RE2* pattern, const std::string& value) {
  const bool equal = pattern == nullptr ? value == matcher.value() : re2::RE2::FullMatch(value, *pattern);
  const bool negated =
      matcher.op() == v1::SILENCE_OPERATOR_NOT_EQUAL || matcher.op() == v1::SILENCE_OPERATOR_NOT_MATCHES;
  return equal != negated;
}

v1::SilenceEvent EventOf(const std::string& silence_id, absl::Time now) {
  v1::SilenceEvent event;
  *event.mutable_time() = ToProto(now);
  event.set_silence_id(silence_id);
  return event;
}

absl::Status CheckMatchers(const v1::Silence& silence) {
  if (silence.matchers_size() > kMaxSilenceMatchers) {
    return InvalidArgument("matchers: {}; at most {} are taken", silence.matchers_size(), kMaxSilenceMatchers);
  }
  bool narrows = false;
  for (const auto& matcher : silence.matchers()) {
    if (matcher.label().empty()) return InvalidArgument("matchers: one has no label");
    if (!v1::SilenceOperator_IsValid(matcher.op())) return InvalidArgument("matchers: unknown operator");
    if (matcher.label().size() + matcher.value().size() > kMaxSilenceTextBytes) {
      return InvalidArgument("matchers: one is longer than {} bytes", kMaxSilenceTextBytes);
    }
    const auto pattern = Compile(matcher);
    if (pattern != nullptr && !pattern->ok()) {
      return InvalidArgument("matcher of {}: {}", matcher.label(), pattern->error());
    }
    narrows |= !Holds(matcher, pattern.get(), "");
  }
  if (narrows) return absl::OkStatus();
  return InvalidArgument(
      "a silence needs a matcher that does not match an empty value, or it would silence everything");
}

absl::Status CheckTimes(const v1::AddSilenceRequest& request, absl::Time start, absl::Time now) {
  if (!request.has_ends_at()) return InvalidArgument("ends_at: required; a silence ends");
  const absl::Time end = FromProto(request.ends_at());
  if (end <= start) return InvalidArgument("ends_at: not after the start");
  if (end <= now) return InvalidArgument("ends_at: in the past");
  if (end - std::min(start, now) > kMaxSilenceDuration) return InvalidArgument("ends_at: more than 366 days away");
  return absl::OkStatus();
}

}  // namespace

v1::SilenceStatus StatusOf(const v1::Silence& silence, absl::Time now) {
  if (silence.has_expired_at() || now >= FromProto(silence.ends_at())) return v1::SILENCE_STATUS_ENDED;
  return now < FromProto(silence.starts_at()) ? v1::SILENCE_STATUS_PENDING : v1::SILENCE_STATUS_ACTIVE;
}

void SilenceState::Release(const std::string& fingerprint) {
  const auto held = held_.find(fingerprint);
  if (held == held_.end()) return;
  const auto count = held_by_.find(held->second.silence_id);
  if (--count->second == 0) held_by_.erase(count);
  held_.erase(held);
}

void SilenceState::Evolve(const v1::SilenceEvent& event) {
  if (event.has_added()) {
    Known known{event.added(), {}};
    for (const auto& matcher : event.added().matchers()) known.matchers.push_back({matcher, Compile(matcher)});
    silences_[NumberOf(event.silence_id())] = std::move(known);
    return;
  }
  const auto found = silences_.find(NumberOf(event.silence_id()));
  if (found == silences_.end()) return;
  v1::Silence& silence = found->second.silence;
  switch (event.kind_case()) {
    case v1::SilenceEvent::kExpired:
      *silence.mutable_expired_at() = event.time();
      silence.set_expired_by(event.expired().by());
      break;
    case v1::SilenceEvent::kSuppressed: {
      const v1::Alert& alert = event.suppressed().alert();
      Release(alert.fingerprint());
      held_[alert.fingerprint()] = {event.silence_id(), alert};
      ++held_by_[event.silence_id()];
      silence.set_suppressed(silence.suppressed() + 1);
      break;
    }
    case v1::SilenceEvent::kAgain:
      silence.set_suppressed(silence.suppressed() + event.again().count());
      break;
    case v1::SilenceEvent::kResolved:
      Release(event.resolved().fingerprint());
      break;
    case v1::SilenceEvent::kTakenUp:
      Release(event.taken_up().fingerprint());
      break;
    case v1::SilenceEvent::kAdded:
    case v1::SilenceEvent::KIND_NOT_SET:
      break;
  }
}

const v1::Silence* SilenceState::Find(const std::string& id) const {
  const auto found = silences_.find(NumberOf(id));
  return found == silences_.end() || found->second.silence.id() != id ? nullptr : &found->second.silence;
}

std::vector<const v1::Silence*> SilenceState::All() const {
  std::vector<const v1::Silence*> all;
  for (const auto& [number, known] : silences_) all.push_back(&known.silence);
  return all;
}

size_t SilenceState::CountOpen(absl::Time now) const {
  return static_cast<size_t>(std::ranges::count_if(
      silences_, [now](const auto& known) { return StatusOf(known.second.silence, now) != v1::SILENCE_STATUS_ENDED; }));
}

std::string SilenceState::NextId() const {
  return kIdPrefix + std::to_string(silences_.empty() ? 1 : silences_.rbegin()->first + 1);
}

bool SilenceState::Matches(const Known& known, const v1::Alert& alert) {
  return std::ranges::all_of(known.matchers, [&alert](const Matcher& matcher) {
    return Holds(matcher.declared, matcher.pattern.get(), ValueOf(alert, matcher.declared.label()));
  });
}

std::string SilenceState::FindMatching(const v1::Alert& alert, absl::Time now) const {
  for (const auto& [number, known] : silences_) {
    if (StatusOf(known.silence, now) == v1::SILENCE_STATUS_ACTIVE && Matches(known, alert)) return known.silence.id();
  }
  return "";
}

size_t SilenceState::CountHeld(const std::string& silence_id) const {
  const auto found = held_by_.find(silence_id);
  return found == held_by_.end() ? 0 : found->second;
}

absl::StatusOr<v1::SilenceEvent> DecideAdd(const SilenceState& state, const v1::AddSilenceRequest& request,
                                           const std::set<std::string>& services, absl::Time now) {
  if (request.author().empty()) return InvalidArgument("author: required");
  if (request.author().size() + request.comment().size() > kMaxSilenceTextBytes) {
    return InvalidArgument("author and comment: longer than {} bytes", kMaxSilenceTextBytes);
  }
  const absl::Time start = request.has_starts_at() ? FromProto(request.starts_at()) : now;
  OMNIX_RETURN_IF_ERROR(CheckTimes(request, start, now));
  if (state.CountOpen(now) >= kMaxOpenSilences) {
    return ResourceExhausted("{} silences are open; expire some first (omnix silence expire)", kMaxOpenSilences);
  }
  v1::SilenceEvent event = EventOf(state.NextId(), now);
  v1::Silence& silence = *event.mutable_added();
  silence.set_id(event.silence_id());
  *silence.mutable_matchers() = request.matchers();
  if (!services.empty()) {
    v1::SilenceMatcher& matcher = *silence.add_matchers();
    matcher.set_label("service");
    matcher.set_op(v1::SILENCE_OPERATOR_MATCHES);
    for (const auto& service : services) {
      *matcher.mutable_value() += (matcher.value().empty() ? "" : "|") + re2::RE2::QuoteMeta(service);
    }
  }
  OMNIX_RETURN_IF_ERROR(CheckMatchers(silence));
  *silence.mutable_starts_at() = ToProto(start);
  *silence.mutable_ends_at() = request.ends_at();
  silence.set_author(request.author());
  silence.set_comment(request.comment());
  *silence.mutable_created_at() = ToProto(now);
  return event;
}

absl::StatusOr<v1::SilenceEvent> DecideExpire(const SilenceState& state, const v1::ExpireSilenceRequest& request,
                                              absl::Time now) {
  const v1::Silence* silence = state.Find(request.id());
  if (silence == nullptr) return NotFound("there is no such silence; see omnix silence list --all");
  if (StatusOf(*silence, now) == v1::SILENCE_STATUS_ENDED) return FailedPrecondition("{} has ended", request.id());
  v1::SilenceEvent event = EventOf(request.id(), now);
  event.mutable_expired()->set_by(request.by());
  return event;
}

SilenceVerdict DecideAlert(const SilenceState& state, const v1::Alert& alert, absl::Time now) {
  SilenceVerdict verdict;
  const auto held = state.held().find(alert.fingerprint());
  const bool is_held = held != state.held().end();
  if (alert.status() == v1::ALERT_STATUS_RESOLVED) {
    if (!is_held) return verdict;
    v1::SilenceEvent event = EventOf(held->second.silence_id, now);
    event.mutable_resolved()->set_fingerprint(alert.fingerprint());
    verdict.events.push_back(std::move(event));
    // An incident may know it too, from before the silence: it goes there as well.
    return verdict;
  }
  if (!is_held && state.held().size() >= kMaxHeldAlerts) return verdict;
  verdict.silence_id = state.FindMatching(alert, now);
  if (verdict.silence_id.empty()) return verdict;
  verdict.repeat =
      is_held && held->second.silence_id == verdict.silence_id && held->second.alert.severity() == alert.severity();
  if (verdict.repeat) return verdict;
  v1::SilenceEvent event = EventOf(verdict.silence_id, now);
  *event.mutable_suppressed()->mutable_alert() = alert;
  verdict.events.push_back(std::move(event));
  return verdict;
}

Released DecideReleases(const SilenceState& state, absl::Time now, size_t limit) {
  Released released;
  for (const auto& [fingerprint, held] : state.held()) {
    if (released.take_up.size() + released.events.size() >= limit) break;
    const v1::Silence* holder = state.Find(held.silence_id);
    if (holder != nullptr && StatusOf(*holder, now) == v1::SILENCE_STATUS_ACTIVE) continue;
    const std::string other = state.FindMatching(held.alert, now);
    if (other.empty()) {
      released.take_up.push_back(held.alert);
      continue;
    }
    v1::SilenceEvent event = EventOf(other, now);
    *event.mutable_suppressed()->mutable_alert() = held.alert;
    released.events.push_back(std::move(event));
  }
  return released;
}

v1::SilenceEvent TakenUp(const std::string& silence_id, const std::string& fingerprint, absl::Time now) {
  v1::SilenceEvent event = EventOf(silence_id, now);
  event.mutable_taken_up()->set_fingerprint(fingerprint);
  return event;
}

}  // namespace omnix
