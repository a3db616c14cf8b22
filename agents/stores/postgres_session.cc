#include "agents/stores/postgres_session.h"

#include <libpq-fe.h>
#include <poll.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/redact.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr int kMaxRows = 5000;

struct ResultDelete {
  void operator()(PGresult* result) const { PQclear(result); }
};

bool WaitFor(int fd, short events, const Countdown& countdown) {
  pollfd entry{fd, events, 0};
  return fd >= 0 && poll(&entry, 1, countdown.Milliseconds()) > 0;
}

std::string OneLine(std::string text) {
  // The lines behind the first of a verbose message say where in the server's source it comes from.
  if (const size_t location = text.find("\nLOCATION:"); location != std::string::npos) text.resize(location);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return std::string(absl::StripAsciiWhitespace(Redact(text)));
}

struct Code {
  std::string_view code;
  Refusal refusal;
};
// Appendix A of the PostgreSQL manual.
constexpr std::array<Code, 9> kCodes = {{
    {"28P01", Refusal::kCredentials},
    {"28000", Refusal::kCredentials},
    {"3D000", Refusal::kNoDatabase},
    {"53300", Refusal::kTooMany},
    {"57P03", Refusal::kNotReady},
    {"57P01", Refusal::kNotReady},
    {"57P02", Refusal::kNotReady},
    {"55000", Refusal::kAccess},
    {"42501", Refusal::kAccess},
}};

Refusal Judge(const std::string& code, const std::string& message) {
  const auto has = [&](const char* text) { return message.find(text) != std::string::npos; };
  // The name of the file is in every language of the server.
  if (has("pg_hba.conf") || has("not permitted to log in")) return Refusal::kAccess;
  for (const Code& known : kCodes) {
    if (code == known.code) return known.refusal;
  }
  if (!code.empty()) return Refusal::kOther;
  if (has("no password supplied") || has("password authentication")) return Refusal::kCredentials;
  for (const char* text :
       {"refused", "translate host name", "No such file", "No route", "unreachable", "Is the server"}) {
    if (has(text)) return Refusal::kUnreachable;
  }
  return has("timeout") || has("timed out") ? Refusal::kTimeout : Refusal::kOther;
}

}  // namespace

PostgresSession::PostgresSession(const std::string& connection_string, const Countdown& countdown) {
  Connect(connection_string, countdown);
}

PostgresSession::~PostgresSession() { PQfinish(connection_); }

void PostgresSession::Fail(Refusal refusal, const std::string& error) {
  refusal_ = refusal;
  error_ = error;
}

void PostgresSession::FailWithMessage() {
  static const RE2 kCode("(?:FATAL|ERROR|PANIC|[A-Z]+):\\s+([0-9A-Z]{5}): ");
  const std::string message = PQerrorMessage(connection_);
  RE2::PartialMatch(message, kCode, &code_);
  std::string text = OneLine(message);
  if (const size_t at = text.find(code_ + ": "); !code_.empty() && at != std::string::npos)
    text.erase(at, code_.size() + 2);
  Fail(Judge(code_, message), text);
}

void PostgresSession::Connect(const std::string& connection_string, const Countdown& countdown) {
  // libpq and not libpqxx: libpqxx 6 connects and asks blocking, and knows no deadline below libpq's whole seconds.
  const std::array<const char*, 3> keys = {"dbname", "application_name", nullptr};
  const std::array<const char*, 3> values = {connection_string.c_str(), kPostgresApplication, nullptr};
  connection_ = PQconnectStartParams(keys.data(), values.data(), 1);
  if (connection_ == nullptr) return Fail(Refusal::kOther, "no memory for a connection");
  // The server's code tells more than its message, which may be in any language.
  PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE);
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;
       state = PQconnectPoll(connection_)) {
    if (state == PGRES_POLLING_FAILED || PQstatus(connection_) == CONNECTION_BAD) return FailWithMessage();
    if (!WaitFor(PQsocket(connection_), state == PGRES_POLLING_READING ? POLLIN : POLLOUT, countdown))
      return Fail(Refusal::kTimeout, "the server does not answer in time");
  }
  PQsetErrorVerbosity(connection_, PQERRORS_DEFAULT);
  refusal_ = Refusal::kNone;
}

absl::StatusOr<std::vector<PostgresRow>> PostgresSession::Query(const std::string& sql, const Countdown& countdown) {
  if (!connected()) return FailedPrecondition("not connected: {}", error_);
  if (PQsendQuery(connection_, sql.c_str()) == 0) return Unavailable("{}", OneLine(PQerrorMessage(connection_)));
  std::vector<PostgresRow> rows;
  absl::Status status;
  while (true) {
    while (PQisBusy(connection_) != 0) {
      if (!WaitFor(PQsocket(connection_), POLLIN, countdown)) {
        // What this connection says from here on belongs to no question.
        Fail(Refusal::kTimeout, "a query took too long");
        return DeadlineExceeded("the database did not answer a query in time");
      }
      if (PQconsumeInput(connection_) == 0) return Unavailable("{}", OneLine(PQerrorMessage(connection_)));
    }
    const std::unique_ptr<PGresult, ResultDelete> result(PQgetResult(connection_));
    if (result == nullptr) break;
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR)
      status = FailedPrecondition("{}", OneLine(PQresultErrorMessage(result.get())));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) continue;
    rows.clear();
    for (int row = 0; row < std::min(PQntuples(result.get()), kMaxRows); ++row) {
      PostgresRow& values = rows.emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column)
        values.emplace_back(PQgetvalue(result.get(), row, column));
    }
  }
  if (!status.ok()) return status;
  return rows;
}

}  // namespace omnix
