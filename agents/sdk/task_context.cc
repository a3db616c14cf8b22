#include "agents/sdk/task_context.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "common/redact.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr size_t kMaxProgressBytes = 256;
constexpr size_t kMaxSummaryBytes = 1024;
constexpr size_t kMaxAttributes = 64;
constexpr uint32_t kMaxPercent = 100;

}  // namespace

void LinkedTaskContext::Progress(const std::string& text, uint32_t percent) {
  std::string line = Excerpt(text, kMaxProgressBytes);
  std::replace(line.begin(), line.end(), '\n', ' ');
  agent_->Update(
      [&](LinkState& state) { state.SetProgress(lease(), std::move(line), std::min(percent, kMaxPercent)); });
}

void LinkedTaskContext::Report(v1::Evidence evidence) {
  const int number = ++reported_;
  if (evidence.id().empty()) evidence.set_id(fmt::format("unnamed-{}", number));
  if (!evidence.has_observed_at()) *evidence.mutable_observed_at() = ToProto(absl::Now());
  evidence.set_summary(Excerpt(evidence.summary(), kMaxSummaryBytes));
  evidence.set_excerpt(Excerpt(evidence.excerpt()));
  while (evidence.attributes().size() > kMaxAttributes) {
    evidence.mutable_attributes()->erase(evidence.mutable_attributes()->begin());
  }
  for (auto& [key, value] : *evidence.mutable_attributes()) {
    // Alone, a value doesn't show that its key calls it a secret.
    const std::string redacted = Redact(key + "=" + value);
    value = Excerpt(redacted.size() > key.size() ? redacted.substr(key.size() + 1) : redacted);
  }
  bool kept = true;
  agent_->Update([&](LinkState& state) { kept = state.AddEvidence(lease(), std::move(evidence)); });
  if (!kept && !overflow_logged_.exchange(true)) {
    spdlog::warn("{} of {} reports more than {} pieces ({} bytes) of evidence: what is beyond is dropped",
                 lease().task_id(), lease().incident_id(), kMaxEvidencePerTask, kMaxEvidenceBytesPerTask);
  }
}

}  // namespace omnix
