#include "agents/documentation/report.h"

#include <chrono>

#include "agents/documentation/blocks.h"
#include "agents/documentation/sections.h"
#include "common/hash.h"
#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr int kReportVersion = 1;
constexpr uint32_t kEventPage = 10'000;
constexpr std::chrono::seconds kCallTimeout(10);

absl::Status FromGrpc(const grpc::Status& status, const std::string& what) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), what + ": " + status.error_message());
}

std::string Title(const Facts& facts) { return facts.incident.id() + ": " + facts.incident.title(); }

void AddSeconds(Json& object, const char* name, const std::optional<absl::Duration>& duration) {
  object[name] = duration ? Json(absl::ToDoubleSeconds(*duration)) : Json(nullptr);
}

Json MetricsJson(const Metrics& metrics) {
  Json object = Json::object();
  AddSeconds(object, "detect", metrics.detect);
  AddSeconds(object, "mobilize", metrics.mobilize);
  AddSeconds(object, "diagnose", metrics.diagnose);
  AddSeconds(object, "plan", metrics.plan);
  AddSeconds(object, "approval_wait", metrics.approval_wait);
  AddSeconds(object, "recover", metrics.recover);
  AddSeconds(object, "validate", metrics.validate);
  AddSeconds(object, "total", metrics.total);
  return object;
}

std::string ToJson(const Facts& facts, const std::vector<Section>& sections) {
  v1::Incident incident = facts.incident;
  // An earlier report inside the report would only repeat it.
  incident.clear_document();
  Json list = Json::array();
  for (const Section& section : sections) {
    std::string markdown;
    for (const Block& block : section.blocks.all()) markdown += BlockToMarkdown(block) + "\n";
    list.push_back({{"id", section.id}, {"title", section.title}, {"markdown", markdown}});
  }
  return DumpJson({{"report_version", kReportVersion},
                   {"final", facts.final},
                   {"summary", SummaryText(facts)},
                   {"outcome", facts.Outcome()},
                   {"metrics_s", MetricsJson(facts.ResponseTimes())},
                   {"incident", MessageToJsonValue(incident)},
                   {"sections", list}}) +
         "\n";
}

void AddArtifact(v1::Document& document, const std::string& name, const std::string& media_type, std::string content) {
  v1::Artifact* artifact = document.add_artifacts();
  artifact->set_name(name);
  artifact->set_media_type(media_type);
  artifact->set_sha256(Sha256Hex(content));
  artifact->set_content(std::move(content));
}

}  // namespace

absl::StatusOr<Facts> ReadFacts(v1::Operator::StubInterface& stub, const std::string& incident_id, absl::Time now) {
  Facts facts;
  facts.now = now;
  grpc::ClientContext incident_context;
  incident_context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
  v1::GetIncidentRequest get;
  get.set_incident_id(incident_id);
  v1::GetIncidentResponse answer;
  OMNIX_RETURN_IF_ERROR(
      FromGrpc(stub.GetIncident(&incident_context, get, &answer), "cannot read incident " + incident_id));
  facts.incident = std::move(*answer.mutable_incident());
  uint64_t after = 0;
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
    v1::ListEventsRequest request;
    request.set_incident_id(incident_id);
    request.set_after_sequence(after);
    request.set_limit(kEventPage);
    v1::ListEventsResponse page;
    OMNIX_RETURN_IF_ERROR(
        FromGrpc(stub.ListEvents(&context, request, &page), "cannot read the events of " + incident_id));
    if (page.events().empty() || page.events().rbegin()->event().sequence() <= after) return facts;
    after = page.events().rbegin()->event().sequence();
    if (facts.events.size() + static_cast<size_t>(page.events_size()) > kMaxReportEvents) {
      return ResourceExhausted("{} has more than {} events", incident_id, kMaxReportEvents);
    }
    for (auto& event : *page.mutable_events()) facts.events.push_back(std::move(event));
    if (static_cast<uint32_t>(page.events_size()) < kEventPage) return facts;
  }
}

std::string WriteMarkdown(const Facts& facts) { return ToMarkdown(Title(facts), WriteSections(facts)); }

v1::Document WriteDocument(const Facts& facts) {
  const std::vector<Section> sections = WriteSections(facts);
  v1::Document document;
  document.set_title(Title(facts));
  document.set_final(facts.final);
  document.set_summary(SummaryText(facts));
  AddArtifact(document, "report.md", "text/markdown", ToMarkdown(Title(facts), sections));
  AddArtifact(document, "report.html", "text/html", ToHtml(Title(facts), sections));
  AddArtifact(document, "report.json", "application/json", ToJson(facts, sections));
  return document;
}

}  // namespace omnix
