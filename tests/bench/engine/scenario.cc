#include "tests/bench/engine/scenario.h"

#include <fmt/format.h>

namespace omnix::bench {
namespace {

struct Phase {
  const char* name;
  int tasks;
};
// Twelve tasks, over the phases that an incident passes through.
constexpr Phase kPhases[] = {{"investigating", 9}, {"validating", 2}, {"documenting", 1}};
constexpr int kTasks = 12;

std::string TaskName(int number) {
  return number == 0 ? "first" : number == kTasks - 1 ? "last" : fmt::format("step{}", number);
}

}  // namespace

const std::vector<std::string>& AgentKinds() {
  static const std::vector<std::string> kinds = {"investigation", "infrastructure", "recovery", "testing",
                                                 "documentation"};
  return kinds;
}

std::string SystemYaml() { return "name: bench\nservices:\n  - name: shop\n    kind: backend\n"; }

std::string PlaybookYaml() {
  std::string yaml = "name: bench\ndescription: Twelve tasks, one after the other.\n";
  int number = 0;
  for (const Phase& phase : kPhases) {
    yaml += fmt::format("{}:\n", phase.name);
    for (int i = 0; i < phase.tasks; ++i, ++number) {
      yaml += fmt::format("  - name: {}\n    type: {}.step\n", TaskName(number),
                          AgentKinds()[static_cast<size_t>(number) % AgentKinds().size()]);
      if (i > 0) yaml += fmt::format("    needs: [{}]\n", TaskName(number - 1));
    }
  }
  return yaml;
}

Json AlertJson(uint64_t number) {
  return {{"status", "firing"},
          {"labels", {{"alertname", "Bench"}, {"severity", "critical"}, {"number", std::to_string(number)}}},
          {"annotations", {{"summary", "all calls of the shop fail"}}},
          {"startsAt", "2025-09-04T07:14:03Z"},
          {"endsAt", "0001-01-01T00:00:00Z"},
          {"generatorURL", "http://prometheus.example/graph"},
          {"fingerprint", fmt::format("{:016x}", number)}};
}

Json WebhookJson(Json alerts) {
  return {{"version", "4"},
          {"groupKey", "{}:{alertname=\"Bench\"}"},
          {"truncatedAlerts", 0},
          {"status", "firing"},
          {"receiver", "omnix"},
          {"groupLabels", Json::object()},
          {"commonLabels", Json::object()},
          {"commonAnnotations", Json::object()},
          {"externalURL", "http://alertmanager.example"},
          {"alerts", std::move(alerts)}};
}

}  // namespace omnix::bench
