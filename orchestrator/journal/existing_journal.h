// How maintenance opens a journal that is there already.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "orchestrator/journal/chain.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

// For reading, also beside a running omnixd. Errors: NOT_FOUND; FAILED_PRECONDITION (no journal, or newer); those of
// SqliteConnection.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenExistingToRead(const std::string& path);

// For writing; the caller holds the journal's lock. An older schema stays as it is: the caller brings it up to date
// once it has checked what it wants.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenExistingToWrite(const std::string& path);

// Errors: FAILED_PRECONDITION (not the key that the journal was begun with).
absl::Status CheckJournalKey(SqliteConnection& db, Sealer& sealer, const std::string& key_path);

}  // namespace omnix
