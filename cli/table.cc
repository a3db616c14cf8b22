#include "cli/table.h"

#include <algorithm>
#include <numeric>

#include "common/printable.h"

namespace omnix {
namespace {

constexpr int kGap = 2;
// A column is not cut below this: a single letter and an ellipsis tell nothing.
constexpr int kMinShrunkWidth = 8;

}  // namespace

void Table::Add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) cell = PrintableLine(cell);
  rows_.push_back(std::move(cells));
}

std::vector<int> Table::Widths(int width) const {
  std::vector<int> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    int widest = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, DisplayWidth(row[i]));
    widths.push_back(widest);
  }
  const int gaps = kGap * (static_cast<int>(columns_.size()) - 1);
  while (width > 0 && std::accumulate(widths.begin(), widths.end(), gaps) > width) {
    int* widest = nullptr;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].may_shrink && widths[i] > kMinShrunkWidth && (widest == nullptr || widths[i] > *widest)) {
        widest = &widths[i];
      }
    }
    if (widest == nullptr) break;
    --*widest;
  }
  return widths;
}

std::string Table::Render(int width, const Style& style) const {
  const std::vector<int> widths = Widths(width);
  std::string out;
  auto line = [&](const std::vector<std::string>& cells, auto paint) {
    size_t pending_spaces = 0;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = Fit(cells[i], widths[i]);
      if (!cell.empty()) {
        out.append(pending_spaces, ' ');
        out += paint(i, cell);
        pending_spaces = 0;
      }
      pending_spaces += static_cast<size_t>(std::max(0, widths[i] - DisplayWidth(cell)) + kGap);
    }
    out += '\n';
  };
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  line(titles, [&](size_t, const std::string& cell) { return style.Bold(cell); });
  for (const auto& row : rows_) {
    line(row,
         [&](size_t i, const std::string& cell) { return columns_[i].paint ? columns_[i].paint(style, cell) : cell; });
  }
  return out;
}

}  // namespace omnix
