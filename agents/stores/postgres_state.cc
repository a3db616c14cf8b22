#include "agents/stores/postgres_state.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <thread>

#include "absl/strings/str_split.h"
#include "agents/stores/statement.h"
#include "common/redact.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kQueryTime = absl::Milliseconds(1500);
constexpr size_t kMaxQueryBytes = 240;
constexpr size_t kMaxSessions = 2000;

// Not as options of the connection: a pooler refuses those.
constexpr char kTimeLimits[] = "SET statement_timeout = 1200; SET lock_timeout = 300";

// current_setting(..., true) is null for settings that a version does not know.
constexpr char kServer[] =
    R"(SELECT current_setting('server_version'), current_user, current_database(), current_setting('max_connections')::int,
  current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true), '0')::int,
  pg_is_in_recovery(),
  (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()))";

// The time-out of this very session would be seen in place of the server's: reset_val is what others get.
constexpr char kSettings[] = R"(SELECT name, reset_val, source, coalesce(sourcefile, ''), coalesce(sourceline, 0)
FROM pg_settings WHERE name IN ('default_transaction_read_only', 'statement_timeout', 'data_directory'))";

constexpr char kOverrides[] = R"(SELECT coalesce(datname, ''), coalesce(rolname, ''), unnest(setconfig)
FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole)";

constexpr char kLimits[] = R"(SELECT '', rolname, rolconnlimit, rolcanlogin, coalesce(rolvaliduntil < now(), false)
FROM pg_roles WHERE NOT rolname LIKE 'pg\_%' AND (rolconnlimit >= 0 OR NOT rolcanlogin OR rolvaliduntil < now())
UNION ALL SELECT datname, '', datconnlimit, datallowconn, false
FROM pg_database WHERE NOT datistemplate AND (datconnlimit >= 0 OR NOT datallowconn) LIMIT 200)";

// Whoever waits for a lock is in pg_locks, also where this login may not see what other sessions do.
constexpr char kSessions[] =
    R"(SELECT pid, coalesce(application_name, ''), coalesce(usename, ''), coalesce(datname, ''),
  coalesce(host(client_addr), ''), coalesce(client_port, 0), coalesce(state, ''), coalesce(wait_event_type, ''),
  coalesce(wait_event, ''), left(query, 300),
  coalesce(extract(epoch FROM clock_timestamp() - xact_start), -1),
  coalesce(extract(epoch FROM clock_timestamp() - query_start), -1),
  coalesce(extract(epoch FROM clock_timestamp() - state_change), -1),
  coalesce(extract(epoch FROM clock_timestamp() - backend_start), 0),
  CASE WHEN l.waiting IS NOT NULL THEN array_to_string(pg_blocking_pids(a.pid), ',') ELSE '' END, coalesce(l.waiting, ''),
  coalesce(to_jsonb(a)->>'query_id', '')
FROM pg_stat_activity a LEFT JOIN (SELECT pid AS waiter, min(mode || ' on ' || CASE WHEN relation IS NULL THEN locktype
  ELSE coalesce((SELECT relname FROM pg_class c WHERE c.oid = relation), relation::text) END) AS waiting
  FROM pg_locks WHERE NOT granted GROUP BY pid) l ON l.waiter = a.pid
WHERE a.pid <> pg_backend_pid() AND (backend_type = 'client backend' OR (backend_type IS NULL AND datid IS NOT NULL)) LIMIT 2000)";

constexpr char kStatementsSchema[] = R"(SELECT quote_ident(nspname) FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_stat_statements')";

// Before version 13 the columns were mean_time and max_time: such a server says so, and that is told.
constexpr char kStatements[] =
    R"(SELECT coalesce(queryid::text, ''), left(query, 300), calls, mean_exec_time, max_exec_time
FROM {}.pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY mean_exec_time DESC LIMIT 20)";

class Reader {
 public:
  Reader(PostgresSession* session, PostgresState* state) : session_(*session), state_(*state) {}

  // Null after an error, which is kept with `what`.
  const std::vector<PostgresRow>* Ask(const std::string& what, const std::string& sql) {
    // A transaction each, since what sessions do is seen as it was when the transaction first asked. Read-only by its
    // beginning: a setting of this session would stand in for the server's own.
    auto rows = session_.Query("BEGIN TRANSACTION READ ONLY; " + sql + "; COMMIT", Countdown(kQueryTime));
    if (!rows.ok()) {
      session_.Query("ROLLBACK", Countdown(kQueryTime)).IgnoreError();
      state_.unknown.push_back(what + ": " + Message(rows.status()));
      return nullptr;
    }
    rows_ = *std::move(rows);
    return &rows_;
  }

  bool ReadServer() {
    const auto limits = session_.Query(kTimeLimits, Countdown(kQueryTime));
    if (!limits.ok()) state_.unknown.push_back("time limits: " + Message(limits.status()));
    if (!limits.ok()) return false;
    const auto* rows = Ask("settings of the server", kServer);
    if (rows == nullptr || rows->empty()) return false;
    const PostgresRow& row = rows->front();
    state_.version = row[0];
    state_.user = row[1];
    state_.database = row[2];
    state_.max_connections = std::atoi(row[3].c_str());
    state_.reserved = std::atoi(row[4].c_str());
    state_.standby = row[5] == "t";
    state_.deadlocks = std::atoll(row[6].c_str());
    return true;
  }

