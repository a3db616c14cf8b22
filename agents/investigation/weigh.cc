#include "agents/investigation/weigh.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "fmt/format.h"

namespace omnix {
namespace {

// Weights in log odds: 0.7 doubles the odds, 1.4 makes them four times as high.
constexpr double kAllSymptoms = 0.8;
constexpr double kNoSymptom = -1.5;
constexpr double kAgreeingTest = 0.4;
constexpr int kMaxAgreeingTests = 2;
constexpr double kDisagreeingTest = -1.5;
constexpr double kContradiction = -0.6;
constexpr int kMaxContradictions = 4;
constexpr double kRecentChange = 0.5;
constexpr double kReported = 0.2;
// It happened before, and a fix of just that was validated; as often as it may have been.
constexpr double kPrior = 0.4;
constexpr double kDeeperCause = -1.4;
constexpr double kSharperCause = -0.7;
// A rival at the same component is mostly the same cause in other words.
constexpr double kSameComponentRivalry = 0.3;
// Weaker ones push nothing aside.
constexpr double kLeastRival = 0.5;
// A place that is only guessed tells nothing more exactly.
constexpr double kAboutAsLikely = 0.7;
// From here on a cause is sure enough to account for the state that it leads to, by this share of the state's symptoms.
constexpr double kSureCause = 0.8;
constexpr double kNearlyAll = 0.9;
constexpr double kLeastConfidence = 0.01;

// Kinds that name the state in which a component is found, and not what led to it: another kind at the same component
// tells more.
constexpr std::array<std::string_view, 8> kStates = {"service.process_down", "process.missing",  "service.hung",
                                                     "service.crash_loop",   "database.refuses", "dependency.slow",
                                                     "component.failing",    "load.overload"};

// Of two states of one component the one that tells more: it loops or hangs, not only: it is down.
constexpr std::array<std::string_view, 2> kPlainStates = {"service.process_down", "process.missing"};

bool IsPlainState(const v1::Hypothesis& h) {
  return std::find(kPlainStates.begin(), kPlainStates.end(), h.kind()) != kPlainStates.end();
}
bool IsState(const v1::Hypothesis& h) { return std::find(kStates.begin(), kStates.end(), h.kind()) != kStates.end(); }

// Whether it tells more exactly what is wrong with the component.
bool IsSharper(const v1::Hypothesis& h, const v1::Hypothesis& than) {
  if (IsState(h) != IsState(than)) return IsState(than);
  if (IsPlainState(h) != IsPlainState(than)) return IsPlainState(than);
  return !h.location().file().empty() && than.location().file().empty();
}

using Ids = std::set<std::string>;

double LogOdds(double p) {
  p = std::clamp(p, kLeastConfidence, kMaxConfidence);
  return std::log(p / (1 - p));
}

Ids SymptomsOf(const v1::Hypothesis& h) { return {h.symptom_ids().begin(), h.symptom_ids().end()}; }

// The share of `of` that `by` accounts for as well.
double Overlap(const Ids& of, const Ids& by) {
  if (of.empty()) return 0;
  const auto common = std::count_if(of.begin(), of.end(), [&](const std::string& id) { return by.contains(id); });
  return static_cast<double>(common) / static_cast<double>(of.size());
}

// What each service and client needs, directly or through others.
class Needs {
 public:
  explicit Needs(const v1::SystemModel& system) {
    for (const v1::Service& service : system.services()) {
      direct_[service.name()].insert(service.depends_on().begin(), service.depends_on().end());
    }
    for (const v1::Client& client : system.clients()) direct_[client.name()].insert(client.service());
  }
  bool Needed(const std::string& by, const std::string& what) const {
    std::vector<std::string> open = {by};
    Ids seen = {by};
    while (!open.empty()) {
      const auto found = direct_.find(open.back());
      open.pop_back();
      if (found == direct_.end()) continue;
      for (const std::string& name : found->second) {
        if (name == what) return true;
        if (seen.insert(name).second) open.push_back(name);
      }
    }
    return false;
  }

