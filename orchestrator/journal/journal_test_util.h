// What the tests of the journal share: a folder of their own, and short ways to write events.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "common/time.h"
#include "orchestrator/journal/journal.h"
#include "orchestrator/journal/sqlite_journal.h"

namespace omnix {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string pattern = (parent / "omnix-journal-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// For simulated disks: nothing is gained by syncing a real one hundreds of times.
inline std::filesystem::path FastFolder() {
  const std::filesystem::path kMemory = "/dev/shm";
  return std::filesystem::is_directory(kMemory) ? kMemory : std::filesystem::temp_directory_path();
}

inline constexpr char kIncident[] = "INC-2025-09-04-001";

inline v1::RecordedEvent MakeEvent(const std::string& incident, uint64_t sequence) {
  v1::RecordedEvent recorded;
  recorded.mutable_event()->set_incident_id(incident);
  recorded.mutable_event()->set_sequence(sequence);
  // 2025-09-04T07:14:00Z and a second an event.
  recorded.mutable_event()->mutable_time()->set_seconds(1756970040 + static_cast<int64_t>(sequence));
  recorded.set_text("event " + std::to_string(sequence));
  return recorded;
}

inline v1::RecordedEvent OpenedEvent(const std::string& incident, const std::string& fingerprint = "fp-1") {
  v1::RecordedEvent recorded = MakeEvent(incident, 1);
  auto* opened = recorded.mutable_event()->mutable_incident_opened();
  opened->set_title("Checkout fails");
  opened->set_severity(v1::SEVERITY_CRITICAL);
  opened->set_by("alertmanager");
  auto* alert = opened->add_alerts();
  alert->set_fingerprint(fingerprint);
  alert->set_title("HTTP 404");
  alert->set_severity(v1::SEVERITY_CRITICAL);
  alert->set_status(v1::ALERT_STATUS_FIRING);
  (*alert->mutable_labels())["site"] = "eu";
  return recorded;
}

inline v1::RecordedEvent NoteEvent(const std::string& incident, uint64_t sequence) {
  v1::RecordedEvent recorded = MakeEvent(incident, sequence);
  recorded.mutable_event()->mutable_note_added()->mutable_note()->set_text("note " + std::to_string(sequence));
  return recorded;
}

// An incident with `count` events.
inline Batch IncidentBatch(const std::string& incident, uint64_t count) {
  Batch batch;
  batch.events.push_back(OpenedEvent(incident));
  for (uint64_t sequence = 2; sequence <= count; ++sequence) batch.events.push_back(NoteEvent(incident, sequence));
  return batch;
}

// As the engine writes: what may be done between transactions is done after each.
inline absl::Status AppendAndMaintain(Journal& journal, const Batch& batch) {
  const absl::Status status = journal.Append(batch);
  return status.ok() ? journal.Maintain() : status;
}

inline SqliteJournalOptions OptionsIn(const TemporaryFolder& folder) {
  SqliteJournalOptions options;
  options.path = folder / "journal.db";
  options.key_path = folder / "journal.key";
  return options;
}

// A statement on the file as a person with the sqlite3 shell would give it.
inline void RunSql(const std::string& path, const std::string& sql) {
  SQLite::Database db(path, SQLite::OPEN_READWRITE);
  db.exec(sql);
}

// All rows of a table or query, one a line.
inline std::string Dump(const std::string& path, const std::string& query) {
  SQLite::Database db(path, SQLite::OPEN_READONLY);
  SQLite::Statement statement(db, query);
  std::string text;
  while (statement.executeStep()) {
    for (int i = 0; i < statement.getColumnCount(); ++i) {
      const auto column = statement.getColumn(i);
      text += (i ? "|" : "") + (column.isNull() ? std::string("NULL") : column.getString());
    }
    text += "\n";
  }
  return text;
}

}  // namespace omnix
