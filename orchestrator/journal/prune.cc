#include "orchestrator/journal/prune.h"

#include <omnix/v1/event.pb.h>

#include <map>
#include <optional>
#include <set>

#include "common/time.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/journal/chain_walk.h"
#include "orchestrator/journal/existing_journal.h"
#include "orchestrator/journal/file_lock.h"
#include "orchestrator/journal/journal_end.h"
#include "orchestrator/journal/names.h"
#include "orchestrator/journal/pruned_ranges.h"
#include "orchestrator/journal/schema.h"

namespace omnix {
namespace {

// An incident's id holds the UTC day that it was opened on; one that was closed two days ago was opened before today,
// in every time zone.
constexpr absl::Duration kMinAge = absl::Hours(48);

class Pruner {
 public:
  Pruner(SqliteConnection& db, Sealer& sealer, const PruneOptions& options)
      : db_(db), sealer_(sealer), options_(options) {}

  absl::StatusOr<PruneReport> Run() {
    OMNIX_RETURN_IF_ERROR(VerifyEnd(db_, sealer_).status());
    OMNIX_ASSIGN_OR_RETURN(has_story_numbers_, HasStoryNumbers(db_));
    OMNIX_ASSIGN_OR_RETURN(const std::vector<Group> groups, Candidates());
    for (size_t next = 0; next < groups.size();) {
      OMNIX_RETURN_IF_ERROR(Transaction([&] { return RemoveSome(groups, &next); }));
    }
    OMNIX_RETURN_IF_ERROR(Transaction([this] { return RemoveUnusedPins(); }));
    return report_;
  }

 private:
  // Incidents between which alerts were moved, by merges and splits: the rows of one's alerts come from the events of
  // another, so they go together or stay together.
  using Group = std::vector<std::string>;

  absl::Status Transaction(const std::function<absl::Status()>& body) {
    return options_.dry_run ? body() : InTransaction(db_, body);
  }

  // Each group in which the tables call one incident closed and old.
  absl::StatusOr<std::vector<Group>> Candidates() {
    OMNIX_ASSIGN_OR_RETURN(const auto related, Related());
    std::vector<std::string> incidents;
    OMNIX_RETURN_IF_ERROR(db_.Query(
        "SELECT id FROM incidents WHERE phase IN ('Resolved', 'Cancelled') AND resources IS NULL AND updated_at < ?1 "
        "ORDER BY opened_event",
        [&](const SqliteRow& row) {
          incidents.push_back(row.Text(0));
          return absl::OkStatus();
        },
        omnix::FormatTime(options_.before)));
    std::vector<Group> groups;
    std::set<std::string> seen;
    for (const std::string& incident : incidents) {
      if (!seen.insert(incident).second) continue;
      Group group = {incident};
      for (size_t i = 0; i < group.size(); ++i) {
        const auto others = related.find(group[i]);
        if (others == related.end()) continue;
        for (const std::string& other : others->second) {
          if (seen.insert(other).second) group.push_back(other);
        }
      }
      groups.push_back(std::move(group));
    }
    return groups;
  }

  // Each incident from or to which alerts were moved, with those at the other end.
  absl::StatusOr<std::map<std::string, std::set<std::string>>> Related() {
    std::map<std::string, std::set<std::string>> related;
    OMNIX_RETURN_IF_ERROR(db_.Query(
        "SELECT id, incident, payload FROM events WHERE type = ?1",
        [&](const SqliteRow& row) -> absl::Status {
          v1::Event event;
          if (!event.ParseFromString(row.Blob(2)) || !event.has_alerts_moved()) {
            return DataLoss("{}: row {} is not what it was: run `omnix journal verify`; nothing was pruned", db_.path(),
                            row.Integer(0));
          }
          related[row.Text(1)].insert(event.alerts_moved().to());
          related[event.alerts_moved().to()].insert(row.Text(1));
          return absl::OkStatus();
        },
        EventTypeName(v1::Event::kAlertsMoved)));
    return related;
  }

  absl::Status RemoveSome(const std::vector<Group>& groups, size_t* next) {
    const int64_t enough = report_.events + options_.rows_in_transaction;
    std::set<int64_t> rows;
    std::vector<std::string> gone;
    PruneReport so_far = report_;
    for (; *next < groups.size() && so_far.events < enough; ++*next) {
      OMNIX_ASSIGN_OR_RETURN(const auto closed, RowsIfAllClosed(groups[*next]));
      for (const auto& [incident, its_rows] : closed) {
        rows.insert(its_rows.begin(), its_rows.end());
        gone.push_back(incident);
        so_far.incidents += 1;
        so_far.events += static_cast<int64_t>(its_rows.size());
      }
    }
    report_ = so_far;
    if (options_.dry_run) {
      gone_.insert(gone.begin(), gone.end());
      return absl::OkStatus();
    }
    OMNIX_RETURN_IF_ERROR(RemoveRows(rows));
    for (const std::string& incident : gone) OMNIX_RETURN_IF_ERROR(RemoveProjections(incident));
    return absl::OkStatus();
  }

