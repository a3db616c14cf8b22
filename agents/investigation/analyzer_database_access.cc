// Why a PostgreSQL server does not serve its clients, by our own attempts to log in as each of them and by its state:
// database.connections_exhausted, database.read_only, database.credentials, database.refuses.
#include <algorithm>
#include <map>

#include "agents/investigation/database_symptoms.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kRefusedNow = 0.9;
constexpr double kWritesRefused = 0.9;
// A state that is unusual, and nobody who says to suffer from it.
constexpr double kUnusual = 0.4;
// Standbys are meant to be there.
constexpr double kStandby = 0.15;
constexpr double kWithoutSymptom = 0.3;
constexpr size_t kMaxNamed = 4;

struct Holder {
  int sessions = 0;
  int idle_in_transaction = 0;
};

// By "application as user", or by user where only titles of processes are known.
std::map<std::string, Holder> Holders(const PostgresFacts& facts) {
  std::map<std::string, Holder> holders;
  const auto count = [&](const std::string& who, const std::string& doing) {
    Holder& holder = holders[who];
    ++holder.sessions;
    holder.idle_in_transaction += doing.starts_with("idle in transaction") ? 1 : 0;
  };
  for (const PostgresProcess& process : facts.processes)
    count(fmt::format("{} in {}", process.user, process.database), process.doing);
  if (!holders.empty()) return holders;
  for (const PostgresBackend& session : facts.state.sessions)
    count(session.application.empty() ? session.user : session.application + " as " + session.user, session.state);
  return holders;
}

std::string DescribeHolders(const PostgresFacts& facts) {
  std::vector<std::pair<std::string, Holder>> sorted;
  int all = 0, leaked = 0;
  for (const auto& [who, holder] : Holders(facts)) {
    sorted.emplace_back(who, holder);
    all += holder.sessions;
    leaked += holder.idle_in_transaction;
  }
  if (sorted.empty()) return "Who holds them can't be seen from here.";
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.sessions > b.second.sessions; });
  std::string text;
  for (size_t i = 0; i < std::min(sorted.size(), kMaxNamed); ++i)
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", sorted[i].first, sorted[i].second.sessions);
  return fmt::format("Held by {}. {}", text,
                     2 * leaked > all
                         ? fmt::format("{} of {} are idle in a transaction: they are leaked, not in use.", leaked, all)
                         : "Most are in no transaction: pools that keep them, or too many copies of a client.");
}

void AddExhausted(Scene* scene, const PostgresFacts& facts, const v1::Service& component,
                  std::vector<Candidate>* candidates) {
  const auto refused = std::find_if(facts.logins.begin(), facts.logins.end(),
                                    [](const PostgresLogin& l) { return l.refusal == Refusal::kTooMany; });
  const PostgresState& state = facts.state;
  const bool let_in = state.refusal == Refusal::kNone;
  // Only reserved connections are left, and ours is one of them.
  const bool full =
      let_in && state.max_connections > 0 && state.open_sessions >= state.max_connections - state.reserved;
  if (refused == facts.logins.end() && !full) return;
  const std::string seen =
      refused != facts.logins.end()
          ? fmt::format("a login of our own as {} finds no connection left: {}", refused->user, refused->error)
          : fmt::format("{} of {} connections are in use, and {} are reserved", state.open_sessions,
                        state.max_connections, state.reserved);
  Candidate candidate = SeenInDatabase(*scene, facts, component, "database.connections_exhausted", seen);
  v1::Hypothesis& h = candidate.hypothesis;
  if (refused != facts.logins.end()) h.add_evidence_for(refused->evidence);
  h.set_title(fmt::format("{} has no connection left", component.name()));
  h.set_explanation(fmt::format("{}. {}", seen, DescribeHolders(facts)));
  h.set_confidence(h.symptom_ids().empty() ? kWithoutSymptom : kRefusedNow);
  candidates->push_back(std::move(candidate));
}

// "by ALTER ROLE shop", "in postgresql.auto.conf:3".
std::string WhereReadOnly(const PostgresState& state) {
  if (!state.read_only_file.empty()) return fmt::format(" in {}:{}", state.read_only_file, state.read_only_line);
  return state.read_only_source.empty() ? "" : fmt::format(" (set for: {})", state.read_only_source);
}

// The override that makes the sessions of one of the services' logins read-only; null: none.
const PostgresOverride* ReadOnlyOverride(const PostgresFacts& facts) {
  const auto found =
      std::find_if(facts.state.overrides.begin(), facts.state.overrides.end(), [&](const PostgresOverride& o) {
        if (o.setting != "default_transaction_read_only" || (o.value != "on" && o.value != "true")) return false;
        return std::any_of(facts.logins.begin(), facts.logins.end(), [&](const PostgresLogin& login) {
          return (o.role.empty() || o.role == login.user) && (o.database.empty() || o.database == login.database);
        });
      });
  return found == facts.state.overrides.end() ? nullptr : &*found;
}

