#include "agents/sources/client_headers.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace omnix {
namespace {

using Tokens = std::vector<JsToken>;

bool IsForCredentials(const std::string& lower) {
  static const std::set<std::string> kNames = {"authorization", "x-csrf-token", "x-xsrf-token", "x-requested-with",
                                               "x-api-key"};
  return kNames.contains(lower);
}

// Sent without being asked for, set by browsers alone, or a header of answers.
bool NeedsNoLeave(const std::string& lower) {
  static const std::set<std::string> kNames = {
      // May always be sent.
      "accept", "accept-language", "content-language", "range",
      // Cannot be set by scripts.
      "accept-charset", "accept-encoding", "connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect",
      "host", "keep-alive", "origin", "referer", "te", "trailer", "transfer-encoding", "upgrade", "via",
      // Of answers.
      "set-cookie", "content-security-policy", "strict-transport-security", "x-frame-options", "x-content-type-options",
      "x-xss-protection", "referrer-policy", "permissions-policy", "location", "server", "vary", "etag"};
  const auto begins = [&](std::string_view prefix) { return lower.starts_with(prefix); };
  return kNames.contains(lower) || begins("access-control-") || begins("cross-origin-") || begins("proxy-") ||
         begins("sec-");
}

bool IsHeaderName(const std::string& name) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; };
  return !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

bool NamesHeaders(const JsToken& token) {
  return (token.kind == JsTokenKind::kIdentifier || token.kind == JsTokenKind::kString) &&
         absl::EndsWithIgnoreCase({token.text.data(), token.text.size()}, "headers");
}

// Of bodies that forms can send as well, which need no leave.
bool IsFormType(const std::string& type) {
  const std::string lower = absl::AsciiStrToLower(type);
  return lower.starts_with("text/plain") || lower.starts_with("multipart/form-data") ||
         lower.starts_with("application/x-www-form-urlencoded");
}

class HeaderReader {
 public:
  HeaderReader(const Tokens& tokens, bool sends_bodies, std::vector<std::string>* found, std::set<std::string>* known)
      : tokens_(tokens), sends_bodies_(sends_bodies), found_(*found), known_(*known) {}

  void Read() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const JsToken& token = tokens_[i];
      const bool word = token.kind == JsTokenKind::kIdentifier || token.kind == JsTokenKind::kString;
      if (word && IsForCredentials(absl::AsciiStrToLower(token.text))) Add(token.text);
      if (Is(i, "setRequestHeader") && Is(i + 1, "(") && IsString(i + 2)) AddSet(i + 2);
      if (NamesHeaders(token)) ReadNamed(i);
    }
  }

 private:
  bool Is(size_t at, std::string_view text) const { return at < tokens_.size() && tokens_[at].Is(text); }
  bool IsString(size_t at) const { return at < tokens_.size() && tokens_[at].kind == JsTokenKind::kString; }

  // What follows the word at `at`.
  void ReadNamed(size_t at) {
    size_t next = at + 1;
    // headers.common['X-Trace'] = ...
    while (Is(next, ".") && next + 2 < tokens_.size() && Is(next + 2, "[")) next += 2;
    if (Is(next, "[") && IsString(next + 1) && Is(next + 2, "]") && Is(next + 3, "=")) {
      AddValue(next + 1, next + 4);
    } else if (Is(next, ".") && (Is(next + 1, "set") || Is(next + 1, "append")) && Is(next + 2, "(") &&
               IsString(next + 3)) {
      AddSet(next + 3);
    } else if ((Is(next, ":") || Is(next, "=") || Is(next, "(")) && !GoesToNamedHost(at)) {
      next = AfterType(next);
      // headers: Object.assign({}, defaults, { ... })
      if (Is(next + 1, "Object") && Is(next + 3, "assign") && Is(next + 4, "(")) {
        const size_t close = MatchingBracket(tokens_, next + 4);
        for (size_t i = next + 5; i < close; ++i) {
          if (!Is(i, "{")) continue;
          ReadObject(i);
          i = MatchingBracket(tokens_, i);
        }
      } else if (Is(next + 1, "{")) {
        ReadObject(next + 1);
      }
    }
  }

  // The "=" of `headers: Record<string, string> = {`; `at` where no type stands there.
  size_t AfterType(size_t at) const {
    constexpr size_t kMaxTokens = 12;
    if (!Is(at, ":")) return at;
    for (size_t i = at + 1; i < std::min(at + kMaxTokens, tokens_.size()); ++i) {
      if (Is(i, "=")) return i;
      if (Is(i, "{") || Is(i, "}") || Is(i, ")") || Is(i, ";")) break;
    }
    return at;
  }

  // The keys of the object at `open`; of `common: { ... }` those within.
  void ReadObject(size_t open) {
    const size_t close = MatchingBracket(tokens_, open);
    bool at_key = true;
    for (size_t i = open + 1; i < close; ++i) {
      if (at_key && Is(i + 1, ":")) {
        if (Is(i + 2, "{")) {
          ReadObject(i + 2);
        } else {
          AddValue(i, i + 2);
        }
      }
      if (Is(i, "(") || Is(i, "[") || Is(i, "{")) i = MatchingBracket(tokens_, i);
      at_key = Is(i, ",");
    }
  }

  // fetch('https://elsewhere.example/x', { headers: ... })
  bool GoesToNamedHost(size_t at) const {
    int depth = 0;
    for (size_t i = at; i-- > 0;) {
      if (Is(i, ")") || Is(i, "]") || Is(i, "}")) ++depth;
      if (!Is(i, "(") && !Is(i, "[") && !Is(i, "{")) continue;
      if (depth-- > 0 || !Is(i, "(")) {
        depth = std::max(depth, 0);
        continue;
      }
      const JsToken& first = tokens_[i + 1];
      const std::string text = first.kind == JsTokenKind::kTemplate && !first.parts.empty() ? first.parts[0].text
                               : first.kind == JsTokenKind::kString                         ? first.text
                                                                                            : "";
      return text.find("//") != std::string::npos;
    }
    return false;
  }

  void AddSet(size_t name) {
    if (Is(name + 1, ",")) AddValue(name, name + 2);
  }

  void AddValue(size_t name, size_t value) {
    const JsToken& key = tokens_[name];
    if (key.kind != JsTokenKind::kIdentifier && key.kind != JsTokenKind::kString) return;
    if (absl::AsciiStrToLower(key.text) != "content-type") {
      Add(key.text);
    } else if (sends_bodies_ && IsString(value) && !IsFormType(tokens_[value].text)) {
      Add(key.text);
    }
  }

  void Add(const std::string& name) {
    const std::string lower = absl::AsciiStrToLower(name);
    if (IsHeaderName(name) && !NeedsNoLeave(lower) && known_.insert(lower).second) found_.push_back(name);
  }

  const Tokens& tokens_;
  const bool sends_bodies_;
  std::vector<std::string>& found_;
  // In lower case.
  std::set<std::string>& known_;
};

}  // namespace

std::vector<std::string> RequestHeaders(const std::vector<JsFile>& files, bool sends_bodies) {
  std::vector<std::string> found;
  std::set<std::string> known;
  for (const JsFile& file : files) HeaderReader(file.tokens, sends_bodies, &found, &known).Read();
  return found;
}

}  // namespace omnix
