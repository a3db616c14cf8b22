// Removes closed incidents from a journal, and keeps it verifiable.
//
//   OMNIX_ASSIGN_OR_RETURN(PruneReport report, PruneJournal(path, key_path, {.before = now - absl::Hours(24 * 90), .now
//   = now}));
//
// Incidents between which alerts were moved (merge, split) go together or stay together. An incident goes whole: its
// events, its rows in all tables, and the pins that no incident runs by any more. Each row is checked against the chain
// before it goes, so that pruning hides no tampering, and each gap gets a sealed record that carries the chain over it
// (pruned_ranges.h): `omnix journal verify` still finds every row that anybody else removed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace omnix {

struct PruneOptions {
  // Incidents go that are Resolved or Cancelled, hold no lock, and whose last event is older than this. Incident ids
  // are counted by day: at least two days before `now`, or an id could be given twice.
  absl::Time before;
  absl::Time now;
  // Only say what would go. Works beside a running omnixd.
  bool dry_run = false;
  // Rows removed in one transaction, about: a kill in between leaves a sound journal, partly pruned.
  int64_t rows_in_transaction = 2'000;
};

struct PruneReport {
  int64_t incidents = 0;
  int64_t events = 0;
  int64_t pins = 0;
};

// Errors: INVALID_ARGUMENT (`before` is too young), NOT_FOUND, FAILED_PRECONDITION (omnixd has it open; no journal;
// newer; not its key), DATA_LOSS (a row that was to go does not fit the chain: nothing of its incident went),
// UNAVAILABLE.
absl::StatusOr<PruneReport> PruneJournal(const std::string& path, const std::string& key_path,
                                         const PruneOptions& options);

}  // namespace omnix
