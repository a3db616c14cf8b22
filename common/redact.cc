// One pass over the text. At each word it asks, in this order: is this a known token (JWT, AKIA...), an authentication
// scheme, the name of a secret with a value behind it? Each look ahead is either consumed or bounded by a constant, so
// the whole takes linear time.
#include "common/redact.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <utility>

#include "common/characters.h"
#include "common/secret_name.h"

namespace omnix {
namespace {

using characters::At;
using characters::CharacterSet;
using characters::Contains;
using characters::IsAlnum;
using characters::IsBlank;
using characters::IsDigit;
using characters::IsLineEnd;
using characters::IsLower;
using characters::IsQuote;
using characters::IsUpper;
using characters::Lower;
using characters::SkipWhile;
using characters::ToLower;

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::string_view kEllipsis = "...";
constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";
// Looks ahead for tokens, credentials in URLs and references end here.
constexpr size_t kMaxLookAhead = 256;
constexpr size_t kMinSchemeTokenBytes = 8;
constexpr size_t kMinUserTokenBytes = 20;
constexpr size_t npos = std::string_view::npos;

constexpr CharacterSet kWord([](char c) { return IsAlnum(c) || c == '_' || c == '-' || c == '.'; });
bool IsWord(char c) { return kWord(c); }

size_t LineEnd(std::string_view text, size_t i) {
  return SkipWhile(text, i, [](char c) { return !IsLineEnd(c); });
}

struct TokenShape {
  std::string_view prefix;
  size_t min_rest;
};
// Tokens that say what they are. `min_rest`: characters that must follow.
constexpr std::array<TokenShape, 32> kTokenShapes = {{
    {"AKIA", 16},      {"ASIA", 16},        {"ghp_", 20},   {"gho_", 20},  {"ghu_", 20},     {"ghs_", 20},
    {"ghr_", 20},      {"github_pat_", 20}, {"glpat-", 16}, {"xoxb-", 10}, {"xoxa-", 10},    {"xoxp-", 10},
    {"xoxr-", 10},     {"xoxs-", 10},       {"xapp-", 10},  {"sk-", 20},   {"sk_live_", 16}, {"sk_test_", 16},
    {"rk_live_", 16},  {"whsec_", 16},      {"AIza", 30},   {"ya29.", 20}, {"SG.", 20},      {"npm_", 30},
    {"hf_", 30},       {"dop_v1_", 30},     {"hvs.", 20},   {"pypi-", 40}, {"shpat_", 30},   {"glsa_", 20},
    {"dckr_pat_", 20}, {"sq0csp-", 20},
}};

// The header of a JSON Web Token.
constexpr size_t kMinHeaderBytes = 10;
// No token is shorter, of either kind.
constexpr size_t kMinTokenBytes = std::accumulate(
    kTokenShapes.begin(), kTokenShapes.end(), kMinHeaderBytes + std::string_view(".x").size(),
    [](size_t least, const TokenShape& shape) { return std::min(least, shape.prefix.size() + shape.min_rest); });

// The first characters of kTokenShapes.
constexpr CharacterSet kTokenStart([](char c) {
  return std::any_of(kTokenShapes.begin(), kTokenShapes.end(),
                     [c](const TokenShape& shape) { return shape.prefix[0] == c; });
});

// Length of the token that begins at `i`, or 0.
size_t KnownToken(std::string_view text, size_t i) {
  // This alone sends nearly all words of a text away.
  if (!kTokenStart(At(text, i))) return 0;
  const std::string_view rest = text.substr(i, kMaxLookAhead);
  auto has_digit = [](std::string_view part) { return std::any_of(part.begin(), part.end(), IsDigit); };
  for (const TokenShape& shape : kTokenShapes) {
    if (rest[0] != shape.prefix[0] || !rest.starts_with(shape.prefix)) continue;
    const size_t end = SkipWhile(rest, shape.prefix.size(), IsWord);
    const std::string_view body = rest.substr(shape.prefix.size(), end - shape.prefix.size());
    if (body.size() >= shape.min_rest && has_digit(body)) return SkipWhile(text, i, IsWord) - i;
  }
  return 0;
}

// A JSON Web Token: three (or, for encrypted ones, five) base64url parts, the first of which begins with {".
size_t JsonWebToken(std::string_view text, size_t i) {
  constexpr std::string_view kStart = "eyJ";
  if (text[i] != kStart[0] || text.substr(i, kStart.size()) != kStart) return 0;
  auto in_part = [](char c) { return IsWord(c) && c != '.'; };
  const size_t header = SkipWhile(text.substr(0, i + kMaxLookAhead), i, in_part);
  if (header - i < kMinHeaderBytes || At(text, header) != '.' || !in_part(At(text, header + 1))) return 0;
  return SkipWhile(text, i, IsWord) - i;
}

// "${NAME}", "$http_authorization", "{{ .Values.token }}", "process.env.TOKEN", "getToken(": where a secret comes from,
// not the secret.
bool IsReference(std::string_view value) {
  value = value.substr(0, kMaxLookAhead);
  auto begins = [&](std::string_view start) { return value.substr(0, start.size()) == start; };
  if (begins("${") || begins("{{") || begins("$(") || begins("<%") || begins("process.env") || begins("os.environ") ||
      begins("import.meta.env") || begins("ENV[") || begins(kRedacted)) {
    return true;
  }
  auto in_name = [](char c) { return IsAlnum(c) || c == '_'; };
  if (At(value, 0) == '$' && value.find('_') != npos && !IsDigit(At(value, 1))) {
    const size_t end = SkipWhile(value, 1, in_name);
    return end > 1 && (end == value.size() || !IsWord(value[end]));
  }
  const size_t end = SkipWhile(value, 0, [](char c) { return IsAlnum(c) || c == '_' || c == '.'; });
  return end > 0 && !IsDigit(value[0]) && At(value, end) == '(';
}

bool IsPlainWord(std::string_view value) {
  constexpr std::array<std::string_view, 14> kPlain = {"true",      "false",   "null", "none",   "nil",
                                                       "undefined", "yes",     "no",   "string", "~",
                                                       "number",    "boolean", "on",   "off"};
  constexpr size_t kLongestPlain = 9;
  return value.empty() || (value.size() <= kLongestPlain && Contains(kPlain, ToLower(value)));
}

// A piece of text to be replaced: [begin, end).
struct Span {
  size_t begin;
  size_t end;
};

// A run of backslashes and a quote: the delimiter of a string, inside a string inside a string.
struct Quote {
  size_t backslashes = 0;
  char mark = '\0';
  size_t size() const { return mark == '\0' ? 0 : backslashes + 1; }
};

Quote QuoteAt(std::string_view text, size_t i) {
  const size_t end = SkipWhile(text, i, [](char c) { return c == '\\'; });
  return IsQuote(At(text, end)) ? Quote{end - i, text[end]} : Quote{};
}

// Where the string that began with `quote` ends (its delimiter's first character), or the line's end.
size_t QuotedEnd(std::string_view text, size_t i, Quote quote) {
  size_t backslashes = 0;
  for (; i < text.size() && !IsLineEnd(text[i]); ++i) {
    if (text[i] == '\\') {
      ++backslashes;
      continue;
    }
    const bool closes = quote.backslashes == 0 ? backslashes % 2 == 0 : backslashes <= quote.backslashes;
    if (text[i] == quote.mark && closes) return i - (quote.backslashes == 0 ? 0 : backslashes);
    backslashes = 0;
  }
  return i;
}

class Redactor {
 public:
  explicit Redactor(std::string_view text) : text_(text) { StartLine(0); }

