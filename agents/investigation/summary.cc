#include "agents/investigation/summary.h"

#include <algorithm>

#include "agents/investigation/probe_log_changes.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace omnix {
namespace {

constexpr size_t kShownFacts = 3;
constexpr size_t kShownGuesses = 3;
constexpr double kLeastGuess = 0.05;

using Ids = std::set<std::string>;

std::string Percent(double confidence) { return fmt::format("{:.0f} %", confidence * 100); }

// Text that ends as a sentence does.
std::string Sentence(std::string text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.pop_back();
  return text.empty() ? text : text + ".";
}

std::string WithPlace(const v1::Hypothesis& h) {
  if (h.location().file().empty()) return h.title();
  const std::string place =
      h.location().line() == 0 ? h.location().file() : fmt::format("{}:{}", h.location().file(), h.location().line());
  // Many titles name it already.
  return h.title().find(place) == std::string::npos ? fmt::format("{} ({})", h.title(), place) : h.title();
}

// The symptoms, the one that the first cause explains before the others.
std::string Symptoms(const v1::Diagnosis& diagnosis) {
  if (diagnosis.symptoms_size() == 0) return "No check fails.";
  const v1::Symptom* shown = &diagnosis.symptoms(0);
  if (diagnosis.hypotheses_size() > 0) {
    const auto& explained = diagnosis.hypotheses(0).symptom_ids();
    const auto found =
        std::find_if(diagnosis.symptoms().begin(), diagnosis.symptoms().end(), [&](const v1::Symptom& symptom) {
          return std::find(explained.begin(), explained.end(), symptom.id()) != explained.end();
        });
    if (found != diagnosis.symptoms().end()) shown = &*found;
  }
  const int others = diagnosis.symptoms_size() - 1;
  std::string text = Sentence(shown->summary());
  if (others > 0) text += fmt::format(" {} more {}.", others, others == 1 ? "symptom" : "symptoms");
  return text;
}

// Hypotheses by what they are to the reader.
struct Sorted {
  // The best one, and further ones of symptoms that those before do not explain.
  std::vector<const v1::Hypothesis*> causes;
  std::vector<const v1::Hypothesis*> others;
};

Sorted Sort(const v1::Diagnosis& diagnosis) {
  Sorted sorted;
  Ids explained;
  for (const v1::Hypothesis& h : diagnosis.hypotheses()) {
    const auto& ids = h.symptom_ids();
    const bool news = sorted.causes.empty() || std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
                        return !explained.contains(id);
                      });
    if (h.confidence() >= kKnownCause && news) {
      sorted.causes.push_back(&h);
      explained.insert(ids.begin(), ids.end());
    } else if (h.confidence() >= kLeastGuess && sorted.others.size() < kShownGuesses) {
      sorted.others.push_back(&h);
    }
  }
  return sorted;
}

void AddCauses(const Scene& scene, const Sorted& sorted, std::string* text) {
  for (size_t i = 0; i < sorted.causes.size(); ++i) {
    const v1::Hypothesis& h = *sorted.causes[i];
    *text += fmt::format(" {} ({}): {}", i == 0 ? "Cause" : "And by itself", Percent(h.confidence()),
                         Sentence(WithPlace(h)));
    const std::vector<std::string> facts = StrongestFacts(scene, h, i == 0 ? kShownFacts : 1);
    if (!facts.empty()) *text += fmt::format(" Facts: {}.", fmt::join(facts, "; "));
  }
  if (sorted.others.empty()) return;
  std::vector<std::string> lines;
  for (const v1::Hypothesis* h : sorted.others)
    lines.push_back(fmt::format("{} ({})", WithPlace(*h), Percent(h->confidence())));
  *text += fmt::format(" {}: {}.", sorted.causes.empty() ? "Best guess" : "Less likely", fmt::join(lines, "; "));
}

std::string Text(const Scene& scene, const v1::Diagnosis& diagnosis) {
  if (diagnosis.nothing_wrong()) return fmt::format("Nothing is wrong now: all {} checks pass.", scene.results.size());
  std::string text = Symptoms(diagnosis);
  const Sorted sorted = Sort(diagnosis);
  if (sorted.causes.empty()) text += " Cause unknown.";
  AddCauses(scene, sorted, &text);
  if (!scene.ruled_out.empty()) text += fmt::format(" Ruled out: {}.", fmt::join(scene.ruled_out, "; "));
  return text;
}

void AddUnexplained(const Scene& scene, v1::Diagnosis* diagnosis) {
  constexpr int kMaxSteps = 10;
  Ids explained;
  for (const v1::Hypothesis& h : diagnosis->hypotheses()) {
    if (h.confidence() >= kKnownCause) explained.insert(h.symptom_ids().begin(), h.symptom_ids().end());
  }
  for (const v1::Symptom& symptom : diagnosis->symptoms()) {
    if (explained.contains(symptom.id()) || diagnosis->next_steps_size() >= kMaxSteps) continue;
    const std::string error = FirstLoggedError(scene, symptom.component());
    const std::string component = symptom.component().empty() ? "the service" : symptom.component();
    diagnosis->add_next_steps(error.empty() ? fmt::format("Not explained: {} Look at the logs of {} of that time.",
                                                          Sentence(symptom.summary()), component)
                                            : fmt::format("Not explained: {} First in the log of {}: {}",
                                                          Sentence(symptom.summary()), component, error));
  }
}

void AddNextSteps(const Scene& scene, v1::Diagnosis* diagnosis) {
  AddUnexplained(scene, diagnosis);
  bool known = false;
  for (const v1::Hypothesis& h : diagnosis->hypotheses()) {
    if (h.confidence() < kKnownCause) continue;
    known = true;
    if (h.remedies_size() == 0)
      diagnosis->add_next_steps(
          fmt::format("{} No allowed edit or command mends it; a person has to.", Sentence(h.title())));
  }
  constexpr size_t kMaxRecent = 3;
  for (size_t i = 0; i < std::min(kMaxRecent, scene.changes.size()) && !known; ++i) {
    const Change& change = scene.changes[i];
    diagnosis->add_next_steps(
        fmt::format("Recent change, not shown to be the cause: {} in {}", change.Name(), change.file));
  }
}

}  // namespace

std::vector<std::string> StrongestFacts(const Scene& scene, const v1::Hypothesis& hypothesis, size_t limit) {
  std::vector<std::string> facts;
  const auto add = [&](std::string fact) {
    while (!fact.empty() && fact.back() == '.') fact.pop_back();
    if (facts.size() < limit && !fact.empty() && std::find(facts.begin(), facts.end(), fact) == facts.end())
      facts.push_back(std::move(fact));
  };
  for (const v1::Counterfactual& test : hypothesis.tests()) {
    if (test.agrees()) add(test.description());
  }
  for (const std::string& id : hypothesis.evidence_for()) {
    const auto found = std::find_if(scene.book.all().begin(), scene.book.all().end(),
                                    [&](const v1::Evidence& evidence) { return evidence.id() == id; });
    if (found == scene.book.all().end()) continue;
    const bool placed =
        found->location().line() > 0 && found->summary().find(found->location().file()) == std::string::npos;
    add(placed ? fmt::format("{} ({}:{})", found->summary(), found->location().file(), found->location().line())
               : found->summary());
  }
  return facts;
}

void Summarize(const Scene& scene, v1::Diagnosis* diagnosis) {
  if (!diagnosis->nothing_wrong()) AddNextSteps(scene, diagnosis);
  diagnosis->set_summary(Text(scene, *diagnosis));
}

}  // namespace omnix
