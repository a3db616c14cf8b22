#include "agents/recovery/edit/config_tree.h"

#include <algorithm>
#include <charconv>

#include "common/status.h"

namespace omnix {

Json TreeToJson(const ConfigNode& node) {
  if (node.kind == ConfigNode::Kind::kScalar) return node.scalar;
  Json value = node.kind == ConfigNode::Kind::kArray ? Json::array() : Json::object();
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (node.kind == ConfigNode::Kind::kArray) {
      value.push_back(TreeToJson(node.children[i]));
    } else {
      value[node.keys[i]] = TreeToJson(node.children[i]);
    }
  }
  return value;
}

const ConfigNode* FindNode(const ConfigNode& root, const std::vector<std::string>& parts) {
  const ConfigNode* node = &root;
  for (const std::string& part : parts) {
    size_t index = node->children.size();
    if (node->kind == ConfigNode::Kind::kObject) {
      index = static_cast<size_t>(std::find(node->keys.begin(), node->keys.end(), part) - node->keys.begin());
    } else if (node->kind == ConfigNode::Kind::kArray) {
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (error != std::errc() || end != part.data() + part.size()) return nullptr;
    }
    if (index >= node->children.size()) return nullptr;
    node = &node->children[index];
  }
  return node;
}

absl::StatusOr<std::vector<std::string>> ParsePointer(const std::string& pointer) {
  std::vector<std::string> parts;
  if (pointer.empty()) return parts;
  if (pointer.front() != '/') return InvalidArgument("'{}' is no JSON pointer such as /server/port", pointer);
  for (size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      parts.emplace_back();
    } else if (pointer[i] != '~') {
      parts.back() += pointer[i];
    } else if (i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      parts.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      return InvalidArgument("'{}' is no JSON pointer: '~' is written ~0", pointer);
    }
  }
  return parts;
}

size_t LineOf(std::string_view text, size_t position) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(position, text.size()));
  return static_cast<size_t>(std::count(text.begin(), end, '\n')) + 1;
}

}  // namespace omnix
