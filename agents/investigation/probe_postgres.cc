#include "agents/investigation/probe_postgres.h"

#include <algorithm>
#include <map>
#include <thread>

#include "agents/investigation/probe.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kMaxLines = 12;
constexpr double kShownAge = 0.5;

std::string ComponentOf(const PostgresServer& server, const PostgresWay& way) {
  if (server.store != nullptr) return server.store->name();
  return way.client == nullptr ? "" : way.client->name();
}

std::string Who(const PostgresBackend& session) {
  return fmt::format(
      "pid {}, {} as {}{}", session.pid, session.application.empty() ? "no application name" : session.application,
      session.user.empty() ? "?" : session.user, session.client.empty() ? "" : fmt::format(" from {}", session.client));
}

void DescribeSessions(const PostgresState& state, std::string* text) {
  std::map<std::string, int> by;
  for (const PostgresBackend& session : state.sessions)
    ++by[fmt::format("{} as {}: {}", session.application.empty() ? "(no application name)" : session.application,
                     session.user, session.state.empty() ? "not to be seen" : session.state)];
  std::vector<std::pair<int, std::string>> counts;
  for (const auto& [what, count] : by) counts.emplace_back(count, what);
  std::sort(counts.rbegin(), counts.rend());
  counts.resize(std::min(counts.size(), kMaxLines));
  for (const auto& [count, what] : counts) *text += fmt::format("{} x {}\n", count, what);
}

void DescribeLocks(const PostgresState& state, std::string* text) {
  size_t lines = 0;
  for (const LockChain& chain : LockChains(state)) {
    if (++lines > kMaxLines) return;
    *text += fmt::format("{} waiting for {}, {:.1f} s at most, the first for {}: {}\n", chain.waiters.size(),
                         chain.holder == nullptr ? fmt::format("pid {}", chain.holder_pid)
                                                 : Who(*chain.holder) + " (" + chain.holder->state + ")",
                         chain.waited_seconds, chain.waiters[0]->wants, chain.waiters[0]->query);
  }
}

void DescribeStatements(const PostgresState& state, std::string* text) {
  size_t lines = 0;
  for (const PostgresBackend& session : state.sessions) {
    const bool runs = session.state == "active" && session.query_age >= kShownAge && session.blocked_by.empty();
    if (runs && ++lines <= kMaxLines)
      *text += fmt::format("runs for {:.1f} s ({}): {}\n", session.query_age, Who(session), session.query);
  }
  constexpr size_t kShownStatements = 3;
  for (size_t i = 0; i < std::min(state.statements.size(), kShownStatements); ++i) {
    const PostgresStatement& statement = state.statements[i];
    *text += fmt::format("on average {:.0f} ms over {} calls: {}\n", absl::ToDoubleMilliseconds(statement.mean),
                         statement.calls, statement.query);
  }
}

PostgresLogin LoginOf(const PostgresWay& way, const PostgresState& state) {
  PostgresLogin login;
  login.client = way.client;
  login.location = way.password_location.file().empty() ? way.location : way.password_location;
  login.user = way.dsn.user;
  login.database = way.dsn.database;
  login.refusal = state.refusal;
  login.code = state.code;
  login.error = state.error;
  return login;
}

constexpr absl::Duration kLoginTimeout = absl::Seconds(3);

PostgresState Look(const Case& investigation, const PostgresWay& way) {
  PostgresLook look;
  look.cancelled = investigation.cancelled;
  look.login_timeout = std::min(kLoginTimeout, investigation.remaining());
  return ReadPostgresState(way.connection_string, look);
}

PostgresState OnlyLogIn(const PostgresWay& way) {
  const PostgresSession session(way.connection_string, Countdown(kLoginTimeout));
  PostgresState state;
  state.refusal = session.refusal();
  state.error = session.error();
  state.code = session.code();
  return state;
}

void LookAt(Scene* scene, const PostgresServer& server) {
  PostgresFacts facts;
  facts.store = server.store;
  facts.address = server.address;
  facts.state.refusal = Refusal::kOther;
  for (const PostgresWay& way : server.ways) {
    if (scene->input.cancelled()) return;
    const bool seen = facts.state.refusal == Refusal::kNone;
    PostgresState state = seen ? OnlyLogIn(way) : Look(scene->input, way);
    PostgresLogin login = LoginOf(way, state);
    const std::string component = ComponentOf(server, way);
    if (login.refusal != Refusal::kNone) {
      login.evidence = scene->book.Add(MakeEvidence(
          "postgres", component,
          fmt::format("{} refuses {} as {}: {}{}", server.address,
                      way.client == nullptr ? "the login of the model" : "the login of " + way.client->name(),
                      login.user.empty() ? "the default user" : login.user,
                      login.code.empty() ? "" : "SQLSTATE " + login.code + ", ", login.error),
          login.error, login.location));
    }
    const bool gone = login.refusal == Refusal::kUnreachable || login.refusal == Refusal::kTimeout;
    if (login.refusal == Refusal::kTooMany && facts.processes.empty())
      facts.processes = ReadPostgresProcesses(server.address);
    facts.logins.push_back(std::move(login));
    if (!seen) facts.state = std::move(state);
    // Another user finds it as far away.
    if (gone) break;
  }
  if (facts.state.refusal == Refusal::kNone && !server.ways.empty()) {
    facts.evidence = scene->book.Add(
        MakeEvidence("postgres", ComponentOf(server, server.ways[0]),
                     fmt::format("{}: PostgreSQL {}, {} of {} connections in use{}{}", server.address,
                                 facts.state.version, facts.state.open_sessions + 1, facts.state.max_connections,
                                 facts.state.read_only ? ", read-only by default" : "",
                                 facts.state.standby ? ", a standby in recovery" : ""),
                     DescribePostgres(facts.state)));
  }
  scene->facts.Add(std::move(facts));
}

}  // namespace

std::string DescribePostgres(const PostgresState& state) {
  std::string text;
  DescribeSessions(state, &text);
  DescribeLocks(state, &text);
  DescribeStatements(state, &text);
  if (state.size_bytes >= 0) text += fmt::format("{} has {} MiB\n", state.database, state.size_bytes >> 20);
  for (const std::string& part : state.unknown) text += "not known: " + part + "\n";
  return text;
}

void ProbePostgres(Scene* scene) {
  const std::vector<PostgresServer> servers = FindPostgresServers(scene->input);
  std::vector<std::jthread> threads;
  for (const PostgresServer& server : servers) threads.emplace_back([scene, &server] { LookAt(scene, server); });
}

}  // namespace omnix
