#include "tests/bench/alerts/bodies.h"

#include <fmt/format.h>

#include "common/json.h"

namespace omnix::bench {
namespace {

constexpr const char* kMark = "0123456789abcdef";
constexpr size_t kDigits = 16;

Json AlertJson(AlertKind kind) {
  const std::string service = kind == AlertKind::kOpen ? std::string("tenant-") + kMark : kService;
  return {{"status", "firing"},
          {"labels",
           {{"alertname", "HighErrorRate"},
            {"severity", "critical"},
            {"service", service},
            {"instance", std::string("10.0.0.7:8080/") + kMark},
            {"cluster", "eu-west-1"}}},
          {"annotations",
           {{"summary", "5 % of all requests fail"},
            {"description", "The share of answers with status 5xx has been above 5 % for 5 minutes."},
            {"runbook_url", "https://runbooks.example/high-error-rate"}}},
          {"startsAt", "2025-09-04T07:14:03.123Z"},
          {"endsAt", "0001-01-01T00:00:00Z"},
          {"generatorURL", "http://prometheus.example:9090/graph?g0.expr=rate&g0.tab=1"},
          {"fingerprint", kMark}};
}

}  // namespace

const char* NameOf(AlertKind kind) {
  switch (kind) {
    case AlertKind::kDuplicate:
      return "duplicate";
    case AlertKind::kJoin:
      return "joins_incident";
    case AlertKind::kOpen:
      return "opens_incident";
  }
  return "";
}

Bodies::Bodies(AlertKind kind, int alerts_each) : kind_(kind), alerts_each_(alerts_each) {
  Json alerts = Json::array();
  for (int i = 0; i < alerts_each; ++i) alerts.push_back(AlertJson(kind));
  const Json body = {{"version", "4"},
                     {"groupKey", "{}:{alertname=\"HighErrorRate\"}"},
                     {"truncatedAlerts", 0},
                     {"status", "firing"},
                     {"receiver", "omnix"},
                     {"groupLabels", {{"alertname", "HighErrorRate"}}},
                     {"commonLabels", {{"alertname", "HighErrorRate"}, {"severity", "critical"}}},
                     {"commonAnnotations", Json::object()},
                     {"externalURL", "http://alertmanager.example:9093"},
                     {"alerts", std::move(alerts)}};
  const std::string text = body.dump();
  request_ = fmt::format(
      "POST /v1/alerts/alertmanager HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Alertmanager/0.27\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      text.size(), text);
  const size_t marks_each = kind == AlertKind::kOpen ? 3 : 2;
  for (size_t at = request_.find(kMark); at != std::string::npos; at = request_.find(kMark, at + 1)) {
    if (places_.empty() || places_.back().size() == marks_each) places_.emplace_back();
    places_.back().push_back(at);
  }
}

const std::string& Bodies::Next() {
  for (const auto& places : places_) {
    const uint64_t number = kind_ == AlertKind::kDuplicate ? number_++ % kKnown : ++number_;
    const std::string digits = fmt::format("{:016x}", number);
    for (const size_t place : places) request_.replace(place, kDigits, digits);
  }
  return request_;
}

}  // namespace omnix::bench
