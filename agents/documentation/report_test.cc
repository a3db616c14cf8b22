#include "agents/documentation/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/json.h"
#include "common/time.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kStart = absl::FromUnixSeconds(1'756'969'200);  // 2025-09-04T07:00:00Z

google::protobuf::Timestamp At(int seconds) { return ToProto(kStart + absl::Seconds(seconds)); }

void Visit(v1::Incident& incident, v1::Phase phase, int from, int to, const std::string& reason) {
  auto* visit = incident.add_visits();
  visit->set_phase(phase);
  visit->set_reason(reason);
  *visit->mutable_entered_at() = At(from);
  if (to >= 0) *visit->mutable_left_at() = At(to);
}

Facts BarelyStarted() {
  Facts facts;
  facts.now = kStart + absl::Seconds(10);
  v1::Incident& incident = facts.incident;
  incident.set_id("INC-2025-09-04-001");
  incident.set_title("API calls fail");
  incident.set_severity(v1::SEVERITY_CRITICAL);
  incident.set_phase(v1::PHASE_MOBILIZING);
  *incident.mutable_opened_at() = At(5);
  *incident.mutable_started_at() = At(0);
  Visit(incident, v1::PHASE_DETECTED, 5, 5, "opened by alertmanager");
  Visit(incident, v1::PHASE_MOBILIZING, 5, -1, "roll call");
  return facts;
}

void AddDiagnosis(v1::Incident& incident) {
  auto* diagnosis = incident.mutable_diagnosis();
  auto* symptom = diagnosis->add_symptoms();
  symptom->set_id("s1");
  symptom->set_summary("GET /v1/products: 404");
  auto* hypothesis = diagnosis->add_hypotheses();
  hypothesis->set_id("h1");
  hypothesis->set_kind("route.prefix_mismatch");
  hypothesis->set_title("web calls /v1, gateway serves it without");
  hypothesis->set_confidence(0.95);
  hypothesis->add_evidence_for("e1");
  hypothesis->mutable_location()->set_file("src/httpClient.js");
  hypothesis->mutable_location()->set_line(2);
  auto* explanation = diagnosis->add_explanations();
  explanation->set_id("x1");
  explanation->add_causes()->set_hypothesis_id("h1");
  diagnosis->add_ruled_out("database: healthy");
}

Facts Resolved() {
  Facts facts = BarelyStarted();
  facts.final = true;
  v1::Incident& incident = facts.incident;
  *incident.mutable_visits(1)->mutable_left_at() = At(6);
  Visit(incident, v1::PHASE_INVESTIGATING, 6, 16, "5 agents are ready");
  Visit(incident, v1::PHASE_RECOVERING, 16, 20, "explanation x1");
  Visit(incident, v1::PHASE_VALIDATING, 20, 30, "recovery applied");
  Visit(incident, v1::PHASE_DOCUMENTING, 30, -1, "validated");
  incident.set_phase(v1::PHASE_DOCUMENTING);
  AddDiagnosis(incident);
  incident.set_explanation_id("x1");
  auto* evidence = incident.add_evidence();
  evidence->set_id("e1");
  evidence->set_source("http_matrix");
  evidence->set_summary("GET /v1/products: 404");
  evidence->set_excerpt("HTTP 404");
  auto* recovery = incident.add_recoveries();
  recovery->set_number(1);
  recovery->set_explanation_id("x1");
  recovery->mutable_plan()->set_hash(std::string(64, 'a'));
  recovery->mutable_plan()->set_diff("--- a/httpClient.js\n+++ b/httpClient.js\n@@ -1 +1 @@\n-'/v1'\n+''\n");
  recovery->mutable_plan()->add_files()->set_path("/srv/httpClient.js");
  recovery->mutable_approval()->set_state(v1::APPROVAL_STATE_GRANTED);
  recovery->mutable_approval()->set_by("operator:alice");
  recovery->mutable_application()->set_applied(true);
  recovery->mutable_verdict()->set_passed(true);
  recovery->mutable_verdict()->set_summary("26 of 26 checks passed");
  recovery->set_outcome("validated");
  incident.mutable_readiness()->set_score(92);
  auto* deduction = incident.mutable_readiness()->add_deductions();
  deduction->set_points(8);
  deduction->set_reason("disk nearly full");
  return facts;
}

