// Formats whose values stand on lines: TOML (as far as services use it), INI, .env and properties, settings in Python,
// PHP or Ruby; and the literals of scripts.
#include <re2/re2.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agents/sources/config_formats.h"
#include "agents/sources/js_lexer.h"
#include "fmt/format.h"

namespace omnix {
namespace {

std::string Strip(std::string_view text) { return std::string(absl::StripAsciiWhitespace(std::string(text))); }

std::vector<std::string> LinesOf(std::string_view text) { return absl::StrSplit(std::string(text), '\n'); }

bool IsQuote(char c) { return c == '"' || c == '\''; }

// Without quotes, what closes a statement, and (outside quotes) a comment that begins with one of `comments`.
std::string Plain(std::string_view written, std::string_view comments) {
  std::string text = Strip(written);
  if (!text.empty() && IsQuote(text[0])) {
    const size_t end = text.find(text[0], 1);
    return text.substr(1, end == std::string::npos ? end : end - 1);
  }
  for (size_t i = 1; i < text.size(); ++i) {
    if (comments.find(text[i]) != std::string_view::npos &&
        absl::ascii_isspace(static_cast<unsigned char>(text[i - 1])))
      text = text.substr(0, i);
  }
  text = Strip(text);
  while (text.ends_with(',') || text.ends_with(';')) text = Strip(text.substr(0, text.size() - 1));
  return text;
}

// The number of brackets that a piece of TOML leaves open; quotes that are not closed are told by `open_quote`.
int OpenBrackets(std::string_view text, bool* open_quote) {
  int open = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\' && quote == '"') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (IsQuote(c)) {
      quote = c;
    } else if (c == '#') {
      break;
    } else if (c == '[' || c == '{') {
      ++open;
    } else if (c == ']' || c == '}') {
      --open;
    }
  }
  *open_quote = quote != 0;
  return open;
}

// What is wrong with a bare TOML value; empty: nothing that is seen here.
std::string TomlMistake(std::string_view value) {
  static const RE2 kBare(R"((?:true|false|[+-]?(?:inf|nan|0[xob][0-9A-Fa-f_]+|[0-9][0-9A-Za-z_.:+\- ]*))\s*(?:#.*)?)");
  if (value.empty() || value[0] == '#') return "a key without a value";
  if (IsQuote(value[0]) || value[0] == '[' || value[0] == '{') return "";
  return RE2::FullMatch(std::string(value), kBare) ? "" : "a text without quotes";
}

// The name that the expression around tokens[at] is the value of; empty: none near.
std::string NameBefore(const std::vector<JsToken>& tokens, size_t at) {
  constexpr size_t kMaxExpression = 16;
  for (size_t i = at; i >= 1 && at - i < kMaxExpression; --i) {
    if (tokens[i].Is(",") || tokens[i].Is(";") || tokens[i].Is("{")) return "";
    if (tokens[i].Is(":") || tokens[i].Is("=")) return tokens[i - 1].text;
  }
  return "";
}

}  // namespace

