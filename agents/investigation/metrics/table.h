// Time series of components, and the graph of who calls whom, from CSV files.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

inline constexpr size_t kMaxMetricCells = 64 << 20;

struct SeriesKey {
  std::string node;
  std::string metric;
  std::string statistic;
  bool operator<(const SeriesKey& other) const {
    return std::tie(node, metric, statistic) < std::tie(other.node, other.metric, other.statistic);
  }
};

// "node:metric:statistic"
std::string SeriesName(const SeriesKey& key);
// Of "NODE:METRIC:STATISTIC"; node names may hold colons. Errors: INVALID_ARGUMENT.
absl::StatusOr<SeriesKey> ParseSeriesName(const std::string& text);

// One value a row; NaN: not measured.
using Values = std::vector<double>;

struct MetricTable {
  std::string path;
  // UNIX time, seconds, rising.
  std::vector<double> times;
  std::map<SeriesKey, Values> series;

  // Null where there is none.
  const Values* Find(const SeriesKey& key) const;
};

// Three header rows (component, metric, statistic; the first cell of each is a label), perhaps a row that labels the
// time, then a row for each time: UNIX seconds, then numbers or nothing. Series that are not `wanted` are read and
// dropped. Errors: those of CsvReader; INVALID_ARGUMENT "file:line:column: ..."; RESOURCE_EXHAUSTED beyond
// kMaxMetricCells.
absl::StatusOr<MetricTable> ReadMetricTable(const std::string& path,
                                            const std::function<bool(const SeriesKey&)>& wanted);

class CallGraph {
 public:
  void AddNode(const std::string& node) { calls_[node]; }
  void AddCall(const std::string& caller, const std::string& callee);
  bool Has(const std::string& node) const { return calls_.count(node) > 0; }
  // In no special order, without doubles.
  const std::vector<std::string>& Callees(const std::string& node) const;
  // `node` and what it calls, straight or through others; nearest first.
  std::vector<std::string> Reachable(const std::string& node) const;

 private:
  std::map<std::string, std::vector<std::string>> calls_;
};

// An adjacency matrix: the first row and the first column name the nodes; the row's node calls the column's where the
// cell is neither 0 nor empty. Errors as above.
absl::StatusOr<CallGraph> ReadCallGraph(const std::string& path);

}  // namespace omnix
