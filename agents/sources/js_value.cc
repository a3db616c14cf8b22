#include "agents/sources/js_value.h"

#include <algorithm>
#include <span>

#include "absl/strings/ascii.h"

namespace omnix {
namespace {

// Methods that keep the beginning of a string as far as paths are concerned.
constexpr std::string_view kNeutralMethods[] = {"replace", "replaceAll", "trim",       "toString",
                                                "trimEnd", "concat",     "toLowerCase"};

bool IsNeutral(std::string_view method) {
  return std::find(std::begin(kNeutralMethods), std::end(kNeutralMethods), method) != std::end(kNeutralMethods);
}

bool IsComparison(const JsToken& token) {
  if (token.kind != JsTokenKind::kPunctuation) return token.Is("in") || token.Is("instanceof");
  return token.text == "===" || token.text == "!==" || token.text == "==" || token.text == "!=" || token.text == "<" ||
         token.text == ">";
}

bool IsOpening(const JsToken& t) {
  return t.kind == JsTokenKind::kPunctuation && (t.text == "(" || t.text == "[" || t.text == "{");
}
bool IsClosing(const JsToken& t) {
  return t.kind == JsTokenKind::kPunctuation && (t.text == ")" || t.text == "]" || t.text == "}");
}
bool Ends(const JsToken& t) { return IsClosing(t) || t.Is(",") || t.Is(";") || t.Is(":"); }

JsValue Unknown(const std::string& name) {
  JsValue value;
  value.pieces.push_back({std::nullopt, name, ""});
  return value;
}

void Append(JsValue* to, const JsValue& from) {
  for (const JsPiece& piece : from.pieces) {
    if (to->pieces.size() < kMaxJsPieces) to->pieces.push_back(piece);
  }
}

// The build that a condition holds for, where it asks for one: `hostname === 'localhost'`, `process.env.NODE_ENV !==
// 'production'`, `__DEV__`.
std::optional<ClientBuild> BuildAskedFor(std::span<const JsToken> condition) {
  static const std::set<std::string, std::less<>> kDevelopment = {"dev",   "isdev",   "development", "isdevelopment",
                                                                  "local", "islocal", "localhost",   "127.0.0.1"};
  static const std::set<std::string, std::less<>> kProduction = {"prod", "isprod", "production", "isproduction"};
  int development = 0, production = 0, affirmed = 0, denied = 0;
  for (const JsToken& token : condition) {
    affirmed += token.Is("==") || token.Is("===") ? 1 : 0;
    denied += token.Is("!=") || token.Is("!==") || token.Is("!") ? 1 : 0;
    std::string word = absl::AsciiStrToLower(token.text).substr(0, 40);
    std::erase(word, '_');
    development += kDevelopment.contains(word) ? 1 : 0;
    production += kProduction.contains(word) ? 1 : 0;
  }
  if ((development > 0) == (production > 0) || (affirmed > 0 && denied > 0)) return std::nullopt;
  return (development > 0) == (denied == 0) ? ClientBuild::kDevelopment : ClientBuild::kProduction;
}

}  // namespace

bool JsValue::has_text() const {
  return std::any_of(pieces.begin(), pieces.end(), [](const JsPiece& p) { return p.literal.has_value(); });
}

std::string JsValue::Text() const {
  std::string text;
  for (const JsPiece& piece : pieces) text += piece.literal ? piece.literal->text : std::string(1, kUnknownPiece);
  return text;
}

size_t MatchingBracket(const std::vector<JsToken>& tokens, size_t open) {
  int depth = 0;
  for (size_t i = open; i < tokens.size(); ++i) {
    if (IsOpening(tokens[i])) ++depth;
    if (IsClosing(tokens[i]) && --depth == 0) return i;
  }
  return tokens.size();
}

JsSymbols::JsSymbols(const std::vector<JsFile>& files, ClientBuild build) : files_(files), build_(build) {
  for (size_t f = 0; f < files.size(); ++f) {
    const auto& tokens = files[f].tokens;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      const JsToken& token = tokens[i];
      if (tokens[i + 1].Is("{") && (token.Is("const") || token.Is("let") || token.Is("var"))) ReadPattern(f, i + 1);
      if (token.kind != JsTokenKind::kIdentifier && token.kind != JsTokenKind::kString) continue;
      const bool member = i > 0 && (tokens[i - 1].Is(".") || tokens[i - 1].Is("?."));
      size_t next = i + 1;
      // "name: string = value" of TypeScript; a plain annotation sets nothing.
      if (token.kind == JsTokenKind::kIdentifier && tokens[next].Is(":") && next + 2 < tokens.size() &&
          tokens[next + 1].kind == JsTokenKind::kIdentifier && tokens[next + 2].Is("=")) {
        next += 2;
      }
      const bool assigns = tokens[next].Is("=") && token.kind == JsTokenKind::kIdentifier;
      const bool is_key = tokens[next].Is(":") && (i == 0 || tokens[i - 1].Is("{") || tokens[i - 1].Is(","));
      if ((!assigns && !is_key) || next + 1 >= tokens.size()) continue;
      const bool field =
          i > 0 && (tokens[i - 1].Is("readonly") || tokens[i - 1].Is("private") || tokens[i - 1].Is("static") ||
                    tokens[i - 1].Is("public") || tokens[i - 1].Is("protected"));
      declarations_.push_back({token.text, f, &tokens, next + 1, token.offset, is_key || member || field});
      by_name_.emplace(token.text, declarations_.size() - 1);
    }
  }
}

