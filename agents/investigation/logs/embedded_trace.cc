#include "agents/investigation/logs/embedded_trace.h"

namespace omnix {
namespace {

// Index of the quote that ends the string which begins behind `at`; the line's size where none does.
size_t EndOfString(std::string_view line, size_t at) {
  while (at < line.size() && line[at] != '"') at += line[at] == '\\' ? 2 : 1;
  return at < line.size() ? at : line.size();
}

bool IsIndented(std::string_view line) {
  return line.starts_with("  ") || line.starts_with("\t") || line.starts_with("\\t") || line.starts_with(" at ");
}

}  // namespace

std::string EmbeddedReason(std::string_view line) {
  std::string reason;
  for (size_t open = line.find('"'); open != std::string_view::npos && open < line.size();) {
    const size_t close = EndOfString(line, open + 1);
    std::string_view text = line.substr(open + 1, close - open - 1);
    if (text.find("\\n") != std::string_view::npos) {
      while (!text.empty()) {
        const size_t end = text.find("\\n");
        const std::string_view one = text.substr(0, end);
        if (!one.empty() && !IsIndented(one) && !one.starts_with("Traceback")) reason = one;
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
      }
    }
    open = close < line.size() ? line.find('"', close + 1) : std::string_view::npos;
  }
  return reason;
}

}  // namespace omnix
