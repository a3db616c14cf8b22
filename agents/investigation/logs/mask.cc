#include "agents/investigation/logs/mask.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace omnix {
namespace {

// Classes of bytes, as bits.
enum : uint8_t { kWord = 1, kDigit = 2, kSlash = 4, kBlank = 8, kQuote = 16 };

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> classes{};
  for (int c = 'a'; c <= 'z'; ++c) classes[c] = kWord;
  for (int c = 'A'; c <= 'Z'; ++c) classes[c] = kWord;
  for (int c = '0'; c <= '9'; ++c) classes[c] = kWord | kDigit;
  // UTF-8.
  for (int c = 0x80; c <= 0xFF; ++c) classes[c] = kWord;
  for (const char c : {'_', '-', '.', ':', '@', '%', '+', '~', '#', '&', '?', '$', '*'})
    classes[static_cast<uint8_t>(c)] = kWord;
  classes['/'] = kWord | kSlash;
  classes[' '] = classes['\t'] = kBlank;
  classes['"'] = classes['\''] = classes['`'] = kQuote;
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = MakeClasses();
uint8_t ClassOf(char c) { return kClasses[static_cast<uint8_t>(c)]; }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsLetter(char c) { return IsUpper(c) || (c >= 'a' && c <= 'z'); }

template <typename Predicate>
bool All(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), predicate);
}

// "404", "-1.5", "12:30:01", "2025-09-04", "30%", "12ms", "1.5GiB".
bool IsNumber(std::string_view word) {
  constexpr size_t kMaxUnit = 3;
  size_t end = word.size();
  while (end > 0 && (IsLetter(word[end - 1]) || word[end - 1] == '%')) --end;
  if (end == 0 || word.size() - end > kMaxUnit) return false;
  return All(word.substr(0, end), [](char c) { return IsDigit(c) || c == '.' || c == ':' || c == '-' || c == '+'; });
}

// IPv4 with or without a port, or IPv6.
bool IsAddress(std::string_view word) {
  constexpr int kDots = 3;
  constexpr int kLeastColons = 2;
  const auto dots = std::count(word.begin(), word.end(), '.');
  const auto colons = std::count(word.begin(), word.end(), ':');
  if (dots == kDots && colons <= 1) return All(word, [](char c) { return IsDigit(c) || c == '.' || c == ':'; });
  const bool letters = std::any_of(word.begin(), word.end(), IsLetter) || word.find("::") != std::string_view::npos;
  return letters && colons >= kLeastColons && All(word, [](char c) { return IsHex(c) || c == ':'; });
}

// 0x7f..., hashes, UUIDs.
bool IsHexWord(std::string_view word) {
  constexpr size_t kLeastDigits = 8;
  if (word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) return All(word.substr(2), IsHex);
  return word.size() >= kLeastDigits && All(word, [](char c) { return IsHex(c) || c == '-'; });
}

// ORA-00600, E1234, SQLSTATE-like codes: they say what happened.
bool IsErrorCode(std::string_view word) {
  constexpr size_t kMaxPrefix = 5;
  constexpr size_t kLeastDigits = 3;
  constexpr size_t kMostDigits = 5;
  size_t letters = 0;
  while (letters < word.size() && IsUpper(word[letters])) ++letters;
  if (letters == 0 || letters > kMaxPrefix) return false;
  word.remove_prefix(letters);
  if (!word.empty() && word[0] == '-') word.remove_prefix(1);
  return word.size() >= kLeastDigits && word.size() <= kMostDigits && All(word, IsDigit);
}

bool IsPath(std::string_view word) {
  if (word.size() > 1 && (word[0] == '/' || word.starts_with("./") || word.starts_with("~/"))) return true;
  return std::count(word.begin(), word.end(), '/') >= 2;
}

bool IsNumeral(char c) { return IsDigit(c) || c == '.'; }

// "worker3" -> "worker<num>", "HTTP/1.1" -> "HTTP/<num>"; a word of many numbers is an id.
void MaskDigits(std::string_view word, std::string* masked) {
  constexpr int kMaxRuns = 2;
  constexpr size_t kMaxLength = 32;
  int runs = 0;
  const auto begins = [&](size_t i) { return IsDigit(word[i]) && (i == 0 || !IsNumeral(word[i - 1])); };
  for (size_t i = 0; i < word.size(); ++i) runs += begins(i) ? 1 : 0;
  if (runs > kMaxRuns || word.size() > kMaxLength) {
    masked->append("<id>");
    return;
  }
  for (size_t i = 0; i < word.size();) {
    if (!begins(i)) {
      masked->push_back(word[i++]);
      continue;
    }
    masked->append("<num>");
    while (i < word.size() && IsNumeral(word[i])) ++i;
  }
}