  std::string Run() {
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (IsLineEnd(c)) StartLine(position_ + 1);
      if (c == '-' && TryPrivateKey()) continue;
      if (c == ':' && TryUrlCredentials()) continue;
      if (IsWord(c)) {
        Word();
        continue;
      }
      ++position_;
    }
    out_ += text_.substr(copied_);
    return std::move(out_);
  }

 private:
  void StartLine(size_t begin) {
    line_begin_ = begin;
    first_word_ = FirstWord();
  }

  void Replace(Span span) {
    out_ += text_.substr(copied_, span.begin - copied_);
    out_ += kRedacted;
    position_ = copied_ = span.end;
  }

  bool TryPrivateKey() {
    constexpr std::string_view kBegin = "-----BEGIN ";
    constexpr std::string_view kEnd = "-----END ";
    constexpr std::string_view kDashes = "-----";
    constexpr size_t kMaxLabel = 64;
    if (text_.substr(position_, kBegin.size()) != kBegin) return false;
    const size_t label = position_ + kBegin.size();
    const size_t dashes = text_.substr(label, kMaxLabel).find(kDashes);
    if (dashes == npos || text_.substr(label, dashes).find("PRIVATE KEY") == npos) return false;
    const size_t body = label + dashes + kDashes.size();
    const size_t end = text_.find(kEnd, body);
    Replace({body, std::min(end, text_.size())});
    if (end != npos) position_ = std::min(text_.size(), end + kEnd.size());
    return true;
  }

