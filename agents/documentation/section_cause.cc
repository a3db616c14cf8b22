// Root cause and the appendix of evidence.
#include <fmt/format.h>

#include "agents/documentation/sections.h"

namespace omnix {
namespace {

// Beyond this the appendix says how many it leaves out; the journal has them all.
constexpr size_t kMaxAppendixEvidence = 1000;

using EvidenceById = std::map<std::string, v1::Evidence>;

void AddEvidence(const google::protobuf::RepeatedPtrField<std::string>& ids, const EvidenceById& evidence,
                 const std::string& label, Blocks& out) {
  for (const std::string& id : ids) {
    const auto found = evidence.find(id);
    out.Item(found == evidence.end() ? fmt::format("{} (not in the journal)", id)
                                     : fmt::format("{}: {}", id, found->second.summary()),
             label);
    if (found != evidence.end() && !found->second.excerpt().empty()) out.Code(found->second.excerpt(), "text");
  }
}

std::string StatusText(v1::HypothesisStatus status) {
  return EnumText(v1::HypothesisStatus_Name(status), sizeof("HYPOTHESIS_STATUS_") - 1);
}

void AddHypothesis(const v1::Hypothesis& hypothesis, bool is_cause, const EvidenceById& evidence, Blocks& out) {
  out.Paragraph(fmt::format("{} ({}), confidence {:.0f} %, {}", hypothesis.title(), hypothesis.kind(),
                            hypothesis.confidence() * 100, StatusText(hypothesis.status())),
                fmt::format("{} {}", is_cause ? "Cause" : "Other hypothesis", hypothesis.id()));
  if (!hypothesis.explanation().empty()) out.Paragraph(hypothesis.explanation());
  out.Item(fmt::format("{}, {}", OrNotKnown(hypothesis.component()), PlaceText(hypothesis.location())), "Where");
  for (const auto& test : hypothesis.tests()) {
    out.Item(fmt::format("{}: {}", test.description(), test.agrees() ? "agrees" : "disagrees"), "Counterfactual test");
  }
  AddEvidence(hypothesis.evidence_for(), evidence, "For", out);
  AddEvidence(hypothesis.evidence_against(), evidence, "Against", out);
}

}  // namespace

void WriteRootCause(const Facts& facts, Blocks& out) {
  const v1::Diagnosis& diagnosis = facts.incident.diagnosis();
  const EvidenceById evidence = facts.Evidence();
  if (!diagnosis.summary().empty()) out.Paragraph(diagnosis.summary());
  const std::vector<v1::Hypothesis> causes = facts.RootCauses();
  if (causes.empty()) out.Paragraph("Not known: no explanation has been chosen.", "Root cause");
  if (!causes.empty() && facts.Validated() == nullptr) {
    out.Paragraph("No fix of this cause has been validated: it is the best explanation, not a proven one.", "Note");
  }
  auto is_cause = [&](const v1::Hypothesis& hypothesis) {
    for (const auto& cause : causes) {
      if (cause.id() == hypothesis.id()) return true;
    }
    return false;
  };
  for (const auto& cause : causes) AddHypothesis(cause, true, evidence, out);
  for (const auto& other : diagnosis.hypotheses()) {
    if (!is_cause(other)) AddHypothesis(other, false, evidence, out);
  }
  for (const auto& line : diagnosis.ruled_out()) out.Item(line, "Ruled out");
  for (const auto& line : diagnosis.next_steps()) out.Item(line, "To look at next");
}

void WriteAppendix(const Facts& facts, Blocks& out) {
  const EvidenceById evidence = facts.Evidence();
  size_t written = 0;
  for (const auto& [id, item] : evidence) {
    if (++written > kMaxAppendixEvidence) {
      out.Paragraph(fmt::format("{} more are in the journal.", evidence.size() - kMaxAppendixEvidence));
      return;
    }
    out.Paragraph(fmt::format("{} (by {}, of {}, at {}, place: {})", item.summary(), OrNotKnown(item.source()),
                              OrNotKnown(item.component()), TimeText(item.observed_at()), PlaceText(item.location())),
                  id);
    if (!item.excerpt().empty()) out.Code(item.excerpt(), "text");
  }
}

}  // namespace omnix
