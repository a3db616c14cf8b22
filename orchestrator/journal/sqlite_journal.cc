#include "orchestrator/journal/sqlite_journal.h"

#include <sqlite3.h>

#include <map>

#include "absl/strings/str_join.h"
#include "common/crash_point.h"
#include "common/json.h"
#include "common/time.h"
#include "orchestrator/core/names.h"
#include "orchestrator/journal/names.h"

namespace omnix {
namespace {

// More than are in flight at a time; few enough to stay in the processor's cache.
constexpr size_t kMaxRememberedStories = 5'000;

absl::Status CheckComplete(const v1::Event& event) {
  if (!event.incident_id().empty() && event.has_time() && event.kind_case() != v1::Event::KIND_NOT_SET) {
    return absl::OkStatus();
  }
  return InvalidArgument(
      "an event needs an incident, a time and a kind; this one (incident '{}', sequence {}) lacks one",
      event.incident_id(), event.sequence());
}

}  // namespace

// At the limit it waits, once, for whoever reads: Omnix's own reads are short, and then the log can be begun anew.
absl::Status SqliteJournal::CheckLogSize() {
  absl::Status status = wal_guard_.Check();
  if (!absl::IsUnavailable(status)) return status;
  // Readers that follow each other closely would leave no moment without one.
  return readers_.WithoutReaders([&] { return MoveLogIntoFile(*writer_); }).ok() ? absl::OkStatus() : status;
}

absl::Status SqliteJournal::Append(const Batch& batch) {
  if (!writer_) return Annotate(failure_, "the journal takes nothing until it is opened again: ");
  if (batch.empty()) return absl::OkStatus();
  next_head_ = head_;
  if (stories_.size() > kMaxRememberedStories) stories_.clear();
  absl::Status status = CheckLogSize();
  if (status.ok()) status = InTransaction(*writer_, [&] { return WriteAll(batch); });
  OMNIX_CRASH_POINT("journal.transaction_ended");
  if (OMNIX_FAULT_POINT("journal.commit_told_failed"))
    status = absl::UnavailableError("the commit is said to have failed");
  if (status.ok()) {
    head_ = next_head_;
    return status;
  }
  projector_->Discard();
  OMNIX_CRASH_POINT("journal.append_failed");
  stories_.clear();
  return absl::IsInvalidArgument(status) ? status : Fail(status);
}

absl::Status SqliteJournal::Fail(const absl::Status& status) {
  failure_ = status;
  CloseWriter();
  return status;
}

absl::Status SqliteJournal::Maintain() {
  if (!writer_ || log_pages_ < options_.checkpoint_pages) return absl::OkStatus();
  OMNIX_CRASH_POINT("journal.before_passive_checkpoint");
  sqlite3* const db = writer_->database().getHandle();
  int in_log = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);
  // Readers may keep the last pages in the log: they are moved the next time.
  if (code == SQLITE_BUSY) return absl::OkStatus();
  // A failed sync must not be tried again on this connection: the pages that it lost would be taken for written.
  if (code != SQLITE_OK) return Fail(writer_->Error(sqlite3_extended_errcode(db), sqlite3_errmsg(db)));
  if (moved == in_log) log_pages_ = 0;
  OMNIX_CRASH_POINT("journal.passively_checkpointed");
  return absl::OkStatus();
}

absl::Status SqliteJournal::WriteAll(const Batch& batch) {
  OMNIX_CRASH_POINT("journal.begun");
  for (const Pin& pin : batch.pins) {
    OMNIX_RETURN_IF_ERROR(writer_->Run("INSERT OR IGNORE INTO pins (hash, kind, content) VALUES (?1, ?2, ?3)", pin.hash,
                                       pin.kind, SqliteBlob{pin.content}));
    OMNIX_CRASH_POINT("journal.pin_inserted");
  }
  OMNIX_RETURN_IF_ERROR(WriteEvents(batch));
  OMNIX_RETURN_IF_ERROR(WriteRepeats(batch));
  OMNIX_RETURN_IF_ERROR(WritePending(batch));
  OMNIX_RETURN_IF_ERROR(WriteAgents(batch));
  OMNIX_CRASH_POINT("journal.before_commit");
  return absl::OkStatus();
}

