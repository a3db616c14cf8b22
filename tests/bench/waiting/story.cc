#include "tests/bench/waiting/story.h"

#include <fmt/format.h>

#include "absl/strings/str_replace.h"
#include "common/hash.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/engine/task_input.h"
#include "tests/bench/support/child.h"

namespace omnix::bench {
namespace {

constexpr const char* kIdMark = "@incident@";
constexpr size_t kExcerptBytes = 400;
constexpr int kLinesOfChangedFile = 40;
constexpr const char* kAgent = "investigation-agent@web1";

v1::Alert AlertOf(int number, absl::Time now) {
  v1::Alert alert;
  alert.set_fingerprint(fmt::format("{:016x}", number));
  alert.set_title("HighErrorRate");
  alert.set_description("5 % of all requests of the gateway fail since 5 minutes");
  alert.set_severity(v1::SEVERITY_CRITICAL);
  alert.set_status(v1::ALERT_STATUS_FIRING);
  // Nothing that the system model knows: each alert opens an incident of its own.
  alert.set_subject(fmt::format("tenant-{}", number));
  alert.set_source("alertmanager");
  (*alert.mutable_labels())["alertname"] = "HighErrorRate";
  (*alert.mutable_labels())["severity"] = "critical";
  (*alert.mutable_labels())["service"] = alert.subject();
  *alert.mutable_starts_at() = ToProto(now - absl::Minutes(5));
  *alert.mutable_received_at() = ToProto(now);
  alert.add_links("http://prometheus.example:9090/graph?g0.expr=rate");
  return alert;
}

v1::Evidence EvidenceOf(int number, absl::Time now) {
  v1::Evidence evidence;
  evidence.set_id(fmt::format("e{}", number));
  evidence.set_source("http_matrix");
  evidence.set_component("gateway");
  evidence.set_summary(fmt::format("GET /v{}/products answers 404 through the gateway, 200 at the backend", number));
  evidence.set_excerpt(std::string(kExcerptBytes, 'x'));
  *evidence.mutable_observed_at() = ToProto(now);
  (*evidence.mutable_attributes())["status"] = "404";
  (*evidence.mutable_attributes())["url"] = "https://shop.example/products";
  return evidence;
}

v1::Product DiagnosisOf(const std::string& id) {
  v1::Product product;
  auto* diagnosis = product.mutable_diagnosis();
  diagnosis->set_summary("The frontend of " + id + " calls /v2, which no server behind the gateway serves.");
  auto* symptom = diagnosis->add_symptoms();
  symptom->set_id("s1");
  symptom->set_component("gateway");
  symptom->set_summary("all calls of the frontend are answered 404");
  auto* hypothesis = diagnosis->add_hypotheses();
  hypothesis->set_id("h1");
  hypothesis->set_kind("route.prefix_mismatch");
  hypothesis->set_component("web");
  hypothesis->set_title("wrong API prefix in the frontend");
  hypothesis->set_explanation(diagnosis->summary() + " Without the prefix each call is served.");
  hypothesis->set_confidence(0.9);
  auto* remedy = hypothesis->add_remedies();
  remedy->set_id("r1");
  remedy->set_title("remove the prefix");
  remedy->set_side("client");
  auto* action = remedy->add_actions();
  action->set_id("a1");
  action->set_kind("file.replace_text");
  action->set_component("web");
  action->set_description("httpClient.js: /v2 becomes /");
  auto* explanation = diagnosis->add_explanations();
  explanation->set_id("x1");
  explanation->set_summary(hypothesis->title());
  auto* cause = explanation->add_causes();
  cause->set_hypothesis_id("h1");
  cause->set_remedy_id("r1");
  return product;
}

v1::Product PlanOf(const std::string& id) {
  v1::Product product;
  auto* plan = product.mutable_plan();
  plan->set_id("plan-" + id);
  plan->set_hash(Sha256Hex(id));
  plan->set_explanation_id("x1");
  plan->set_risk(v1::RISK_LOW);
  plan->set_summary("1 line in httpClient.js");
  plan->add_services("web");
  plan->add_resources("file:/srv/" + id + "/httpClient.js");
  auto* file = plan->add_files();
  file->set_path("/srv/" + id + "/httpClient.js");
  file->set_before_sha256(Sha256Hex("before" + id));
  file->set_after_sha256(Sha256Hex("after" + id));
  for (int i = 0; i < kLinesOfChangedFile; ++i) {
    *file->mutable_after() += fmt::format("export const call{} = (path) => fetch(base + path);\n", i);
  }
  file->set_diff("@@ -1,3 +1,3 @@\n-const base = 'https://shop.example/v2';\n+const base = 'https://shop.example';\n");
  plan->set_diff(file->diff());
  auto* action = plan->add_actions();
  action->set_id("a1");
  action->set_kind("file.replace_text");
  action->set_component("web");
  action->set_description("httpClient.js: /v2 becomes /");
  return product;
}

}  // namespace

// One incident being told.
struct StoryMaker::Telling {
  StoryMaker& maker;
  absl::Time now;
  v1::Incident incident;
  std::vector<v1::Event> events;

