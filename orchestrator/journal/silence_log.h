// The journal of silences: append-only events in a file of its own beside the journal, so that holding an alert back
// needs no place in an incident's stream. One writer at a time.
//
// Each row has a seal that covers the row before it (Sealer::SilenceChain), and a head record names the last one:
// whoever has not the journal's key can change, add, remove or cut off no row unseen. What it can't show: the whole
// file gone, or an older copy put in its place.
#pragma once

#include <omnix/v1/silence.pb.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/journal/chain.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

// Not thread-safe.
class SilenceLog {
 public:
  // Makes the file where there is none. `key`: the journal's. Errors: those of SqliteConnection; DATA_LOSS (the head
  // was changed); FAILED_PRECONDITION (its rows have no seals: another version's).
  static absl::StatusOr<std::unique_ptr<SilenceLog>> Open(const std::string& path, const std::string& key);

  // All of them are durable once it returns OK, or none is kept.
  absl::Status Append(const std::vector<v1::SilenceEvent>& events);
  // In order. Errors: DATA_LOSS, naming the first row that does not fit its seal or can't be read.
  absl::Status Read(const std::function<void(const v1::SilenceEvent&)>& visit);

 private:
  SilenceLog(std::unique_ptr<SqliteConnection> db, const std::string& key) : db_(std::move(db)), sealer_(key) {}

  std::unique_ptr<SqliteConnection> db_;
  Sealer sealer_;
  Head head_;
};

// How many events there are; 0 where there is no file. Works beside a running omnixd. Errors: DATA_LOSS, naming the
// first row that is not what it was.
absl::StatusOr<int64_t> VerifySilences(const std::string& path, const std::string& key);

struct SilencePruneOptions {
  // Silences that ended before this go, with what they suppressed: but none that holds an alert, and never the newest
  // one, whose number the next one's follows.
  absl::Time before;
  absl::Time now;
  bool dry_run = false;
};
// How many silences went (or would go); 0 where there is no file. The caller sees to it that nothing else writes. All
// of them go, or none. Errors: as VerifySilences; a log that was changed is not pruned.
absl::StatusOr<int64_t> PruneSilences(const std::string& path, const std::string& key,
                                      const SilencePruneOptions& options);

}  // namespace omnix
