// What an operator does with a journal file: verify it, make its tables anew, copy it. Nothing here needs a running
// omnixd.
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
  // Version of the SQLite library that read it.
  std::string sqlite_version;
};

// Reads the whole journal and checks every row against the chain, its columns against its payload, the head record, and
// the pins against their hashes; then the database's own structure. Works beside a running omnixd. Errors: DATA_LOSS,
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

}  // namespace omnix