void AddReadOnly(Scene* scene, const PostgresFacts& facts, const v1::Service& component,
                 std::vector<Candidate>* candidates) {
  const PostgresState& state = facts.state;
  const PostgresOverride* override = ReadOnlyOverride(facts);
  if (state.refusal != Refusal::kNone || (!state.read_only && !state.standby && override == nullptr)) return;
  const std::string seen =
      state.standby ? "the server is in recovery (a standby) and takes no writes"
      : state.read_only
          ? fmt::format("default_transaction_read_only is on{}", WhereReadOnly(state))
          : fmt::format("default_transaction_read_only is on for {}",
                        override->role.empty() ? "database " + override->database : "role " + override->role);
  Candidate candidate = SeenInDatabase(*scene, facts, component, "database.read_only", seen);
  v1::Hypothesis& h = candidate.hypothesis;
  h.set_title(fmt::format("{} takes no writes: {}", component.name(), seen));
  h.set_explanation(
      fmt::format("Asked now, {}: every statement that writes ends with SQLSTATE 25006, while reads are "
                  "served.",
                  seen));
  if (!state.read_only_file.empty()) {
    h.mutable_location()->set_file(state.read_only_file);
    h.mutable_location()->set_line(state.read_only_line);
  }
  const bool said = !SignsAbout(*scene, component, "database.read_only").empty();
  const double by_itself = state.read_only ? kUnusual : kStandby;
  h.set_confidence(said ? kWritesRefused : h.symptom_ids().empty() ? std::min(kWithoutSymptom, by_itself) : by_itself);
  candidates->push_back(std::move(candidate));
}

bool Has(const PostgresFacts& facts, const v1::Service* client, Refusal refusal) {
  return std::any_of(facts.logins.begin(), facts.logins.end(),
                     [&](const PostgresLogin& login) { return login.client == client && login.refusal == refusal; });
}

// Whose fault it is that this login is refused: the client's where the store lets others in, else the store's.
const v1::Service* Culprit(const PostgresFacts& facts, const PostgresLogin& login, const v1::Service& component) {
  const bool others = facts.state.refusal == Refusal::kNone;
  return login.client != nullptr && others ? login.client : &component;
}

void AddRefused(Scene* scene, const PostgresFacts& facts, const v1::Service& component, const PostgresLogin& login,
                std::vector<Candidate>* candidates) {
  const bool credentials = login.refusal == Refusal::kCredentials;
  const v1::Service* culprit = login.refusal == Refusal::kNotReady ? &component : Culprit(facts, login, component);
  const std::string kind = credentials ? "database.credentials" : "database.refuses";
  const std::string who = login.client == nullptr ? "the model" : login.client->name();
  const std::string seen =
      fmt::format("a login with what {} says is refused ({}{}): {}", who, RefusalText(login.refusal),
                  login.code.empty() ? "" : ", SQLSTATE " + login.code, login.error);
  Candidate candidate = SeenInDatabase(*scene, facts, *culprit, kind, seen);
  v1::Hypothesis& h = candidate.hypothesis;
  h.add_evidence_for(login.evidence);
  h.set_title(credentials ? fmt::format("{} refuses the credentials of {}", component.name(), who)
                          : fmt::format("{} refuses {}: {}", component.name(), who, RefusalText(login.refusal)));
  h.set_explanation(fmt::format(
      "{} refuses the login of {} as {}: {}. {}", facts.address, who, login.user, login.error,
      culprit == &component ? "Nobody else that is known gets in either." : "Another login is accepted there."));
  if (culprit != &component) *h.mutable_location() = login.location;
  h.set_confidence(h.symptom_ids().empty() ? kWithoutSymptom : kRefusedNow);
  candidates->push_back(std::move(candidate));
}

void AddRefusals(Scene* scene, const PostgresFacts& facts, const v1::Service& component,
                 std::vector<Candidate>* candidates) {
  std::set<const v1::Service*> judged;
  for (const PostgresLogin& login : facts.logins) {
    const bool tells = login.refusal == Refusal::kCredentials || login.refusal == Refusal::kAccess ||
                       login.refusal == Refusal::kNoDatabase || login.refusal == Refusal::kNotReady;
    // A file that is not used any more may have a login that is not valid any more.
    if (!tells || Has(facts, login.client, Refusal::kNone) || !judged.insert(login.client).second) continue;
    // The model's own may differ from what the services use: those decide, where they are known.
    const bool services_known = std::any_of(facts.logins.begin(), facts.logins.end(),
                                            [](const PostgresLogin& l) { return l.client != nullptr; });
    if (login.client == nullptr && services_known) continue;
    // The files that are known have no password: the service has one from elsewhere.
    if (login.error.find("no password supplied") != std::string::npos) continue;
    AddRefused(scene, facts, component, login, candidates);
  }
}

}  // namespace

void AnalyzeDatabaseAccess(Scene* scene, std::vector<Candidate>* candidates) {
  for (const PostgresFacts* facts : scene->facts.All<PostgresFacts>()) {
    const v1::Service* component = ComponentOf(*facts);
    if (component == nullptr) continue;
    AddExhausted(scene, *facts, *component, candidates);
    AddReadOnly(scene, *facts, *component, candidates);
    AddRefusals(scene, *facts, *component, candidates);
  }
}

}  // namespace omnix
