#include "agents/investigation/explain.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "agents/investigation/merge.h"
#include "agents/investigation/summary.h"
#include "agents/investigation/weigh.h"
#include "common/hash.h"
#include "common/json.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// Two digits are more than is known.
double Rounded(double confidence) { return std::round(confidence * 100) / 100; }

// The same causes and remedies have the same id in a later investigation.
std::string IdOf(const std::vector<std::pair<const Candidate*, const v1::Remedy*>>& causes) {
  constexpr size_t kIdDigits = 10;
  std::string content;
  for (const auto& [candidate, remedy] : causes) {
    content += candidate->hypothesis.kind() + "\n" + candidate->hypothesis.component() + "\n";
    for (const v1::Action& action : remedy->actions())
      content += action.kind() + SerializeDeterministically(action.with());
  }
  return "x-" + Sha256Hex(content).substr(0, kIdDigits);
}

class Combiner {
 public:
  Combiner(const Scene& scene, const std::vector<Candidate>& candidates, v1::Diagnosis* diagnosis)
      : scene_(scene), candidates_(candidates), diagnosis_(*diagnosis) {}

  void Run() {
    Choose();
    if (chosen_.empty()) return;
    Add({});
    for (const Candidate* candidate : chosen_) {
      if (!candidate->fits_with.empty()) continue;
      for (int i = 1; i < candidate->hypothesis.remedies_size(); ++i)
        Add({{candidate, &candidate->hypothesis.remedies(i)}});
    }
  }

 private:
  using Causes = std::vector<std::pair<const Candidate*, const v1::Remedy*>>;

  void Choose() {
    std::set<std::string> covered;
    for (const Candidate& candidate : candidates_) {
      const v1::Hypothesis& h = candidate.hypothesis;
      if (h.remedies_size() == 0 || h.confidence() < kMinExplanationConfidence) continue;
      const bool news = std::any_of(h.symptom_ids().begin(), h.symptom_ids().end(),
                                    [&](const std::string& id) { return covered.count(id) == 0; });
      if (!news) continue;
      covered.insert(h.symptom_ids().begin(), h.symptom_ids().end());
      chosen_.push_back(&candidate);
    }
  }

  // The remedy of a dependent candidate that goes with what is taken of the others; null where it needs none.
  static const v1::Remedy* Fitting(const Candidate& candidate, const std::set<std::string>& taken) {
    for (const v1::Remedy& remedy : candidate.hypothesis.remedies()) {
      const auto needs = candidate.fits_with.find(remedy.id());
      if (needs == candidate.fits_with.end() || taken.count(needs->second) > 0) return &remedy;
    }
    return nullptr;
  }

  void Add(const std::map<const Candidate*, const v1::Remedy*>& instead) {
    if (diagnosis_.explanations_size() >= static_cast<int>(kMaxExplanations)) return;
    Causes causes;
    std::set<std::string> taken;
    for (const Candidate* candidate : chosen_) {
      if (!candidate->fits_with.empty()) continue;
      const auto other = instead.find(candidate);
      causes.emplace_back(candidate, other == instead.end() ? &candidate->hypothesis.remedies(0) : other->second);
      taken.insert(causes.back().second->id());
    }
    for (const Candidate* candidate : chosen_) {
      if (candidate->fits_with.empty()) continue;
      if (const v1::Remedy* remedy = Fitting(*candidate, taken)) causes.emplace_back(candidate, remedy);
    }
    const std::string id = IdOf(causes);
    const auto& spent = scene_.input.spent;
    if (causes.empty() || std::find(spent.begin(), spent.end(), id) != spent.end()) return;
    Fill(id, causes, instead.empty());
  }

  void Fill(const std::string& id, const Causes& causes, bool first) {
    constexpr double kAlternativeFactor = 0.7;
    v1::Explanation& explanation = *diagnosis_.add_explanations();
    explanation.set_id(id);
    std::set<std::string> covered;
    double least = kMaxConfidence;
    std::string summary;
    for (const auto& [candidate, remedy] : causes) {
      const v1::Hypothesis& h = candidate->hypothesis;
      v1::Cause* cause = explanation.add_causes();
      cause->set_hypothesis_id(h.id());
      cause->set_remedy_id(remedy->id());
      covered.insert(h.symptom_ids().begin(), h.symptom_ids().end());
      least = std::min(least, h.confidence());
      summary +=
          fmt::format("{}{}: {} ({})", summary.empty() ? "" : "; ", h.title(), remedy->title(), remedy->footprint());
    }
    for (const std::string& symptom : covered) explanation.add_symptom_ids(symptom);
    const double share =
        scene_.symptoms.empty() ? 1 : static_cast<double>(covered.size()) / static_cast<double>(scene_.symptoms.size());
    explanation.set_confidence(
        Rounded(std::min(kMaxConfidence, least * (0.5 + share / 2) * (first ? 1 : kAlternativeFactor))));
    explanation.set_summary(summary);
  }

  const Scene& scene_;
  const std::vector<Candidate>& candidates_;
  v1::Diagnosis& diagnosis_;
  std::vector<const Candidate*> chosen_;
};

}  // namespace

v1::Diagnosis Explain(const Scene& scene, std::vector<Candidate> candidates) {
  MergeSame(&candidates);
  Weigh(scene, &candidates);
  v1::Diagnosis diagnosis;
  for (const v1::Symptom& symptom : scene.symptoms) *diagnosis.add_symptoms() = symptom;
  for (size_t i = 0; i < candidates.size(); ++i) {
    candidates[i].hypothesis.set_id("h" + std::to_string(i + 1));
    *diagnosis.add_hypotheses() = candidates[i].hypothesis;
  }
  for (const std::string& line : scene.ruled_out) diagnosis.add_ruled_out(line);
  const bool evaluated = std::any_of(scene.results.begin(), scene.results.end(),
                                     [](const v1::CheckResult& r) { return r.status() == v1::CHECK_STATUS_PASSED; });
  diagnosis.set_nothing_wrong(scene.symptoms.empty() && evaluated);
  Combiner(scene, candidates, &diagnosis).Run();
  Summarize(scene, &diagnosis);
  return diagnosis;
}

}  // namespace omnix
