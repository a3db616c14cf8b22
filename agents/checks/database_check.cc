// database: the service's database answers. postgresql: connects and runs SELECT 1 (libpq). redis: answers PING and has
// memory left to write to. sqlite: opens read-only and runs quick_check.
#include <libpq-fe.h>
#include <poll.h>
#include <sqlite3.h>

#include <memory>

#include "agents/checks/budget.h"
#include "agents/checks/check.h"
#include "agents/checks/redis.h"
#include "agents/checks/result.h"
#include "agents/checks/variables.h"
#include "common/redact.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr uint32_t kDefaultWeight = 25;
// Steps of SQLite's virtual machine between two looks at the clock.
constexpr int kStepsPerLook = 10000;

struct ConnectionDelete {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ResultDelete {
  void operator()(PGresult* result) const { PQclear(result); }
};
struct SqliteDelete {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct StatementDelete {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

absl::Status WaitFor(int fd, short events, const Budget& budget) {
  pollfd entry{fd, events, 0};
  const int ready = poll(&entry, 1, static_cast<int>(absl::ToInt64Milliseconds(budget.Remaining())));
  return ready > 0 ? absl::OkStatus() : DeadlineExceeded("the database does not answer in time");
}

absl::Status PostgresError(PGconn* connection) { return Unavailable("{}", Redact(PQerrorMessage(connection))); }

absl::Status Connect(PGconn* connection, const Budget& budget) {
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
       state = PQconnectPoll(connection)) {
    if (state == PGRES_POLLING_FAILED || PQstatus(connection) == CONNECTION_BAD) return PostgresError(connection);
    OMNIX_RETURN_IF_ERROR(WaitFor(PQsocket(connection), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, budget));
  }
  return absl::OkStatus();
}

absl::Status SelectOne(const std::string& dsn, const Budget& budget) {
  const std::unique_ptr<PGconn, ConnectionDelete> connection(PQconnectStart(dsn.c_str()));
  if (connection == nullptr) return ResourceExhausted("no memory for a connection");
  OMNIX_RETURN_IF_ERROR(Connect(connection.get(), budget));
  if (PQsendQuery(connection.get(), "SELECT 1") == 0) return PostgresError(connection.get());
  while (PQisBusy(connection.get()) != 0) {
    OMNIX_RETURN_IF_ERROR(WaitFor(PQsocket(connection.get()), POLLIN, budget));
    if (PQconsumeInput(connection.get()) == 0) return PostgresError(connection.get());
  }
  const std::unique_ptr<PGresult, ResultDelete> result(PQgetResult(connection.get()));
  return PQresultStatus(result.get()) == PGRES_TUPLES_OK ? absl::OkStatus() : PostgresError(connection.get());
}

v1::CheckResult CheckPostgres(const v1::Check& check, const std::string& dsn, const Budget& budget) {
  const absl::Status status = SelectOne(dsn, budget);
  if (!status.ok()) return UnansweredResult(check, Annotate(status, "postgresql: "));
  return MakeResult(check, v1::CHECK_STATUS_PASSED, "postgresql answers SELECT 1");
}

v1::CheckResult CheckRedis(const v1::Check& check, const std::string& dsn, const Budget& budget) {
  const absl::Status status = PingRedis(dsn, budget.ForOne());
  if (absl::IsResourceExhausted(status)) {
    v1::CheckResult result = MakeResult(check, v1::CHECK_STATUS_FAILED, Message(status));
    result.set_observed(Message(status));
    return result;
  }
  if (!status.ok()) return UnansweredResult(check, status);
  return MakeResult(check, v1::CHECK_STATUS_PASSED, "redis answers PING");
}

int StopAtDeadline(void* budget) { return static_cast<const Budget*>(budget)->Over() ? 1 : 0; }

v1::CheckResult CheckSqlite(const v1::Check& check, const std::string& path, const Budget& budget) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  const std::unique_ptr<sqlite3, SqliteDelete> database(raw);
  const auto failed = [&](const std::string& what) {
    v1::CheckResult result = MakeResult(check, v1::CHECK_STATUS_FAILED, fmt::format("sqlite {}: {}", path, what));
    result.set_observed(what);
    return result;
  };
  if (opened != SQLITE_OK) return failed(raw == nullptr ? "no memory" : sqlite3_errmsg(raw));
  sqlite3_busy_timeout(raw, static_cast<int>(absl::ToInt64Milliseconds(budget.ForOne())));
  sqlite3_progress_handler(raw, kStepsPerLook, StopAtDeadline, const_cast<Budget*>(&budget));
  sqlite3_stmt* raw_statement = nullptr;
  const int prepared = sqlite3_prepare_v2(raw, "PRAGMA quick_check(1)", -1, &raw_statement, nullptr);
  const std::unique_ptr<sqlite3_stmt, StatementDelete> statement(raw_statement);
  const int stepped = prepared == SQLITE_OK ? sqlite3_step(raw_statement) : prepared;
  if (stepped == SQLITE_INTERRUPT) {
    return MakeResult(check, v1::CHECK_STATUS_WARNING,
                      fmt::format("sqlite {}: opens and reads; too large to be checked whole in the time given", path));
  }
  if (stepped != SQLITE_ROW) return failed(sqlite3_errmsg(raw));
  const std::string answer = reinterpret_cast<const char*>(sqlite3_column_text(raw_statement, 0));
  if (answer != "ok") return failed("quick_check found: " + answer);
  return MakeResult(check, v1::CHECK_STATUS_PASSED, fmt::format("sqlite {}: quick_check ok", path));
}

std::vector<v1::CheckResult> Run(const v1::Check& check, const Json&, CheckContext& context) {
  const auto service = ServiceOf(check, context.system);
  if (!service.ok()) return {ErrorResult(check, service.status())};
  const v1::Database& database = (*service)->database();
  if (database.kind().empty())
    return {NothingToCheck(check, fmt::format("service {} has no database", check.service()))};
  const auto dsn = Expand(database.dsn(), {});
  if (!dsn.ok()) return {ErrorResult(check, dsn.status())};
  const Budget budget(context);
  v1::CheckResult result;
  if (database.kind() == "postgresql") {
    result = CheckPostgres(check, *dsn, budget);
  } else if (database.kind() == "redis") {
    result = CheckRedis(check, *dsn, budget);
  } else if (database.kind() == "sqlite") {
    result = CheckSqlite(check, *dsn, budget);
  } else {
    return {ErrorResult(
        check, InvalidArgument("database kind '{}' is none of postgresql, redis and sqlite", database.kind()))};
  }
  result.set_expected("the database answers");
  if (result.observed().empty()) result.set_observed("answers");
  (*result.mutable_attributes())["database"] = database.kind();
  return {result};
}

}  // namespace

CheckKind DatabaseCheck() { return {"database", kDefaultWeight, {}, Run}; }

}  // namespace omnix
