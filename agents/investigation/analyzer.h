// Analyzers: from facts to candidate causes. A new one is a new file analyzer_<noun>.cc and one line in analyzers.cc.
//
// Confidence is the analyzer's own estimate that the named cause is right, before contradicting facts: 0.9 and above
// only where a counterfactual probe agreed and every failing call is accounted for; 0.6 to 0.85 where the probe agreed
// and something is left open; below 0.5 a guess from circumstances. Never above kMaxConfidence.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agents/investigation/scene.h"

namespace omnix {

inline constexpr double kMaxConfidence = 0.97;

struct Candidate {
  v1::Hypothesis hypothesis;
  // Remedies that only fit together with a remedy of another hypothesis: own remedy's id -> that one's id. "" as value:
  // only where none of the other's remedies is taken.
  std::map<std::string, std::string> fits_with;
};

using Analyzer = void (*)(Scene* scene, std::vector<Candidate>* candidates);

// Run in this order; a later one sees the candidates of the earlier ones.
const std::vector<Analyzer>& Analyzers();

// Helpers of analyzers.
v1::Action ReplaceText(const std::string& component, const std::string& path, uint32_t line, const std::string& old,
                       const std::string& text, const std::string& description);
v1::Action InsertLines(const std::string& component, const std::string& path, uint32_t after_line,
                       const std::string& after_text, const std::vector<std::string>& lines,
                       const std::string& description);
v1::Action GitRevert(const std::string& component, const Change& change);
v1::Action RunCommand(const v1::Service& service, const std::string& command);
v1::Remedy MakeRemedy(const std::string& id, const std::string& title, const std::string& side,
                      std::vector<v1::Action> actions);

// Whether the service's file may be changed: it (or the file that includes it) is declared and editable.
bool MayEdit(const Scene& scene, const v1::Service& service, const std::string& file);

}  // namespace omnix
