#include "agents/investigation/metrics/table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "agents/investigation/metrics/csv.h"
#include "common/printable.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr size_t kHeaderRows = 3;
constexpr size_t kShownBytes = 40;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

std::string Shown(const std::string& text) { return PrintableLine(text.substr(0, kShownBytes)); }

// NaN where nothing was measured, nothing where the text is no number.
std::optional<double> ParseNumber(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty() || text == "null" || text == "None" || text == "NA") return kMissing;
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  return std::isfinite(value) && error == std::errc() ? value : kMissing;
}

class TableReader {
 public:
  TableReader(CsvReader* csv, const std::function<bool(const SeriesKey&)>& wanted) : csv_(*csv), wanted_(wanted) {
    table_.path = csv->path();
  }

  absl::StatusOr<MetricTable> Read() {
    OMNIX_RETURN_IF_ERROR(ReadHeader());
    std::vector<CsvField> row;
    for (bool first = true;; first = false) {
      OMNIX_ASSIGN_OR_RETURN(const bool more, csv_.Next(&row));
      if (!more) break;
      if (first && IsTimeLabel(row)) continue;
      OMNIX_RETURN_IF_ERROR(AddRow(row));
    }
    if (table_.times.empty()) return InvalidArgument("{}: no row of values behind the header", csv_.path());
    return std::move(table_);
  }

 private:
  // A row without numbers: "unix_timestamp,,,".
  static bool IsTimeLabel(const std::vector<CsvField>& row) {
    return !ParseNumber(row[0].text) &&
           std::all_of(row.begin() + 1, row.end(), [](const CsvField& field) { return field.text.empty(); });
  }

  absl::Status ReadHeader() {
    std::vector<CsvField> rows[kHeaderRows];
    for (std::vector<CsvField>& row : rows) {
      OMNIX_ASSIGN_OR_RETURN(const bool more, csv_.Next(&row));
      if (!more)
        return InvalidArgument("{}: three header rows (component, metric, statistic) are missing", csv_.path());
      if (row.size() != rows[0].size())
        return csv_.Wrong(row.back(), fmt::format("{} cells where the first row has {}", row.size(), rows[0].size()));
    }
    if (rows[0].size() < 2) return csv_.Wrong(rows[0][0], "no column of values behind the time's");
    columns_.resize(rows[0].size(), nullptr);
    std::set<SeriesKey> seen;
    for (size_t i = 1; i < rows[0].size(); ++i) {
      SeriesKey key{rows[0][i].text, rows[1][i].text, rows[2][i].text};
      if (key.node.empty()) return csv_.Wrong(rows[0][i], "a column without a component");
      if (!seen.insert(key).second)
        return csv_.Wrong(rows[0][i], fmt::format("{} is here twice", Shown(SeriesName(key))));
      // Pointers into a map stay valid.
      if (wanted_(key)) columns_[i] = &table_.series[std::move(key)];
    }
    return absl::OkStatus();
  }

  absl::Status AddRow(const std::vector<CsvField>& row) {
    if (row.size() != columns_.size())
      return csv_.Wrong(row.back(), fmt::format("{} cells in this row, {} in the header", row.size(), columns_.size()));
    const std::optional<double> time = ParseNumber(row[0].text);
    if (!time || std::isnan(*time))
      return csv_.Wrong(row[0], fmt::format("'{}' is no time (UNIX seconds)", Shown(row[0].text)));
    if (!table_.times.empty() && *time <= table_.times.back())
      return csv_.Wrong(row[0], "times must rise from row to row");
    table_.times.push_back(*time);
    if (table_.times.size() * table_.series.size() > kMaxMetricCells)
      return ResourceExhausted("{}:{}: more than {} values", csv_.path(), row[0].line, kMaxMetricCells);
    for (size_t i = 1; i < row.size(); ++i) {
      const std::optional<double> value = ParseNumber(row[i].text);
      if (!value) return csv_.Wrong(row[i], fmt::format("'{}' is no number", Shown(row[i].text)));
      if (columns_[i] != nullptr) columns_[i]->push_back(*value);
    }
    return absl::OkStatus();
  }

