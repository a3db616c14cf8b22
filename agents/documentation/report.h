// The report of an incident: the same writer for the live one and the final one.
#pragma once

#include <omnix/v1/artifact.pb.h>
#include <omnix/v1/operator.grpc.pb.h>

#include <string>

#include "absl/status/statusor.h"
#include "agents/documentation/facts.h"

namespace omnix {

// The incident and its events by way of the operator API. Errors: those of the API; RESOURCE_EXHAUSTED for more than
// kMaxReportEvents events.
inline constexpr size_t kMaxReportEvents = 200'000;
absl::StatusOr<Facts> ReadFacts(v1::Operator::StubInterface& stub, const std::string& incident_id, absl::Time now);

// report.md alone, as text.
std::string WriteMarkdown(const Facts& facts);

// report.md, report.html and report.json. The JSON holds {report_version, final, summary, outcome, metrics_s, incident,
// sections: [{id, title, markdown}]}.
v1::Document WriteDocument(const Facts& facts);

}  // namespace omnix