std::string Artifact(const v1::Document& document, const std::string& name) {
  for (const auto& artifact : document.artifacts()) {
    if (artifact.name() == name) return artifact.content();
  }
  ADD_FAILURE() << "no artifact " << name;
  return "";
}

TEST(Report, HasEverySectionInOrder) {
  const std::string text = WriteMarkdown(Resolved());
  size_t last = 0;
  for (const char* title : {"Summary", "Incident details", "Impact", "Timeline", "Symptoms", "Root cause", "Fixes",
                            "Agent analysis", "Infrastructure readiness", "Validation", "Response times", "Lessons",
                            "Messages to stakeholders", "Security assessment", "Appendix: evidence"}) {
    const size_t at = text.find("\n## " + std::string(title));
    ASSERT_NE(std::string::npos, at) << title;
    EXPECT_GT(at, last) << title;
    last = at;
  }
}

TEST(Report, SaysWhatTheJournalKnows) {
  const std::string text = WriteMarkdown(Resolved());
  for (const char* fact : {"web calls /v1, gateway serves it without", "operator:alice", "httpClient.js",
                           "26 of 26 checks passed", "disk nearly full", "database: healthy", "-'/v1'"}) {
    EXPECT_THAT(text, HasSubstr(fact));
  }
}

TEST(Report, ComputesTheTimesFromThePhases) {
  const Metrics metrics = Resolved().ResponseTimes();
  EXPECT_EQ(absl::Seconds(5), metrics.detect);
  EXPECT_EQ(absl::Seconds(1), metrics.mobilize);
  EXPECT_EQ(absl::Seconds(10), metrics.diagnose);
  EXPECT_EQ(absl::Seconds(10), metrics.validate);
  EXPECT_FALSE(BarelyStarted().ResponseTimes().diagnose.has_value());
}

TEST(Report, SaysNotKnownAndMakesNothingUp) {
  const std::string text = WriteMarkdown(BarelyStarted());
  EXPECT_THAT(text, HasSubstr("not known"));
  EXPECT_THAT(text, Not(HasSubstr("approved")));
  EXPECT_EQ(nullptr, BarelyStarted().Validated());
}

TEST(Report, ComesAsMarkdownHtmlAndJson) {
  const v1::Document document = WriteDocument(Resolved());
  EXPECT_TRUE(document.final());
  EXPECT_THAT(Artifact(document, "report.md"), HasSubstr("# INC-2025-09-04-001"));
  EXPECT_THAT(Artifact(document, "report.html"), HasSubstr("<table"));
  const auto json = ParseJson(Artifact(document, "report.json"));
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ("INC-2025-09-04-001", (*json)["incident"]["id"]);
}

TEST(Report, HostileTextStaysText) {
  for (const std::string hostile :
       {"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "a | b\n| c",
        "\x1b[31mred", "```\n# not a heading", "</pre><b>"}) {
    Facts facts = Resolved();
    facts.incident.set_title(hostile);
    facts.incident.mutable_evidence(0)->set_excerpt(hostile);
    facts.incident.mutable_evidence(0)->set_summary(hostile);
    facts.incident.mutable_diagnosis()->mutable_hypotheses(0)->set_title(hostile);
    facts.incident.mutable_recoveries(0)->mutable_plan()->set_diff(hostile);
    const v1::Document document = WriteDocument(facts);
    const std::string html = Artifact(document, "report.html");
    for (const char* raw : {"<script", "<img", "href=\"javascript:", "\x1b", "<b>", "<h1>not a heading"}) {
      EXPECT_THAT(html, Not(HasSubstr(raw))) << hostile;
    }
    EXPECT_THAT(Artifact(document, "report.md"), Not(HasSubstr("\x1b"))) << hostile;
  }
}

}  // namespace
}  // namespace omnix