 private:
  std::map<std::string, Ids> direct_;
};

class Scales {
 public:
  Scales(const Scene& scene, std::vector<Candidate>* candidates)
      : scene_(scene), candidates_(*candidates), needs_(scene.input.system) {
    for (const Candidate& candidate : candidates_) symptoms_.push_back(SymptomsOf(candidate.hypothesis));
  }

  void Run() {
    std::vector<double> alone;
    for (size_t i = 0; i < candidates_.size(); ++i) alone.push_back(Alone(i));
    for (size_t i = 0; i < candidates_.size(); ++i) alone[i] += Relations(i, alone);
    for (size_t i = 0; i < candidates_.size(); ++i) Settle(i, alone);
  }

 private:
  void Add(size_t i, const std::string& name, double weight, const std::string& why) {
    if (weight == 0) return;
    v1::ScoreTerm* term = candidates_[i].hypothesis.add_score();
    term->set_name(name);
    term->set_weight(std::round(weight * 100) / 100);
    term->set_why(why);
  }

  // What speaks for the candidate without a look at the others, in log odds.
  double Alone(size_t i) {
    v1::Hypothesis& h = candidates_[i].hypothesis;
    h.clear_score();
    double sum = LogOdds(h.confidence());
    Add(i, "analyzer", sum, fmt::format("judged by itself: {:.0f} %", h.confidence() * 100));
    const auto take = [&](const std::string& name, double weight, const std::string& why) {
      Add(i, name, weight, why);
      sum += weight;
    };
    const size_t all = scene_.symptoms.size();
    const size_t own = symptoms_[i].size();
    if (all > 0 && own == 0) take("symptoms explained", kNoSymptom, "accounts for no symptom");
    if (all > 0 && own > 0) {
      take("symptoms explained", kAllSymptoms * static_cast<double>(own) / static_cast<double>(all),
           fmt::format("accounts for {} of {} symptoms", own, all));
    }
    const auto& tests = h.tests();
    const auto agreeing = std::count_if(tests.begin(), tests.end(), [](const auto& test) { return test.agrees(); });
    const auto disagreeing = tests.size() - agreeing;
    take("counterfactual", kAgreeingTest * static_cast<double>(std::min<long>(agreeing, kMaxAgreeingTests)),
         fmt::format("{} tests agree", agreeing));
    take("counterfactual", kDisagreeingTest * static_cast<double>(disagreeing),
         fmt::format("{} tests disagree", disagreeing));
    take("contradicted", kContradiction * std::min(h.evidence_against_size(), kMaxContradictions),
         fmt::format("{} observations speak against it", h.evidence_against_size()));
    if (const Change* change = scene_.RecentChangeOf(h.location().file()); change != nullptr) {
      take("recent change", kRecentChange, fmt::format("{} changed its place", change->Name()));
    }
    if (scene_.input.reported.contains(h.component())) take("reported", kReported, "the alerts speak of it");
    if (const PriorCause* prior = Prior(h); prior != nullptr)
      take("prior incident", kPrior,
           fmt::format("it was the cause of {}, where its fix was validated", prior->incident));
    return sum;
  }

  const PriorCause* Prior(const v1::Hypothesis& h) const {
    for (const PriorCause& prior : scene_.input.prior) {
      if (prior.kind == h.kind() && prior.component == h.component()) return &prior;
    }
    return nullptr;
  }

