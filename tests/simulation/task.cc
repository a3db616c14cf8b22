// What agents do with tasks: the plain ones answer after a while; those that change the world are in change.cc.
#include <algorithm>

#include "common/json.h"
#include "common/status.h"
#include "orchestrator/core/evolve.h"
#include "tests/simulation/agent.h"
#include "tests/simulation/change.h"

namespace omnix::simulation {
namespace {

constexpr double kTaskSuffers = 0.1;
constexpr double kTaskLies = 0.2;
constexpr uint64_t kMostExplanations = 3;

uint64_t NumberOf(const std::string& text) {
  uint64_t number = 0xcbf29ce484222325;
  for (const char c : text) number = (number ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return number;
}

// The same for each attempt: what is wrong does not depend on who looks.
v1::Product Diagnose(const v1::Assign& assign) {
  v1::Product product;
  auto* diagnosis = product.mutable_diagnosis();
  const uint64_t drawn = NumberOf(assign.lease().incident_id() + assign.lease().task_id());
  diagnosis->set_summary("the cause");
  diagnosis->set_nothing_wrong(drawn % 16 == 0);
  // One in eight has no cause that can be mended.
  const uint64_t explanations = drawn % 8 == 1 ? 0 : 1 + (drawn >> 8) % kMostExplanations;
  for (uint64_t i = 0; i < explanations; ++i) diagnosis->add_explanations()->set_id(fmt::format("x{}", i + 1));
  return product;
}

v1::Product MakePlan(const Scenario& scenario, const v1::Assign& assign) {
  const auto input = ParseJson(assign.input_json());
  const std::string explanation =
      input.ok() && input->at("explanation").is_string() ? input->at("explanation").get<std::string>() : "none";
  const uint64_t drawn = NumberOf(assign.lease().incident_id() + "/" + explanation);
  v1::Product product;
  auto* plan = product.mutable_plan();
  // The same cause is mended by the same plan.
  plan->set_hash(fmt::format("{:016x}", drawn));
  plan->set_id(assign.lease().incident_id());
  plan->set_explanation_id(explanation);
  const uint64_t wanted =
      std::min<uint64_t>(1 + Mix(drawn, 1) % scenario.resources_of_a_plan, scenario.resources.size());
  const uint64_t first = Mix(drawn, 2) % scenario.resources.size();
  for (uint64_t i = 0; i < wanted; ++i)
    plan->add_resources(scenario.resources[(first + i) % scenario.resources.size()]);
  return product;
}

v1::Product Validate(const v1::Assign& assign) {
  v1::Product product;
  product.mutable_verdict()->set_passed(NumberOf(assign.lease().incident_id() + assign.lease().task_id()) % 4 != 0);
  return product;
}

v1::Product ProductOf(AgentProcess& process, const v1::Assign& assign) {
  if (assign.type() == "investigation.diagnose") return Diagnose(assign);
  if (assign.type() == "recovery.plan") return MakePlan(process.bench().scenario, assign);
  if (assign.type() == "testing.validate") return Validate(assign);
  v1::Product product;
  if (assign.type() == "infrastructure.assess") product.mutable_readiness()->set_score(70);
  if (assign.type() == "documentation.report") product.mutable_document()->set_title("report");
  return product;
}

// A result for a lease that this agent does not hold, as a broken or hostile one might send.
void Lie(AgentProcess& process, const v1::Assign& assign) {
  Bench& bench = process.bench();
  v1::AgentItem item;
  v1::Result* result = item.mutable_result();
  result->set_outcome(v1::OUTCOME_SUCCEEDED);
  result->mutable_product()->mutable_verdict()->set_passed(true);
  if (bench.Strikes(Fault::kLieOutrankedAttempt, process.random(), kTaskLies)) {
    *result->mutable_lease() = assign.lease();
    result->mutable_lease()->set_fencing_token(assign.lease().fencing_token() - 1);
    process.SendRaw(item);
  }
  if (!bench.Strikes(Fault::kLieAnothersLease, process.random(), kTaskLies)) return;
  for (const auto& [id, incident] : bench.promises.incidents()) {
    for (const auto& task : incident.tasks()) {
      if (task.state() != v1::TASK_STATE_RUNNING || task.agent() == process.name()) continue;
      result->mutable_lease()->set_incident_id(id);
      result->mutable_lease()->set_task_id(task.id());
      result->mutable_lease()->set_attempt(task.attempt());
      result->mutable_lease()->set_fencing_token(task.fencing_token());
      return process.SendRaw(item);
    }
  }
}

void ReportEvidence(AgentProcess& process, const v1::Assign& assign) {
  const uint64_t pieces = process.random().Below(3);
  for (uint64_t i = 0; i < pieces; ++i) {
    v1::Evidence evidence;
    evidence.set_id(fmt::format("e{}", i + 1));
    evidence.set_source("probe");
    evidence.set_summary("observed");
    process.Report(assign.lease(), std::move(evidence));
  }
}

void EndPlainTask(AgentProcess& process, const v1::Assign& assign, bool hung) {
  Bench& bench = process.bench();
  const absl::Status may = process.MayAct(assign.lease());
  // A handler that hangs does not look whether it was cancelled.
  if (!may.ok() && !hung) return process.Finish(FailedResult(assign.lease(), may));
  if (bench.Strikes(Fault::kTaskFails, process.random(), kTaskSuffers)) {
    const bool finally = process.random().Chance(0.3);
    return process.Finish(
        FailedResult(assign.lease(), finally ? absl::NotFoundError("simulated") : absl::InternalError("simulated")));
  }
  Lie(process, assign);
  ReportEvidence(process, assign);
  process.Finish(SucceededResult(assign.lease(), ProductOf(process, assign)));
}

}  // namespace

v1::Result SucceededResult(const v1::LeaseId& lease, v1::Product product) {
  v1::Result result;
  *result.mutable_lease() = lease;
  result.set_outcome(v1::OUTCOME_SUCCEEDED);
  product.set_output_json(fmt::format("{{\"token\":{}}}", lease.fencing_token()));
  *result.mutable_product() = std::move(product);
  return result;
}

v1::Result FailedResult(const v1::LeaseId& lease, const absl::Status& status) {
  v1::Result result;
  *result.mutable_lease() = lease;
  const bool finally = absl::IsFailedPrecondition(status) || absl::IsNotFound(status);
  result.set_outcome(absl::IsCancelled(status) ? v1::OUTCOME_CANCELLED
                     : finally                 ? v1::OUTCOME_FAILED_FINALLY
                                               : v1::OUTCOME_FAILED);
  result.set_error(Message(status));
  return result;
}

void BeginTask(const std::shared_ptr<AgentProcess>& process, v1::Assign assign) {
  Bench& bench = process->bench();
  bench.trace.Add(bench.now(), "agent", "{} begins {} of {}, attempt {}", process->name(), assign.lease().task_id(),
                  assign.lease().incident_id(), assign.lease().attempt());
  if (assign.type() == "recovery.apply" || assign.type() == "recovery.rollback") {
    return BeginChange(process, std::move(assign));
  }
  absl::Duration takes = process->random().Between(absl::Milliseconds(20), absl::Seconds(2));
  const bool hangs = bench.Strikes(Fault::kTaskHangs, process->random(), kTaskSuffers);
  if (hangs) takes = process->random().Between(absl::Seconds(30), absl::Seconds(90));
  if (bench.Strikes(Fault::kTaskSlow, process->random(), kTaskSuffers)) {
    takes += process->random().Between(absl::Seconds(2), absl::Seconds(25));
  }
  AgentProcess* const worker = process.get();
  process->Later(takes, [worker, assign, hangs] { EndPlainTask(*worker, assign, hangs); });
}

}  // namespace omnix::simulation
