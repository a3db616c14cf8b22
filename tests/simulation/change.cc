#include "tests/simulation/change.h"

#include <algorithm>

#include "common/json.h"
#include "common/status.h"

namespace omnix::simulation {
namespace {

constexpr double kCrashAtStep = 0.03;
constexpr double kChangeFails = 0.2;
constexpr double kLies = 0.2;
constexpr double kHangs = 0.05;

// One run of a handler. Each step is an event of its own, so that everything else may come in between; a step that
// changes the world asks MayAct right before it, as agents/recovery does.
class Change : public std::enable_shared_from_this<Change> {
 public:
  Change(AgentProcess& process, v1::Assign assign) : process_(process), assign_(std::move(assign)) {}

  void Begin() {
    if (const absl::Status read = ReadInput(); !read.ok()) return process_.Finish(FailedResult(assign_.lease(), read));
    Next(assign_.type() == "recovery.apply" ? &Change::BeginApply : &Change::BeginRollback);
  }

 private:
  using Step = void (Change::*)();

  ActionRecord& record() { return process_.host().RecordOf(plan_.hash); }
  Bench& bench() { return process_.bench(); }
  absl::Status MayAct() const { return process_.MayAct(assign_.lease()); }

  void Next(Step step) {
    absl::Duration takes = process_.random().Between(absl::Milliseconds(5), absl::Milliseconds(400));
    if (bench().Strikes(Fault::kTaskHangs, process_.random(), kHangs)) {
      takes = process_.random().Between(absl::Seconds(10), absl::Seconds(60));
    }
    process_.Later(takes, [self = shared_from_this(), step] { (self.get()->*step)(); });
  }

  // True where the process crashed.
  bool Crashes(Fault fault) {
    if (!bench().Strikes(fault, process_.random(), kCrashAtStep)) return false;
    process_.Kill();
    return true;
  }

  absl::Status ReadInput() {
    OMNIX_ASSIGN_OR_RETURN(const Json input, ParseJson(assign_.input_json()));
    if (!input.contains("plan") || !input.at("plan").is_object()) return NotFound("the input has no plan");
    const Json& plan = input.at("plan");
    plan_.hash = plan.value("hash", "");
    plan_.incident_id = plan.value("id", "");
    plan_.resources = plan.value("resources", std::vector<std::string>());
    if (assign_.type() != "recovery.apply") return absl::OkStatus();
    const Json& approval = input.at("approval");
    if (!approval.is_object() || approval.value("state", "") != "APPROVAL_STATE_GRANTED" ||
        approval.value("plan_hash", "") != plan_.hash) {
      return FailedPrecondition("the plan is not approved");
    }
    return absl::OkStatus();
  }

  void BeginApply() {
    if (const absl::Status may = MayAct(); !may.ok()) return Fail(may);
    if (!process_.host().Lock(process_.id(), plan_)) return FailUnlocked(Unavailable("busy"));
    locked_ = true;
    if (record().rollback) return Fail(FailedPrecondition("the plan is used up"));
    if (record().applied.has_value()) return Succeed(*record().applied);
    if (record().undone.has_value()) {
      if (record().begun.contains(assign_.idempotency_key())) return Succeed(*record().undone);
      return Fail(FailedPrecondition("this plan was tried before and failed"));
    }
    record().begun.insert(assign_.idempotency_key());
    if (record().undo) return Next(&Change::Undo);
    record().saved = true;
    resource_ = 0;
    Next(&Change::WriteIntent);
  }

  void WriteIntent() {
    if (resource_ == plan_.resources.size()) return Next(&Change::CommandIntent);
    if (process_.host().ContentOf(plan_.resources[resource_]) == plan_.hash) {
      ++resource_;
      return Next(&Change::WriteIntent);
    }
    if (const absl::Status may = MayAct(); !may.ok()) return GiveUp(may);
    if (Crashes(Fault::kAgentCrashAfterIntent)) return;
    Next(&Change::Write);
  }

  void Write() {
    if (const absl::Status may = MayAct(); !may.ok()) return GiveUp(may);
    process_.host().Write(plan_, plan_.resources[resource_]);
    if (Crashes(Fault::kAgentCrashAfterEffect)) return;
    ++resource_;
    if (bench().Strikes(Fault::kChangeFails, process_.random(), kChangeFails)) {
      return GiveUp(absl::InternalError("simulated"));
    }
    Next(&Change::WriteIntent);
  }

