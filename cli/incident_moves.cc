// `omnix incident merge|split`: alerts that go from one incident to another.
#include <vector>

#include "cli/incident_view.h"
#include "cli/session.h"
#include "cli/words.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

struct MergeOptions {
  std::string incident;
  std::string into;
  std::string reason;
};

absl::StatusOr<v1::CommandIncidentResponse> Send(Session& session, v1::CommandIncidentRequest request) {
  request.set_by(session.options().by);
  return session.client().Call(&v1::Operator::Stub::CommandIncident, request);
}

absl::StatusOr<ExitCode> Merge(Session& session, const MergeOptions& options) {
  v1::CommandIncidentRequest request;
  OMNIX_ASSIGN_OR_RETURN(*request.mutable_incident_id(), session.client().ResolveIncident(options.incident));
  OMNIX_ASSIGN_OR_RETURN(*request.mutable_merge()->mutable_into(), session.client().ResolveIncident(options.into));
  request.set_reason(options.reason);
  OMNIX_ASSIGN_OR_RETURN(const v1::CommandIncidentResponse answer, Send(session, request));
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  session.io().out << fmt::format("{} is merged into {}: {}\n", PrintableLine(request.incident_id()),
                                  PrintableLine(answer.other_incident_id()),
                                  session.CommandLine("incident show " + PrintableLine(answer.other_incident_id())));
  return ExitCode::kDone;
}

struct SplitOptions {
  std::string incident;
  std::vector<std::string> fingerprints;
  std::string reason;
};

absl::StatusOr<ExitCode> Split(Session& session, const SplitOptions& options) {
  v1::CommandIncidentRequest request;
  OMNIX_ASSIGN_OR_RETURN(*request.mutable_incident_id(), session.client().ResolveIncident(options.incident));
  for (const auto& fingerprint : options.fingerprints) request.mutable_split()->add_fingerprints(fingerprint);
  request.set_reason(options.reason);
  OMNIX_ASSIGN_OR_RETURN(const v1::CommandIncidentResponse answer, Send(session, request));
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  session.io().out << fmt::format("{} of the alerts of {} are in {} now: {}\n", request.split().fingerprints_size(),
                                  PrintableLine(request.incident_id()), PrintableLine(answer.other_incident_id()),
                                  session.CommandLine("incident show " + PrintableLine(answer.other_incident_id())));
  return ExitCode::kDone;
}

void AddMerge(CLI::App& incident, Session& session) {
  auto options = std::make_shared<MergeOptions>();
  CLI::App* command = incident.add_subcommand("merge", "Puts all alerts of INC into INTO; INC ends as Cancelled");
  command->add_option("INC", options->incident, "The incident that ends")->required();
  command->add_option("INTO", options->into, "The incident that goes on")->required();
  command->add_option("--reason", options->reason, "Why, for the journal");
  command->callback([&session, options] { session.Do([&session, options] { return Merge(session, *options); }); });
}

void AddSplit(CLI::App& incident, Session& session) {
  auto options = std::make_shared<SplitOptions>();
  CLI::App* command = incident.add_subcommand("split", "Opens another incident with some of the alerts of INC");
  command->add_option("INC", options->incident, "The incident that has the alerts")->required();
  command
      ->add_option("--fingerprint", options->fingerprints,
                   "An alert that goes; may be given several times (`incident show -o json` has them)")
      ->required()
      ->expected(1)
      ->take_all();
  command->add_option("--reason", options->reason, "Why, for the journal");
  command->callback([&session, options] { session.Do([&session, options] { return Split(session, *options); }); });
}

}  // namespace

void AddIncidentMoves(CLI::App& incident, Session& session) {
  AddMerge(incident, session);
  AddSplit(incident, session);
}

}  // namespace omnix
