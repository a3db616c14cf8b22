#include "cli/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/printable.h"

namespace omnix {
namespace {

constexpr int kFieldWidth = 12;
constexpr int kIndent = 2;
// Text is not squeezed into less than this beside its mark.
constexpr int kMinTextWidth = 20;

template <typename Visit>
void ForEachLine(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    visit(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

}  // namespace

void Page::Title(std::string_view text) { out_ += style_.Bold(PrintableLine(text)) + "\n"; }

void Page::Section(std::string_view title) { out_ += "\n" + style_.Bold(title) + "\n"; }

void Page::Hang(const std::string& head, std::string_view text) {
  const int indent = DisplayWidth(head);
  const int width = width_ == 0 ? 0 : std::max(kMinTextWidth, width_ - indent);
  bool first = true;
  for (const std::string& line : Wrap(PrintableLine(text), width)) {
    out_ += (first ? head : std::string(static_cast<size_t>(indent), ' ')) + line + "\n";
    first = false;
  }
}

void Page::Field(std::string_view name, std::string_view value) {
  // A name that fills its column still stands apart from the value.
  Hang(fmt::format("{:{}} ", name, kFieldWidth - 1), value);
}

void Page::Item(std::string_view mark, std::string_view text, int depth) {
  Hang(fmt::format("{:{}}{} ", "", kIndent * (depth + 1), mark), text);
}

void Page::Verbatim(std::string_view text, int depth) {
  ForEachLine(text, [&](std::string_view line) {
    fmt::format_to(std::back_inserter(out_), "{:{}}{}\n", "", kIndent * (depth + 1), PrintableText(line));
  });
}

void Page::Diff(std::string_view diff) {
  ForEachLine(diff, [&](std::string_view line) {
    const std::string shown = PrintableText(line);
    if (line.starts_with("+++") || line.starts_with("---")) {
      out_ += style_.Bold(shown);
    } else if (line.starts_with("+")) {
      out_ += style_.Green(shown);
    } else if (line.starts_with("-")) {
      out_ += style_.Red(shown);
    } else if (line.starts_with("@@")) {
      out_ += style_.Cyan(shown);
    } else {
      out_ += shown;
    }
    out_ += "\n";
  });
}

}  // namespace omnix
