// YAML: yaml-cpp's parser says where each node begins; where it ends is read from the text.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <memory>
#include <sstream>

#include "agents/recovery/edit/config_tree.h"
#include "common/status.h"

namespace omnix {
namespace {

struct NotEditable {
  size_t position;
  const char* what;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string&) override { Refuse(mark, "anchors are not edited"); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Refuse(mark, "aliases are not edited"); }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    ConfigNode node;
    node.begin = node.end = At(mark);
    if (text_.substr(node.begin, 4) == "null") {
      node.end += 4;
    } else if (text_.substr(node.begin, 1) == "~") {
      node.end += 1;
    } else if (!open_.empty() && open_.back().node.kind == ConfigNode::Kind::kObject && !open_.back().key_next) {
      // Nothing is written: its place is behind its key's colon.
      node.begin = node.end = std::min(text_.find(':', open_.back().key_end), text_.size() - 1) + 1;
    }
    Add(std::move(node), mark, "");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (anchor != 0 || (tag != "?" && tag != "!")) Refuse(mark, "anchors and tags are not edited");
    ConfigNode node;
    node.begin = At(mark);
    node.end = ScalarEnd(node.begin, value);
    // A plain word is what JSON reads in it (true, 12, null), else text.
    const bool plain = tag == "?";
    auto parsed = ParseJson(text_.substr(node.begin, node.end - node.begin));
    node.scalar = plain && parsed.ok() && parsed->is_primitive() ? *parsed : Json(value);
    Add(std::move(node), mark, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Start(mark, tag, anchor, style, ConfigNode::Kind::kArray);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Start(mark, tag, anchor, style, ConfigNode::Kind::kObject);
  }
  void OnSequenceEnd() override { Finish(); }
  void OnMapEnd() override { Finish(); }
  ConfigNode Take() { return std::move(root_); }

 private:
  struct Open {
    ConfigNode node;
    bool key_next = true;
    size_t key_end = 0;
  };

  size_t At(const YAML::Mark& mark) const { return std::min(static_cast<size_t>(std::max(mark.pos, 0)), text_.size()); }
  [[noreturn]] void Refuse(const YAML::Mark& mark, const char* what) const { throw NotEditable{At(mark), what}; }

  void Start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value style,
             ConfigNode::Kind kind) {
    if (anchor != 0 || (tag != "?" && !tag.empty())) Refuse(mark, "anchors and tags are not edited");
    if (open_.size() >= static_cast<size_t>(kMaxConfigDepth)) Refuse(mark, "nested too deep");
    if (!open_.empty() && open_.back().node.kind == ConfigNode::Kind::kObject && open_.back().key_next)
      Refuse(mark, "keys that are no text are not edited");
    Open opened;
    opened.node.kind = kind;
    opened.node.begin = At(mark);
    opened.node.bracketed = style == YAML::EmitterStyle::Flow;
    open_.push_back(std::move(opened));
  }

  void Finish() {
    ConfigNode node = std::move(open_.back().node);
    open_.pop_back();
    const size_t last = node.children.empty() ? node.begin + (node.bracketed ? 1 : 0) : node.children.back().end;
    node.end = node.bracketed ? CloseOf(last) : last;
    Add(std::move(node), YAML::Mark(), "");
  }

  void Add(ConfigNode node, const YAML::Mark& mark, const std::string& text) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == ConfigNode::Kind::kObject && parent.key_next) {
      if (text == "<<") Refuse(mark, "merge keys are not edited");
      if (std::find(parent.node.keys.begin(), parent.node.keys.end(), text) != parent.node.keys.end())
        Refuse(mark, "the same key twice");
      parent.node.keys.push_back(text);
      parent.node.key_begins.push_back(node.begin);
      parent.key_end = node.end;
      parent.key_next = false;
      return;
    }
    parent.node.children.push_back(std::move(node));
    parent.key_next = true;
  }

  size_t CloseOf(size_t at) const {
    while (at < text_.size() && text_[at] != ']' && text_[at] != '}') {
      at = text_[at] == '#' ? std::min(text_.find('\n', at), text_.size()) : at + 1;
    }
    return std::min(at + 1, text_.size());
  }

  size_t ScalarEnd(size_t begin, const std::string& value) const {
    const char first = begin < text_.size() ? text_[begin] : '\0';
    if (first == '"') {
      size_t at = begin + 1;
      while (at < text_.size() && text_[at] != '"') at += text_[at] == '\\' ? 2 : 1;
      return std::min(at + 1, text_.size());
    }
    if (first == '\'') {
      size_t at = begin + 1;
      while (at < text_.size() && (text_[at] != '\'' || text_.substr(at, 2) == "''")) at += text_[at] == '\'' ? 2 : 1;
      return std::min(at + 1, text_.size());
    }
    if (first == '|' || first == '>') return BlockEnd(begin);
    // Plain: as written, unless it goes over several lines.
    if (text_.substr(begin, value.size()) == value) return begin + value.size();
    throw NotEditable{begin, "plain text over several lines is not edited"};
  }

  // Lines indented more than the line that the block scalar's mark stands on.
  size_t BlockEnd(size_t begin) const {
    const size_t line = begin == 0 ? 0 : text_.rfind('\n', begin - 1) + 1;
    const size_t indent = text_.find_first_not_of(' ', line) - line;
    size_t end = std::min(text_.find('\n', begin), text_.size());
    while (end < text_.size()) {
      const size_t next = end + 1;
      const size_t word = std::min(text_.find_first_not_of(' ', next), text_.size());
      const bool blank = word == text_.size() || text_[word] == '\n' || text_[word] == '\r';
      if (!blank && word - next <= indent) break;
      end = std::min(text_.find('\n', next), text_.size());
    }
    return end;
  }

  std::string_view text_;
  ConfigNode root_;
  std::vector<Open> open_;
};

}  // namespace

absl::StatusOr<ConfigNode> ParseYamlTree(std::string_view text) {
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(text);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return InvalidArgument("no YAML document");
    TreeBuilder second(text);
    if (parser.HandleNextDocument(second)) return InvalidArgument("several YAML documents in one file are not edited");
  } catch (const YAML::Exception& error) {
    return InvalidArgument("line {}: no valid YAML: {}", error.mark.line + 1, error.msg);
  } catch (const NotEditable& error) {
    return InvalidArgument("line {}: {}", LineOf(text, error.position), error.what);
  }
  return builder.Take();
}

}  // namespace omnix
