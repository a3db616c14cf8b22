#include "agents/investigation/gateway_limits.h"

#include <re2/re2.h>

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace omnix {
namespace {

// "api" of "zone=api:10m" (a zone) and "zone=api" (a limit of requests); a limit of connections names it plainly.
std::string ZoneOf(const NginxDirective& directive) {
  static const RE2 kZone("^zone=([^:]+)");
  std::string zone;
  for (const NginxWord& word : directive.words) {
    if (RE2::PartialMatch(word.text, kZone, &zone)) return zone;
  }
  return directive.name() == "limit_conn" ? directive.Argument(1) : "";
}

}  // namespace

std::optional<absl::Duration> NginxTime(const std::string& text) {
  static const RE2 kPart(R"((\d+)\s*(ms|s|m|h|d)?\s*)");
  re2::StringPiece rest(text);
  absl::Duration sum;
  int64_t number = 0;
  std::string unit;
  while (!rest.empty()) {
    if (!RE2::Consume(&rest, kPart, &number, &unit)) return std::nullopt;
    sum += unit == "ms"  ? absl::Milliseconds(number)
           : unit == "m" ? absl::Minutes(number)
           : unit == "h" ? absl::Hours(number)
           : unit == "d" ? absl::Hours(24 * number)
                         : absl::Seconds(number);
  }
  return text.empty() ? std::nullopt : std::optional(sum);
}

std::optional<uint64_t> NginxSize(const std::string& text) {
  static const RE2 kSize(R"((\d{1,12})([kKmMgG]?))");
  uint64_t number = 0;
  std::string unit;
  if (!RE2::FullMatch(text, kSize, &number, &unit)) return std::nullopt;
  if (number == 0) return std::numeric_limits<uint64_t>::max();
  absl::AsciiStrToLower(&unit);
  return number << (unit == "k" ? 10 : unit == "m" ? 20 : unit == "g" ? 30 : 0);
}

const NginxDirective* RateLimitBehind(const Scene& scene, const v1::Service& service,
                                      const google::protobuf::RepeatedPtrField<std::string>& symptoms,
                                      const std::string& zone) {
  const NginxDirective* limit = LimitBehind(scene, service, symptoms, {"limit_req", "limit_conn"});
  const NginxFacts* nginx = scene.NginxOf(&service);
  if (nginx == nullptr) return nullptr;
  const auto zone_of = [&](const std::string& name) {
    return FindDirective(*nginx->config, [&](const NginxDirective& d) {
      return (d.name() == "limit_req_zone" || d.name() == "limit_conn_zone") && (name.empty() || ZoneOf(d) == name);
    });
  };
  // How many connections are too many stands at the limit itself.
  if (limit != nullptr && limit->name() == "limit_conn") return limit;
  if (limit != nullptr && zone.empty()) {
    const NginxDirective* found = zone_of(ZoneOf(*limit));
    return found != nullptr ? found : limit;
  }
  const NginxDirective* found = zone_of(zone);
  return found != nullptr ? found : limit;
}

}  // namespace omnix
