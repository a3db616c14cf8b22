#include "orchestrator/intake/source_heartbeats.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "common/status.h"
#include "common/thread_name.h"

namespace omnix {
namespace {

constexpr absl::Duration kAgainAfter = absl::Seconds(1);
// A wait ends at the latest after this, however far the next deadline is.
constexpr absl::Duration kLongestWait = absl::Hours(1);

std::set<std::string> Fingerprints(const std::vector<v1::Alert>& alerts) {
  std::set<std::string> fingerprints;
  for (const v1::Alert& alert : alerts) fingerprints.insert(alert.fingerprint());
  return fingerprints;
}

}  // namespace

SourceHeartbeats::SourceHeartbeats(const v1::AlertSources& sources, HeartbeatParts parts,
                                   const std::vector<v1::Alert>& firing)
    : parts_(std::move(parts)), ledger_(sources, Fingerprints(firing), parts_.clock->Monotonic()) {
  thread_ = std::thread([this] { Run(); });
}

SourceHeartbeats::~SourceHeartbeats() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_one();
  thread_.join();
}

absl::Status SourceHeartbeats::Sign(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    OMNIX_RETURN_IF_ERROR(ledger_.Sign(name, parts_.clock->Monotonic()));
    signed_ = true;
  }
  wakes_.notify_one();
  return absl::OkStatus();
}

void SourceHeartbeats::SignByFormat(const std::string& format) {
  {
    const std::lock_guard lock(mutex_);
    if (!ledger_.SignByFormat(format, parts_.clock->Monotonic())) return;
    signed_ = true;
  }
  wakes_.notify_one();
}

void SourceHeartbeats::Run() {
  NameThread("heartbeats");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    signed_ = false;
    const auto due = ledger_.Due(parts_.clock->Monotonic(), parts_.clock->Now());
    absl::Duration wait = std::min(ledger_.NextDue() - parts_.clock->Monotonic(), kLongestWait);
    if (!due.empty()) {
      lock.unlock();
      const absl::Status kept = parts_.deliver(due);
      lock.lock();
      if (kept.ok()) {
        ledger_.Told(due);
        continue;
      }
      spdlog::warn("the silence or return of {} source(s) can't be kept yet: {}", due.size(), Message(kept));
      wait = kAgainAfter;
      // A sign must not make it come again at once.
      wakes_.wait_for(lock, absl::ToChronoMilliseconds(wait), [this] { return stopping_; });
      continue;
    }
    if (wait > absl::ZeroDuration()) {
      wakes_.wait_for(lock, absl::ToChronoMilliseconds(wait) + std::chrono::milliseconds(1),
                      [this] { return stopping_ || signed_; });
    }
  }
}

}  // namespace omnix
