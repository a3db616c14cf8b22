// Causes that a check names by itself: a full disk, an expired certificate, memory used up, a database that refuses its
// client. No edit mends them, so they carry no remedy: they tell the operator where to look, and keep other causes from
// being blamed.
#include <algorithm>
#include <array>

#include "agents/investigation/analyzer.h"
#include "fmt/format.h"

namespace omnix {
namespace {

struct Sign {
  std::string_view check;
  // Part of the check's summary; empty: any.
  std::string_view text;
  std::string_view kind;
  std::string_view title;
};

// The first that fits is taken.
constexpr std::array<Sign, 8> kSigns = {{
    {"disk", "", "disk.full", "a file system has too little room"},
    {"memory", "", "memory.exhausted", "too little memory is left"},
    {"tls", "expire", "tls.certificate_expired", "a certificate has expired or is about to"},
    {"tls", "", "tls.certificate_invalid", "a certificate is not accepted"},
    {"database", "authentication", "database.credentials", "the database refuses the credentials"},
    {"database", "too many", "database.connections_exhausted", "the database has no connection left"},
    {"database", "read-only", "database.read_only", "the database is read-only"},
    {"process", "", "process.missing", "its process does not run as declared"},
}};

}  // namespace

void AnalyzeResources(Scene* scene, std::vector<Candidate>* candidates) {
  constexpr double kNamedByCheck = 0.8;
  for (const v1::Symptom& symptom : scene->symptoms) {
    const auto found = scene->symptom_results.find(symptom.id());
    if (found == scene->symptom_results.end()) continue;
    const v1::CheckResult& result = found->second;
    const auto sign = std::find_if(kSigns.begin(), kSigns.end(), [&](const Sign& s) {
      return result.kind() == s.check && result.summary().find(s.text) != std::string::npos;
    });
    const bool explained = std::any_of(candidates->begin(), candidates->end(), [&](const Candidate& candidate) {
      const auto& ids = candidate.hypothesis.symptom_ids();
      return std::find(ids.begin(), ids.end(), symptom.id()) != ids.end();
    });
    if (sign == kSigns.end() || explained) continue;
    v1::Hypothesis h;
    h.set_kind(std::string(sign->kind));
    h.set_component(result.service());
    h.set_title(fmt::format("{}: {}", result.service(), sign->title));
    h.set_explanation(result.summary());
    h.add_symptom_ids(symptom.id());
    for (const std::string& id : symptom.evidence_ids()) h.add_evidence_for(id);
    h.set_confidence(kNamedByCheck);
    h.set_status(v1::HYPOTHESIS_STATUS_PROPOSED);
    candidates->push_back({h, {}});
  }
}

}  // namespace omnix
