#include "agents/documentation/documentation.h"

#include <spdlog/spdlog.h>

#include "agents/documentation/report.h"
#include "common/file.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr char kInputSchema[] =
    R"({"type":"object","required":["incident_id"],"properties":{"incident_id":{"type":"string"}}})";

}  // namespace

absl::StatusOr<v1::Product> WriteFinalReport(TaskContext& context, const std::string& state_dir) {
  const Json& input = context.input();
  if (!input.is_object() || !input.contains("incident_id") || !input["incident_id"].is_string()) {
    return InvalidArgument("documentation.report: the input needs \"incident_id\" (a string)");
  }
  const auto id = input["incident_id"].get<std::string>();
  OMNIX_ASSIGN_OR_RETURN(const std::string folder, IncidentFolder(state_dir, id));
  context.Progress("reading the journal");
  const auto stub = v1::Operator::NewStub(context.channel());
  OMNIX_ASSIGN_OR_RETURN(Facts facts, ReadFacts(*stub, id, absl::Now()));
  facts.final = true;
  context.Progress("writing the report", 50);
  v1::Product product;
  *product.mutable_document() = WriteDocument(facts);
  for (const auto& artifact : product.document().artifacts()) {
    OMNIX_RETURN_IF_ERROR(ReplaceFile(folder + "/" + artifact.name(), artifact.content()));
  }
  return product;
}

absl::Status SetUpDocumentation(Agent& agent, const std::string& state_dir) {
  if (const absl::Status made = MakeFolders(state_dir); !made.ok()) {
    return InvalidArgument("--state-dir: {}", Message(made));
  }
  const auto live = std::make_shared<LiveReports>(state_dir);
  agent.Offer(
      "documentation.report", [state_dir](TaskContext& context) { return WriteFinalReport(context, state_dir); },
      kInputSchema);
  agent.OnPrepare([live, &agent](const v1::Prepare& prepare) {
    const absl::Status followed = live->Follow(agent.channel(), prepare.incident_id());
    // Without a live report the final one can still be written.
    if (!followed.ok()) spdlog::warn("no live report: {}", Message(followed));
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace omnix
