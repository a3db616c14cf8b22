// Checks the last rows of a journal: what an open must know before it adds to them. VerifyJournal checks all of it.
#pragma once

#include "absl/status/statusor.h"
#include "orchestrator/journal/chain.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

// Reads the head record and checks it and the last rows against the chain. Errors: DATA_LOSS, naming what does not fit;
// those of SqliteConnection.
absl::StatusOr<Head> VerifyEnd(SqliteConnection& db, Sealer& sealer);

// The head record as it stands; {0, origin} for an empty journal. Errors: DATA_LOSS (absent though there are events,
// malformed, or seal broken).
absl::StatusOr<Head> ReadHead(SqliteConnection& db, Sealer& sealer);

}  // namespace omnix
