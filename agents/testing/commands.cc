#include "agents/testing/commands.h"

#include <fmt/format.h>
#include <signal.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "agents/checks/check.h"
#include "agents/checks/evidence.h"
#include "agents/checks/variables.h"
#include "agents/testing/monitor.h"
#include "agents/testing/suites.h"
#include "common/json.h"
#include "common/logging.h"
#include "common/printable.h"
#include "common/status.h"
#include "common/system_model.h"

namespace omnix {
namespace {

constexpr char kCheck[] = "check";
constexpr char kMonitor[] = "monitor";
constexpr int kPassed = 0;
constexpr int kFailed = 1;
constexpr int kBadInput = 2;
constexpr absl::Duration kMinEvery = absl::Milliseconds(100);
constexpr absl::Duration kMaxEvery = absl::Hours(24);

struct Arguments {
  std::string suite_file;
  std::string system_file;
  std::string output = "text";
  std::string suite_name;
  std::string every = "30s";
  std::string alert_url;
  std::vector<std::string> alert_headers;
  uint32_t after = 2;
};

int BadInput(const absl::Status& status) {
  fmt::print(stderr, "{}\n", Message(status));
  return kBadInput;
}

void PrintText(const v1::Verdict& verdict) {
  for (const v1::CheckResult& result : verdict.results()) {
    fmt::print("{:8} {}: {}\n", StatusWord(result.status()), PrintableLine(result.name()),
               PrintableLine(result.summary()));
  }
  fmt::print("{}\n", PrintableLine(verdict.summary()));
}

int CheckOnce(const Arguments& arguments) {
  auto system = LoadSystemModel(arguments.system_file);
  if (!system.ok()) return BadInput(system.status());
  auto suite = LoadSuite(arguments.suite_file, *system);
  if (!suite.ok()) return BadInput(suite.status());
  // The suite at hand takes the place of the model's own.
  system->clear_suites();
  system->clear_suite_files();
  *system->add_suites() = *std::move(suite);
  system->add_suite_files(arguments.suite_file);
  if (const absl::Status status = ValidateSuites(*system); !status.ok()) return BadInput(status);
  CheckContext context{.system = *system, .variables = {}};
  const v1::Verdict verdict = RunSuites(*system, context);
  if (arguments.output == "json") {
    fmt::print("{}\n", MessageToJson(verdict));
  } else {
    PrintText(verdict);
  }
  return verdict.passed() ? kPassed : kFailed;
}

absl::StatusOr<std::vector<v1::Suite>> ChooseSuites(const v1::SystemModel& system, const std::string& name) {
  if (name.empty() && system.suites().empty()) return std::vector<v1::Suite>{DeriveSuite(system)};
  std::vector<v1::Suite> chosen;
  std::string known;
  for (const v1::Suite& suite : system.suites()) {
    if (name.empty() || suite.name() == name) chosen.push_back(suite);
    known += (known.empty() ? "" : ", ") + suite.name();
  }
  if (chosen.empty())
    return NotFound("no suite named {}; the system model has: {}", name, known.empty() ? "none" : known);
  return chosen;
}

absl::StatusOr<MonitorOptions> ReadOptions(const Arguments& arguments) {
  MonitorOptions options;
  if (!absl::ParseDuration(arguments.every, &options.every) || options.every < kMinEvery || options.every > kMaxEvery) {
    return InvalidArgument("--every {}: a duration such as 2s is expected, from 100ms to 24h", arguments.every);
  }
  options.alert_url = arguments.alert_url;
  options.after = arguments.after;
  for (const std::string& header : arguments.alert_headers) {
    const size_t colon = header.find(':');
    if (colon == std::string::npos) return InvalidArgument("--alert-header: 'Name: value' is expected");
    OMNIX_ASSIGN_OR_RETURN(std::string value, Expand(header.substr(colon + 1), {}));
    options.alert_headers.emplace_back(header.substr(0, colon), std::move(value));
  }
  return options;
}

// SIGTERM and SIGINT are kept blocked, and looked for: while waiting, and between the checks of a run.
sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

bool StopPending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

int MonitorForever(const Arguments& arguments) {
  if (const absl::Status status = SetUpLogging("omnix-monitor", "info"); !status.ok()) return BadInput(status);
  auto system = LoadSystemModel(arguments.system_file);
  if (!system.ok()) return BadInput(system.status());
  if (const absl::Status status = ValidateSuites(*system); !status.ok()) return BadInput(status);
  auto suites = ChooseSuites(*system, arguments.suite_name);
  if (!suites.ok()) return BadInput(suites.status());
  auto options = ReadOptions(arguments);
  if (!options.ok()) return BadInput(options.status());
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto wait = [&](absl::Duration duration) {
    const timespec time = absl::ToTimespec(duration);
    return sigtimedwait(&signals, nullptr, &time) < 0;
  };
  Monitor(*std::move(options), *std::move(system), *std::move(suites)).Run(wait, StopPending);
  return kPassed;
}

}  // namespace

bool IsCommand(int argc, char** argv) {
  return argc > 1 && (std::string_view(argv[1]) == kCheck || std::string_view(argv[1]) == kMonitor);
}

int RunCommand(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Runs suites of checks: once, or on a schedule.");
  app.require_subcommand(1);
  CLI::App* check = app.add_subcommand(kCheck, "Run a suite once; exit 0 passed, 1 failed, 2 bad input");
  check->add_option("suite", arguments.suite_file, "Suite of checks (YAML)")->required();
  check->add_option("--system", arguments.system_file, "System model (YAML)")->required();
  check->add_option("-o,--output", arguments.output, "text or json")->check(CLI::IsMember({"text", "json"}));
  CLI::App* monitor = app.add_subcommand(kMonitor, "Run suites on a schedule and raise alerts");
  monitor->add_option("--system", arguments.system_file, "System model (YAML)")->required();
  monitor->add_option("--suite", arguments.suite_name, "Only this suite of the model");
  monitor->add_option("--every", arguments.every, "Time between two runs (30s)");
  monitor->add_option("--alert-url", arguments.alert_url, "Where alerts are posted (Alertmanager's webhook format)")
      ->required();
  monitor->add_option("--alert-header", arguments.alert_headers,
                      "'Name: value' sent with alerts; ${env:NAME} is replaced");
  monitor->add_option("--after", arguments.after, "Failing runs in a row before an alert fires (2)")
      ->check(CLI::Range(1, 1000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kPassed : kBadInput;
  }
  return check->parsed() ? CheckOnce(arguments) : MonitorForever(arguments);
}

}  // namespace omnix
