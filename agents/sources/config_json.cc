// JSON with comments, read by hand: the places of values matter, and so does what stands before an error.
#include <optional>

#include "absl/strings/ascii.h"
#include "agents/sources/config_formats.h"
#include "fmt/format.h"

namespace omnix {
namespace {

class JsonReader {
 public:
  JsonReader(const ConfigSource& source, ConfigValues* config)
      : source_(source), text_(source.text), config_(*config) {}

  void Read() {
    Skip();
    if (at_ == text_.size()) return Fail("the file is empty");
    Value("", 0);
    Skip();
    if (!failed() && at_ < text_.size()) Fail("something follows the end of the document");
  }

 private:
  bool failed() const { return !config_.error.empty(); }
  bool Next(char c) const { return at_ < text_.size() && text_[at_] == c; }

  void Fail(const std::string& error) { SetConfigError(source_, error, line_, Column(), &config_); }
  uint32_t Column() const { return static_cast<uint32_t>(at_ - line_start_ + 1); }

  void Step() {
    if (text_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }

  // Whoever reads comments reads a ',' behind the last element as well.
  bool MayEndWithComma() const {
    return has_comments_ || source_.path.ends_with(".jsonc") || source_.path.ends_with(".json5");
  }

  // White space and comments.
  void Skip() {
    while (at_ < text_.size()) {
      if (absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) {
        Step();
      } else if (text_.substr(at_, 2) == "//") {
        has_comments_ = true;
        while (at_ < text_.size() && text_[at_] != '\n') Step();
      } else if (text_.substr(at_, 2) == "/*") {
        has_comments_ = true;
        const size_t end = text_.find("*/", at_ + 2);
        const size_t stop = end == std::string_view::npos ? text_.size() : end + 2;
        while (at_ < stop) Step();
      } else {
        return;
      }
    }
  }

  std::optional<std::string> String() {
    std::string value;
    for (Step(); at_ < text_.size() && text_[at_] != '\n'; Step()) {
      if (text_[at_] == '"') {
        Step();
        return value;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        Step();
        const char escaped = text_[at_];
        value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped;
        continue;
      }
      value += text_[at_];
    }
    Fail("a string is not closed by '\"'");
    return std::nullopt;
  }

  void Value(const std::string& key, int depth) {
    Skip();
    if (depth > kMaxConfigDepth) return Fail("nested too deep");
    const uint32_t line = line_;
    const uint32_t column = Column();
    if (Next('{')) return Object(key, depth);
    if (Next('[')) return Array(key, depth);
    if (Next('"')) {
      const auto value = String();
      if (value) AddConfigValue(source_, key, *value, line, column, &config_);
      return;
    }
    const size_t begin = at_;
    const auto plain = [](char c) {
      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '+' || c == '.';
    };
    while (at_ < text_.size() && plain(text_[at_])) ++at_;
    const std::string word(text_.substr(begin, at_ - begin));
    const bool number = !word.empty() && (absl::ascii_isdigit(static_cast<unsigned char>(word[0])) || word[0] == '-');
    if (!number && word != "true" && word != "false" && word != "null") {
      at_ = begin;
      return Fail(at_ == text_.size() ? "the document ends where a value is expected" : "expected a value");
    }
    AddConfigValue(source_, key, word, line, column, &config_);
  }

  void Object(const std::string& parent, int depth) {
    Step();
    for (bool first = true;; first = false) {
      Skip();
      if (Next('}') && (first || MayEndWithComma())) return Step();
      if (!Next('"')) return Fail(Next('}') ? "a ',' before '}'" : "expected a name in '\"'");
      const auto name = String();
      if (!name) return;
      Skip();
      if (!Next(':')) return Fail(fmt::format("expected ':' after \"{}\"", *name));
      Step();
      Value(JoinKey(parent, *name), depth + 1);
      if (failed() || Closed('}')) return;
    }
  }

  void Array(const std::string& parent, int depth) {
    Step();
    for (size_t i = 0;; ++i) {
      Skip();
      if (Next(']') && (i == 0 || MayEndWithComma())) return Step();
      if (Next(']')) return Fail("a ',' before ']'");
      Value(JoinKey(parent, std::to_string(i)), depth + 1);
      if (failed() || Closed(']')) return;
    }
  }

  // After an element: whether it was the last one (or an error).
  bool Closed(char bracket) {
    Skip();
    if (Next(bracket)) {
      Step();
      return true;
    }
    if (!Next(',')) {
      Fail(at_ == text_.size() ? fmt::format("the document ends before its '{}'", bracket)
                               : fmt::format("expected ',' or '{}'", bracket));
      return true;
    }
    Step();
    return false;
  }

  const ConfigSource& source_;
  const std::string_view text_;
  ConfigValues& config_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  size_t line_start_ = 0;
  bool has_comments_ = false;
};

}  // namespace

void ReadJsonConfig(const ConfigSource& source, ConfigValues* config) { JsonReader(source, config).Read(); }

}  // namespace omnix
