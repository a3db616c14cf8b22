// A configuration file as a tree whose nodes know where in the text they stand: what an edit needs to change one value
// and nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json.h"

namespace omnix {

inline constexpr int kMaxConfigDepth = 64;

struct ConfigNode {
  enum class Kind { kScalar, kObject, kArray };
  Kind kind = Kind::kScalar;
  // Bytes [begin, end) of the text; quotes and brackets included.
  size_t begin = 0;
  size_t end = 0;
  // True for {...} and [...]; false for YAML's block style and TOML's tables, whose parts are lines.
  bool bracketed = false;
  Json scalar;
  // Of an object: keys[i] names children[i].
  std::vector<std::string> keys;
  std::vector<size_t> key_begins;
  std::vector<ConfigNode> children;
};

// Errors: INVALID_ARGUMENT (syntax, with the line; duplicate keys; what can't be edited safely, such as YAML's
// anchors).
absl::StatusOr<ConfigNode> ParseJsonTree(
    std::string_view text);  // with comments and trailing commas, as in tsconfig.json
absl::StatusOr<ConfigNode> ParseYamlTree(std::string_view text);  // one document
absl::StatusOr<ConfigNode> ParseTomlTree(std::string_view text);

// A value of TOML that begins at `begin` of the text.
absl::StatusOr<ConfigNode> ParseTomlValue(std::string_view text, size_t begin);

Json TreeToJson(const ConfigNode& node);

// By JSON pointer (RFC 6901): "/server/port", "/origins/0". Null where there is none.
const ConfigNode* FindNode(const ConfigNode& root, const std::vector<std::string>& parts);
absl::StatusOr<std::vector<std::string>> ParsePointer(const std::string& pointer);

size_t LineOf(std::string_view text, size_t position);

}  // namespace omnix
