// database.locks and database.slow_query, as the server itself says while it is asked: sessions that wait for one that
// holds a lock, and statements that run longer than the calls behind them may take.
#include <algorithm>

#include "agents/investigation/database_symptoms.h"
#include "agents/investigation/symptoms_of.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// Short waits are how locks work.
constexpr double kLongWaitSeconds = 1;
constexpr double kHeldUp = 0.9;
constexpr double kLongStatement = 0.75;
// Sent by nobody who fails, as far as the roles tell.
constexpr double kOthersStatement = 0.4;
constexpr double kWithoutSymptom = 0.3;
constexpr absl::Duration kDefaultLimit = absl::Seconds(1);
constexpr size_t kMaxNamed = 5;

std::string Name(const PostgresBackend& session) {
  return fmt::format("{}{} (pid {}{})", session.application.empty() ? "a session" : session.application,
                     session.user.empty() ? "" : " as " + session.user, session.pid,
                     session.client.empty() ? "" : " from " + session.client);
}

std::string Doing(const PostgresBackend& holder) {
  if (holder.state.starts_with("idle in transaction"))
    return fmt::format("has been idle in a transaction for {:.0f} s", holder.state_age);
  if (holder.state == "active") return fmt::format("has been running a statement for {:.0f} s", holder.query_age);
  return holder.transaction_age < 0 ? "may not be looked into by this login"
                                    : fmt::format("is in a transaction {:.0f} s old", holder.transaction_age);
}

void AddLocks(Scene* scene, const PostgresFacts& facts, const v1::Service& component,
              std::vector<Candidate>* candidates) {
  const std::vector<LockChain> chains = LockChains(facts.state);
  if (chains.empty() || chains[0].waited_seconds < kLongWaitSeconds) return;
  const LockChain& chain = chains[0];
  const std::string holder = chain.holder != nullptr ? Name(*chain.holder)
                             : chain.holder_pid == 0
                                 ? "a prepared transaction that was neither committed nor rolled back"
                                 : fmt::format("the session with pid {}", chain.holder_pid);
  const std::string doing = chain.holder == nullptr ? "holds the lock" : Doing(*chain.holder);
  Candidate candidate =
      SeenInDatabase(*scene, facts, component, "database.locks",
                     fmt::format("{} session{} of {} wait{} for a lock that {} holds, the longest for {:.1f} s",
                                 chain.waiters.size(), chain.waiters.size() == 1 ? "" : "s", component.name(),
                                 chain.waiters.size() == 1 ? "s" : "", holder, chain.waited_seconds));
  v1::Hypothesis& h = candidate.hypothesis;
  h.set_title(fmt::format("{}: {} holds a lock that {} session{} wait{} for", component.name(), holder,
                          chain.waiters.size(), chain.waiters.size() == 1 ? "" : "s",
                          chain.waiters.size() == 1 ? "s" : ""));
  std::string who;
  for (size_t i = 0; i < std::min(chain.waiters.size(), kMaxNamed); ++i)
    who += fmt::format("{}{} wants {}", i == 0 ? "" : "; ", Name(*chain.waiters[i]), chain.waiters[i]->wants);
  h.set_explanation(fmt::format(
      "{}. {} {}{}. Calls that need it wait until that ends. {}", who, holder, doing,
      chain.holder == nullptr || chain.holder->query.empty() ? "" : "; its last statement: " + chain.holder->query,
      chain.holder_pid == 0
          ? "pg_prepared_xacts lists it: COMMIT PREPARED or ROLLBACK PREPARED by its name frees the lock."
          : fmt::format("To free it: SELECT pg_terminate_backend({}), which rolls its transaction back.",
                        chain.holder_pid)));
  h.set_confidence(h.symptom_ids().empty() && SignsAbout(*scene, component, "database.locks").empty() ? kWithoutSymptom
                                                                                                      : kHeldUp);
  candidates->push_back(std::move(candidate));
}

