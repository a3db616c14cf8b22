// A table for people.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/terminal.h"

namespace omnix {

struct Column {
  std::string title;
  // May be cut when the table is wider than the terminal; the widest such column gives way first.
  bool may_shrink = false;
  // Colours a cell after it has been laid out. Unset: plain.
  std::function<std::string(const Style& style, const std::string& cell)> paint = nullptr;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // One cell a column. Cells come from outside: they are made printable here.
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // Rows end with a newline, without trailing spaces. width 0: nothing is cut.
  std::string Render(int width, const Style& style) const;

 private:
  std::vector<int> Widths(int width) const;
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace omnix
