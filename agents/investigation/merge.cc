#include "agents/investigation/merge.h"

#include <algorithm>

namespace omnix {
namespace {

bool AreSame(const Candidate& a, const Candidate& b) {
  if (!a.fits_with.empty() || !b.fits_with.empty()) return false;
  const v1::Hypothesis& x = a.hypothesis;
  const v1::Hypothesis& y = b.hypothesis;
  if (x.kind() != y.kind() || x.component() != y.component()) return false;
  const bool both_placed = !x.location().file().empty() && !y.location().file().empty();
  return !both_placed || (x.location().file() == y.location().file() && x.location().line() == y.location().line());
}

using Strings = google::protobuf::RepeatedPtrField<std::string>;

void AddMissing(const Strings& from, Strings* to) {
  for (const std::string& id : from) {
    if (std::find(to->begin(), to->end(), id) == to->end()) *to->Add() = id;
  }
}

// What `other` knows and `h` does not.
void Complete(const v1::Hypothesis& other, v1::Hypothesis* h) {
  AddMissing(other.symptom_ids(), h->mutable_symptom_ids());
  AddMissing(other.evidence_for(), h->mutable_evidence_for());
  AddMissing(other.evidence_against(), h->mutable_evidence_against());
  if (h->location().file().empty()) *h->mutable_location() = other.location();
  if (other.status() == v1::HYPOTHESIS_STATUS_SUPPORTED) h->set_status(v1::HYPOTHESIS_STATUS_SUPPORTED);
  for (const v1::Counterfactual& test : other.tests()) {
    const bool known = std::any_of(h->tests().begin(), h->tests().end(), [&](const v1::Counterfactual& own) {
      return own.description() == test.description();
    });
    if (!known) *h->add_tests() = test;
  }
  for (const v1::Remedy& remedy : other.remedies()) {
    const bool known = std::any_of(h->remedies().begin(), h->remedies().end(),
                                   [&](const v1::Remedy& own) { return own.id() == remedy.id(); });
    if (!known) *h->add_remedies() = remedy;
  }
}

}  // namespace

void MergeSame(std::vector<Candidate>* candidates) {
  std::vector<Candidate> merged;
  for (Candidate& candidate : *candidates) {
    const auto same =
        std::find_if(merged.begin(), merged.end(), [&](const Candidate& other) { return AreSame(other, candidate); });
    if (same == merged.end()) {
      merged.push_back(std::move(candidate));
      continue;
    }
    if (candidate.hypothesis.confidence() > same->hypothesis.confidence()) std::swap(*same, candidate);
    Complete(candidate.hypothesis, &same->hypothesis);
  }
  *candidates = std::move(merged);
}

}  // namespace omnix