absl::StatusOr<SqliteJournal::Story> SqliteJournal::FindStory(const std::string& incident) {
  Story story;
  OMNIX_ASSIGN_OR_RETURN(story.opened_event,
                         writer_->Integer("SELECT id FROM events WHERE incident = ?1 AND sequence = 1", incident));
  if (story.opened_event == 0) return story;
  OMNIX_ASSIGN_OR_RETURN(
      const int64_t last,
      writer_->Integer("SELECT max(sequence) FROM events WHERE opened_event = ?1", story.opened_event));
  story.sequence = static_cast<uint64_t>(last);
  return story;
}

absl::StatusOr<SqliteJournal::NamedStory*> SqliteJournal::StoryOf(const v1::Event& event) {
  const auto [found, added] = stories_.try_emplace(event.incident_id());
  // That an incident's first event is its first one, the index of the table sees: InsertEvent.
  if (added && event.sequence() > 1) {
    OMNIX_ASSIGN_OR_RETURN(found->second, FindStory(event.incident_id()));
  }
  return &*found;
}

absl::Status SqliteJournal::Continue(Story& story, const v1::Event& event) {
  if (event.sequence() != story.sequence + 1) {
    return InvalidArgument("{}: event {} does not follow event {}", event.incident_id(), event.sequence(),
                           story.sequence);
  }
  story.sequence = event.sequence();
  if (story.sequence == 1) story.opened_event = next_head_.id;
  return absl::OkStatus();
}

absl::Status SqliteJournal::InsertEvent(const v1::RecordedEvent& recorded, const std::string& payload,
                                        const Story& story) {
  const v1::Event& event = recorded.event();
  absl::Status inserted = writer_->Run(
      "INSERT INTO events (id, incident, sequence, time, type, text, payload, chain, opened_event) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      next_head_.id, event.incident_id(), event.sequence(), times_.Format(event.time()),
      EventTypeName(event.kind_case()), recorded.text(), SqliteBlob{payload}, SqliteBlob{next_head_.chain},
      story.opened_event);
  if (inserted.ok() || event.sequence() > 1) return inserted;
  OMNIX_ASSIGN_OR_RETURN(const Story kept, FindStory(event.incident_id()));
  if (kept.sequence == 0) return inserted;
  return InvalidArgument("{}: event 1 does not follow event {}", event.incident_id(), kept.sequence);
}

absl::Status SqliteJournal::WriteEvents(const Batch& batch) {
  if (batch.events.empty()) return absl::OkStatus();
  const bool serialized = batch.payloads.size() == batch.events.size();
  // Events of an incident follow each other: its story is looked up once.
  NamedStory* named = nullptr;
  for (size_t i = 0; i < batch.events.size(); ++i) {
    const v1::RecordedEvent& recorded = batch.events[i];
    const v1::Event& event = recorded.event();
    next_head_.id += 1;
    OMNIX_RETURN_IF_ERROR(CheckComplete(event));
    if (named == nullptr || named->first != event.incident_id()) {
      OMNIX_ASSIGN_OR_RETURN(named, StoryOf(event));
    }
    Story& story = named->second;
    OMNIX_RETURN_IF_ERROR(Continue(story, event));
    const std::string payload_here = serialized ? "" : SerializeDeterministically(event);
    const std::string& payload = serialized ? batch.payloads[i] : payload_here;
    next_head_.chain = sealer_->EventChain(next_head_.chain, next_head_.id, payload, recorded.text());
    OMNIX_RETURN_IF_ERROR(InsertEvent(recorded, payload, story));
    OMNIX_CRASH_POINT("journal.event_inserted");
    OMNIX_RETURN_IF_ERROR(projector_->Apply(next_head_.id, story.opened_event, event));
    if (event.has_alerts_moved()) {
      OMNIX_RETURN_IF_ERROR(MoveRepeats(event.incident_id(), event.alerts_moved()));
    }
    OMNIX_CRASH_POINT("journal.event_projected");
  }
  OMNIX_RETURN_IF_ERROR(projector_->Flush());
  OMNIX_CRASH_POINT("journal.projections_flushed");
  OMNIX_RETURN_IF_ERROR(
      writer_->Run("INSERT OR REPLACE INTO meta (key, value) VALUES ('head', ?1)", FormatHead(next_head_, *sealer_)));
  OMNIX_CRASH_POINT("journal.head_written");
  return absl::OkStatus();
}