// What the calls behind the symptoms may take.
absl::Duration LimitOf(const Scene& scene, const v1::Service& store) {
  absl::Duration limit = kDefaultLimit;
  for (const v1::Service& service : scene.input.system.services()) {
    if (!Needs(scene.input.system, service.name(), store.name())) continue;
    for (const v1::Endpoint& endpoint : service.endpoints()) {
      if (!endpoint.has_max_duration()) continue;
      limit = std::min(
          limit, absl::Seconds(endpoint.max_duration().seconds()) + absl::Nanoseconds(endpoint.max_duration().nanos()));
    }
  }
  return limit;
}

bool SentByAClient(const PostgresFacts& facts, const PostgresBackend& session) {
  return std::any_of(facts.logins.begin(), facts.logins.end(), [&](const PostgresLogin& login) {
    return (login.client != nullptr || facts.logins.size() == 1) && login.user == session.user;
  });
}

const PostgresStatement* UsualOf(const PostgresState& state, const PostgresBackend& session) {
  const auto found = std::find_if(state.statements.begin(), state.statements.end(), [&](const PostgresStatement& s) {
    return !session.query_id.empty() && s.query_id == session.query_id;
  });
  return found == state.statements.end() ? nullptr : &*found;
}

bool IsLate(const Scene& scene, const std::string& symptom) {
  const auto found = scene.symptom_results.find(symptom);
  if (found == scene.symptom_results.end()) return false;
  const std::string error = AttributeOf(found->second, "error");
  const int status = StatusOf(found->second);
  return error == "slow" || error == "timeout" || status == 504 || status == 503 || status == 502;
}

void AddSlowQuery(Scene* scene, const PostgresFacts& facts, const v1::Service& component,
                  std::vector<Candidate>* candidates) {
  const PostgresBackend* slowest = nullptr;
  const double limit = absl::ToDoubleSeconds(LimitOf(*scene, component));
  for (const PostgresBackend& session : facts.state.sessions) {
    const bool runs = session.state == "active" && session.blocked_by.empty() && session.wait_type != "Client";
    if (!runs || session.query_age < limit) continue;
    const bool better =
        slowest == nullptr || SentByAClient(facts, session) > SentByAClient(facts, *slowest) ||
        (SentByAClient(facts, session) == SentByAClient(facts, *slowest) && session.query_age > slowest->query_age);
    if (better) slowest = &session;
  }
  if (slowest == nullptr) return;
  Candidate candidate =
      SeenInDatabase(*scene, facts, component, "database.slow_query",
                     fmt::format("{} has been running one statement for {:.1f} s, where calls may take {:.1f} s",
                                 Name(*slowest), slowest->query_age, limit));
  v1::Hypothesis& h = candidate.hypothesis;
  h.set_title(
      fmt::format("{}: a statement of {} runs for {:.1f} s", component.name(), Name(*slowest), slowest->query_age));
  h.set_explanation(fmt::format("It waits for no lock: {}", slowest->query));
  auto* ids = h.mutable_symptom_ids();
  ids->erase(std::remove_if(ids->begin(), ids->end(), [&](const std::string& id) { return !IsLate(*scene, id); }),
             ids->end());
  const bool suffers = !ids->empty() || !SignsAbout(*scene, component, "database.slow_query").empty();
  h.set_confidence(!suffers ? kWithoutSymptom : SentByAClient(facts, *slowest) ? kLongStatement : kOthersStatement);
  const PostgresStatement* usual = UsualOf(facts.state, *slowest);
  if (usual != nullptr && usual->calls > 1 && absl::ToDoubleSeconds(usual->mean) >= limit) {
    h.add_evidence_against(scene->book.Add(
        MakeEvidence("postgres", component.name(),
                     fmt::format("this statement has always been slow: {:.1f} s on average over {} calls",
                                 absl::ToDoubleSeconds(usual->mean), usual->calls))));
  }
  candidates->push_back(std::move(candidate));
}

}  // namespace

void AnalyzeDatabaseWork(Scene* scene, std::vector<Candidate>* candidates) {
  for (const PostgresFacts* facts : scene->facts.All<PostgresFacts>()) {
    const v1::Service* component = ComponentOf(*facts);
    if (component == nullptr || facts->state.refusal != Refusal::kNone) continue;
    AddLocks(scene, *facts, *component, candidates);
    AddSlowQuery(scene, *facts, *component, candidates);
  }
}

}  // namespace omnix
