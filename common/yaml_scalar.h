// The scalars of YAML 1.2's core schema (yaml.org/spec/1.2.2, section 10.3) and what message fields make of them.
#pragma once

#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/yaml_tree.h"

namespace omnix {

// Each gives nothing where the scalar is something else: quoted, another type, out of range.
std::optional<bool> YamlBool(const YamlNode& node);
std::optional<int64_t> YamlSigned(const YamlNode& node);
std::optional<uint64_t> YamlUnsigned(const YamlNode& node);
// Finite numbers only.
std::optional<double> YamlNumber(const YamlNode& node);
// "90s", "1h30m", "500ms"; finite and not negative.
std::optional<absl::Duration> YamlDuration(const YamlNode& node);

// A scalar as a JSON value. Numbers that a double can't hold exactly, .inf and .nan give nothing.
std::optional<google::protobuf::Value> YamlValue(const YamlNode& node);

}  // namespace omnix