// const { a, b: c, d = 'x' } = ...: the variables a, c and d are the properties a, b and d of what stands there.
void JsSymbols::ReadPattern(size_t file, size_t open) {
  const std::vector<JsToken>& tokens = files_[file].tokens;
  const size_t close = MatchingBracket(tokens, open);
  // A file that ends within it.
  if (close == tokens.size()) return;
  for (size_t i = open + 1; i < close; ++i) {
    const bool begins = tokens[i - 1].Is("{") || tokens[i - 1].Is(",");
    if (!begins || tokens[i].kind != JsTokenKind::kIdentifier) continue;
    const bool renamed = tokens[i + 1].Is(":") && tokens[i + 2].kind == JsTokenKind::kIdentifier;
    taken_out_[{file, tokens[renamed ? i + 2 : i].text}] = tokens[i].text;
  }
}

void JsSymbols::AddEnvironment(const std::string& name, Literal value) { environment_[name] = std::move(value); }

JsPiece JsSymbols::TextPiece(size_t file, size_t offset, const std::string& text) const {
  Literal literal;
  literal.text = text;
  literal.location = files_[file].lines.Locate(files_[file].path, offset);
  literal.line_text = files_[file].lines.Line(literal.location.line());
  return {literal, "", ""};
}

JsValue JsSymbols::Evaluate(size_t file, const std::vector<JsToken>& tokens, size_t* at) const {
  size_t steps = 0;
  Scope scope{file, &steps, 0, {}};
  return Alternative(tokens, at, &scope);
}

