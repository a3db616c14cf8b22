// The journal in an SQLite file (WAL, synchronous=FULL), with a chain of keyed hashes over its rows.
//
//   OMNIX_ASSIGN_OR_RETURN(auto journal, SqliteJournal::Open({.path = "/var/lib/omnix/journal.db", .key_path =
//   "/etc/omnix/journal.key"})); OMNIX_RETURN_IF_ERROR(journal->Append(batch));  // durable from here on
//
// One process at a time has the file open for writing (a lock file beside it sees to that), through one connection, the
// only one that checkpoints; all reads go through read-only connections and may come from any thread. People may read
// along with `sqlite3 -readonly`.
//
// Why one: SQLite before 3.51.3 can corrupt a WAL database when two connections checkpoint it at the same time.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "orchestrator/journal/chain.h"
#include "orchestrator/journal/file_lock.h"
#include "orchestrator/journal/journal.h"
#include "orchestrator/journal/projection.h"
#include "orchestrator/journal/reader_pool.h"
#include "orchestrator/journal/sqlite_connection.h"
#include "orchestrator/journal/wal_gathering_vfs.h"
#include "orchestrator/journal/wal_guard.h"

namespace omnix {

struct SqliteJournalOptions {
  // The database file; its folder must exist. Beside it come path-wal, path-shm and path.lock.
  std::string path;
  // File with the key of the hash chain; made (mode 0600) with a new journal where it is absent. Keep a copy elsewhere:
  // without it nothing can be added or verified. Anybody who can read it can forge the journal.
  std::string key_path;
  // A registered SQLite VFS, for tests with faulty disks. Empty: the system's own.
  std::string vfs;
  // Maintain() checkpoints once the write-ahead log has so many pages.
  int checkpoint_pages = kCheckpointPages;
  // The write-ahead log may grow to this while another program holds a read transaction; see wal_guard.h.
  int64_t wal_limit_bytes = kDefaultWalLimitBytes;

  // Measured at 100 incidents in flight (docs/performance.md): from here on larger ones save little.
  static constexpr int kCheckpointPages = 1000;
};

class SqliteJournal final : public Journal {
 public:
  // Errors: FAILED_PRECONDITION (open in another omnixd; written by a newer one; no journal; key missing or not the one
  // it was begun with), PERMISSION_DENIED, UNAVAILABLE (can't be opened or written now), DATA_LOSS (corrupt, or its end
  // was tampered with). Nothing is changed in these cases.
  static absl::StatusOr<std::unique_ptr<SqliteJournal>> Open(const SqliteJournalOptions& options);
  ~SqliteJournal() override;

  // Besides the errors of Journal: INVALID_ARGUMENT (a sequence number that repeats or leaves a gap, an event without a
  // kind, incident or time): nothing was written, and the journal stays usable. UNAVAILABLE also where the write-ahead
  // log has reached its limit.
  absl::Status Append(const Batch& batch) override;
  absl::Status Maintain() override;

  // UNAVAILABLE also where another program holds a read transaction on the file: what the failed commit left behind
  // must be moved out of the write-ahead log first, which a reader prevents. DATA_LOSS also where rows are gone that
  // this object had acknowledged.
  absl::Status Reopen() override;

  absl::StatusOr<std::vector<v1::RecordedEvent>> ReadEvents(const std::string& incident_id, uint64_t after,
                                                            size_t limit) override;
  absl::Status VisitEvents(const std::string& incident_id,
                           const std::function<void(const v1::Event& event)>& visit) override;
  absl::Status VisitRecentAlerts(size_t count, const std::function<void(const v1::Event& event)>& visit) override;
  absl::StatusOr<std::vector<std::string>> OpenIncidentIds() override;
  absl::StatusOr<std::string> ReadPin(const std::string& hash) override;
  absl::StatusOr<std::vector<v1::IncidentSummary>> ListIncidents(bool open_only, size_t limit) override;
  absl::StatusOr<std::vector<v1::ListedAlert>> ListAlerts(bool firing_only, size_t limit) override;
  absl::StatusOr<std::vector<ListedAlertKey>> ListAlertKeys(bool firing_only, size_t limit) override;
  absl::Status ReadAlertKeys(const std::string& incident_id,
                             const std::function<void(const v1::AlertKey& alert)>& visit) override;
  absl::StatusOr<std::vector<v1::Alert>> ReadAlerts(const std::string& incident_id,
                                                    const std::set<std::string>& fingerprints) override;
  absl::StatusOr<std::vector<v1::PendingAlert>> ReadPendingAlerts() override;
  absl::StatusOr<uint32_t> LastIncidentNumber(const std::string& day) override;

 private:
  // What an incident's next event needs to know of those before it.
  struct Story {
    int64_t opened_event = 0;  // row number of the first
    uint64_t sequence = 0;     // of the last
  };
  // By its incident.
  using NamedStory = std::pair<const std::string, Story>;

  SqliteJournal(SqliteJournalOptions options, std::unique_ptr<FileLock> lock);

  absl::Status OpenWriter();
  absl::Status CheckNothingIsGone(const Head& found) const;
  absl::Status CheckAndMigrate(SqliteConnection& db);
  absl::Status MigrateOld(SqliteConnection& db, int64_t version);
  absl::StatusOr<bool> EmptyLog(SqliteConnection& db);
  absl::Status SetUp(SqliteConnection& db);
  absl::StatusOr<bool> CheckKeyId(SqliteConnection& db);
  absl::Status MoveLogIntoFile(SqliteConnection& db);
  absl::Status CheckLogSize();
  void CloseWriter();
  absl::Status Fail(const absl::Status& status);
  absl::Status WriteAll(const Batch& batch);
  absl::Status InsertEvent(const v1::RecordedEvent& recorded, const std::string& payload, const Story& story);
  absl::Status WriteEvents(const Batch& batch);
  absl::Status WriteRepeats(const Batch& batch);
  absl::Status MoveRepeats(const std::string& from, const v1::AlertsMoved& moved);
  absl::Status WritePending(const Batch& batch);
  absl::Status WriteAgents(const Batch& batch);
  // The incident's, which may be new. Valid until stories are forgotten.
  absl::StatusOr<NamedStory*> StoryOf(const v1::Event& event);
  // Adds the event, which must follow the story's last one.
  absl::Status Continue(Story& story, const v1::Event& event);
  absl::StatusOr<Story> FindStory(const std::string& incident);

  const SqliteJournalOptions options_;
  std::unique_ptr<FileLock> lock_;
  ReaderPool readers_;
  WalGuard wal_guard_;
  // The writer's disk: over options_.vfs.
  WalGatheringVfs wal_vfs_;

  // The writer thread's. `writer_` is null from a failed Append until a successful Reopen; `failure_` says why.
  std::unique_ptr<Sealer> sealer_;
  std::unique_ptr<SqliteConnection> writer_;
  std::unique_ptr<Projector> projector_;
  TimeText times_;
  Head head_;
  // As it will be once the transaction that is being written is durable.
  Head next_head_;
  absl::Status failure_;
  // Of incidents written lately, with the events of the batch that is being written.
  std::unordered_map<std::string, Story> stories_;
  // Pages in the write-ahead log after the last commit.
  int log_pages_ = 0;
};

}  // namespace omnix