  // Empty where one of them must stay. One that was pruned before holds nobody back.
  absl::StatusOr<std::map<std::string, std::vector<int64_t>>> RowsIfAllClosed(const Group& group) {
    std::map<std::string, std::vector<int64_t>> closed;
    for (const std::string& incident : group) {
      OMNIX_ASSIGN_OR_RETURN(auto rows, RowsIfClosed(incident));
      if (!rows) return std::map<std::string, std::vector<int64_t>>();
      if (!rows->empty()) closed[incident] = *std::move(rows);
    }
    return closed;
  }

  // Row numbers of the incident's events; nothing where these say (the tables can't be trusted with that) that it is
  // not closed, or not for long enough.
  absl::StatusOr<std::optional<std::vector<int64_t>>> RowsIfClosed(const std::string& incident) {
    std::vector<int64_t> rows;
    v1::Incident state;
    absl::Time last;
    OMNIX_RETURN_IF_ERROR(db_.Query(
        has_story_numbers_ ? "SELECT id, payload FROM events WHERE opened_event = "
                             "(SELECT id FROM events WHERE incident = ?1 AND sequence = 1) ORDER BY sequence"
                           : "SELECT id, payload FROM events WHERE incident = ?1 ORDER BY sequence",
        [&](const SqliteRow& row) -> absl::Status {
          v1::Event event;
          if (!event.ParseFromString(row.Blob(1)) || event.incident_id() != incident) {
            return DataLoss(
                "{}: row {} is not what it was: run `omnix journal verify`; nothing of incident {} was pruned",
                db_.path(), row.Integer(0), incident);
          }
          rows.push_back(row.Integer(0));
          last = FromProto(event.time());
          Evolve(state, event);
          return absl::OkStatus();
        },
        incident));
    const bool closed = state.phase() == v1::PHASE_RESOLVED || state.phase() == v1::PHASE_CANCELLED;
    if (!rows.empty() && (!closed || !state.resources().empty() || last >= options_.before)) {
      return std::optional<std::vector<int64_t>>();
    }
    return std::optional<std::vector<int64_t>>(std::move(rows));
  }

  // One record for each run of neighbouring rows.
  absl::Status RemoveRows(const std::set<int64_t>& rows) {
    for (auto row = rows.begin(); row != rows.end();) {
      const int64_t first = *row;
      int64_t last = first;
      while (++row != rows.end() && *row == last + 1) last = *row;
      OMNIX_RETURN_IF_ERROR(RemoveRun(first, last));
    }
    return absl::OkStatus();
  }

  absl::Status RemoveRun(int64_t first, int64_t last) {
    OMNIX_ASSIGN_OR_RETURN(const auto left, PrunedUpTo(db_, sealer_, first - 1));
    OMNIX_ASSIGN_OR_RETURN(const std::string before, ChainBefore(first, left));
    ChainWalk walk(db_, sealer_, Head{first - 1, before});
    OMNIX_RETURN_IF_ERROR(db_.Query(
        "SELECT id, payload, text, chain FROM events WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
        [&](const SqliteRow& row) -> absl::Status {
          const absl::Status fits = walk.Row(row.Integer(0), row.Blob(1), row.Text(2), row.Blob(3));
          if (!absl::IsDataLoss(fits)) return fits;
          return DataLoss("{}: row {}: {}: run `omnix journal verify`; a journal that was changed is not pruned",
                          db_.path(), row.Integer(0), Message(fits));
        },
        first, last));
    PrunedRange range{first, last, before, walk.last().chain, omnix::FormatTime(options_.now)};
    OMNIX_ASSIGN_OR_RETURN(const auto right, PrunedFrom(db_, sealer_, last + 1));
    if (right && right->before != range.after) {
      return DataLoss("{}: the record of the pruned rows {} to {} does not follow row {}: run `omnix journal verify`",
                      db_.path(), right->first, right->last, last);
    }
    if (left) {
      range.first = left->first;
      range.before = left->before;
      OMNIX_RETURN_IF_ERROR(RemovePruned(db_, *left));
    }
    if (right) {
      range.last = right->last;
      range.after = right->after;
      OMNIX_RETURN_IF_ERROR(RemovePruned(db_, *right));
    }
    OMNIX_RETURN_IF_ERROR(db_.Run("DELETE FROM events WHERE id BETWEEN ?1 AND ?2", first, last));
    return AddPruned(db_, sealer_, range);
  }

