// TOML: tables and keys by line, values by the bracketed parser.
#include <algorithm>

#include "agents/recovery/edit/config_tree.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr std::string_view kBlank = " \t\r";

// "a.b.'c d'" -> {"a", "b", "c d"}; empty where it is no key.
std::vector<std::string> SplitKey(std::string_view text) {
  std::vector<std::string> parts(1);
  char quote = '\0';
  for (const char c : text) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        parts.back() += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '.') {
      parts.emplace_back();
    } else if (kBlank.find(c) == std::string_view::npos) {
      parts.back() += c;
    }
  }
  const bool good = quote == '\0' && std::none_of(parts.begin(), parts.end(), [](auto& part) { return part.empty(); });
  return good ? parts : std::vector<std::string>();
}

// The child of that name, made where there is none.
ConfigNode* Child(ConfigNode* node, const std::string& key) {
  const auto found = std::find(node->keys.begin(), node->keys.end(), key);
  const auto index = static_cast<size_t>(found - node->keys.begin());
  if (found == node->keys.end()) {
    node->keys.push_back(key);
    node->key_begins.push_back(0);
    node->children.emplace_back();
    node->children.back().kind = ConfigNode::Kind::kObject;
  }
  return &node->children[index];
}

absl::StatusOr<ConfigNode*> Table(ConfigNode* root, const std::vector<std::string>& path, bool array) {
  ConfigNode* node = root;
  for (size_t i = 0; i < path.size(); ++i) {
    node = Child(node, path[i]);
    const bool last_of_array = array && i + 1 == path.size();
    if (last_of_array && node->kind == ConfigNode::Kind::kObject && node->keys.empty())
      node->kind = ConfigNode::Kind::kArray;
    if (last_of_array && node->kind == ConfigNode::Kind::kArray && !node->bracketed) {
      node->children.emplace_back();
      node->children.back().kind = ConfigNode::Kind::kObject;
    }
    if (node->kind == ConfigNode::Kind::kArray && !node->children.empty() && !node->bracketed)
      node = &node->children.back();
    if (node->kind != ConfigNode::Kind::kObject || node->bracketed) return InvalidArgument("'{}' is no table", path[i]);
  }
  return node;
}

}  // namespace

absl::StatusOr<ConfigNode> ParseTomlTree(std::string_view text) {
  ConfigNode root;
  root.kind = ConfigNode::Kind::kObject;
  root.end = text.size();
  std::vector<std::string> path;
  ConfigNode* table = &root;
  for (size_t at = 0; at < text.size();) {
    const auto error = [&](const char* what) {
      return InvalidArgument("line {}: no valid TOML: {}", LineOf(text, at), what);
    };
    at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
    if (at == text.size()) break;
    const size_t line_end = std::min(text.find('\n', at), text.size());
    if (text[at] == '#') {
      at = line_end;
      continue;
    }
    if (text[at] == '[') {
      const bool array = text.substr(at, 2) == "[[";
      const size_t close = text.find(array ? "]]" : "]", at);
      if (close == std::string_view::npos || close > line_end) return error("a table's name without end");
      path = SplitKey(text.substr(at + (array ? 2 : 1), close - at - (array ? 2 : 1)));
      if (path.empty()) return error("a table without a name");
      OMNIX_ASSIGN_OR_RETURN(table, Table(&root, path, array));
      at = line_end;
      continue;
    }
    const size_t equals = text.find('=', at);
    if (equals == std::string_view::npos || equals > line_end) return error("'=' is missing");
    std::vector<std::string> key = SplitKey(text.substr(at, equals - at));
    if (key.empty()) return error("a key is missing");
    const std::string name = key.back();
    key.pop_back();
    OMNIX_ASSIGN_OR_RETURN(ConfigNode * owner, Table(table, key, false));
    if (std::find(owner->keys.begin(), owner->keys.end(), name) != owner->keys.end())
      return error("the same key twice");
    OMNIX_ASSIGN_OR_RETURN(ConfigNode value, ParseTomlValue(text, equals + 1));
    const size_t end = value.end;
    owner->keys.push_back(name);
    owner->key_begins.push_back(at);
    owner->children.push_back(std::move(value));
    const size_t rest = std::min(text.find_first_not_of(kBlank, end), text.size());
    if (rest < text.size() && text[rest] != '\n' && text[rest] != '#') return error("something follows the value");
    at = std::min(text.find('\n', rest), text.size());
  }
  return root;
}

}  // namespace omnix
