// What an operator does with a journal file: verify it, make its tables anew, copy it (and prune it: prune.h). Nothing
// here needs a running omnixd.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace omnix {

struct JournalReport {
  int64_t events = 0;
  int64_t incidents = 0;
  int64_t pins = 0;
  // Row number of the last event.
  int64_t last_id = 0;
  // Events that were there and were pruned.
  int64_t pruned = 0;
};

// Reads the whole journal and checks every row against the chain, its columns against its payload, the head record, the
// records of pruned rows, and the pins against their hashes; then the database's own structure. Works beside a running
// omnixd, in one read transaction: the write-ahead log grows until it ends. Errors: DATA_LOSS,
// naming the first bad row by number, incident and sequence; FAILED_PRECONDITION (not the journal's key; no journal;
// newer); NOT_FOUND.
absl::StatusOr<JournalReport> VerifyJournal(const std::string& path, const std::string& key_path);

// Makes the tables that people query anew from the events, in one transaction; returns how many events were read. Keeps
// the alerts' repeat counts. Errors: FAILED_PRECONDITION (omnixd has it open; no journal; newer), NOT_FOUND, DATA_LOSS
// (an event can't be read), UNAVAILABLE.
absl::StatusOr<int64_t> RebuildProjections(const std::string& path);

// Copies the journal as it is at one moment, while omnixd goes on writing, to a file that must not exist yet: one file,
// complete in itself, durable when this returns. The key is not copied. Errors: ALREADY_EXISTS, NOT_FOUND, UNAVAILABLE;
// a destination that was begun is removed.
absl::Status BackupJournal(const std::string& path, const std::string& destination);

// As above, of the silences beside it. False where there are none: nothing was written.
absl::StatusOr<bool> BackupSilences(const std::string& path, const std::string& destination);

struct SqliteVersion {
  std::string number;  // "3.40.1"
  // SQLite 3.7.0 to 3.51.2: two connections that write to one journal at the same time can corrupt it.
  bool has_wal_reset_bug = false;
};
// Of the library that this program runs with.
SqliteVersion LinkedSqlite();

}  // namespace omnix
