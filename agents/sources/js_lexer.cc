#include "agents/sources/js_lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

namespace omnix {
namespace {

bool IsIdentifierStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '#' || (c & 0x80) != 0;
}
bool IsIdentifierPart(char c) { return IsIdentifierStart(c) || std::isdigit(static_cast<unsigned char>(c)); }
bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// Longest first.
constexpr std::array<std::string_view, 22> kLongPunctuation = {"===", "!==", "...", "**=", "||=", "&&=", "?\?=", "=>",
                                                               "==",  "!=",  "<=",  ">=",  "&&",  "||",  "??",   "?.",
                                                               "+=",  "-=",  "*=",  "/=",  "++",  "--"};

// After these a slash begins a regular expression, although they are words.
constexpr std::array<std::string_view, 10> kOperatorWords = {"return", "typeof", "case",  "in",  "of",
                                                             "delete", "void",   "throw", "new", "else"};

void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xE0 | ((code >> 12) & 0x0F)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  // Until the end, or (inside a template) until the '}' that closes the expression; it is consumed.
  std::vector<JsToken> Lex(int depth) {
    std::vector<JsToken> tokens;
    int braces = 0;
    while (SkipSpaceAndComments()) {
      const char c = source_[at_];
      if (depth > 0 && c == '}' && braces == 0) {
        Advance(1);
        return tokens;
      }
      if (c == '{') ++braces;
      if (c == '}') --braces;
      tokens.push_back(Next(tokens, depth));
    }
    return tokens;
  }

 private:
  JsToken Next(const std::vector<JsToken>& before, int depth) {
    JsToken token;
    token.offset = at_;
    token.line = line_;
    token.column = static_cast<uint32_t>(at_ - line_start_ + 1);
    const char c = source_[at_];
    if (c == '"' || c == '\'') {
      String(c, &token);
    } else if (c == '`' && depth < kMaxTemplateDepth) {
      Template(depth, &token);
    } else if (IsIdentifierStart(c)) {
      Word(JsTokenKind::kIdentifier, &token);
    } else if (IsDigit(c)) {
      Word(JsTokenKind::kNumber, &token);
    } else if (c != '/' || !RegexMayFollow(before) || !Regex(&token)) {
      Punctuation(&token);
    }
    token.end = at_;
    return token;
  }

  char Peek(size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }

  void Advance(size_t n) {
    for (; n > 0 && at_ < source_.size(); --n, ++at_) {
      if (source_[at_] == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
    }
  }

  // False at the end.
  bool SkipSpaceAndComments() {
    while (at_ < source_.size()) {
      if (std::isspace(static_cast<unsigned char>(source_[at_]))) {
        Advance(1);
      } else if (source_.substr(at_).starts_with("//") || (at_ == 0 && source_.starts_with("#!"))) {
        Advance(std::min(source_.find('\n', at_), source_.size()) - at_);
      } else if (source_.substr(at_).starts_with("/*")) {
        const size_t end = source_.find("*/", at_ + 2);
        Advance((end == std::string_view::npos ? source_.size() : end + 2) - at_);
      } else {
        return true;
      }
    }
    return false;
  }

  static bool RegexMayFollow(const std::vector<JsToken>& before) {
    if (before.empty()) return true;
    const JsToken& last = before.back();
    if (last.kind == JsTokenKind::kIdentifier) {
      return std::find(kOperatorWords.begin(), kOperatorWords.end(), last.text) != kOperatorWords.end();
    }
    if (last.kind != JsTokenKind::kPunctuation) return false;
    return last.text != ")" && last.text != "]" && last.text != "}" && last.text != "++" && last.text != "--";
  }

  void Word(JsTokenKind kind, JsToken* token) {
    token->kind = kind;
    const size_t start = at_;
    while (at_ < source_.size() &&
           (IsIdentifierPart(source_[at_]) || (kind == JsTokenKind::kNumber && source_[at_] == '.'))) {
      Advance(1);
    }
    token->text = std::string(source_.substr(start, at_ - start));
  }

  void Punctuation(JsToken* token) {
    token->kind = JsTokenKind::kPunctuation;
    size_t length = 1;
    for (const std::string_view candidate : kLongPunctuation) {
      if (source_.substr(at_).starts_with(candidate)) {
        length = candidate.size();
        break;
      }
    }
    // "a?.5:b" is a condition, not a chain.
    if (length == 2 && Peek() == '?' && Peek(1) == '.' && IsDigit(Peek(2))) length = 1;
    token->text = std::string(source_.substr(at_, length));
    Advance(length);
  }

  // At a backslash: appends what the escape means.
  void Escape(std::string* out) {
    Advance(1);
    const char c = Peek();
    if (c == '\0' && at_ >= source_.size()) return;
    Advance(1);
    switch (c) {
      case 'n':
        out->push_back('\n');
        return;
      case 't':
        out->push_back('\t');
        return;
      case 'r':
        out->push_back('\r');
        return;
      case '\n':
        return;
      case '\r':
        if (Peek() == '\n') Advance(1);
        return;
      case 'x':
      case 'u':
        Code(c == 'x' ? 2 : 4, out);
        return;
      default:
        out->push_back(c);
    }
  }

  void Code(size_t digits, std::string* out) {
    std::string hex;
    if (Peek() == '{') {
      const size_t end = source_.find('}', at_);
      if (end == std::string_view::npos || end - at_ > 8) return;
      hex = std::string(source_.substr(at_ + 1, end - at_ - 1));
      Advance(end + 1 - at_);
    } else {
      hex = std::string(source_.substr(at_, digits));
      Advance(hex.size());
    }
    AppendUtf8(static_cast<uint32_t>(std::strtoul(hex.c_str(), nullptr, 16)), out);
  }

  void String(char quote, JsToken* token) {
    token->kind = JsTokenKind::kString;
    Advance(1);
    while (at_ < source_.size() && source_[at_] != quote && source_[at_] != '\n') {
      if (source_[at_] == '\\') {
        Escape(&token->text);
      } else {
        token->text.push_back(source_[at_]);
        Advance(1);
      }
    }
    if (Peek() == quote) Advance(1);
  }

  void Template(int depth, JsToken* token) {
    token->kind = JsTokenKind::kTemplate;
    Advance(1);
    JsTemplatePart text;
    text.offset = at_;
    auto flush = [&] {
      if (!text.text.empty()) token->parts.push_back(text);
      text = JsTemplatePart();
    };
    while (at_ < source_.size() && source_[at_] != '`') {
      if (source_[at_] == '\\') {
        Escape(&text.text);
      } else if (source_[at_] == '$' && Peek(1) == '{') {
        flush();
        Advance(2);
        JsTemplatePart expression;
        expression.is_expression = true;
        expression.offset = at_;
        expression.tokens = Lex(depth + 1);
        const size_t end = at_ > expression.offset ? at_ - 1 : at_;
        expression.text = std::string(source_.substr(expression.offset, end - expression.offset));
        token->parts.push_back(std::move(expression));
        text.offset = at_;
      } else {
        text.text.push_back(source_[at_]);
        Advance(1);
      }
    }
    flush();
    if (Peek() == '`') Advance(1);
  }

  // False where no regex ends on this line (then it is a division).
  bool Regex(JsToken* token) {
    bool in_class = false;
    for (size_t i = at_ + 1; i < source_.size() && source_[i] != '\n'; ++i) {
      const char c = source_[i];
      if (c == '\\') {
        ++i;
      } else if (c == '[') {
        in_class = true;
      } else if (c == ']') {
        in_class = false;
      } else if (c == '/' && !in_class) {
        token->kind = JsTokenKind::kRegex;
        token->text = std::string(source_.substr(at_ + 1, i - at_ - 1));
        Advance(i + 1 - at_);
        while (IsIdentifierPart(Peek())) Advance(1);
        return true;
      }
    }
    return false;
  }

  std::string_view source_;
  size_t at_ = 0;
  uint32_t line_ = 1;
  size_t line_start_ = 0;
};

}  // namespace

std::vector<JsToken> LexJavaScript(std::string_view source) { return Lexer(source).Lex(0); }

LineIndex::LineIndex(std::string_view text) : text_(text), starts_{0} {
  for (size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n' && i + 1 < text_.size()) starts_.push_back(i + 1);
  }
}

v1::Location LineIndex::Locate(const std::string& file, size_t offset) const {
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const size_t line = static_cast<size_t>(next - starts_.begin());
  v1::Location location;
  location.set_file(file);
  location.set_line(static_cast<uint32_t>(line));
  location.set_column(static_cast<uint32_t>(offset - starts_[line - 1] + 1));
  return location;
}

std::string LineIndex::Line(uint32_t line) const {
  if (line == 0 || line > starts_.size()) return "";
  const size_t start = starts_[line - 1];
  size_t end = std::min(text_.find('\n', start), text_.size());
  if (end > start && text_[end - 1] == '\r') --end;
  return text_.substr(start, end - start);
}

}  // namespace omnix
