// `omnix incident report`: the document that the Documentation agent made of an incident.
#include "cli/session.h"
#include "common/file.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

struct Options {
  std::string incident;
  std::string format = "md";
  std::string out;
};

absl::StatusOr<v1::Artifact> FindArtifact(const v1::Incident& incident, const std::string& format) {
  if (!incident.has_document()) {
    return FailedPrecondition(
        "{} has no report yet; it is written when the incident has been dealt with (`omnix incident watch {}`)",
        incident.id(), incident.id());
  }
  for (const auto& artifact : incident.document().artifacts()) {
    if (artifact.name().ends_with("." + format)) return artifact;
  }
  return NotFound("the report of {} has no .{} part", incident.id(), format);
}

absl::StatusOr<ExitCode> WriteReport(Session& session, const Options& options) {
  OMNIX_ASSIGN_OR_RETURN(const std::string id, session.client().ResolveIncident(options.incident));
  OMNIX_ASSIGN_OR_RETURN(const v1::GetIncidentResponse answer, session.client().GetIncident(id));
  OMNIX_ASSIGN_OR_RETURN(const v1::Artifact artifact, FindArtifact(answer.incident(), options.format));
  if (!options.out.empty() && options.out != "-") {
    OMNIX_RETURN_IF_ERROR(ReplaceFile(options.out, artifact.content()));
    session.io().err << fmt::format("Wrote {} ({} bytes)\n", options.out, artifact.content().size());
  } else if (session.io().out_is_terminal) {
    session.io().out << PrintableText(artifact.content());
  } else {
    session.io().out << artifact.content();
  }
  return ExitCode::kDone;
}

}  // namespace

void AddIncidentReport(CLI::App& incident, Session& session) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = incident.add_subcommand("report", "The incident's report");
  AddIncidentArgument(*command, options->incident);
  command->add_option("--format", options->format, "md, html or json")
      ->check(CLI::IsMember({"md", "html", "json"}))
      ->capture_default_str();
  command->add_option("--out", options->out, "File to write (default: standard output)");
  command->callback(
      [&session, options] { session.Do([&session, options] { return WriteReport(session, *options); }); });
}

}  // namespace omnix