absl::Status SqliteJournal::WriteRepeats(const Batch& batch) {
  // Many of a batch are the same few alerts, sent by several monitors or over and over.
  std::map<std::pair<std::string, std::string>, int64_t> repeats;
  for (const auto& repeat : batch.repeated_alerts) ++repeats[repeat];
  for (const auto& [alert, times] : repeats) {
    const auto& [incident, fingerprint] = alert;
    OMNIX_RETURN_IF_ERROR(writer_->Run("UPDATE alerts SET count = count + ?3 WHERE incident = ?1 AND fingerprint = ?2",
                                       incident, fingerprint, times));
    if (writer_->changes() == 0) return InvalidArgument("{}: it has no alert {} to count", incident, fingerprint);
    OMNIX_RETURN_IF_ERROR(
        writer_->Run("INSERT INTO alert_counts (incident, fingerprint, repeats) VALUES (?1, ?2, ?3) "
                     "ON CONFLICT (incident, fingerprint) DO UPDATE SET repeats = repeats + excluded.repeats",
                     incident, fingerprint, times));
    OMNIX_CRASH_POINT("journal.alert_counted");
  }
  return absl::OkStatus();
}

// They stand beside the events, and go with their alerts.
absl::Status SqliteJournal::MoveRepeats(const std::string& from, const v1::AlertsMoved& moved) {
  if (moved.all()) {
    OMNIX_RETURN_IF_ERROR(
        writer_->Run("INSERT INTO alert_counts (incident, fingerprint, repeats) "
                     "SELECT ?2, fingerprint, repeats FROM alert_counts WHERE incident = ?1 "
                     "ON CONFLICT (incident, fingerprint) DO UPDATE SET repeats = repeats + excluded.repeats",
                     from, moved.to()));
    return writer_->Run("DELETE FROM alert_counts WHERE incident = ?1", from);
  }
  for (const auto& fingerprint : moved.fingerprints()) {
    OMNIX_RETURN_IF_ERROR(
        writer_->Run("INSERT INTO alert_counts (incident, fingerprint, repeats) "
                     "SELECT ?2, fingerprint, repeats FROM alert_counts WHERE incident = ?1 AND fingerprint = ?3 "
                     "ON CONFLICT (incident, fingerprint) DO UPDATE SET repeats = repeats + excluded.repeats",
                     from, moved.to(), fingerprint));
    OMNIX_RETURN_IF_ERROR(
        writer_->Run("DELETE FROM alert_counts WHERE incident = ?1 AND fingerprint = ?2", from, fingerprint));
  }
  return absl::OkStatus();
}

absl::Status SqliteJournal::WritePending(const Batch& batch) {
  for (const auto& [fingerprint, pending] : batch.pending_alerts) {
    if (!pending) {
      OMNIX_RETURN_IF_ERROR(writer_->Run("DELETE FROM pending_alerts WHERE fingerprint = ?1", fingerprint));
      continue;
    }
    const v1::Alert& alert = pending->alert();
    const std::string payload = SerializeDeterministically(*pending);
    OMNIX_RETURN_IF_ERROR(writer_->Run(
        "INSERT OR REPLACE INTO pending_alerts (fingerprint, title, severity, status, subject, rule, "
        "occurrences, expires_at, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        fingerprint, alert.title(), SeverityName(alert.severity()), AlertStatusName(alert.status()), alert.subject(),
        pending->rule(), pending->occurrences_size(), times_.Format(pending->expires_at()), SqliteBlob{payload}));
  }
  return absl::OkStatus();
}

absl::Status SqliteJournal::WriteAgents(const Batch& batch) {
  for (const v1::AgentInfo& agent : batch.agents) {
    const std::map<std::string, std::string> labels(agent.labels().begin(), agent.labels().end());
    const std::string state = !agent.connected() ? "gone" : agent.draining() ? "draining" : "connected";
    OMNIX_RETURN_IF_ERROR(writer_->Run(
        "INSERT OR REPLACE INTO agents (name, kind, version, state, task_types, capacity, running, labels, "
        "connected_at, last_heartbeat_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        agent.name(), agent.kind(), agent.version(), state, absl::StrJoin(agent.task_types(), ", "), agent.capacity(),
        agent.running(), absl::StrJoin(labels, ", ", absl::PairFormatter("=")),
        agent.has_connected_at() ? std::optional(FormatTime(agent.connected_at())) : std::nullopt,
        agent.has_last_heartbeat_at() ? std::optional(FormatTime(agent.last_heartbeat_at())) : std::nullopt));
    OMNIX_CRASH_POINT("journal.agent_written");
  }
  return absl::OkStatus();
}

}  // namespace omnix
