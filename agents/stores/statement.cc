#include "agents/stores/statement.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace omnix {
namespace {

bool IsWord(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80) != 0; }

// Behind the literal that begins at `at` with a quote; a doubled quote, or one after a backslash, does not end it.
size_t EndOfQuoted(std::string_view sql, size_t at) {
  for (size_t i = at + 1; i < sql.size(); ++i) {
    if (sql[i] == '\\') {
      ++i;
    } else if (sql[i] == '\'') {
      if (i + 1 >= sql.size() || sql[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return sql.size();
}

// Behind "$tag$...$tag$"; `at` itself where no such literal begins there ("$1").
size_t EndOfDollar(std::string_view sql, size_t at) {
  size_t end = at + 1;
  while (end < sql.size() && IsWord(sql[end])) ++end;
  const bool tag = end < sql.size() && sql[end] == '$' && !absl::ascii_isdigit(static_cast<unsigned char>(sql[at + 1]));
  if (!tag) return at;
  const std::string_view mark = sql.substr(at, end + 1 - at);
  const size_t close = sql.find(mark, end + 1);
  return close == std::string_view::npos ? sql.size() : close + mark.size();
}

size_t EndOfComment(std::string_view sql, size_t at) {
  if (sql.substr(at, 2) == "--") return std::min(sql.find('\n', at), sql.size());
  if (sql.substr(at, 2) != "/*") return at;
  const size_t close = sql.find("*/", at + 2);
  return close == std::string_view::npos ? sql.size() : close + 2;
}

}  // namespace

std::string MaskLiterals(std::string_view sql) {
  std::string out;
  const auto blank = [&] {
    if (!out.empty() && out.back() != ' ') out.push_back(' ');
  };
  for (size_t i = 0; i < sql.size();) {
    const char c = sql[i];
    if (const size_t end = EndOfComment(sql, i); end > i) {
      blank();
      i = end;
    } else if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      blank();
      ++i;
    } else if (c == '\'') {
      out.push_back('?');
      i = EndOfQuoted(sql, i);
    } else if (c == '$' && EndOfDollar(sql, i) > i) {
      out.push_back('?');
      i = EndOfDollar(sql, i);
    } else if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      out.push_back('?');
      while (i < sql.size() && (IsWord(sql[i]) || sql[i] == '.')) ++i;
    } else {
      // A word is taken whole: the digits of "t1" are no number, nor is the parameter "$1".
      do out.push_back(sql[i++]);
      while (i < sql.size() && IsWord(sql[i]) && (IsWord(c) || c == '$'));
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace omnix