  void ReadSettings() {
    if (const auto* rows = Ask("pg_settings", kSettings)) {
      for (const PostgresRow& row : *rows) {
        if (row[0] == "data_directory") state_.data_directory = row[1];
        if (row[0] == "statement_timeout" && row[1] != "0") state_.statement_timeout = row[1];
        if (row[0] != "default_transaction_read_only") continue;
        state_.read_only = row[1] == "on";
        state_.read_only_source = row[2];
        state_.read_only_file = row[3];
        state_.read_only_line = static_cast<uint32_t>(std::atoi(row[4].c_str()));
      }
    }
    if (const auto* rows = Ask("settings of roles and databases", kOverrides)) {
      for (const PostgresRow& row : *rows) {
        const size_t equals = row[2].find('=');
        if (equals == std::string::npos) continue;
        state_.overrides.push_back({row[0], row[1], row[2].substr(0, equals), row[2].substr(equals + 1)});
      }
    }
    if (const auto* rows = Ask("limits of roles and databases", kLimits)) {
      for (const PostgresRow& row : *rows)
        state_.limits.push_back({row[0], row[1], std::atoi(row[2].c_str()), row[3] == "t", row[4] == "t"});
    }
  }

  // False where sessions can't be seen.
  bool ReadSessions() {
    const auto* rows = Ask("pg_stat_activity", kSessions);
    if (rows == nullptr) return false;
    state_.open_sessions = static_cast<int>(rows->size());
    for (const PostgresRow& row : *rows) Merge(Backend(row));
    return true;
  }

  void ReadStatements() {
    const auto* schema = Ask("extensions", kStatementsSchema);
    if (schema == nullptr || schema->empty()) return;
    const std::string question = fmt::format(kStatements, schema->front()[0]);
    const auto* rows = Ask("pg_stat_statements", question);
    if (rows == nullptr) return;
    for (const PostgresRow& row : *rows) {
      state_.statements.push_back({row[0], Excerpt(MaskLiterals(row[1]), kMaxQueryBytes), std::atoll(row[2].c_str()),
                                   absl::Milliseconds(std::atof(row[3].c_str())),
                                   absl::Milliseconds(std::atof(row[4].c_str()))});
    }
  }

  void ReadSize() {
    if (const auto* rows = Ask("size", "SELECT pg_database_size(current_database())");
        rows != nullptr && !rows->empty())
      state_.size_bytes = std::atoll(rows->front()[0].c_str());
  }

 private:
  static PostgresBackend Backend(const PostgresRow& row) {
    PostgresBackend backend;
    backend.pid = std::atoi(row[0].c_str());
    backend.application = row[1];
    backend.user = row[2];
    backend.database = row[3];
    backend.client = row[4];
    backend.client_port = std::atoi(row[5].c_str());
    backend.state = row[6];
    backend.wait_type = row[7];
    backend.wait_event = row[8];
    backend.query = Excerpt(MaskLiterals(row[9]), kMaxQueryBytes);
    backend.transaction_age = std::atof(row[10].c_str());
    backend.query_age = std::atof(row[11].c_str());
    backend.state_age = std::atof(row[12].c_str());
    backend.connected_for = std::atof(row[13].c_str());
    for (const absl::string_view pid : absl::StrSplit(row[14], ',', absl::SkipEmpty()))
      backend.blocked_by.push_back(std::atoi(std::string(pid).c_str()));
    backend.wants = row[15];
    backend.query_id = row[16];
    return backend;
  }

  // A session that ran a query or waited in one of the looks is kept as it was then.
  void Merge(PostgresBackend backend) {
    const auto known = std::find_if(state_.sessions.begin(), state_.sessions.end(),
                                    [&](const PostgresBackend& b) { return b.pid == backend.pid; });
    if (known == state_.sessions.end()) {
      if (state_.sessions.size() < kMaxSessions) state_.sessions.push_back(std::move(backend));
      return;
    }
    const auto busy = [](const PostgresBackend& b) {
      return b.state == "active" ? std::max(b.query_age, 0.0) + (b.blocked_by.empty() ? 0 : 1) : -1;
    };
    const int seen = known->seen + 1;
    if (busy(backend) >= busy(*known)) *known = std::move(backend);
    known->seen = seen;
  }

  PostgresSession& session_;
  PostgresState& state_;
  std::vector<PostgresRow> rows_;
};

}  // namespace

PostgresState ReadPostgresState(const std::string& connection_string, const PostgresLook& look) {
  PostgresState state;
  const Countdown login(look.login_timeout);
  PostgresSession session(connection_string, login);
  state.connect_time = look.login_timeout - login.Remaining();
  state.refusal = session.refusal();
  state.error = session.error();
  state.code = session.code();
  if (!session.connected()) return state;
  Reader reader(&session, &state);
  if (!reader.ReadServer()) return state;
  reader.ReadSettings();
  for (int i = 0; i < look.looks && session.connected() && !look.cancelled(); ++i) {
    if (i > 0) std::this_thread::sleep_for(absl::ToChronoMilliseconds(look.pause));
    if (!reader.ReadSessions()) break;
  }
  if (session.connected() && !look.cancelled()) {
    reader.ReadSize();
    reader.ReadStatements();
  }
  return state;
}

}  // namespace omnix
