// One session with a PostgreSQL server, for looking only: connects and asks with a deadline, never blocks beyond it,
// and keeps apart why it was not let in. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/stores/countdown.h"
#include "agents/stores/refusal.h"

struct pg_conn;

namespace omnix {

// What such a session calls itself in pg_stat_activity.
inline constexpr char kPostgresApplication[] = "omnix";

using PostgresRow = std::vector<std::string>;

class PostgresSession {
 public:
  // `connection_string` as libpq takes it. Where it fails, see refusal() and error().
  PostgresSession(const std::string& connection_string, const Countdown& countdown);
  ~PostgresSession();
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;

  bool connected() const { return refusal_ == Refusal::kNone; }
  Refusal refusal() const { return refusal_; }
  // Redacted, one line: "FATAL: password authentication failed for user \"shop\"".
  const std::string& error() const { return error_; }
  // SQLSTATE of the refusal; empty where the server said none.
  const std::string& code() const { return code_; }

  // The rows of the last statement; nulls are empty texts. Errors: FAILED_PRECONDITION (the server's message),
  // DEADLINE_EXCEEDED, UNAVAILABLE (the connection broke).
  absl::StatusOr<std::vector<PostgresRow>> Query(const std::string& sql, const Countdown& countdown);

 private:
  void Connect(const std::string& connection_string, const Countdown& countdown);
  void Fail(Refusal refusal, const std::string& error);
  void FailWithMessage();

  pg_conn* connection_ = nullptr;
  Refusal refusal_ = Refusal::kOther;
  std::string error_;
  std::string code_;
};

}  // namespace omnix
