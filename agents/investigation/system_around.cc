#include "agents/investigation/system_around.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_join.h"
#include "common/status.h"

namespace omnix {
namespace {

const v1::Service* Find(const v1::SystemModel& system, const std::string& name) {
  for (const v1::Service& service : system.services()) {
    if (service.name() == name) return &service;
  }
  return nullptr;
}

std::set<std::string> Needed(const v1::SystemModel& system, const std::string& name) {
  std::set<std::string> kept = {name};
  std::vector<std::string> open = {name};
  while (!open.empty()) {
    const v1::Service* service = Find(system, open.back());
    open.pop_back();
    if (service == nullptr) continue;
    for (const std::string& needed : service->depends_on()) {
      if (kept.insert(needed).second) open.push_back(needed);
    }
  }
  return kept;
}

template <typename Message, typename Keep>
void Filter(google::protobuf::RepeatedPtrField<Message>* list, Keep keep) {
  list->erase(std::remove_if(list->begin(), list->end(), [&](const Message& item) { return !keep(item); }),
              list->end());
}

}  // namespace

absl::StatusOr<v1::SystemModel> SystemAround(const v1::SystemModel& system, const std::string& service) {
  if (Find(system, service) == nullptr) {
    std::vector<std::string> names;
    for (const v1::Service& known : system.services()) names.push_back(known.name());
    return InvalidArgument("no service named {} in the system model, which has: {}", service,
                           names.empty() ? "none" : absl::StrJoin(names, ", "));
  }
  const std::set<std::string> kept = Needed(system, service);
  v1::SystemModel part = system;
  Filter(part.mutable_services(), [&](const v1::Service& s) { return kept.contains(s.name()); });
  Filter(part.mutable_clients(), [&](const v1::Client& client) { return client.service() == service; });
  for (v1::Suite& suite : *part.mutable_suites()) {
    // A step that captures what later ones use stays.
    Filter(suite.mutable_steps(), [&](const v1::Check& step) {
      return step.service().empty() || kept.contains(step.service()) || !step.capture().empty();
    });
  }
  Filter(part.mutable_suites(), [](const v1::Suite& suite) { return suite.steps_size() > 0; });
  return part;
}

}  // namespace omnix