  CsvReader& csv_;
  const std::function<bool(const SeriesKey&)>& wanted_;
  MetricTable table_;
  // Where each column's values go; null: nowhere.
  std::vector<Values*> columns_;
};

}  // namespace

std::string SeriesName(const SeriesKey& key) { return key.node + ":" + key.metric + ":" + key.statistic; }

absl::StatusOr<SeriesKey> ParseSeriesName(const std::string& text) {
  const size_t last = text.rfind(':');
  const size_t middle = last == std::string::npos || last == 0 ? std::string::npos : text.rfind(':', last - 1);
  if (middle == std::string::npos || middle == 0 || last - middle == 1 || last + 1 == text.size())
    return InvalidArgument("'{}': NODE:METRIC:STATISTIC is expected, such as shop:latency:Average", Shown(text));
  return SeriesKey{text.substr(0, middle), text.substr(middle + 1, last - middle - 1), text.substr(last + 1)};
}

const Values* MetricTable::Find(const SeriesKey& key) const {
  const auto found = series.find(key);
  return found == series.end() ? nullptr : &found->second;
}

absl::StatusOr<MetricTable> ReadMetricTable(const std::string& path,
                                            const std::function<bool(const SeriesKey&)>& wanted) {
  OMNIX_ASSIGN_OR_RETURN(CsvReader csv, CsvReader::Open(path));
  return TableReader(&csv, wanted).Read();
}

void CallGraph::AddCall(const std::string& caller, const std::string& callee) {
  AddNode(callee);
  std::vector<std::string>& callees = calls_[caller];
  if (caller != callee && std::find(callees.begin(), callees.end(), callee) == callees.end()) callees.push_back(callee);
}

const std::vector<std::string>& CallGraph::Callees(const std::string& node) const {
  static const std::vector<std::string> kNone;
  const auto found = calls_.find(node);
  return found == calls_.end() ? kNone : found->second;
}

std::vector<std::string> CallGraph::Reachable(const std::string& node) const {
  std::vector<std::string> order = {node};
  std::set<std::string> seen = {node};
  for (size_t i = 0; i < order.size(); ++i) {
    // By value: `order` grows.
    for (const std::string& callee : Callees(std::string(order[i]))) {
      if (seen.insert(callee).second) order.push_back(callee);
    }
  }
  return order;
}

absl::StatusOr<CallGraph> ReadCallGraph(const std::string& path) {
  OMNIX_ASSIGN_OR_RETURN(CsvReader csv, CsvReader::Open(path));
  std::vector<CsvField> header;
  OMNIX_ASSIGN_OR_RETURN(const bool any, csv.Next(&header));
  if (!any) return InvalidArgument("{}: empty, a graph is expected", path);
  CallGraph graph;
  for (size_t i = 1; i < header.size(); ++i) {
    if (header[i].text.empty()) return csv.Wrong(header[i], "a column without a component");
    if (graph.Has(header[i].text)) return csv.Wrong(header[i], Shown(header[i].text) + " is here twice");
    graph.AddNode(header[i].text);
  }
  std::vector<CsvField> row;
  while (true) {
    OMNIX_ASSIGN_OR_RETURN(const bool more, csv.Next(&row));
    if (!more) return graph;
    if (row.size() != header.size())
      return csv.Wrong(row.back(), fmt::format("{} cells in this row, {} in the first", row.size(), header.size()));
    if (row[0].text.empty()) return csv.Wrong(row[0], "a row without a component");
    graph.AddNode(row[0].text);
    for (size_t i = 1; i < row.size(); ++i) {
      const std::optional<double> value = ParseNumber(row[i].text);
      if (!value) return csv.Wrong(row[i], fmt::format("'{}' is no number", Shown(row[i].text)));
      if (!std::isnan(*value) && *value != 0) graph.AddCall(row[0].text, header[i].text);
    }
  }
}

}  // namespace omnix
