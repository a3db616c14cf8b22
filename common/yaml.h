// YAML files read into protobuf messages: the message's descriptor is the schema. Durations are written "90s", "500ms", "2m", "1h";
// enums by their short lower-case names ("auto" for POLICY_DECISION_AUTO); google.protobuf.Struct takes any mapping.
//
// Every mistake of a file is reported at once, one a line: "system.yaml:12:5: services[0].base_ulr: unknown key; did you mean base_url?"
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"

namespace omnix {

inline constexpr size_t kMaxYamlBytes = 4 << 20;

// Errors: NOT_FOUND and others of ReadFile; INVALID_ARGUMENT with every mistake. `message` is cleared first.
absl::Status ReadYamlFile(const std::string& path, google::protobuf::Message* message);

// The same from text; `name` stands for the file in errors.
absl::Status ParseYaml(const std::string& text, const std::string& name, google::protobuf::Message* message);

}  // namespace omnix
