// Incidents that wait for people may be many and wait long: those untouched the longest leave memory, and are read back
// from the journal (the truth, and on disk before they leave) once somebody touches them.
#include "common/status.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/engine/replay.h"

namespace omnix {

absl::StatusOr<Engine::Live*> Engine::Load(const std::string& incident_id) {
  Live live;
  OMNIX_ASSIGN_OR_RETURN(live.state, Replay(journal_, incident_id));
  if (live.state.id().empty()) return NotFound("no incident {}; {}", incident_id, OpenIncidentsForPeople());
  OMNIX_ASSIGN_OR_RETURN(live.run_by, run_by_.Load(live.state.pins(), journal_));
  Live& loaded = live_.emplace(incident_id, std::move(live)).first->second;
  if (parked_.erase(incident_id) > 0) SetIdle(loaded, true);
  return &loaded;
}

absl::StatusOr<Engine::Live*> Engine::FindOrUnpark(const std::string& incident_id) {
  if (Live* live = FindLive(incident_id)) return live;
  if (!parked_.contains(incident_id)) return nullptr;
  return Load(incident_id);
}

absl::StatusOr<Engine::Live*> Engine::FindOrLoad(const std::string& incident_id) {
  if (Live* live = FindLive(incident_id)) return live;
  // What the journal has of these may lack their end.
  for (auto* closed : {&closing_, &closed_in_write_}) {
    if (auto node = closed->extract(incident_id)) return &live_.insert(std::move(node)).position->second;
  }
  return Load(incident_id);
}

void Engine::SetIdle(Live& live, bool idle) {
  if (live.idle) idle_.erase(*live.idle);
  live.idle.reset();
  if (idle) live.idle = idle_.insert(idle_.end(), &live);
}

void Engine::ParkIdle(std::vector<v1::Incident>* states) {
  while (idle_.size() > options_.max_idle_incidents) {
    Live& live = *idle_.front();
    // What is not durable yet can't be read back.
    if (live.changed_in >= transaction_number_) return;
    const auto waiting = WaitingOf(live);
    const std::string id = live.state.id();
    parked_[id].waiting_for = waiting.empty() ? "" : waiting.front().what();
    idle_.pop_front();
    if (states != nullptr) states->push_back(std::move(live.state));
    live_.erase(id);
  }
}

}  // namespace omnix
