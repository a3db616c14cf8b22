#include "agents/recovery/edit/unified_diff.h"

#include <fmt/format.h>

#include <algorithm>

namespace omnix {
namespace {

constexpr size_t kContextLines = 3;

using Lines = std::vector<std::string_view>;

enum class Op { kKeep, kRemove, kAdd };

struct Edit {
  Op op;
  std::string_view line;
};

// Rows of the furthest points that Myers' algorithm reached, one for each number of edits; empty where kMaxEdits is too
// few.
std::vector<std::vector<int>> Trace(const Lines& a, const Lines& b) {
  const int n = static_cast<int>(a.size()), m = static_cast<int>(b.size());
  std::vector<std::vector<int>> trace;
  std::vector<int> furthest = {0, 0, 0};
  for (int d = 0; d <= std::min(n + m, kMaxEdits); ++d) {
    // Diagonal k is at index k + d + 1; the row before is shifted by one.
    std::vector<int> row(static_cast<size_t>(2 * d + 3), 0);
    auto previous = [&](int k) { return furthest[static_cast<size_t>(k + d)]; };
    for (int k = -d; k <= d; k += 2) {
      int x = 0;
      if (d > 0) x = k == -d || (k != d && previous(k - 1) < previous(k + 1)) ? previous(k + 1) : previous(k - 1) + 1;
      int y = x - k;
      while (x < n && y < m && a[static_cast<size_t>(x)] == b[static_cast<size_t>(y)]) ++x, ++y;
      row[static_cast<size_t>(k + d + 1)] = x;
      if (x >= n && y >= m) {
        trace.push_back(std::move(row));
        return trace;
      }
    }
    furthest = row;
    trace.push_back(std::move(row));
  }
  return {};
}

std::vector<Edit> ShortestScript(const Lines& a, const Lines& b) {
  const std::vector<std::vector<int>> trace = Trace(a, b);
  std::vector<Edit> script;
  if (trace.empty()) {
    for (const std::string_view line : a) script.push_back({Op::kRemove, line});
    for (const std::string_view line : b) script.push_back({Op::kAdd, line});
    return script;
  }
  int x = static_cast<int>(a.size()), y = static_cast<int>(b.size());
  for (int d = static_cast<int>(trace.size()) - 1; d > 0; --d) {
    const std::vector<int>& row = trace[static_cast<size_t>(d - 1)];
    auto previous = [&](int k) { return row[static_cast<size_t>(k + d)]; };
    const int k = x - y;
    const bool down = k == -d || (k != d && previous(k - 1) < previous(k + 1));
    const int from_x = down ? previous(k + 1) : previous(k - 1);
    const int from_y = from_x - (down ? k + 1 : k - 1);
    const int snake_x = down ? from_x : from_x + 1;
    for (; x > snake_x; --x, --y) script.push_back({Op::kKeep, a[static_cast<size_t>(x - 1)]});
    script.push_back(down ? Edit{Op::kAdd, b[static_cast<size_t>(from_y)]}
                          : Edit{Op::kRemove, a[static_cast<size_t>(from_x)]});
    x = from_x;
    y = from_y;
  }
  for (; x > 0; --x) script.push_back({Op::kKeep, a[static_cast<size_t>(x - 1)]});
  std::reverse(script.begin(), script.end());
  return script;
}

// The common first and last lines are taken off before: configuration changes are small, files are not.
std::vector<Edit> Script(const Lines& a, const Lines& b) {
  size_t head = 0, tail = 0;
  const size_t shorter = std::min(a.size(), b.size());
  while (head < shorter && a[head] == b[head]) ++head;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Edit> script;
  for (size_t i = 0; i < head; ++i) script.push_back({Op::kKeep, a[i]});
  const auto cut = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head), lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  for (const Edit& edit : ShortestScript(cut(a), cut(b))) script.push_back(edit);
  for (size_t i = a.size() - tail; i < a.size(); ++i) script.push_back({Op::kKeep, a[i]});
  return script;
}

std::string Range(size_t first, size_t count) {
  // A hunk without lines of one side names the line before it.
  const size_t line = count == 0 ? first : first + 1;
  return count == 1 ? fmt::format("{}", line) : fmt::format("{},{}", line, count);
}

void AppendLine(std::string& out, char mark, std::string_view line) {
  out += mark;
  out += line;
  if (line.empty() || line.back() != '\n') out += "\n\\ No newline at end of file\n";
}

}  // namespace

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

UnifiedDiff MakeUnifiedDiff(const std::string& path, std::string_view before, std::string_view after) {
  UnifiedDiff diff;
  if (before == after) return diff;
  diff.text = fmt::format("--- a{}\n+++ b{}\n", path, path);
  const std::vector<Edit> script = Script(SplitLines(before), SplitLines(after));
  size_t line_a = 0, line_b = 0;
  for (size_t i = 0; i < script.size();) {
    if (script[i].op == Op::kKeep) {
      ++i, ++line_a, ++line_b;
      continue;
    }
    // From the context before the first change to that behind the last one that is near enough.
    const size_t context = std::min(kContextLines, i);
    size_t end = i, kept = 0;
    for (size_t j = i; j < script.size() && kept <= 2 * kContextLines; ++j) {
      kept = script[j].op == Op::kKeep ? kept + 1 : 0;
      if (kept == 0) end = j + 1;
    }
    end = std::min(script.size(), end + kContextLines);
    std::string body;
    size_t count_a = 0, count_b = 0;
    for (size_t j = i - context; j < end; ++j) {
      const Op op = script[j].op;
      AppendLine(body, op == Op::kKeep ? ' ' : op == Op::kAdd ? '+' : '-', script[j].line);
      count_a += op != Op::kAdd;
      count_b += op != Op::kRemove;
      diff.lines_added += op == Op::kAdd;
      diff.lines_removed += op == Op::kRemove;
    }
    const size_t first_a = line_a - context, first_b = line_b - context;
    diff.text += fmt::format("@@ -{} +{} @@\n{}", Range(first_a, count_a), Range(first_b, count_b), body);
    line_a = first_a + count_a;
    line_b = first_b + count_b;
    i = end;
  }
  return diff;
}

}  // namespace omnix
