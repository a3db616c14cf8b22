#include "cli/terminal.h"

#include <fmt/format.h>
#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <boost/locale/utf.hpp>

namespace omnix {
namespace {

using Utf8 = boost::locale::utf::utf_traits<char>;
constexpr std::string_view kEllipsis = "…";

// glibc knows the widths of characters only in a UTF-8 locale; the process's own may be "C".
int CharacterWidth(boost::locale::utf::code_point c) {
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (utf8 == nullptr) return 1;
  const locale_t before = uselocale(utf8);
  const int width = wcwidth(static_cast<wchar_t>(c));
  uselocale(before);
  return std::max(width, 0);
}

struct Character {
  std::string_view bytes;
  int width;
};

Character NextCharacter(std::string_view text) {
  const char* at = text.data();
  const auto c = Utf8::decode(at, text.data() + text.size());
  const auto length = std::max<size_t>(1, static_cast<size_t>(at - text.data()));
  const bool valid = c != boost::locale::utf::illegal && c != boost::locale::utf::incomplete;
  return {text.substr(0, length), valid ? CharacterWidth(c) : 1};
}

// Bytes of `text` that fit into `width` columns.
size_t PrefixThatFits(std::string_view text, int width) {
  size_t bytes = 0;
  while (bytes < text.size()) {
    const Character c = NextCharacter(text.substr(bytes));
    if (c.width > width) break;
    width -= c.width;
    bytes += c.bytes.size();
  }
  return bytes;
}

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Character c = NextCharacter(text);
    width += c.width;
    text.remove_prefix(c.bytes.size());
  }
  return width;
}

std::string Fit(std::string_view text, int width) {
  if (width <= 0 || DisplayWidth(text) <= width) return std::string(text);
  return fmt::format("{}{}", text.substr(0, PrefixThatFits(text, width - 1)), kEllipsis);
}

std::vector<std::string> Wrap(std::string_view text, int width) {
  if (width <= 0) return {std::string(text)};
  std::vector<std::string> lines;
  while (DisplayWidth(text) > width) {
    const size_t fits = std::max(PrefixThatFits(text, width), NextCharacter(text).bytes.size());
    const size_t space = text.rfind(' ', fits);
    const size_t cut = space == std::string_view::npos || space == 0 ? fits : space;
    lines.emplace_back(text.substr(0, cut));
    text.remove_prefix(cut);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  if (!text.empty() || lines.empty()) lines.emplace_back(text);
  return lines;
}

std::string Style::Paint(std::string_view code, std::string_view text) const {
  if (!on_ || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace omnix
