#include "common/printable.h"

#include <fmt/format.h>

#include <boost/locale/utf.hpp>
#include <iterator>

namespace omnix {
namespace {

using Utf8 = boost::locale::utf::utf_traits<char>;
using CodePoint = boost::locale::utf::code_point;

// Format characters that change how the text around them is read: bidirectional controls, line and paragraph
// separators, the byte-order mark, invisible tags.
bool IsDeceptive(CodePoint c) {
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0xfeff || (c >= 0xe0000 && c <= 0xe007f);
}

bool IsControl(CodePoint c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

enum class Lines { kJoin, kKeep };

std::string Escape(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* const start = at;
    const CodePoint c = Utf8::decode(at, end);
    if (c == boost::locale::utf::illegal || c == boost::locale::utf::incomplete) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(*start));
      at = start + 1;
    } else if (c == '\r' && at != end && *at == '\n') {
      continue;
    } else if (c == '\n' || c == '\t') {
      out.push_back(lines == Lines::kKeep ? static_cast<char>(c) : ' ');
    } else if (IsControl(c)) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    } else if (IsDeceptive(c)) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else {
      out.append(start, at);
    }
  }
  return out;
}

}  // namespace

std::string PrintableLine(std::string_view text) { return Escape(text, Lines::kJoin); }

std::string PrintableText(std::string_view text) { return Escape(text, Lines::kKeep); }

}  // namespace omnix