  void Do(const Command& command) {
    now += absl::Milliseconds(5);
    auto decided = Decide(incident, maker.run_by_.playbook, command, now);
    if (!decided.ok()) Die("the core refuses: " + Message(decided.status()));
    for (auto& event : *decided) events.push_back(std::move(event));
  }
  void Assign(const std::string& task_id) {
    const v1::TaskSpec spec = FindTask(incident, task_id)->spec();
    Do(command::AssignTask{task_id, kAgent, maker.InputOf(incident, spec, now)});
  }
  v1::LeaseId Lease(const std::string& task_id) const {
    const v1::Task* task = FindTask(incident, task_id);
    v1::LeaseId lease;
    lease.set_incident_id(incident.id());
    lease.set_task_id(task_id);
    lease.set_attempt(task->attempt());
    lease.set_fencing_token(task->fencing_token());
    return lease;
  }
  void Finish(const std::string& task_id, v1::Product product) {
    Do(command::FinishTask{Lease(task_id), kAgent, v1::OUTCOME_SUCCEEDED, std::move(product), ""});
  }
};

std::string StoryMaker::InputOf(const v1::Incident& incident, const v1::TaskSpec& spec, absl::Time now) {
  auto found = inputs_.find(spec.type());
  if (found == inputs_.end()) {
    const auto input = MakeTaskInput(spec.input(), ExpressionContext(incident, run_by_, now), run_by_);
    if (!input.ok()) Die(Message(input.status()));
    const std::string text = absl::StrReplaceAll(input->kept, {{incident.id(), kIdMark}});
    found = inputs_.emplace(spec.type(), text).first;
  }
  return absl::StrReplaceAll(found->second, {{kIdMark, incident.id()}});
}

std::vector<v1::Event> StoryMaker::Make(const std::string& id, int number, int evidence, absl::Time now) {
  Telling telling{*this, now, {}, {}};
  const v1::Alert alert = AlertOf(number, now);
  telling.Do(command::Open{id, alert.title(), alert.severity(), {alert}, pins_, "alertmanager"});
  command::AnswerRollCall answer;
  for (const char* kind : {"investigation", "infrastructure", "recovery", "testing", "documentation"}) {
    v1::RosterEntry entry;
    entry.set_agent(std::string(kind) + "-agent@web1");
    entry.set_kind(kind);
    entry.set_version("0.1.0");
    answer.roster.push_back(std::move(entry));
  }
  telling.Do(answer);
  telling.Assign("investigating-1/diagnose");
  telling.Assign("investigating-1/assess");
  for (int i = 0; i < evidence; ++i) {
    telling.Do(command::RecordEvidence{telling.Lease("investigating-1/diagnose"), {EvidenceOf(i, now)}});
  }
  v1::Product readiness;
  readiness.mutable_readiness()->set_score(90);
  readiness.mutable_readiness()->set_summary("all services have room");
  telling.Finish("investigating-1/assess", std::move(readiness));
  telling.Finish("investigating-1/diagnose", DiagnosisOf(id));
  telling.Assign("recovering-1/plan");
  telling.Finish("recovering-1/plan", PlanOf(id));
  telling.Do(command::DecidePolicy{Sha256Hex(id), v1::POLICY_DECISION_ASK, "", "no policy: every plan is asked"});
  if (telling.events.size() != static_cast<size_t>(kEventsWithoutEvidence + evidence)) {
    Die(fmt::format("a story has {} events", telling.events.size()));
  }
  return std::move(telling.events);
}

}  // namespace omnix::bench
