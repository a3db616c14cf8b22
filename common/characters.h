// Characters of text as the search for secrets sees them: bytes, ASCII only, whatever the locale.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <string>
#include <string_view>

namespace omnix::characters {

constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsAlnum(char c) { return IsUpper(c) || IsLower(c) || IsDigit(c); }
constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }
constexpr bool IsLineEnd(char c) { return c == '\n' || c == '\r'; }
constexpr bool IsQuote(char c) { return c == '"' || c == '\'' || c == '`'; }
constexpr char Lower(char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

// A question that is asked of each character several times: one look into a table.
class CharacterSet {
 public:
  template <std::predicate<char> Predicate>
  explicit constexpr CharacterSet(Predicate predicate) {
    for (size_t c = 0; c < contains_.size(); ++c) contains_[c] = predicate(static_cast<char>(c));
  }
  explicit constexpr CharacterSet(std::string_view members)
      : CharacterSet([members](char c) { return members.find(c) != std::string_view::npos; }) {}

  constexpr bool operator()(char c) const { return contains_[static_cast<unsigned char>(c)]; }

 private:
  std::array<bool, 256> contains_{};
};

inline std::string ToLower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), Lower);
  return out;
}

// The character at `i`, or 0 behind the end.
constexpr char At(std::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

template <typename Predicate>
constexpr size_t SkipWhile(std::string_view text, size_t i, Predicate predicate) {
  while (i < text.size() && predicate(text[i])) ++i;
  return i;
}

template <size_t N>
constexpr bool Contains(const std::array<std::string_view, N>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace omnix::characters
