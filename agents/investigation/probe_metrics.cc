#include "agents/investigation/probe_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "agents/checks/url.h"
#include "agents/checks/variables.h"
#include "agents/investigation/metrics/baseline.h"
#include "agents/investigation/probe.h"
#include "common/json.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr char kStatistic[] = "value";
constexpr absl::Duration kBeforeAlert = absl::Minutes(5);
constexpr absl::Duration kLeastWindow = absl::Minutes(5);
constexpr absl::Duration kTimeout = absl::Seconds(5);
constexpr size_t kMaxAnswerBytes = 4 << 20;
constexpr int kOk = 200;

std::string EncodeQuery(const std::string& text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

struct Span {
  int64_t begin = 0, end = 0, step = 0;
  size_t rows() const { return static_cast<size_t>((end - begin) / step) + 1; }
};

// One value a step; the series of one answer are added (counts) or averaged.
absl::StatusOr<Values> ReadMatrix(const std::string& body, const Span& span, bool add) {
  OMNIX_ASSIGN_OR_RETURN(const Json answer, ParseJson(body));
  const auto data = answer.is_object() ? answer.find("data") : answer.end();
  if (data == answer.end() || !data->is_object() || !data->contains("result") || !(*data)["result"].is_array())
    return InvalidArgument("no range of values in the answer");
  Values values(span.rows(), std::numeric_limits<double>::quiet_NaN());
  std::vector<int> counts(span.rows(), 0);
  for (const Json& series : (*data)["result"]) {
    const auto points = series.is_object() ? series.find("values") : series.end();
    if (points == series.end() || !points->is_array()) continue;
    for (const Json& point : *points) {
      if (!point.is_array() || point.size() != 2 || !point[0].is_number() || !point[1].is_string()) continue;
      const auto row = static_cast<int64_t>(
          std::llround((point[0].get<double>() - static_cast<double>(span.begin)) / static_cast<double>(span.step)));
      const double value = std::atof(point[1].get_ref<const std::string&>().c_str());
      if (row < 0 || row >= static_cast<int64_t>(values.size()) || !std::isfinite(value)) continue;
      const size_t at = static_cast<size_t>(row);
      values[at] = counts[at]++ == 0 ? value : values[at] + value;
    }
  }
  for (size_t i = 0; i < values.size() && !add; ++i) {
    if (counts[i] > 1) values[i] /= counts[i];
  }
  return values;
}

absl::StatusOr<Values> Query(Scene* scene, const std::string& promql, const Span& span, bool add) {
  const v1::Prometheus& prometheus = scene->input.system.prometheus();
  HttpRequest request;
  request.url = fmt::format("{}?query={}&start={}&end={}&step={}", JoinUrl(prometheus.url(), "/api/v1/query_range"),
                            EncodeQuery(promql), span.begin, span.end, span.step);
  OMNIX_ASSIGN_OR_RETURN(const std::string token, Expand(prometheus.token(), {}));
  if (!token.empty()) request.headers = {{"Authorization", "Bearer " + token}};
  request.timeout = std::min(kTimeout, scene->input.remaining());
  request.max_body_bytes = kMaxAnswerBytes;
  OMNIX_ASSIGN_OR_RETURN(const HttpResponse response, scene->http.Send(request));
  if (response.status != kOk) return Unavailable("Prometheus answers {} to the query \"{}\"", response.status, promql);
  return ReadMatrix(response.body, span, add);
}

// The rows of `table` from `begin` on, `count` of them.
MetricTable Cut(const MetricTable& table, size_t begin, size_t count) {
  MetricTable cut;
  cut.path = table.path;
  cut.times.assign(table.times.begin() + static_cast<ptrdiff_t>(begin),
                   table.times.begin() + static_cast<ptrdiff_t>(begin + count));
  for (const auto& [key, values] : table.series)
    cut.series[key] =
        Values(values.begin() + static_cast<ptrdiff_t>(begin), values.begin() + static_cast<ptrdiff_t>(begin + count));
  return cut;
}

// Of the node's requests; 0: it has none.
double LoadOf(const MetricTable& window, const MetricTable& normal, const std::string& node) {
  for (const auto& [key, values] : window.series) {
    if (key.node != node || KindOf(key.metric) != MetricKind::kThroughput) continue;
    const double usual = Median(*normal.Find(key));
    if (usual > 0) return Median(values) / usual;
  }
  return 0;
}

MetricTable ReadTable(Scene* scene, const Span& span) {
  MetricTable table;
  table.path = scene->input.system.prometheus().url();
  for (size_t row = 0; row < span.rows(); ++row)
    table.times.push_back(static_cast<double>(span.begin + static_cast<int64_t>(row) * span.step));
  size_t asked = 0;
  for (const v1::Service& service : scene->input.system.services()) {
    for (const auto& [name, promql] : service.metrics()) {
      if (++asked > kMaxMetricQueries || scene->input.cancelled()) return table;
      auto values = Query(scene, promql, span, KindOf(name) == MetricKind::kThroughput);
      if (!values.ok()) {
        scene->book.Add(MakeEvidence("metrics", service.name(), fmt::format("{}: {}", name, Message(values.status()))));
        if (absl::IsUnavailable(values.status()) && table.series.empty()) return table;
        continue;
      }
      const bool any = std::any_of(values->begin(), values->end(), [](double v) { return !std::isnan(v); });
      if (any) table.series[{service.name(), name, kStatistic}] = *std::move(values);
    }
  }
  return table;
}

}  // namespace

void ProbeMetrics(Scene* scene) {
  const v1::SystemModel& system = scene->input.system;
  if (system.prometheus().url().empty()) return;
  const absl::Time begin = std::min(scene->input.started_at - kBeforeAlert, scene->input.now - kLeastWindow);
  Span span;
  span.step = absl::ToInt64Seconds(kMetricStep);
  span.begin = absl::ToUnixSeconds(std::max(begin, scene->input.now - kNormalTime) - kNormalTime);
  span.end = absl::ToUnixSeconds(scene->input.now);
  const MetricTable all = ReadTable(scene, span);
  const size_t normal_rows = static_cast<size_t>(kNormalTime / kMetricStep);
  if (all.series.empty() || all.times.size() <= normal_rows) return;
  const MetricTable normal = Cut(all, 0, normal_rows);
  const MetricTable window = Cut(all, normal_rows, all.times.size() - normal_rows);
  CallGraph graph;
  for (const v1::Service& service : system.services()) {
    graph.AddNode(service.name());
    for (const std::string& needed : service.depends_on()) graph.AddCall(service.name(), needed);
  }
  for (const auto& [key, values] : all.series) {
    const MetricKind kind = KindOf(key.metric);
    if (kind == MetricKind::kThroughput || kind == MetricKind::kOther) continue;
    const auto ranking = RankCauses(window, normal, graph, key);
    if (!ranking.ok() || ranking->causes.empty()) continue;
    const RankedCause& best = ranking->causes[0];
    MetricFacts facts{key, ranking->causes, LoadOf(window, normal, best.node), ""};
    facts.evidence = scene->book.Add(MakeEvidence(
        "metrics", key.node,
        fmt::format("{} of {} is unusual; its course is best told by {} of {} (score {:.2f}){}", key.metric, key.node,
                    best.metric, best.node, best.score,
                    facts.load > 0 ? fmt::format(", which has {:.1f} times its usual requests", facts.load) : ""),
        "", {}, {{"node", best.node}, {"metric", best.metric}}));
    scene->facts.Add(std::move(facts));
  }
}

}  // namespace omnix
