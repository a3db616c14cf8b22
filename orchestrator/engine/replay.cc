#include "orchestrator/engine/replay.h"

#include <algorithm>
#include <deque>
#include <future>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "common/status.h"
#include "orchestrator/core/evolve.h"

namespace omnix {
namespace {

// Some megabytes of states: enough to make a thread's start cheap, few enough to have several such parts in memory.
constexpr size_t kIncidentsAtATime = 64;

using Incidents = absl::StatusOr<std::vector<v1::Incident>>;

Incidents ReplayEach(Journal& journal, std::span<const std::string> ids) {
  std::vector<v1::Incident> incidents;
  incidents.reserve(ids.size());
  for (const std::string& id : ids) {
    OMNIX_ASSIGN_OR_RETURN(incidents.emplace_back(), Replay(journal, id));
  }
  return incidents;
}

}  // namespace

absl::StatusOr<v1::Incident> Replay(Journal& journal, const std::string& incident_id) {
  v1::Incident incident;
  OMNIX_RETURN_IF_ERROR(journal.VisitEvents(incident_id, [&](const v1::Event& event) { Evolve(incident, event); }));
  return incident;
}

absl::Status ReplayOpenIncidents(Journal& journal, const TakeIncident& take) {
  OMNIX_ASSIGN_OR_RETURN(const std::vector<std::string> open, journal.OpenIncidentIds());
  std::span<const std::string> unread = open;
  // Few are read in the caller's thread: to start others would take longer.
  const auto where = open.size() <= kIncidentsAtATime ? std::launch::deferred : std::launch::async;
  // Twice the cores: none is idle while the caller takes what is ready.
  const size_t most = 2 * std::max(2u, std::thread::hardware_concurrency());
  std::deque<std::future<Incidents>> parts;
  std::vector<v1::Incident> done;
  while (!unread.empty() || !parts.empty()) {
    while (!unread.empty() && parts.size() < most) {
      const auto part = unread.first(std::min(unread.size(), kIncidentsAtATime));
      unread = unread.subspan(part.size());
      parts.push_back(std::async(where, [&journal, part, freed = std::exchange(done, {})]() mutable {
        freed.clear();
        return ReplayEach(journal, part);
      }));
    }
    OMNIX_ASSIGN_OR_RETURN(std::vector<v1::Incident> incidents, parts.front().get());
    parts.pop_front();
    for (v1::Incident& incident : incidents) OMNIX_RETURN_IF_ERROR(take(std::move(incident), done));
  }
  return absl::OkStatus();
}

}  // namespace omnix
