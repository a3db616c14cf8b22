// YAML text as a tree that remembers where everything stands, for readers that report every mistake with its place (see
// yaml.h).
//
// Narrower than YAML on purpose: one document; no aliases (they let a small file stand for a huge one), no tags,
// scalars as keys, at most kMaxYamlDepth levels.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/yaml.h"

namespace omnix {

struct YamlEntry;

struct YamlNode {
  enum class Kind { kScalar, kList, kMapping };

  Kind kind = Kind::kScalar;
  YamlMark mark;
  // Text of a scalar; empty for an absent value.
  std::string text;
  // Written in quotes or as a block (| or >): a string whatever it looks like.
  bool quoted = false;
  // Keys (scalars) and values in the order of the file; a key may come twice. Of a list, `first` is unused.
  std::vector<YamlEntry> entries;

  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMapping() const { return kind == Kind::kMapping; }
  // Absent, or one of the core schema's words for null.
  bool IsNull() const;
};

struct YamlEntry {
  YamlNode first;
  YamlNode second;
};

// The text's root; a null scalar where the text is empty or (with a mistake in `report`) no such tree.
YamlNode ParseYamlTree(const std::string& text, YamlReport* report);

// "a list", "a mapping", "\"text\"": what a node is, for messages. Long text is cut.
std::string DescribeYaml(const YamlNode& node);

}  // namespace omnix