  // scheme://user:password@host, and scheme://token@host where the token is long.
  bool TryUrlCredentials() {
    constexpr std::string_view kSeparator = "://";
    if (text_.substr(position_, kSeparator.size()) != kSeparator) return false;
    const size_t begin = position_ + kSeparator.size();
    size_t at = npos, colon = npos, i = begin;
    for (; i < std::min(text_.size(), begin + kMaxLookAhead); ++i) {
      const char c = text_[i];
      if (c == '/' || c == '?' || c == '#' || c == '<' || c == '>' || c == '\\' || IsBlank(c) || IsLineEnd(c) ||
          IsQuote(c)) {
        break;
      }
      if (c == '@') at = i;
      if (c == ':' && colon == npos) colon = i;
    }
    if (at == npos) return false;
    if (colon < at && colon + 1 < at && !IsReference(text_.substr(colon + 1, at - colon - 1))) {
      Replace({colon + 1, at});
      return true;
    }
    if (colon > at && at - begin >= kMinUserTokenBytes) {
      Replace({begin, at});
      return true;
    }
    return false;
  }

  void Word() {
    const size_t begin = position_;
    const size_t end = WordEnd(begin);
    if (TryToken(begin, end)) return;
    const std::string_view word = text_.substr(begin, end - begin);
    if (TryScheme(word, end)) return;
    if (MayHaveValue(begin, end) && IsSecretName(word)) {
      if (const std::optional<Span> value = FindValue(word, begin, end)) {
        Replace(*value);
        return;
      }
    }
    position_ = end;
  }

  // A word ends before five dashes ("\\n-----BEGIN" in a string): they are looked at by themselves.
  size_t WordEnd(size_t begin) const {
    constexpr size_t kDashes = 5;
    const size_t first = SkipWhile(text_, begin, [](char c) { return c == '-'; });
    if (first - begin > kDashes) return first - kDashes;
    if (first - begin == kDashes) return first;
    size_t dashes = 0;
    size_t i = first;
    for (; i < text_.size() && IsWord(text_[i]); ++i) {
      dashes = text_[i] == '-' ? dashes + 1 : 0;
      if (dashes == kDashes) return i + 1 - kDashes;
    }
    return i;
  }

  // A token at the word's start, or behind a '-', '.' or '=' inside of it.
  bool TryToken(size_t begin, size_t end) {
    static constexpr CharacterSet kWithin([](char c) { return IsAlnum(c) || c == '_'; });
    // Most words are too short for one. (Where five dashes end the word, a token may go on behind them.)
    if (end - begin < kMinTokenBytes && !IsWord(At(text_, end))) return false;
    for (size_t i = begin; i < end; ++i) {
      if (i > begin && kWithin(text_[i - 1])) continue;
      size_t size = KnownToken(text_, i);
      if (size == 0) size = JsonWebToken(text_, i);
      if (size == 0) continue;
      Replace({i, i + size});
      return true;
    }
    return false;
  }

  // "Bearer abc123", "Basic dXNlcg==" anywhere. Prose ("bearer authentication") has neither digits nor capitals.
  bool TryScheme(std::string_view word, size_t end) {
    constexpr size_t kLongestScheme = 6;
    if (word.size() > kLongestScheme || Lower(word[0]) != 'b' || At(text_, end) != ' ') return false;
    const std::string scheme = ToLower(word);
    if (scheme != "bearer" && scheme != "basic") return false;
    const size_t begin = end + 1;
    const size_t stop =
        SkipWhile(text_, begin, [](char c) { return IsWord(c) || c == '~' || c == '+' || c == '/' || c == '='; });
    const std::string_view token = text_.substr(begin, stop - begin);
    if (token.size() < kMinSchemeTokenBytes) return false;
    const bool random = std::any_of(token.begin() + 1, token.end(), [](char c) { return IsDigit(c) || IsUpper(c); });
    if (!random) return false;
    Replace({begin, stop});
    return true;
  }

