// Timeline, fixes, agents, readiness, validation, response times: what was done, by whom, and how long it took.
#include <fmt/format.h>

#include "agents/documentation/sections.h"
#include "common/time.h"

namespace omnix {
namespace {

// Beyond this the timeline says how many events it leaves out; the journal has them all.
constexpr size_t kMaxTimelineEvents = 2000;

void AddSteps(const google::protobuf::RepeatedPtrField<v1::StepResult>& steps, Blocks& out) {
  for (const auto& step : steps) {
    std::string text =
        fmt::format("{}: {}", step.step(), EnumText(v1::StepOutcome_Name(step.outcome()), sizeof("STEP_OUTCOME_") - 1));
    if (!step.detail().empty()) text += fmt::format(" ({})", step.detail());
    out.Item(text, "Step");
  }
}

std::string ApprovalText(const v1::Approval& approval) {
  switch (approval.state()) {
    case v1::APPROVAL_STATE_GRANTED:
      return fmt::format("approved by {} at {}{}", OrNotKnown(approval.by()), TimeText(approval.decided_at()),
                         approval.reason().empty() ? "" : ": " + approval.reason());
    case v1::APPROVAL_STATE_REJECTED:
      return fmt::format("rejected by {}: {}", OrNotKnown(approval.by()), OrNotKnown(approval.reason()));
    case v1::APPROVAL_STATE_FORBIDDEN:
      return fmt::format("forbidden by policy: {}", OrNotKnown(approval.reason()));
    case v1::APPROVAL_STATE_REQUESTED:
      return fmt::format("asked for at {}, not answered yet", TimeText(approval.requested_at()));
    default:
      return "not asked for";
  }
}

void AddRecovery(const v1::Recovery& recovery, Blocks& out) {
  const v1::Plan& plan = recovery.plan();
  out.Paragraph(fmt::format("{}; outcome: {}", OrNotKnown(plan.summary()),
                            recovery.outcome().empty() ? "under way" : recovery.outcome()),
                fmt::format("Recovery {}", recovery.number()));
  out.Item(OrNotKnown(plan.hash()), "Plan hash");
  out.Item(ApprovalText(recovery.approval()), "Approval");
  for (const auto& action : plan.actions())
    out.Item(fmt::format("{}: {}", action.kind(), action.description()), "Action");
  if (recovery.has_application()) {
    out.Item(recovery.application().applied() ? "yes" : "no; what was done has been undone", "Applied");
    if (recovery.application().needs_attention())
      out.Item("something could be neither finished nor undone", "A person must look");
    if (recovery.application().plan_hash() != plan.hash())
      out.Item(OrNotKnown(recovery.application().plan_hash()), "Hash of what was applied");
    AddSteps(recovery.application().steps(), out);
  }
  if (recovery.has_rollback()) {
    out.Item(fmt::format("{}; {}", recovery.rollback().complete() ? "complete" : "not complete",
                         recovery.rollback().summary()),
             "Rolled back");
    AddSteps(recovery.rollback().steps(), out);
  }
  if (!plan.diff().empty()) out.Code(plan.diff(), "diff");
}

std::string StatusText(v1::CheckStatus status) {
  return EnumText(v1::CheckStatus_Name(status), sizeof("CHECK_STATUS_") - 1);
}

// Passed and failed by kind, then what failed.
void AddResults(const google::protobuf::RepeatedPtrField<v1::CheckResult>& results, Blocks& out) {
  std::map<std::string, std::map<v1::CheckStatus, int>> counts;
  for (const auto& result : results) ++counts[result.kind()][result.status()];
  std::vector<std::vector<std::string>> rows = {{"Kind", "Passed", "Failed", "Warning", "Skipped", "Error"}};
  for (auto& [kind, by_status] : counts) {
    rows.push_back(
        {kind, std::to_string(by_status[v1::CHECK_STATUS_PASSED]), std::to_string(by_status[v1::CHECK_STATUS_FAILED]),
         std::to_string(by_status[v1::CHECK_STATUS_WARNING]), std::to_string(by_status[v1::CHECK_STATUS_SKIPPED]),
         std::to_string(by_status[v1::CHECK_STATUS_ERROR])});
  }
  out.Table(std::move(rows));
  for (const auto& result : results) {
    if (result.status() != v1::CHECK_STATUS_PASSED) {
      out.Item(fmt::format("{}: {}", result.name(), result.summary()), StatusText(result.status()));
    }
  }
}

}  // namespace

void WriteTimeline(const Facts& facts, Blocks& out) {
  std::vector<std::vector<std::string>> visits = {{"Phase", "From (UTC)", "Duration", "Why"}};
  for (const auto& visit : facts.incident.visits()) {
    const std::string duration =
        visit.has_left_at() ? omnix::FormatDuration(FromProto(visit.left_at()) - FromProto(visit.entered_at())) : "";
    visits.push_back({PhaseText(visit.phase()), TimeText(visit.entered_at()), duration, visit.reason()});
  }
  out.Table(std::move(visits));
  std::vector<std::vector<std::string>> rows = {{"Phase", "Time (UTC)", "No.", "Event"}};
  v1::Phase phase = v1::PHASE_DETECTED;
  size_t evidence = 0, left_out = 0;
  for (const auto& recorded : facts.events) {
    if (recorded.event().has_phase_entered()) phase = recorded.event().phase_entered().phase();
    if (recorded.event().has_evidence_recorded()) {
      evidence += static_cast<size_t>(recorded.event().evidence_recorded().evidence_size());
    } else if (rows.size() > kMaxTimelineEvents) {
      ++left_out;
    } else {
      rows.push_back({PhaseText(phase), FormatTime(recorded.event().time()),
                      std::to_string(recorded.event().sequence()), recorded.text()});
    }
  }
  out.Table(std::move(rows));
  if (evidence > 0) out.Paragraph(fmt::format("{} pieces of evidence were recorded: see the appendix.", evidence));
  if (left_out > 0) out.Paragraph(fmt::format("{} more events are in the journal.", left_out));
}

void WriteFixes(const Facts& facts, Blocks& out) {
  for (const auto& recovery : facts.incident.recoveries()) AddRecovery(recovery, out);
  if (out.empty()) out.Paragraph("Nothing was changed.");
}

void WriteAgents(const Facts& facts, Blocks& out) {
  std::vector<std::vector<std::string>> rows = {{"Agent", "Task", "State", "Attempts", "Duration", "Remark"}};
  for (const auto& task : facts.incident.tasks()) {
    std::optional<absl::Duration> duration;
    if (task.has_started_at() && task.has_finished_at())
      duration = FromProto(task.finished_at()) - FromProto(task.started_at());
    rows.push_back({task.agent().empty() ? "none" : task.agent(), fmt::format("{} ({})", task.id(), task.spec().type()),
                    EnumText(v1::TaskState_Name(task.state()), sizeof("TASK_STATE_") - 1),
                    std::to_string(task.attempt()), DurationText(duration), task.reason()});
  }
  if (rows.size() == 1) out.Paragraph("No task has been given to an agent.");
  out.Table(std::move(rows));
  for (const auto& entry : facts.incident.roster()) {
    out.Item(fmt::format("{} {}", entry.kind(), entry.version()), entry.agent());
  }
}

void WriteReadiness(const Facts& facts, Blocks& out) {
  if (!facts.incident.has_readiness()) return;
  const v1::Readiness& readiness = facts.incident.readiness();
  out.Paragraph(fmt::format("{} of 100. {}", readiness.score(), readiness.summary()), "Score");
  for (const auto& deduction : readiness.deductions()) {
    out.Item(fmt::format("{} ({})", deduction.reason(), deduction.check()),
             fmt::format("minus {}", deduction.points()));
  }
  AddResults(readiness.results(), out);
}

void WriteValidation(const Facts& facts, Blocks& out) {
  for (const auto& recovery : facts.incident.recoveries()) {
    if (!recovery.has_verdict()) continue;
    const v1::Verdict& verdict = recovery.verdict();
    out.Paragraph(fmt::format("{}; {}; {} runs in {}", verdict.passed() ? "passed" : "failed", verdict.summary(),
                              verdict.runs(), omnix::FormatDuration(FromProto(verdict.window()))),
                  fmt::format("Recovery {}", recovery.number()));
    AddResults(verdict.results(), out);
  }
  if (out.empty()) out.Paragraph("Nothing has been validated.");
}

void WriteMetrics(const Facts& facts, Blocks& out) {
  const Metrics metrics = facts.ResponseTimes();
  out.Table({{"Time to", "Duration", "Measured from and to"},
             {"detect", DurationText(metrics.detect), "trouble started, incident opened"},
             {"mobilize", DurationText(metrics.mobilize), "Mobilizing entered, left"},
             {"diagnose", DurationText(metrics.diagnose), "Investigating entered, left (all visits)"},
             {"plan", DurationText(metrics.plan), "planning assigned, plan given"},
             {"approve", DurationText(metrics.approval_wait), "approval asked for, answered (all)"},
             {"recover", DurationText(metrics.recover), "application assigned, ended"},
             {"validate", DurationText(metrics.validate), "Validating entered, left (all visits)"},
             {"recover, in total (MTTR)", DurationText(metrics.total), "trouble started, validated (or resolved)"}});
}

}  // namespace omnix
