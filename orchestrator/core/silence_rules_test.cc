#include "orchestrator/core/silence_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'757'000'000);

v1::SilenceMatcher Matcher(const std::string& label, v1::SilenceOperator op, const std::string& value) {
  v1::SilenceMatcher matcher;
  matcher.set_label(label);
  matcher.set_op(op);
  matcher.set_value(value);
  return matcher;
}

v1::AddSilenceRequest Request(v1::SilenceMatcher matcher, absl::Duration from = absl::ZeroDuration(),
                              absl::Duration to = absl::Hours(1)) {
  v1::AddSilenceRequest request;
  *request.add_matchers() = std::move(matcher);
  *request.mutable_starts_at() = ToProto(kNow + from);
  *request.mutable_ends_at() = ToProto(kNow + to);
  request.set_author("ada");
  return request;
}

v1::Alert Alert(const std::string& fingerprint, v1::AlertStatus status = v1::ALERT_STATUS_FIRING) {
  v1::Alert alert;
  alert.set_fingerprint(fingerprint);
  alert.set_status(status);
  alert.set_severity(v1::SEVERITY_WARNING);
  alert.set_subject("checkout");
  alert.set_source("alertmanager");
  (*alert.mutable_labels())["alertname"] = "Down";
  return alert;
}

class Silences : public ::testing::Test {
 protected:
  std::string Add(const v1::AddSilenceRequest& request, const std::set<std::string>& services = {}) {
    const auto event = DecideAdd(state_, request, services, kNow);
    EXPECT_TRUE(event.ok()) << event.status();
    state_.Evolve(*event);
    return event->silence_id();
  }
  std::string Arrive(const v1::Alert& alert, absl::Time now = kNow) {
    const SilenceVerdict verdict = DecideAlert(state_, alert, now);
    for (const auto& event : verdict.events) state_.Evolve(event);
    return verdict.silence_id;
  }
  SilenceState state_;
};

TEST_F(Silences, MatchersAreThoseOfAlertmanager) {
  struct Row {
    v1::SilenceMatcher matcher;
    bool matches;
  };
  const auto eq = v1::SILENCE_OPERATOR_EQUAL;
  const auto ne = v1::SILENCE_OPERATOR_NOT_EQUAL;
  const auto re = v1::SILENCE_OPERATOR_MATCHES;
  const auto nre = v1::SILENCE_OPERATOR_NOT_MATCHES;
  const Row rows[] = {
      {Matcher("alertname", eq, "Down"), true},      {Matcher("alertname", eq, "Dow"), false},
      {Matcher("alertname", re, "D.*"), true},       {Matcher("alertname", re, "Dow"), false},
      {Matcher("service", eq, "checkout"), true},    {Matcher("service", re, "cart|checkout"), true},
      {Matcher("source", eq, "alertmanager"), true}, {Matcher("severity", eq, "warning"), true},
      {Matcher("severity", eq, "critical"), false},  {Matcher("absent", eq, "x"), false},
      {Matcher("alertname", ne, "Up"), true},        {Matcher("alertname", ne, "Down"), false},
      {Matcher("alertname", nre, "U.*"), true},      {Matcher("alertname", nre, "D.*"), false},
  };
  for (const Row& row : rows) {
    SilenceState state;
    v1::AddSilenceRequest request = Request(row.matcher);
    *request.add_matchers() = Matcher("service", eq, "checkout");
    const auto event = DecideAdd(state, request, {}, kNow);
    ASSERT_TRUE(event.ok()) << event.status();
    state.Evolve(*event);
    EXPECT_EQ(!state.FindMatching(Alert("a"), kNow).empty(), row.matches) << row.matcher.DebugString();
  }
}

TEST_F(Silences, ARequestIsRefusedByField) {
  const auto equal = Matcher("service", v1::SILENCE_OPERATOR_EQUAL, "checkout");
  auto anonymous = Request(equal);
  anonymous.clear_author();
  auto endless = Request(equal);
  endless.clear_ends_at();
  const std::pair<v1::AddSilenceRequest, std::string> rows[] = {
      {anonymous, "author"},
      {endless, "ends_at: required"},
      {Request(equal, absl::Hours(2), absl::Hours(1)), "not after the start"},
      {Request(equal, -absl::Hours(2), -absl::Hours(1)), "in the past"},
      {Request(equal, absl::ZeroDuration(), absl::Hours(24 * 400)), "366 days"},
      {Request(Matcher("service", v1::SILENCE_OPERATOR_MATCHES, "(")), "matcher of service"},
      {Request(Matcher("service", v1::SILENCE_OPERATOR_MATCHES, ".*")), "silence everything"},
      {Request(Matcher("", v1::SILENCE_OPERATOR_EQUAL, "x")), "no label"},
  };
  for (const auto& [request, problem] : rows) {
    const auto event = DecideAdd(state_, request, {}, kNow);
    EXPECT_TRUE(absl::IsInvalidArgument(event.status()));
    EXPECT_THAT(std::string(event.status().message()), HasSubstr(problem));
  }
}