  // False where FindValue would find none, whatever the word's name: most words of prose, which need no closer look.
  bool MayHaveValue(size_t begin, size_t end) const {
    static constexpr CharacterSet kBehindAName(">\"'`\\:=%");
    const char next = At(text_, end);
    if (!IsBlank(next)) return kBehindAName(next);
    if (kBehindAName(At(text_, SkipWhile(text_, end, IsBlank)))) return true;
    return StartsLine(begin) || text_.substr(begin, 2) == "--";
  }

  // The value that belongs to the secret's name at [begin, end), if there is one to hide.
  std::optional<Span> FindValue(std::string_view name, size_t begin, size_t end) const {
    if (At(text_, end) == '>') return XmlValue(begin, end);
    const Quote closing = QuoteAt(text_, end);
    size_t i = SkipWhile(text_, end + closing.size(), IsBlank);
    // Ruby's and Python's subscripts: config["password"] = "x".
    if (closing.size() > 0 && At(text_, i) == ']') i = SkipWhile(text_, i + 1, IsBlank);
    const size_t separator = Separator(i);
    if (separator == 0) return SpacedValue(name, begin, end);
    const bool colon = text_[i] == ':' && separator == 1;
    i = SkipWhile(text_, i + separator, IsBlank);
    if (IsHeaderName(name) && closing.size() == 0 && !IsQuote(At(text_, i))) return HeaderValue(i);
    if (colon && (At(text_, i) == '|' || At(text_, i) == '>')) return BlockValue(i);
    const bool whole_line = closing.size() == 0 && StartsLine(begin) && (colon || IsEnvironmentName(name));
    return Value(i, whole_line);
  }

  // ':', '=', ':=' or '=>' at `i`: its length. Not '==', '!=' or '::', which only ask.
  size_t Separator(size_t i) const {
    const char c = At(text_, i), next = At(text_, i + 1);
    if (c == ':' && next == '=') return 2;
    if (c == '=' && next == '>') return 2;
    if (c == ':' && next != ':') return 1;
    if (c == '=' && next != '=') return 1;
    // In URLs inside URLs: %3D.
    if (c == '%' && next == '3' && Lower(At(text_, i + 2)) == 'd') return 3;
    return 0;
  }

  static std::optional<Span> NoPlainWord(std::string_view text, size_t begin, size_t end) {
    if (IsPlainWord(text.substr(begin, end - begin))) return std::nullopt;
    return Span{begin, end};
  }

  std::optional<Span> Value(size_t i, bool whole_line) const {
    const Quote quote = QuoteAt(text_, i);
    i += quote.size();
    // Before any search for its end: what is not consumed must not be searched through again and again.
    if (IsReference(text_.substr(i))) return std::nullopt;
    if (quote.size() > 0) return NoPlainWord(text_, i, QuotedEnd(text_, i, quote));
    if (whole_line && At(text_, i) != '{' && At(text_, i) != '[') {
      const size_t end = LineEnd(text_, i);
      const size_t comment = text_.substr(i, end - i).find(" #");
      size_t stop = comment == npos ? end : i + comment;
      while (stop > i && (IsBlank(text_[stop - 1]) || text_[stop - 1] == ',' || text_[stop - 1] == ';')) --stop;
      return NoPlainWord(text_, i, stop);
    }
    static constexpr CharacterSet kStop(" \t\r\n,;&\"'`<>)]}{[|\\");
    const size_t end = SkipWhile(text_, i, [&](char c) { return !kStop(c); });
    return NoPlainWord(text_, i, end);
  }

  // A header goes to the end of its line, or of the string that holds it.
  std::optional<Span> HeaderValue(size_t i) const {
    constexpr std::string_view kDigest = "digest";
    if (IsReference(text_.substr(i))) return std::nullopt;
    const size_t line = LineEnd(text_, i);
    if (ToLower(text_.substr(i, kDigest.size())) == kDigest) return Span{i, line};
    size_t end = SkipWhile(text_.substr(0, line), i, [](char c) { return !IsQuote(c); });
    while (end > i && text_[end - 1] == '\\') --end;
    return NoPlainWord(text_, i, end);
  }