void ReadTomlConfig(const ConfigSource& source, ConfigValues* config) {
  static const RE2 kSection(R"(^\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$)");
  static const RE2 kPair(
      R"(^\s*((?:[A-Za-z0-9_\-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_\-]+|"[^"]*"|'[^']*'))*)\s*=\s*(.*)$)");
  std::string section, long_quote;
  int open = 0;
  uint32_t number = 0, opened_at = 0;
  for (const std::string& raw : LinesOf(source.text)) {
    ++number;
    const std::string line = Strip(raw);
    bool open_quote = false;
    if (!long_quote.empty()) {
      if (line.find(long_quote) != std::string::npos) long_quote.clear();
      continue;
    }
    if (open > 0) {
      open += OpenBrackets(line, &open_quote);
      continue;
    }
    std::string key, value;
    if (line.empty() || line[0] == '#') continue;
    if (RE2::FullMatch(line, kSection, &key)) {
      section = key;
      continue;
    }
    if (!RE2::FullMatch(line, kPair, &key, &value)) {
      return SetConfigError(source, line[0] == '[' ? "a section that is not closed by ']'" : "expected key = value",
                            number, 1, config);
    }
    for (const char* quote : {"\"\"\"", "'''"}) {
      if (value.starts_with(quote) && value.find(quote, 3) == std::string::npos) long_quote = quote;
    }
    if (!long_quote.empty()) continue;
    open = OpenBrackets(value, &open_quote);
    opened_at = number;
    std::string mistake = open_quote ? "a text whose quote is not closed" : TomlMistake(value);
    if (open < 0) mistake = "a bracket that was never opened";
    if (!mistake.empty()) return SetConfigError(source, fmt::format("{}: {}", key, mistake), number, 1, config);
    AddConfigValue(source, JoinKey(section, key), Plain(value, "#"), number, static_cast<uint32_t>(raw.find(value) + 1),
                   config);
  }
  if (open > 0) SetConfigError(source, "a bracket is not closed", opened_at, 1, config);
}

void ReadIniConfig(const ConfigSource& source, ConfigValues* config) {
  static const RE2 kPair(R"(^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$)");
  std::string section;
  uint32_t number = 0;
  for (const std::string& raw : LinesOf(source.text)) {
    ++number;
    const std::string line = Strip(raw);
    const bool continues = !raw.empty() && absl::ascii_isspace(static_cast<unsigned char>(raw[0]));
    if (line.empty() || line[0] == '#' || line[0] == ';' || continues) continue;
    std::string key, value;
    if (line[0] == '[') {
      if (line.find(']') == std::string::npos)
        return SetConfigError(source, "a section that is not closed by ']'", number, 1, config);
      section = line.substr(1, line.find(']') - 1);
    } else if (RE2::FullMatch(line, kPair, &key, &value)) {
      AddConfigValue(source, JoinKey(section, key), Plain(value, "#;"), number,
                     static_cast<uint32_t>(raw.find(value) + 1), config);
    }
  }
}

void ReadPropertiesConfig(const ConfigSource& source, ConfigValues* config) {
  // java.util.Properties refuses the whole file for one of these.
  static const RE2 kBadEscape(R"((?:^|[^\\])(?:\\\\)*\\u[0-9A-Fa-f]{0,3}(?:[^0-9A-Fa-f]|$))");
  ReadTextConfig(source, config);
  uint32_t number = 0;
  for (const std::string& raw : LinesOf(source.text)) {
    ++number;
    const std::string line = Strip(raw);
    if (!line.empty() && line[0] != '#' && line[0] != '!' && RE2::PartialMatch(line, kBadEscape))
      return SetConfigError(source, "four hexadecimal digits must follow \\u", number, 1, config);
  }
}

void ReadTextConfig(const ConfigSource& source, ConfigValues* config) {
  static const RE2 kPair(
      R"(^\s*(?:export\s+|set\s+|const\s+)?["']?([A-Za-z_][A-Za-z0-9_.\-]*)["']?\s*(?:=>|[:=])\s*(.+?)\s*$)");
  uint32_t number = 0;
  for (const std::string& raw : LinesOf(source.text)) {
    ++number;
    std::string key, value;
    const std::string& line = raw;
    if (!RE2::FullMatch(line, kPair, &key, &value)) continue;
    const bool opens = value == "{" || value == "[" || value == "(";
    if (!opens &&
        !AddConfigValue(source, key, Plain(value, "#"), number, static_cast<uint32_t>(line.find(value) + 1), config))
      return;
  }
}

void ReadScriptConfig(const ConfigSource& source, ConfigValues* config) {
  const std::vector<JsToken> tokens = LexJavaScript(source.text);
  // Of each open bracket: its token, and the key under which it stands.
  std::vector<std::pair<const JsToken*, std::string>> open;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const JsToken& token = tokens[i];
    const bool named = i >= 2 && (tokens[i - 1].Is(":") || tokens[i - 1].Is("=")) &&
                       (tokens[i - 2].kind == JsTokenKind::kIdentifier || tokens[i - 2].kind == JsTokenKind::kString);
    const std::string parent = open.empty() ? "" : open.back().second;
    const std::string name = named ? tokens[i - 2].text : NameBefore(tokens, i);
    const std::string key = name.empty() ? parent : JoinKey(parent, name);
    if (token.Is("{") || token.Is("[") || token.Is("(")) {
      open.emplace_back(&token, key);
    } else if (token.Is("}") || token.Is("]") || token.Is(")")) {
      const char* closes = token.Is("}") ? "{" : token.Is("]") ? "[" : "(";
      if (open.empty() || !open.back().first->Is(closes)) {
        return SetConfigError(source, fmt::format("'{}' closes nothing", token.text), token.line, token.column, config);
      }
      open.pop_back();
    } else if (token.kind == JsTokenKind::kString || token.kind == JsTokenKind::kNumber || token.Is("true") ||
               token.Is("false")) {
      const bool fallback = i >= 1 && (tokens[i - 1].Is("||") || tokens[i - 1].Is("??") || tokens[i - 1].Is("|") ||
                                       tokens[i - 1].Is("?"));
      const bool element = !open.empty() && open.back().first->Is("[");
      if (named || element || fallback) AddConfigValue(source, key, token.text, token.line, token.column, config);
    }
  }
  if (!open.empty()) {
    const JsToken& first = *open.back().first;
    SetConfigError(source, fmt::format("'{}' is not closed", first.text), first.line, first.column, config);
  }
}

}  // namespace omnix