TEST_F(Silences, AHeldAlertIsTakenUpAtTheEndButNotBefore) {
  const std::string id = Add(Request(Matcher("alertname", v1::SILENCE_OPERATOR_EQUAL, "Down")));
  EXPECT_EQ(Arrive(Alert("a")), id);
  EXPECT_TRUE(DecideAlert(state_, Alert("a"), kNow).repeat);
  EXPECT_EQ(state_.CountHeld(id), 1u);
  EXPECT_EQ(state_.Find(id)->suppressed(), 1u);
  EXPECT_THAT(DecideReleases(state_, kNow + absl::Minutes(59), 10).take_up, IsEmpty());
  EXPECT_THAT(DecideReleases(state_, kNow + absl::Hours(1), 10).take_up, SizeIs(1));
  // Not let go before it is taken up.
  EXPECT_THAT(DecideReleases(state_, kNow + absl::Hours(1), 10).take_up, SizeIs(1));
  state_.Evolve(TakenUp(id, "a", kNow + absl::Hours(1)));
  EXPECT_THAT(DecideReleases(state_, kNow + absl::Hours(1), 10).take_up, IsEmpty());
}

TEST_F(Silences, WhatEndsWhileSilencedIsNeverTakenUp) {
  Add(Request(Matcher("alertname", v1::SILENCE_OPERATOR_EQUAL, "Down")));
  Arrive(Alert("a"));
  EXPECT_EQ(Arrive(Alert("a", v1::ALERT_STATUS_RESOLVED)), "");
  EXPECT_THAT(DecideReleases(state_, kNow + absl::Hours(1), 10).take_up, IsEmpty());
}

TEST_F(Silences, ExpiredEarlyItsAlertsGoToAnotherThatMatchesOrAreTakenUp) {
  const std::string first = Add(Request(Matcher("alertname", v1::SILENCE_OPERATOR_EQUAL, "Down")));
  const std::string second = Add(Request(Matcher("service", v1::SILENCE_OPERATOR_EQUAL, "checkout")));
  Arrive(Alert("a"));
  v1::ExpireSilenceRequest expire;
  expire.set_id(first);
  const auto expired = DecideExpire(state_, expire, kNow);
  ASSERT_TRUE(expired.ok());
  state_.Evolve(*expired);
  EXPECT_TRUE(absl::IsFailedPrecondition(DecideExpire(state_, expire, kNow).status()));
  const Released released = DecideReleases(state_, kNow, 10);
  EXPECT_THAT(released.take_up, IsEmpty());
  for (const auto& event : released.events) state_.Evolve(event);
  EXPECT_EQ(state_.CountHeld(first), 0u);
  EXPECT_EQ(state_.CountHeld(second), 1u);
  EXPECT_THAT(DecideReleases(state_, kNow + absl::Hours(1), 10).take_up, SizeIs(1));
}

TEST_F(Silences, AMaintenanceWindowCoversItsServicesOnceItStarts) {
  v1::AddSilenceRequest request = Request({}, absl::Minutes(10));
  request.clear_matchers();
  const std::string id = Add(request, {"checkout", "a.b"});
  EXPECT_EQ(Arrive(Alert("a"), kNow), "");
  EXPECT_EQ(Arrive(Alert("a"), kNow + absl::Minutes(10)), id);
  v1::Alert other = Alert("b");
  other.set_subject("axb");
  EXPECT_EQ(Arrive(other, kNow + absl::Minutes(10)), "");
}

TEST_F(Silences, WhatIsReadBackIsTheSame) {
  const std::string id = Add(Request(Matcher("alertname", v1::SILENCE_OPERATOR_EQUAL, "Down")));
  EXPECT_EQ(state_.Find("SIL-01"), nullptr);
  EXPECT_EQ(state_.Find("nonsense"), nullptr);
  EXPECT_EQ(state_.NextId(), "SIL-2");
  EXPECT_EQ(id, "SIL-1");
}

}  // namespace
}  // namespace omnix
