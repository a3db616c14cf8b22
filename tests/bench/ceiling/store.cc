#include "tests/bench/ceiling/store.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "tests/bench/support/child.h"

namespace omnix::bench {
namespace {

// As the journal sets its own connection up.
constexpr const char* kSetUp =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 200; PRAGMA journal_size_limit = "
    "16777216;"
    "CREATE TABLE events (id INTEGER PRIMARY KEY, incident TEXT NOT NULL, sequence INTEGER NOT NULL, time TEXT NOT NULL, "
    "type TEXT NOT NULL, text TEXT NOT NULL, payload BLOB NOT NULL);"
    "CREATE UNIQUE INDEX events_by_incident ON events (incident, sequence);"
    "CREATE TABLE tasks (incident TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, agent TEXT, started_at TEXT, "
    "finished_at TEXT, PRIMARY KEY (incident, id)) WITHOUT ROWID;";

void Bind(sqlite3_stmt* statement, int index, std::string_view text) {
  sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

}  // namespace

CeilingStore::CeilingStore(const std::string& path, uint32_t incidents) : sequences_(incidents, 0) {
  if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK || sqlite3_exec(db_, kSetUp, nullptr, nullptr, nullptr) != SQLITE_OK) {
    Die(path + ": " + sqlite3_errmsg(db_));
  }
  begin_ = Prepare("BEGIN IMMEDIATE");
  commit_ = Prepare("COMMIT");
  event_ = Prepare("INSERT INTO events (incident, sequence, time, type, text, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  done_ = Prepare("UPDATE tasks SET state = 'succeeded', finished_at = ?3 WHERE incident = ?1 AND id = ?2");
  assigned_ = Prepare("UPDATE tasks SET state = 'running', agent = ?4, started_at = ?3 WHERE incident = ?1 AND id = ?2");
  for (uint32_t i = 0; i < incidents; ++i) names_.push_back(fmt::format("INC-2025-09-04-{:03}", i));
  for (uint32_t i = 0; i < kTasksOfIncident; ++i) tasks_.push_back(fmt::format("investigating-1/step{}", i));
  sqlite3_stmt* insert = Prepare("INSERT INTO tasks (incident, id, state) VALUES (?1, ?2, 'waiting')");
  Begin();
  for (const auto& name : names_) {
    for (const auto& task : tasks_) {
      Bind(insert, 1, name);
      Bind(insert, 2, task);
      Step(insert);
    }
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
  now_ = fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(std::chrono::system_clock::now()));
  Step(begin_);
}

void CeilingStore::Commit() { Step(commit_); }

void CeilingStore::AddEvent(uint32_t incident, std::string_view type, std::string_view text, std::string_view payload) {
  Bind(event_, 1, names_[incident]);
  sqlite3_bind_int64(event_, 2, ++sequences_[incident]);
  Bind(event_, 3, now_);
  Bind(event_, 4, type);
  Bind(event_, 5, text);
  sqlite3_bind_blob(event_, 6, payload.data(), static_cast<int>(payload.size()), SQLITE_STATIC);
  Step(event_);
}

void CeilingStore::TaskDone(uint32_t incident, uint32_t task, std::string_view payload) {
  AddEvent(incident, "TaskSucceeded", "investigating-1/step done", payload);
  Bind(done_, 1, names_[incident]);
  Bind(done_, 2, tasks_[task]);
  Bind(done_, 3, now_);
  Step(done_);
}

void CeilingStore::TaskAssigned(uint32_t incident, uint32_t task, uint32_t agent) {
  const std::string name = fmt::format("bench-agent-{}", agent);
  AddEvent(incident, "TaskAssigned", "investigating-1/step assigned to bench-agent (attempt 1)", name);
  Bind(assigned_, 1, names_[incident]);
  Bind(assigned_, 2, tasks_[task]);
  Bind(assigned_, 3, now_);
  Bind(assigned_, 4, name);
  Step(assigned_);
}

void CeilingStore::Evidence(uint32_t incident, std::string_view payload) {
  AddEvent(incident, "EvidenceRecorded", "evidence from the benchmark", payload);
}

}  // namespace omnix::bench