void MaskWord(std::string_view word, uint8_t seen, std::string* masked) {
  size_t end = word.size();
  while (end > 0 && (word[end - 1] == ':' || word[end - 1] == '.')) --end;
  const std::string_view rest = word.substr(end);
  word = word.substr(0, end);
  if ((seen & kSlash) != 0 && IsPath(word)) {
    masked->append("<path>");
  } else if ((seen & kDigit) == 0) {
    masked->append(word);
  } else if (IsAddress(word)) {
    masked->append("<ip>");
  } else if (IsNumber(word)) {
    masked->append("<num>");
  } else if (IsHexWord(word)) {
    masked->append("<hex>");
  } else if (IsErrorCode(word)) {
    masked->append(word);
  } else {
    MaskDigits(word, masked);
  }
  masked->append(rest);
}

// "GET /v1/products HTTP/1.1"
bool IsRequest(std::string_view quoted) {
  constexpr std::array<std::string_view, 7> kMethods = {"GET ",   "POST ",   "PUT ",    "HEAD ",
                                                        "PATCH ", "DELETE ", "OPTIONS "};
  return std::any_of(kMethods.begin(), kMethods.end(), [&](std::string_view m) { return quoted.starts_with(m); });
}

// An apostrophe inside a word opens nothing.
bool OpensQuote(std::string_view line, size_t at) {
  return at == 0 || (ClassOf(line[at - 1]) & kWord) == 0 || line[at - 1] == ':';
}

// One line. What stays as it is is appended in runs, not byte by byte.
class Masker {
 public:
  Masker(std::string_view line, std::string* masked) : line_(line), masked_(*masked) {
    const size_t first = line.find_first_not_of(" \t");
    json_ = first != std::string_view::npos && line[first] == '{';
  }

  void Run() {
    while (at_ < line_.size()) {
      const uint8_t kind = ClassOf(line_[at_]);
      if ((kind & kWord) != 0) {
        Word();
      } else if ((kind & kQuote) != 0) {
        Quote();
      } else if ((kind & kBlank) != 0) {
        Blank();
      } else {
        ++at_;
      }
    }
    Keep();
  }

 private:
  // Appends what was passed over since the last time.
  void Keep() {
    masked_.append(line_.substr(kept_, at_ - kept_));
    kept_ = at_;
  }
  void SkipTo(size_t at) { kept_ = at_ = at; }

  void Word() {
    // In `"n":4` the colon is no part of the number.
    if (line_[at_] == ':') {
      ++at_;
      return;
    }
    constexpr size_t kStatusDigits = 3;
    size_t end = at_;
    uint8_t seen = 0;
    while (end < line_.size() && (ClassOf(line_[end]) & kWord) != 0) seen |= ClassOf(line_[end++]);
    const std::string_view word = line_.substr(at_, end - at_);
    const bool status = status_next_ && word.size() == kStatusDigits && All(word, IsDigit);
    status_next_ = false;
    if ((seen & (kDigit | kSlash)) == 0 || status) {
      at_ = end;
      return;
    }
    Keep();
    MaskWord(word, seen, &masked_);
    // The query of a URL goes with its path.
    if ((seen & kSlash) != 0 && end < line_.size() && line_[end] == '=') {
      while (end < line_.size() && (ClassOf(line_[end]) & (kBlank | kQuote)) == 0) ++end;
    }
    SkipTo(end);
  }

  void Quote() {
    if (in_request_) {
      in_request_ = false;
      status_next_ = true;
      ++at_;
      return;
    }
    const size_t close = json_ || !OpensQuote(line_, at_) ? std::string_view::npos : line_.find(line_[at_], at_ + 1);
    if (close == std::string_view::npos) {
      ++at_;
    } else if (IsRequest(line_.substr(at_ + 1, close - at_ - 1))) {
      in_request_ = true;
      ++at_;
    } else {
      Keep();
      masked_.append("<str>");
      SkipTo(close + 1);
    }
  }

  void Blank() {
    // The usual case, a single one between words, stays where it is.
    if (at_ > kept_ && line_[at_] == ' ' && at_ + 1 < line_.size() && (ClassOf(line_[at_ + 1]) & kBlank) == 0) {
      ++at_;
      return;
    }
    size_t end = at_ + 1;
    while (end < line_.size() && (ClassOf(line_[end]) & kBlank) != 0) ++end;
    Keep();
    if (!masked_.empty() && masked_.back() != ' ') masked_.push_back(' ');
    SkipTo(end);
  }

  std::string_view line_;
  std::string& masked_;
  bool json_ = false;
  size_t at_ = 0;
  // Up to here all is in masked_.
  size_t kept_ = 0;
  // Inside and behind the request of an access log.
  bool in_request_ = false;
  bool status_next_ = false;
};

}  // namespace

void MaskLine(std::string_view line, std::string* masked) { Masker(line, masked).Run(); }

}  // namespace omnix