  void CommandIntent() {
    if (record().command_done) return Next(&Change::EndApply);
    if (record().command) {
      attention_ = true;
      return GiveUp(FailedPrecondition("the command may have run or not"));
    }
    if (const absl::Status may = MayAct(); !may.ok()) return GiveUp(may);
    record().command = true;
    if (Crashes(Fault::kAgentCrashAfterIntent)) return;
    process_.host().RunOnce(plan_);
    if (Crashes(Fault::kAgentCrashAfterEffect)) return;
    Next(&Change::CommandDone);
  }

  void CommandDone() {
    record().command_done = true;
    Next(&Change::EndApply);
  }

  void EndApply() {
    v1::Application application;
    application.set_applied(true);
    application.set_summary("applied");
    EndWith(application, record().applied);
  }

  // A lost lease leaves everything to the next attempt; any other failure is undone.
  void GiveUp(const absl::Status& why) {
    if (absl::IsAborted(why) || absl::IsDeadlineExceeded(why)) return Fail(why);
    record().undo = true;
    Next(&Change::Undo);
  }

  void Undo() {
    if (!RestoreAll()) return;
    v1::Application application;
    application.set_needs_attention(attention_ || (record().command && !record().command_done));
    application.set_summary("not applied");
    EndWith(application, record().undone);
  }

  void EndWith(v1::Application application, std::optional<v1::Application>& written_to) {
    application.set_plan_hash(plan_.hash);
    written_to = application;
    if (Crashes(Fault::kAgentCrashAfterEffect)) return;
    Succeed(application);
  }

  void BeginRollback() {
    if (!process_.host().Lock(process_.id(), plan_)) return FailUnlocked(Unavailable("busy"));
    locked_ = true;
    if (record().rolled_back.has_value()) return Succeed(*record().rolled_back);
    if (const absl::Status may = MayAct(); !may.ok()) return Fail(may);
    record().rollback = true;
    if (Crashes(Fault::kAgentCrashAfterIntent)) return;
    Next(&Change::RollBack);
  }

  void RollBack() {
    if (!RestoreAll()) return;
    v1::Rollback rollback;
    rollback.set_plan_hash(plan_.hash);
    rollback.set_complete(!bench().Strikes(Fault::kChangeFails, process_.random(), kChangeFails));
    rollback.set_summary(rollback.complete() ? "as before" : "not as before");
    if (rollback.complete()) record().rolled_back = rollback;
    if (Crashes(Fault::kAgentCrashAfterEffect)) return;
    Succeed(rollback);
  }

  // False where the lease is lost. A cancelled task still takes back what it began.
  bool RestoreAll() {
    for (auto resource = plan_.resources.rbegin(); resource != plan_.resources.rend(); ++resource) {
      if (process_.host().ContentOf(*resource) != plan_.hash) continue;
      if (const absl::Status may = MayAct(); absl::IsAborted(may)) {
        Fail(may);
        return false;
      }
      process_.host().Restore(plan_, *resource);
    }
    return true;
  }

  void Succeed(v1::Application application) {
    if (bench().Strikes(Fault::kLieOtherPlan, process_.random(), kLies)) application.set_plan_hash("another");
    v1::Product product;
    *product.mutable_application() = std::move(application);
    End(SucceededResult(assign_.lease(), std::move(product)));
  }
  void Succeed(const v1::Rollback& rollback) {
    v1::Product product;
    *product.mutable_rollback() = rollback;
    End(SucceededResult(assign_.lease(), std::move(product)));
  }
  void Fail(const absl::Status& status) { End(FailedResult(assign_.lease(), status)); }
  void FailUnlocked(const absl::Status& status) { process_.Finish(FailedResult(assign_.lease(), status)); }
  void End(v1::Result result) {
    if (locked_) process_.host().Unlock(plan_);
    process_.Finish(std::move(result));
  }

  AgentProcess& process_;
  const v1::Assign assign_;
  SimulatedPlan plan_;
  size_t resource_ = 0;
  bool locked_ = false;
  bool attention_ = false;
};

}  // namespace

void BeginChange(const std::shared_ptr<AgentProcess>& process, v1::Assign assign) {
  std::make_shared<Change>(*process, std::move(assign))->Begin();
}

}  // namespace omnix::simulation
