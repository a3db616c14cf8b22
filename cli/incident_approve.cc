// `omnix incident approve|reject`: a decision about the plan that was shown, and no other.
#include <string>

#include "cli/incident_view.h"
#include "cli/session.h"
#include "cli/words.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

// A shorter beginning of a hash could name another plan by accident.
constexpr size_t kMinHashPrefix = 8;

struct Options {
  std::string incident;
  std::string plan;
  std::string reason;
  bool yes = false;
};

// The plan in work, if `options` does not name another.
absl::StatusOr<v1::Recovery> PlanInWork(const v1::Incident& incident, const Options& options) {
  if (incident.recoveries().empty() || !incident.recoveries().rbegin()->has_plan()) {
    return FailedPrecondition("{} has no plan now: it is {} (`omnix incident show {}` says what it waits for)",
                              incident.id(), PhaseWord(incident.phase()), incident.id());
  }
  const v1::Recovery& recovery = *incident.recoveries().rbegin();
  if (!options.plan.empty() && options.plan.size() < kMinHashPrefix) {
    return InvalidArgument("--plan {}: at least the first {} digits of the hash are needed", options.plan,
                           kMinHashPrefix);
  }
  if (!recovery.plan().hash().starts_with(options.plan)) {
    return FailedPrecondition(
        "the plan in work is {}, not {}: look at it with `omnix incident show {}` and decide anew",
        recovery.plan().hash(), options.plan, incident.id());
  }
  return recovery;
}

// Whether the answer is still wanted; says what became of it otherwise.
std::optional<ExitCode> NotWaiting(Session& session, const v1::Recovery& recovery) {
  const v1::Approval& approval = recovery.approval();
  const std::string hash = ShortHash(recovery.plan().hash());
  switch (approval.state()) {
    case v1::APPROVAL_STATE_GRANTED:
      session.people() << PrintableLine(fmt::format("Plan {} is approved already, by {}", hash, approval.by())) << "\n";
      return ExitCode::kDone;
    case v1::APPROVAL_STATE_REJECTED:
    case v1::APPROVAL_STATE_FORBIDDEN:
      session.io().err << PrintableLine(fmt::format("omnix: plan {} was {}: {}", hash,
                                                    approval.state() == v1::APPROVAL_STATE_FORBIDDEN
                                                        ? "forbidden by policy"
                                                        : "rejected by " + approval.by(),
                                                    approval.reason()))
                       << "\n";
      return ExitCode::kApproval;
    default:
      return std::nullopt;
  }
}

// Asks on the terminal. Unset: the answer was yes.
std::optional<ExitCode> Ask(Session& session, const std::string& id, const std::string& hash) {
  CliIo& io = session.io();
  if (!io.in_is_terminal || !io.out_is_terminal) {
    io.err << fmt::format("omnix: nobody is here to answer: read the plan, then run {}\n",
                          session.CommandLine(fmt::format("incident approve {} --plan {} --yes", PrintableLine(id),
                                                          PrintableLine(hash))));
    return ExitCode::kInputNeeded;
  }
  while (true) {
    io.err << "Approve this plan? [yes/no] " << std::flush;
    std::string answer;
    if (!std::getline(io.in, answer)) {
      io.err << "\nomnix: no answer; nothing was approved\n";
      return ExitCode::kInputNeeded;
    }
    if (answer == "yes" || answer == "y") return std::nullopt;
    if (answer == "no" || answer == "n") {
      io.err << fmt::format("Not approved; the incident still waits. To decline the plan: {}\n",
                            session.CommandLine("incident reject " + PrintableLine(id)));
      return ExitCode::kApproval;
    }
  }
}

absl::StatusOr<ExitCode> Send(Session& session, v1::CommandIncidentRequest request, const Options& options,
                              const std::string& done) {
  request.set_by(session.options().by);
  request.set_reason(options.reason);
  OMNIX_ASSIGN_OR_RETURN(const v1::CommandIncidentResponse answer,
                         session.client().Call(&v1::Operator::Stub::CommandIncident, request));
  if (!session.PrintedForPrograms(answer)) {
    session.io().out << PrintableLine(fmt::format("{} ({})", done, PhaseWord(answer.incident().phase()))) << "\n";
  }
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> Decide(Session& session, const Options& options, bool approve) {
  OMNIX_ASSIGN_OR_RETURN(const std::string id, session.client().ResolveIncident(options.incident));
  OMNIX_ASSIGN_OR_RETURN(const v1::GetIncidentResponse answer, session.client().GetIncident(id));
  OMNIX_ASSIGN_OR_RETURN(const v1::Recovery recovery, PlanInWork(answer.incident(), options));
  if (const auto code = NotWaiting(session, recovery)) return *code;
  v1::CommandIncidentRequest request;
  request.set_incident_id(id);
  const std::string& hash = recovery.plan().hash();
  if (!approve) {
    request.mutable_reject()->set_plan_hash(hash);
    return Send(session, request, options, fmt::format("Rejected plan {} of {}", ShortHash(hash), id));
  }
  session.people() << RenderPlan(recovery.plan(), session.io().width, session.style()) << std::flush;
  if (!options.yes) {
    if (const auto code = Ask(session, id, hash)) return *code;
  }
  request.mutable_approve()->set_plan_hash(hash);
  return Send(session, request, options, fmt::format("Approved plan {} of {}", ShortHash(hash), id));
}

CLI::App* AddDecision(CLI::App& incident, Session& session, const std::string& name, const std::string& help,
                      bool approve, const std::shared_ptr<Options>& options) {
  CLI::App* command = incident.add_subcommand(name, help);
  AddIncidentArgument(*command, options->incident);
  command->add_option("--plan", options->plan,
                      "Hash (or its beginning) of the plan that is meant: refused where it is another by now");
  command->add_option("--reason", options->reason, "Why, for the journal");
  command->callback([&session, options, approve] {
    session.Do([&session, options, approve] { return Decide(session, *options, approve); });
  });
  return command;
}

}  // namespace

void AddIncidentApproval(CLI::App& incident, Session& session) {
  const auto options = std::make_shared<Options>();
  AddDecision(incident, session, "approve", "Shows the plan and lets it be carried out", true, options)
      ->add_flag("--yes", options->yes, "Don't ask");
  AddDecision(incident, session, "reject", "Declines the plan; the next explanation is tried", false,
              std::make_shared<Options>());
}

}  // namespace omnix
