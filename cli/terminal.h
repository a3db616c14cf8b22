// Text on a terminal: how wide it is, how it is cut and wrapped, how it is coloured. Text is escaped already
// (common/printable.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace omnix {

// Columns that UTF-8 text takes on a terminal: wide characters count two, combining ones none.
int DisplayWidth(std::string_view text);

// `text` where it fits into `width` columns, else cut with "…" at the end. width 0: never cut.
std::string Fit(std::string_view text, int width);

// Lines of at most `width` columns, broken at spaces (a longer word is broken inside). Never empty. width 0: one line.
std::vector<std::string> Wrap(std::string_view text, int width);

// Colours by ANSI sequences, or none. Stateless.
class Style {
 public:
  enum class Colours { kOff, kOn };
  explicit Style(Colours colours) : on_(colours == Colours::kOn) {}
  std::string Bold(std::string_view text) const { return Paint("1", text); }
  std::string Dim(std::string_view text) const { return Paint("2", text); }
  std::string Red(std::string_view text) const { return Paint("31", text); }
  std::string Green(std::string_view text) const { return Paint("32", text); }
  std::string Yellow(std::string_view text) const { return Paint("33", text); }
  std::string Cyan(std::string_view text) const { return Paint("36", text); }

 private:
  std::string Paint(std::string_view code, std::string_view text) const;
  bool on_;
};

}  // namespace omnix
