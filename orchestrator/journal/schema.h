// The journal's tables, their version, and the way from an older version to this one.
//
// What is what: `events` is the truth. `pruned`, `pins`, `alert_counts`, `pending_alerts`, `agents` and `meta` stand
// beside it. All other tables are projections: made from the events alone, and made again by RebuildProjections.
// docs/journal.md explains them to people.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

// Marks the file as Omnix's ("OMNX"), in the database header.
inline constexpr int64_t kApplicationId = 0x4F4D4E58;

// One step: the script that makes version N of version N - 1 (its place in the list is N - 1).
using Migrations = std::vector<std::string>;
const Migrations& JournalMigrations();

// The version that this program writes.
int64_t SchemaVersion();

// Makes the tables, or brings those of an older version up to date, in one transaction.
absl::Status Migrate(SqliteConnection& db, const Migrations& migrations);

// The same for the journal's own tables, inside the caller's transaction, who makes the projections anew afterwards:
// what an older version's hold is dropped instead of being brought up to date, since it may be what is broken.
absl::Status MigrateWithoutProjections(SqliteConnection& db);

// Whether events.opened_event says to which story a row belongs: since version 4; programs that only read meet older
// ones. By the table itself: the number of the version is not sealed.
absl::StatusOr<bool> HasStoryNumbers(SqliteConnection& db);

// Refuses, without changing it, a file that is no journal or that a newer Omnix wrote. OK for an empty database and for
// older versions. Errors: FAILED_PRECONDITION; those of SqliteConnection.
absl::Status CheckReadable(SqliteConnection& db);

// Names of the projection tables.
const std::vector<std::string>& ProjectionTables();
// Makes the projection tables anew, empty, and the views that are read with them. Inside the caller's transaction.
absl::Status RecreateProjections(SqliteConnection& db);

}  // namespace omnix