  // YAML's block scalars: the lines below that are indented more than the key.
  std::optional<Span> BlockValue(size_t i) const {
    const size_t header =
        SkipWhile(text_, i + 1, [](char c) { return c == '+' || c == '-' || IsDigit(c) || IsBlank(c); });
    if (!IsLineEnd(At(text_, header))) return std::nullopt;
    const size_t indent = SkipWhile(text_, line_begin_, [](char c) { return c == ' ' || c == '-'; }) - line_begin_;
    size_t end = header;
    while (end < text_.size()) {
      const size_t line = SkipWhile(text_, end, IsLineEnd);
      const size_t begin = SkipWhile(text_, line, [](char c) { return c == ' '; });
      if (begin - line <= indent) break;
      end = LineEnd(text_, begin);
    }
    if (end == header) return std::nullopt;
    return Span{SkipWhile(text_, header, IsLineEnd), end};
  }

  std::optional<Span> XmlValue(size_t begin, size_t end) const {
    if (begin == 0 || text_[begin - 1] != '<') return std::nullopt;
    const size_t close = SkipWhile(text_, end + 1, [](char c) { return c != '<' && !IsLineEnd(c); });
    return NoPlainWord(text_, end + 1, close);
  }

  // "--password abc" of command lines, "PASSWORD 'abc'" of SQL, "requirepass abc" of Redis.
  std::optional<Span> SpacedValue(std::string_view name, size_t begin, size_t end) const {
    if (!IsBlank(At(text_, end))) return std::nullopt;
    const size_t i = SkipWhile(text_, end, IsBlank);
    const bool option = name.substr(0, 2) == "--" && At(text_, i) != '-';
    const bool sql = At(text_, i) == '\'' && ToLower(name) == "password";
    const bool redis = StartsLine(begin) && ToLower(name) == "requirepass";
    if (!option && !sql && !redis) return std::nullopt;
    return Value(i, false);
  }

  // Only blanks, a list's dash or "export" stand before it on its line.
  bool StartsLine(size_t begin) const { return begin == first_word_; }

  // Where the first word of the line at line_begin_ stands, behind those.
  size_t FirstWord() const {
    constexpr std::string_view kExport = "export ";
    size_t i = SkipWhile(text_, line_begin_, IsBlank);
    if (text_.substr(i, 2) == "- ") i = SkipWhile(text_, i + 2, IsBlank);
    if (text_.substr(i, kExport.size()) == kExport) i += kExport.size();
    return i;
  }

  // DB_PASSWORD: a whole line of an environment file, spaces and all. (token=abc user=bob is a log line.)
  static bool IsEnvironmentName(std::string_view name) { return std::none_of(name.begin(), name.end(), IsLower); }

  std::string_view text_;
  std::string out_;
  // Up to here the text is in out_; what lies between this and position_ stays as it is.
  size_t copied_ = 0;
  size_t position_ = 0;
  size_t line_begin_ = 0;
  size_t first_word_ = 0;
};

// Length of the valid UTF-8 character at `i`, or 0. Overlong forms, surrogates and what lies beyond U+10FFFF are no
// characters.
size_t CharacterBytes(std::string_view text, size_t i) {
  const auto lead = static_cast<unsigned char>(text[i]);
  const size_t size = lead < 0x80                   ? 1
                      : lead >= 0xC2 && lead < 0xE0 ? 2
                      : (lead & 0xF0) == 0xE0       ? 3
                      : lead >= 0xF0 && lead < 0xF5 ? 4
                                                    : 0;
  if (size == 0 || text.size() - i < size) return 0;
  for (size_t k = 1; k < size; ++k) {
    if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return 0;
  }
  const auto second = size > 1 ? static_cast<unsigned char>(text[i + 1]) : 0x80;
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)) return 0;
  if ((lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return 0;
  return size;
}

}  // namespace

std::string Redact(std::string_view text) { return Redactor(text).Run(); }

std::string Excerpt(std::string_view text, size_t max_bytes) {
  std::string redacted = Redact(text);
  const bool ascii = std::none_of(redacted.begin(), redacted.end(), [](char c) { return (c & 0x80) != 0; });
  if (ascii && redacted.size() <= max_bytes) return redacted;
  std::string out;
  // The longest whole characters that leave room for the ellipsis, should it be needed.
  size_t cut = 0;
  for (size_t i = 0; i < redacted.size();) {
    const size_t size = CharacterBytes(redacted, i);
    out += size > 0 ? std::string_view(redacted).substr(i, size) : kReplacementCharacter;
    i += std::max<size_t>(size, 1);
    if (out.size() + kEllipsis.size() <= max_bytes) cut = out.size();
    if (out.size() > max_bytes) {
      out.resize(cut);
      return out.append(kEllipsis.substr(0, max_bytes));
    }
  }
  return out;
}

}  // namespace omnix
