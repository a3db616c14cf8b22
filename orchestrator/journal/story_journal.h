// Test support: journals that hold whole incidents as the core decides them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/hash.h"
#include "common/json.h"
#include "orchestrator/core/event_text.h"
#include "orchestrator/core/incident_fixture.h"
#include "orchestrator/journal/journal.h"

namespace omnix {

// The story as events of `incident` that began `shift` after the fixture's own beginning (2025-09-04T07:00:00Z), its
// alert with a fingerprint of its own, its playbook pinned.
inline Batch StoryBatch(const testing::Story& story, const std::string& incident,
                        absl::Duration shift = absl::ZeroDuration()) {
  Batch batch;
  v1::Playbook playbook = story.playbook;
  playbook.set_name("playbook of " + incident);
  const std::string content = SerializeDeterministically(playbook);
  batch.pins = {{Sha256Hex(content), "playbook", content}};
  for (v1::Event event : story.events) {
    event.set_incident_id(incident);
    *event.mutable_time() = ToProto(FromProto(event.time()) + shift);
    if (event.has_incident_opened()) {
      event.mutable_incident_opened()->mutable_pins()->set_playbook_hash(batch.pins[0].hash);
      event.mutable_incident_opened()->mutable_alerts(0)->set_fingerprint("alert of " + incident);
    }
    v1::RecordedEvent recorded;
    recorded.set_text(EventText(event));
    *recorded.mutable_event() = std::move(event);
    batch.events.push_back(std::move(recorded));
  }
  return batch;
}

// All of the batches in one, their events taken in turns: no incident has neighbouring rows only.
inline Batch Interleaved(std::vector<Batch> batches) {
  Batch all;
  for (const Batch& batch : batches) all.pins.insert(all.pins.end(), batch.pins.begin(), batch.pins.end());
  for (size_t i = 0, added = 1; added > 0; ++i) {
    added = 0;
    for (Batch& batch : batches) {
      if (i >= batch.events.size()) continue;
      all.events.push_back(std::move(batch.events[i]));
      ++added;
    }
  }
  return all;
}

}  // namespace omnix
