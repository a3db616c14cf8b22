// load.overload and dependency.slow by metrics: the component whose own time series tell the course of the failing
// one's latency or errors. More requests than usual there: too much load. Metrics are circumstances: no test of ours
// tells cause from course, so the confidence stays in the middle.
#include <algorithm>

#include "agents/investigation/analyzer.h"
#include "agents/investigation/probe_metrics.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kOverload = 0.75;
constexpr double kElsewhere = 0.65;
constexpr double kLeastScore = 0.3;
// So many times its usual requests are a load, whatever came of it.
constexpr double kMuchLoad = 1.8;

}  // namespace

void AnalyzeMetrics(Scene* scene, std::vector<Candidate>* candidates) {
  for (const MetricFacts* facts : scene->facts.All<MetricFacts>()) {
    const RankedCause& best = facts->causes[0];
    const v1::Service* service = scene->FindService(best.node);
    const bool overload = facts->load >= kMuchLoad;
    // A latency that nothing below it explains says only that it is slow.
    if (service == nullptr || best.score < kLeastScore || (!overload && best.node == facts->target.node)) continue;
    v1::Hypothesis h;
    h.set_kind(overload ? "load.overload" : "dependency.slow");
    h.set_component(best.node);
    h.set_title(overload ? fmt::format("{} has {:.1f} times its usual requests", best.node, facts->load)
                         : fmt::format("{} is unusual in {}, and tells the course of {}", best.node, best.metric,
                                       facts->target.node));
    h.set_explanation(fmt::format(
        "{} of {} left what is usual. {} of {} has the same course{}, while what {} needs itself is as usual.",
        facts->target.metric, facts->target.node, best.metric, best.node,
        overload ? fmt::format(" and {:.1f} times its usual requests", facts->load) : "", best.node));
    h.add_evidence_for(facts->evidence);
    for (const std::string& id : SymptomsBehind(*scene, *service)) h.add_symptom_ids(id);
    if (h.symptom_ids_size() == 0) continue;
    h.set_confidence(overload ? kOverload : kElsewhere);
    h.set_status(v1::HYPOTHESIS_STATUS_PROPOSED);
    candidates->push_back({std::move(h), {}});
  }
}

}  // namespace omnix
