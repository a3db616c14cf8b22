// Tokens of JavaScript, TypeScript and JSON: enough to find literals and what stands around them. It is no parser and
// never fails: whatever it does not understand becomes punctuation, and an unterminated literal ends at its line's (a
// template: the file's) end.
#pragma once

#include <omnix/v1/diagnosis.pb.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace omnix {

// A string literal (or the constant part of a template literal) in a source file.
struct Literal {
  std::string text;       // as it means, without quotes
  v1::Location location;  // of its first character after the quote
  std::string line_text;  // the whole line, without its end
};

struct JsToken;

// A template literal is a sequence of constant texts and expressions.
struct JsTemplatePart {
  bool is_expression = false;
  // The text as it means; of an expression as written.
  std::string text;
  // First byte of the part in the source.
  size_t offset = 0;
  // Tokens of the expression.
  std::vector<JsToken> tokens;
};

enum class JsTokenKind { kIdentifier, kNumber, kString, kTemplate, kRegex, kPunctuation };

struct JsToken {
  JsTokenKind kind = JsTokenKind::kPunctuation;
  // Identifier, number or punctuation as written; a string as it means; a regex without its slashes and flags.
  std::string text;
  // First byte, and one past the last, in the source (quotes included).
  size_t offset = 0;
  size_t end = 0;
  // 1-based.
  uint32_t line = 0;
  uint32_t column = 0;
  std::vector<JsTemplatePart> parts;

  bool Is(std::string_view punctuation_or_word) const {
    return (kind == JsTokenKind::kPunctuation || kind == JsTokenKind::kIdentifier) && text == punctuation_or_word;
  }
};

// Templates nested deeper than this are taken as text.
inline constexpr int kMaxTemplateDepth = 16;

// Comments are left out. Linear in the source's length (times the nesting of templates).
std::vector<JsToken> LexJavaScript(std::string_view source);

// Where a byte of a text is, and the line it is on.
class LineIndex {
 public:
  explicit LineIndex(std::string_view text);
  // 1-based line and column (in bytes) of the byte at `offset`.
  v1::Location Locate(const std::string& file, size_t offset) const;
  // Without its end ("\n" or "\r\n"); empty beyond the last line.
  std::string Line(uint32_t line) const;
  uint32_t count() const { return static_cast<uint32_t>(starts_.size()); }

 private:
  std::string text_;
  std::vector<size_t> starts_;
};

}  // namespace omnix
