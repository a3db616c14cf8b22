// Which symptoms a fault of one service may be behind.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agents/investigation/scene.h"

namespace omnix {

// Those at the service itself, and those at what needs it, straight or through others, whose answer says that something
// behind it failed (5xx, none, late). Where a gateway's configuration tells which service a path goes to, only what
// goes to this one. `also`: further results of either kind that count.
std::vector<std::string> SymptomsBehind(
    const Scene& scene, const v1::Service& service,
    const std::function<bool(const v1::CheckResult&)>& also = [](const v1::CheckResult&) { return false; });

// "502" of the result behind a symptom; 0: it had no answer or is no request.
int StatusOf(const v1::CheckResult& result);
// "" where the result has no such attribute.
std::string AttributeOf(const v1::CheckResult& result, const std::string& name);

// Whether the service needs the other one, straight or through others.
bool Needs(const v1::SystemModel& system, const std::string& service, const std::string& other);

// Where it is reached or listens: "host:port" of base_url, listen and of its database's DSN; without doubles.
std::vector<std::string> AddressesOf(const v1::Service& service);

}  // namespace omnix
