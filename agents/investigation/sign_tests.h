// Tests of what a log's message claims: is it so now?
#pragma once

#include <optional>
#include <string>

#include "agents/investigation/log_signs.h"

namespace omnix {

// `h`: what is known of the cause so far; its symptoms tell where to look. No value where nothing can be asked. The
// evidence of the test is in the scene's book.
std::optional<v1::Counterfactual> TestSign(Scene* scene, const LogSign& sign, const v1::Service& component,
                                           const v1::Hypothesis& h);

// A host which the service's configuration names and no resolver knows; empty where all are known. For messages that do
// not say which name it was.
std::string UnknownName(const Scene& scene, const v1::Service& component);

// Where `text` stands first in the service's configuration files (whole files of at most 1 MiB); unset: nowhere.
v1::Location PlaceInConfiguration(const v1::Service& service, const std::string& text);

}  // namespace omnix