  absl::StatusOr<std::string> ChainBefore(int64_t first, const std::optional<PrunedRange>& left) {
    if (first == 1) return Sealer::Origin();
    if (left) return left->after;
    OMNIX_ASSIGN_OR_RETURN(const auto chain, db_.Text("SELECT chain FROM events WHERE id = ?1", first - 1));
    if (chain) return *chain;
    return DataLoss("{}: row {} is missing, and no prune removed it: run `omnix journal verify`", db_.path(),
                    first - 1);
  }

  absl::Status RemoveProjections(const std::string& incident) {
    OMNIX_RETURN_IF_ERROR(db_.Run("DELETE FROM incidents WHERE id = ?1", incident));
    OMNIX_RETURN_IF_ERROR(db_.Run("DELETE FROM tasks WHERE incident = ?1", incident));
    OMNIX_RETURN_IF_ERROR(db_.Run("DELETE FROM alerts WHERE incident = ?1", incident));
    OMNIX_RETURN_IF_ERROR(db_.Run("DELETE FROM actions WHERE incident = ?1", incident));
    OMNIX_RETURN_IF_ERROR(db_.Run("DELETE FROM approvals WHERE incident = ?1", incident));
    return db_.Run("DELETE FROM alert_counts WHERE incident = ?1", incident);
  }

  // What the events say that the incidents that stay run by.
  absl::StatusOr<std::set<std::string>> UsedPins() {
    std::set<std::string> used;
    OMNIX_RETURN_IF_ERROR(
        db_.Query("SELECT payload, incident FROM events WHERE sequence = 1", [&](const SqliteRow& row) -> absl::Status {
          v1::Event event;
          if (!event.ParseFromString(row.Blob(0))) {
            return DataLoss("{}: the first event of {} can't be read: run `omnix journal verify`", db_.path(),
                            row.Text(1));
          }
          if (gone_.contains(row.Text(1))) return absl::OkStatus();
          const v1::Pins& pins = event.incident_opened().pins();
          used.insert({pins.playbook_hash(), pins.system_hash(), pins.policy_hash()});
          return absl::OkStatus();
        }));
    return used;
  }

  absl::Status RemoveUnusedPins() {
    OMNIX_ASSIGN_OR_RETURN(const std::set<std::string> used, UsedPins());
    std::vector<std::string> unused;
    OMNIX_RETURN_IF_ERROR(db_.Query("SELECT hash FROM pins", [&](const SqliteRow& row) {
      if (const std::string hash = row.Text(0); !used.contains(hash)) unused.push_back(hash);
      return absl::OkStatus();
    }));
    report_.pins = static_cast<int64_t>(unused.size());
    if (options_.dry_run) return absl::OkStatus();
    for (const std::string& hash : unused) {
      OMNIX_RETURN_IF_ERROR(db_.Run("DELETE FROM pins WHERE hash = ?1", hash));
    }
    return absl::OkStatus();
  }

  SqliteConnection& db_;
  Sealer& sealer_;
  const PruneOptions& options_;
  PruneReport report_;
  // Not in a dry run on an old journal: it changes nothing, not the schema either.
  bool has_story_numbers_ = true;
  // Of a dry run: still there, but counted as gone.
  std::set<std::string> gone_;
};

}  // namespace

absl::StatusOr<PruneReport> PruneJournal(const std::string& path, const std::string& key_path,
                                         const PruneOptions& options) {
  if (options.before > options.now - kMinAge) {
    return InvalidArgument("incidents can be pruned 2 days after their last event at the earliest");
  }
  OMNIX_ASSIGN_OR_RETURN(auto db, OpenExistingToRead(path));
  OMNIX_ASSIGN_OR_RETURN(const std::string key, LoadJournalKey(key_path, /*create=*/false));
  Sealer sealer(key);
  OMNIX_RETURN_IF_ERROR(CheckJournalKey(*db, sealer, key_path));
  if (options.dry_run) {
    // One view, while a writer may go on.
    OMNIX_RETURN_IF_ERROR(db->Run("BEGIN"));
    return Pruner(*db, sealer, options).Run();
  }
  db.reset();
  OMNIX_ASSIGN_OR_RETURN(const auto lock, FileLock::Take(path));
  OMNIX_ASSIGN_OR_RETURN(db, OpenExistingToWrite(path));
  // What is refused stays as it is: an older Omnix can still open it.
  OMNIX_RETURN_IF_ERROR(VerifyEnd(*db, sealer).status());
  OMNIX_RETURN_IF_ERROR(Migrate(*db, JournalMigrations()));
  return Pruner(*db, sealer, options).Run();
}

}  // namespace omnix
