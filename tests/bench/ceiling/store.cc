#include "tests/bench/ceiling/store.h"

#include <chrono>

#include "tests/bench/support/child.h"

namespace omnix::bench {
namespace {

// As the journal sets its own connection up; the rows are as narrow as the shape allows (numbers for names).
constexpr const char* kSetUp =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA cache_size = "
    "-8192; "
    "PRAGMA journal_size_limit = 16777216;"
    "CREATE TABLE events (id INTEGER PRIMARY KEY, incident INTEGER NOT NULL, sequence INTEGER NOT NULL, time INTEGER "
    "NOT "
    "NULL, type INTEGER NOT NULL, payload BLOB NOT NULL);"
    "CREATE UNIQUE INDEX events_by_incident ON events (incident, sequence);"
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, agent INTEGER, started_at INTEGER, "
    "finished_at "
    "INTEGER);";
constexpr int kSucceeded = 1;
constexpr int kAssigned = 2;
constexpr int kEvidence = 3;

}  // namespace

CeilingStore::CeilingStore(const std::string& path, uint32_t incidents) : sequences_(incidents, 0) {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &db_, kFlags, nullptr) != SQLITE_OK ||
      sqlite3_exec(db_, kSetUp, nullptr, nullptr, nullptr) != SQLITE_OK) {
    Die(path + ": " + sqlite3_errmsg(db_));
  }
  begin_ = Prepare("BEGIN IMMEDIATE");
  commit_ = Prepare("COMMIT");
  event_ = Prepare("INSERT INTO events (incident, sequence, time, type, payload) VALUES (?1, ?2, ?3, ?4, ?5)");
  done_ = Prepare("UPDATE tasks SET state = 1, finished_at = ?2 WHERE id = ?1");
  assigned_ = Prepare("UPDATE tasks SET state = 2, agent = ?3, started_at = ?2 WHERE id = ?1");
  sqlite3_stmt* insert = Prepare("INSERT INTO tasks (id, state) VALUES (?1, 0)");
  Begin();
  for (uint32_t task = 0; task < incidents * kTasksOfIncident; ++task) {
    sqlite3_bind_int64(insert, 1, task);
    Step(insert);
  }
  Commit();
  sqlite3_finalize(insert);
}

CeilingStore::~CeilingStore() {
  for (sqlite3_stmt* statement : {begin_, commit_, event_, done_, assigned_}) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

sqlite3_stmt* CeilingStore::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) != SQLITE_OK) Die(sqlite3_errmsg(db_));
  return statement;
}

void CeilingStore::Step(sqlite3_stmt* statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) Die(sqlite3_errmsg(db_));
  sqlite3_reset(statement);
}

void CeilingStore::Begin() {
  now_ = std::chrono::system_clock::now().time_since_epoch().count();
  Step(begin_);
}

void CeilingStore::Commit() { Step(commit_); }

void CeilingStore::AddEvent(uint32_t incident, int type, std::string_view payload) {
  sqlite3_bind_int64(event_, 1, incident);
  sqlite3_bind_int64(event_, 2, ++sequences_[incident]);
  sqlite3_bind_int64(event_, 3, now_);
  sqlite3_bind_int(event_, 4, type);
  sqlite3_bind_blob(event_, 5, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC);
  Step(event_);
}

void CeilingStore::TaskDone(uint32_t incident, uint32_t task, std::string_view payload) {
  AddEvent(incident, kSucceeded, payload);
  sqlite3_bind_int64(done_, 1, static_cast<int64_t>(incident) * kTasksOfIncident + task);
  sqlite3_bind_int64(done_, 2, now_);
  Step(done_);
}

void CeilingStore::TaskAssigned(uint32_t incident, uint32_t task, uint32_t agent) {
  AddEvent(incident, kAssigned, "bench-agent");
  sqlite3_bind_int64(assigned_, 1, static_cast<int64_t>(incident) * kTasksOfIncident + task);
  sqlite3_bind_int64(assigned_, 2, now_);
  sqlite3_bind_int64(assigned_, 3, agent);
  Step(assigned_);
}

void CeilingStore::Evidence(uint32_t incident, std::string_view payload) { AddEvent(incident, kEvidence, payload); }

}  // namespace omnix::bench
