// JSON with comments, and the values of TOML: brackets, braces, strings and bare words.
#include <algorithm>
#include <cstdlib>

#include "agents/recovery/edit/config_tree.h"
#include "common/status.h"

namespace omnix {
namespace {

struct Dialect {
  const char* name;
  char key_separator;
  bool slash_comments;
  bool hash_comments;
  bool toml;
};
constexpr Dialect kJson = {"JSON", ':', true, false, false};
constexpr Dialect kToml = {"TOML", '=', false, true, true};

class BracketedParser {
 public:
  BracketedParser(std::string_view text, size_t begin, const Dialect& dialect)
      : text_(text), at_(begin), dialect_(dialect) {}

  absl::StatusOr<ConfigNode> Document() {
    OMNIX_ASSIGN_OR_RETURN(ConfigNode node, Value(0));
    OMNIX_RETURN_IF_ERROR(SkipBlank());
    if (at_ < text_.size()) return Error("something follows the document");
    return node;
  }

  absl::StatusOr<ConfigNode> Value(int depth) {
    if (depth > kMaxConfigDepth) return Error("nested too deep");
    OMNIX_RETURN_IF_ERROR(SkipBlank());
    ConfigNode node;
    node.begin = at_;
    const char c = Peek();
    if (c == '{' || c == '[') {
      OMNIX_RETURN_IF_ERROR(Collection(depth, &node));
    } else if (c == '"' || (dialect_.toml && c == '\'')) {
      OMNIX_ASSIGN_OR_RETURN(node.scalar, String());
    } else {
      OMNIX_ASSIGN_OR_RETURN(node.scalar, Bare());
    }
    node.end = at_;
    return node;
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  absl::Status Error(const char* what) const {
    return InvalidArgument("line {}: no valid {}: {}", LineOf(text_, at_), dialect_.name, what);
  }

  absl::Status SkipBlank() {
    while (at_ < text_.size()) {
      const std::string_view two = text_.substr(at_, 2);
      if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else if ((dialect_.hash_comments && text_[at_] == '#') || (dialect_.slash_comments && two == "//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (dialect_.slash_comments && two == "/*") {
        const size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return Error("a comment without end");
        at_ = end + 2;
      } else {
        break;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Collection(int depth, ConfigNode* node) {
    const bool object = Peek() == '{';
    const char close = object ? '}' : ']';
    node->kind = object ? ConfigNode::Kind::kObject : ConfigNode::Kind::kArray;
    node->bracketed = true;
    ++at_;
    while (true) {
      OMNIX_RETURN_IF_ERROR(SkipBlank());
      if (Peek() == close) break;
      if (object) OMNIX_RETURN_IF_ERROR(Key(node));
      OMNIX_ASSIGN_OR_RETURN(ConfigNode child, Value(depth + 1));
      node->children.push_back(std::move(child));
      OMNIX_RETURN_IF_ERROR(SkipBlank());
      if (Peek() == ',') {
        ++at_;
      } else if (Peek() != close) {
        return Error("',' or a closing bracket is missing");
      }
    }
    ++at_;
    return absl::OkStatus();
  }

  absl::Status Key(ConfigNode* node) {
    node->key_begins.push_back(at_);
    Json key;
    if (Peek() == '"' || (dialect_.toml && Peek() == '\'')) {
      OMNIX_ASSIGN_OR_RETURN(key, String());
    } else if (dialect_.toml) {
      const size_t end = text_.find_first_of(" \t\r\n=.", at_);
      key = std::string(text_.substr(at_, std::min(end, text_.size()) - at_));
      at_ = std::min(end, text_.size());
    } else {
      return Error("a key in quotes is missing");
    }
    if (std::find(node->keys.begin(), node->keys.end(), key.get<std::string>()) != node->keys.end()) {
      return Error("the same key twice");
    }
    node->keys.push_back(key.get<std::string>());
    OMNIX_RETURN_IF_ERROR(SkipBlank());
    if (Peek() != dialect_.key_separator) return Error("the separator after a key is missing");
    ++at_;
    return absl::OkStatus();
  }

  absl::StatusOr<Json> String() {
    const char mark = Peek();
    if (text_.substr(at_, 3) == std::string(3, mark)) return MultilineString(mark);
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != mark && text_[at_] != '\n') {
      at_ += text_[at_] == '\\' && mark == '"' ? 2 : 1;
    }
    if (Peek() != mark) return Error("a string without end");
    ++at_;
    const std::string_view raw = text_.substr(begin, at_ - begin);
    if (mark == '\'') return Json(std::string(raw.substr(1, raw.size() - 2)));
    auto parsed = ParseJson(raw);
    if (!parsed.ok()) return Error("a string with an escape that is not known");
    return *parsed;
  }

  // Kept raw: such a value may stand beside an edit, not be edited.
  absl::StatusOr<Json> MultilineString(char mark) {
    const std::string fence(3, mark);
    const size_t end = dialect_.toml ? text_.find(fence, at_ + fence.size()) : std::string_view::npos;
    if (end == std::string_view::npos) return Error("a string without end");
    const std::string raw(text_.substr(at_, end - at_ + fence.size()));
    at_ = end + fence.size();
    return Json(raw);
  }

  absl::StatusOr<Json> Bare() {
    const size_t end =
        std::min(text_.find_first_of(dialect_.toml ? ",]}\r\n#" : " \t\r\n,:[]{}/\"", at_), text_.size());
    std::string word(text_.substr(at_, end - at_));
    while (!word.empty() && (word.back() == ' ' || word.back() == '\t')) word.pop_back();
    if (word.empty()) return Error("a value is missing");
    auto parsed = ParseJson(word);
    if (!parsed.ok() && !dialect_.toml) return Error("a word that is no value");
    at_ += word.size();
    // TOML's dates and its other spellings of numbers stay text.
    return parsed.ok() ? *parsed : Json(word);
  }

  std::string_view text_;
  size_t at_;
  const Dialect& dialect_;
};

}  // namespace

absl::StatusOr<ConfigNode> ParseJsonTree(std::string_view text) { return BracketedParser(text, 0, kJson).Document(); }

absl::StatusOr<ConfigNode> ParseTomlValue(std::string_view text, size_t begin) {
  return BracketedParser(text, begin, kToml).Value(0);
}

}  // namespace omnix