  // What the others say of it.
  double Relations(size_t i, const std::vector<double>& alone) {
    const v1::Hypothesis& h = candidates_[i].hypothesis;
    double deeper = 0;
    double sharper = 0;
    std::string deeper_title, sharper_title;
    for (size_t j = 0; j < candidates_.size(); ++j) {
      const v1::Hypothesis& other = candidates_[j].hypothesis;
      if (j == i || alone[j] < LogOdds(kLeastRival)) continue;
      const double overlap = Overlap(symptoms_[i], symptoms_[j]);
      if (overlap == 0 || !candidates_[i].fits_with.empty()) continue;
      const bool is_deeper =
          needs_.Needed(h.component(), other.component()) && !needs_.Needed(other.component(), h.component());
      if (is_deeper && kDeeperCause * overlap < deeper) {
        deeper = kDeeperCause * overlap;
        deeper_title = other.title();
      }
      const bool is_sharper = h.component() == other.component() && IsSharper(other, h) &&
                              (IsState(h) || alone[j] > alone[i] - kAboutAsLikely);
      if (is_sharper && kSharperCause * overlap < sharper) {
        sharper = kSharperCause * overlap;
        sharper_title = other.title();
      }
    }
    // A cause that was shown by a test of its own is no mere consequence.
    const bool shown = h.status() == v1::HYPOTHESIS_STATUS_SUPPORTED && !h.location().file().empty();
    if (shown) deeper /= 2;
    Add(i, "deeper cause", deeper, "may follow from: " + deeper_title);
    Add(i, "sharper cause", sharper, "told more exactly by: " + sharper_title);
    return deeper + sharper;
  }

  // Whether the state is a consequence of the cause: no rival to it, and itself the root only where the cause is not.
  bool LeadsTo(size_t cause, size_t state, const std::vector<double>& log_odds) const {
    const v1::Hypothesis& h = candidates_[cause].hypothesis;
    const v1::Hypothesis& reached = candidates_[state].hypothesis;
    return h.component() == reached.component() && !IsState(h) && IsState(reached) &&
           log_odds[cause] >= LogOdds(kSureCause) && Overlap(symptoms_[state], symptoms_[cause]) >= kNearlyAll;
  }

  void Settle(size_t i, const std::vector<double>& log_odds) {
    v1::Hypothesis& h = candidates_[i].hypothesis;
    const double own = std::exp(log_odds[i]);
    double rivals = 0;
    double least_other = 1;
    for (size_t j = 0; j < candidates_.size(); ++j) {
      const bool together = !candidates_[i].fits_with.empty() || !candidates_[j].fits_with.empty();
      if (j == i || together || log_odds[j] < LogOdds(kLeastRival) || LeadsTo(i, j, log_odds)) continue;
      if (LeadsTo(j, i, log_odds)) least_other = std::min(least_other, 1 / (1 + std::exp(log_odds[j])));
      const bool same = candidates_[j].hypothesis.component() == h.component();
      rivals += std::exp(log_odds[j]) * Overlap(symptoms_[i], symptoms_[j]) * (same ? kSameComponentRivalry : 1);
    }
    if (rivals > 0) {
      const double shared = own / (1 + own + rivals);
      Add(i, "rivals", std::log(shared / (1 - shared)) - log_odds[i], "other causes would explain the same symptoms");
    }
    double confidence = own / (1 + own + rivals);
    if (confidence > least_other) {
      Add(i, "sharper cause", LogOdds(least_other) - LogOdds(confidence), "another cause accounts for this state");
      confidence = least_other;
    }
    constexpr double kDigits = 100;
    h.set_confidence(std::clamp(std::round(confidence * kDigits) / kDigits, 0.0, kMaxConfidence));
    std::stable_sort(
        h.mutable_score()->begin(), h.mutable_score()->end(),
        [](const v1::ScoreTerm& a, const v1::ScoreTerm& b) { return std::abs(a.weight()) > std::abs(b.weight()); });
  }

  const Scene& scene_;
  std::vector<Candidate>& candidates_;
  const Needs needs_;
  std::vector<Ids> symptoms_;
};

}  // namespace

void Weigh(const Scene& scene, std::vector<Candidate>* candidates) {
  Scales(scene, candidates).Run();
  std::stable_sort(candidates->begin(), candidates->end(), [](const Candidate& a, const Candidate& b) {
    return a.hypothesis.confidence() > b.hypothesis.confidence();
  });
}

}  // namespace omnix
