#include "agents/investigation/derived_suite.h"

#include <algorithm>
#include <set>

namespace omnix {
namespace {

bool HasStep(const v1::SystemModel& system, const std::string& kind, const std::string& service,
             const std::string& client) {
  for (const v1::Suite& suite : system.suites()) {
    for (const v1::Check& step : suite.steps()) {
      if (step.kind() != kind) continue;
      const auto& with = step.with().fields();
      if (client.empty() ? step.service() == service
                         : (with.count("client") > 0 && with.at("client").string_value() == client))
        return true;
    }
  }
  return false;
}

// What the model expects of a service by itself, where no suite asks it.
void AddStepsOf(const v1::SystemModel& system, const v1::Service& service, v1::Suite* suite) {
  const auto add = [&](bool declared, const char* kind) {
    if (declared && !HasStep(system, kind, service.name(), "")) AddStep(kind, service.name(), "", suite);
  };
  add(service.listen_size() > 0, "listen");
  add(service.has_process(), "process");
  add(service.has_database(), "database");
  add(service.disks_size() > 0, "disk");
  add(service.tls_size() > 0, "tls");
}

// The headers that its clients send.
void AddHeaders(const Scene& scene, const v1::Service& service, v1::Check* cors) {
  std::set<std::string> headers;
  for (const ClientFacts& facts : scene.clients) {
    if (facts.gateway == &service) headers.insert(facts.calls.headers.begin(), facts.calls.headers.end());
  }
  if (headers.empty()) return;
  google::protobuf::ListValue* list = (*cors->mutable_with()->mutable_fields())["headers"].mutable_list_value();
  for (const std::string& header : headers) list->add_values()->set_string_value(header);
}

}  // namespace

void AddStep(const std::string& kind, const std::string& service, const std::string& client, v1::Suite* suite) {
  v1::Check* check = suite->add_steps();
  check->set_name(kind + " of " + (client.empty() ? service : client));
  check->set_kind(kind);
  check->set_service(service);
  if (!client.empty()) (*check->mutable_with()->mutable_fields())["client"].set_string_value(client);
}

bool IsNeeded(const v1::SystemModel& system, const std::string& service) {
  const auto needs = [&](const v1::Service& other) {
    return std::find(other.depends_on().begin(), other.depends_on().end(), service) != other.depends_on().end();
  };
  return std::any_of(system.services().begin(), system.services().end(), needs);
}

bool AsksEndpoints(const v1::SystemModel& system, const v1::Service& service) {
  const bool asked = HasStep(system, "endpoints", service.name(), "");
  return service.endpoints_size() > 0 && !service.base_url().empty() && !asked;
}

v1::Suite DerivedSuite(const Scene& scene) {
  v1::Suite suite;
  suite.set_name("derived from the system model");
  const v1::SystemModel& system = scene.input.system;
  std::set<std::string> called;
  for (const ClientFacts& facts : scene.clients) {
    if (facts.gateway == nullptr || facts.gateway->base_url().empty() || facts.calls.calls.empty()) continue;
    const std::string& gateway = facts.gateway->name();
    const std::string& client = facts.client->name();
    called.insert(gateway);
    if (facts.dev && !HasStep(system, "dev_proxy", "", client)) AddStep("dev_proxy", gateway, client, &suite);
    if (!HasStep(system, "client_calls", "", client)) AddStep("client_calls", gateway, client, &suite);
  }
  for (const v1::Service& service : system.services()) {
    if (called.contains(service.name()) && system.origins_size() > 0 && !HasStep(system, "cors", service.name(), "")) {
      AddStep("cors", service.name(), "", &suite);
      AddHeaders(scene, service, suite.mutable_steps(suite.steps_size() - 1));
    }
    AddStepsOf(system, service, &suite);
    if (AsksEndpoints(system, service) && !IsNeeded(system, service.name()))
      AddStep("endpoints", service.name(), "", &suite);
  }
  return suite;
}

}  // namespace omnix