// a || b, a ?? b, c ? a : b: the first alternative that has a constant text; of a choice by the build, that of ours.
JsValue JsSymbols::Alternative(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const {
  if (++scope->depth > kMaxJsExpressionDepth || ++*scope->steps > kMaxJsSteps) {
    --scope->depth;
    *at = tokens.size();
    return Unknown("");
  }
  const size_t begin = *at;
  JsValue value = Concatenation(tokens, at, scope);
  while (*at < tokens.size()) {
    const JsToken& token = tokens[*at];
    if (token.Is("||") || token.Is("??")) {
      ++*at;
      JsValue right = Concatenation(tokens, at, scope);
      if (!value.has_text()) value = std::move(right);
    } else if (token.Is("&&") || IsComparison(token)) {
      ++*at;
      value = Concatenation(tokens, at, scope);
    } else if (token.Is("?")) {
      const auto build = BuildAskedFor(std::span(tokens).subspan(begin, *at - begin));
      ++*at;
      value = Alternative(tokens, at, scope);
      if (*at >= tokens.size() || !tokens[*at].Is(":")) break;
      ++*at;
      JsValue other = Alternative(tokens, at, scope);
      if (!value.has_text() || (other.has_text() && build && *build != build_)) value = std::move(other);
    } else if (token.Is("as") || token.Is("satisfies")) {
      *at = std::min(*at + 2, tokens.size());
    } else {
      break;
    }
  }
  --scope->depth;
  return value;
}

JsValue JsSymbols::Concatenation(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const {
  JsValue value = Primary(tokens, at, scope);
  while (*at < tokens.size() && tokens[*at].Is("+")) {
    ++*at;
    Append(&value, Primary(tokens, at, scope));
  }
  return value;
}

JsValue JsSymbols::Primary(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const {
  while (*at < tokens.size() && (tokens[*at].Is("!") || tokens[*at].Is("await") || tokens[*at].Is("typeof"))) ++*at;
  if (*at >= tokens.size() || Ends(tokens[*at])) return Unknown("");
  const JsToken& token = tokens[*at];
  JsValue value;
  if (token.kind == JsTokenKind::kString || token.kind == JsTokenKind::kNumber) {
    const size_t quote = token.kind == JsTokenKind::kString ? 1 : 0;
    value.pieces.push_back(TextPiece(scope->file, token.offset + quote, token.text));
    ++*at;
  } else if (token.kind == JsTokenKind::kTemplate) {
    value = Template(token, scope);
    ++*at;
  } else if (token.Is("(")) {
    const size_t close = MatchingBracket(tokens, *at);
    ++*at;
    value = Alternative(tokens, at, scope);
    *at = std::min(close + 1, tokens.size());
  } else if (token.Is("new") && *at + 2 < tokens.size() && tokens[*at + 1].Is("URL") && tokens[*at + 2].Is("(")) {
    return NewUrl(tokens, at, scope);
  } else if (token.kind == JsTokenKind::kIdentifier) {
    return Chain(tokens, at, scope);
  } else {
    *at = IsOpening(token) ? std::min(MatchingBracket(tokens, *at) + 1, tokens.size()) : *at + 1;
    return Unknown("");
  }
  // '/v1/'.replace(...)
  while (*at + 2 < tokens.size() && tokens[*at].Is(".") && IsNeutral(tokens[*at + 1].text) && tokens[*at + 2].Is("(")) {
    *at = std::min(MatchingBracket(tokens, *at + 2) + 1, tokens.size());
  }
  return value;
}

// a.b?.c[d](...).e: a name, resolved by its last word.
JsValue JsSymbols::Chain(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const {
  if (tokens[*at].Is("new")) ++*at;
  std::string name = *at < tokens.size() ? tokens[*at].text : "";
  const size_t offset = *at < tokens.size() ? tokens[*at].offset : 0;
  bool member = false, called = false, neutral_call = false;
  *at = std::min(*at + 1, tokens.size());
  while (*at < tokens.size()) {
    const JsToken& token = tokens[*at];
    if ((token.Is(".") || token.Is("?.")) && *at + 1 < tokens.size() &&
        tokens[*at + 1].kind == JsTokenKind::kIdentifier) {
      if (IsNeutral(tokens[*at + 1].text)) {
        neutral_call = true;
      } else {
        name = tokens[*at + 1].text;
        member = true;
        called = false;
      }
      *at += 2;
    } else if (token.Is("?.")) {
      ++*at;
    } else if (token.Is("(")) {
      if (!neutral_call) called = true;
      neutral_call = false;
      *at = std::min(MatchingBracket(tokens, *at) + 1, tokens.size());
    } else if (token.Is("[")) {
      // config['baseUrl'] is config.baseUrl.
      if (*at + 2 < tokens.size() && tokens[*at + 1].kind == JsTokenKind::kString && tokens[*at + 2].Is("]")) {
        name = tokens[*at + 1].text;
        member = true;
      } else {
        called = true;
      }
      *at = std::min(MatchingBracket(tokens, *at) + 1, tokens.size());
    } else if (token.Is("!")) {
      ++*at;
    } else {
      break;
    }
  }
  if (called) return Unknown(name);
  return Resolve(name, member, offset, scope);
}

// new URL(path, base)
JsValue JsSymbols::NewUrl(const std::vector<JsToken>& tokens, size_t* at, Scope* scope) const {
  const size_t close = MatchingBracket(tokens, *at + 2);
  *at += 3;
  JsValue path = Alternative(tokens, at, scope);
  JsValue value;
  // A path from the root replaces the base's own path.
  if (*at < close && tokens[*at].Is(",") && !path.Text().starts_with('/')) {
    ++*at;
    value = Alternative(tokens, at, scope);
  }
  Append(&value, path);
  *at = std::min(close + 1, tokens.size());
  while (*at + 1 < tokens.size() && tokens[*at].Is(".")) {
    *at += 2;
    if (*at < tokens.size() && tokens[*at].Is("(")) *at = std::min(MatchingBracket(tokens, *at) + 1, tokens.size());
  }
  return value;
}

JsValue JsSymbols::Template(const JsToken& token, Scope* scope) const {
  JsValue value;
  for (const JsTemplatePart& part : token.parts) {
    if (!part.is_expression) {
      Append(&value, JsValue{{TextPiece(scope->file, part.offset, part.text)}});
      continue;
    }
    size_t at = 0;
    Append(&value, Alternative(part.tokens, &at, scope));
  }
  return value;
}

// A variable is what its nearest declaration above says (in its file, else in another); a member, whatever property of
// that name has a text.
JsValue JsSymbols::Resolve(const std::string& name, bool member, size_t offset, Scope* scope) const {
  if (const auto env = environment_.find(name); env != environment_.end()) {
    return JsValue{{{env->second, "", name}}};
  }
  if (const auto taken = taken_out_.find({scope->file, name}); !member && taken != taken_out_.end()) {
    JsValue value = Resolve(taken->second, true, offset, scope);
    if (value.has_text()) return value;
  }
  if (scope->open.count(name) > 0 || scope->depth >= kMaxJsExpressionDepth) return Unknown(name);
  const auto [begin, end] = by_name_.equal_range(name);
  std::vector<const Declaration*> candidates;
  for (auto it = begin; it != end; ++it) {
    const Declaration& d = declarations_[it->second];
    if (member || !d.property) candidates.push_back(&d);
  }
  auto rank = [&](const Declaration* d) {
    if (d->file != scope->file) return 2;
    return d->offset <= offset ? 0 : 1;
  };
  std::stable_sort(candidates.begin(), candidates.end(), [&](const Declaration* a, const Declaration* b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return rank(a) == 0 ? a->offset > b->offset : a->offset < b->offset;
  });
  scope->open.insert(name);
  ++scope->depth;
  JsValue found = Unknown(name);
  for (const Declaration* d : candidates) {
    Scope inner{d->file, scope->steps, scope->depth, scope->open};
    size_t at = d->value_at;
    JsValue value = Alternative(*d->tokens, &at, &inner);
    if (!value.has_text()) continue;
    for (JsPiece& piece : value.pieces) {
      if (piece.literal && piece.symbol.empty()) piece.symbol = name;
    }
    found = std::move(value);
    break;
  }
  --scope->depth;
  scope->open.erase(name);
  return found;
}

}  // namespace omnix
