// A page of text for people: headings, fields and items, wrapped to the terminal. Everything given to it comes from
// outside and is made printable.
#pragma once

#include <string>
#include <string_view>

#include "cli/terminal.h"

namespace omnix {

class Page {
 public:
  // width 0: nothing is wrapped.
  Page(int width, const Style& style) : width_(width), style_(style) {}

  void Title(std::string_view text);
  void Section(std::string_view title);
  void Field(std::string_view name, std::string_view value);
  // `mark` stands before the text: "-", "1.". Continuation lines are indented below the text. depth 0 is the outermost.
  void Item(std::string_view mark, std::string_view text, int depth = 0);
  // A unified diff, as it is, coloured by line.
  void Diff(std::string_view diff);
  // Several lines, indented, as they are.
  void Verbatim(std::string_view text, int depth = 0);

  const std::string& text() const { return out_; }

 private:
  void Hang(const std::string& head, std::string_view text);

  int width_;
  const Style& style_;
  std::string out_;
};

}  // namespace omnix
