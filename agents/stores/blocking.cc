#include "agents/stores/blocking.h"

#include <algorithm>
#include <map>
#include <set>

namespace omnix {
namespace {

class Chains {
 public:
  explicit Chains(const PostgresState& state) {
    for (const PostgresBackend& session : state.sessions) by_pid_[session.pid] = &session;
  }

  // The sessions at the ends of all ways from `pid`; itself where it waits for nobody.
  void Roots(int pid, std::set<int>* seen, std::set<int>* roots) const {
    if (!seen->insert(pid).second) return;
    const PostgresBackend* session = Find(pid);
    if (session == nullptr || session->blocked_by.empty()) {
      roots->insert(pid);
      return;
    }
    for (const int blocker : session->blocked_by) Roots(blocker, seen, roots);
  }

  const PostgresBackend* Find(int pid) const {
    const auto found = by_pid_.find(pid);
    return found == by_pid_.end() ? nullptr : found->second;
  }

 private:
  std::map<int, const PostgresBackend*> by_pid_;
};

}  // namespace

std::vector<LockChain> LockChains(const PostgresState& state) {
  const Chains chains(state);
  std::map<int, LockChain> by_root;
  for (const PostgresBackend& session : state.sessions) {
    if (session.blocked_by.empty()) continue;
    std::set<int> seen, roots;
    chains.Roots(session.pid, &seen, &roots);
    for (const int root : roots) {
      LockChain& chain = by_root[root];
      chain.holder_pid = root;
      chain.holder = chains.Find(root);
      chain.waiters.push_back(&session);
      chain.waited_seconds = std::max(chain.waited_seconds, session.query_age);
    }
  }
  std::vector<LockChain> result;
  for (auto& [root, chain] : by_root) {
    std::stable_sort(chain.waiters.begin(), chain.waiters.end(),
                     [](const auto* a, const auto* b) { return a->query_age > b->query_age; });
    result.push_back(std::move(chain));
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const LockChain& a, const LockChain& b) { return a.waited_seconds > b.waited_seconds; });
  return result;
}

}  // namespace omnix
