#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "agents/sdk/agent.h"
#include "common/agent_link.h"
#include "common/logging.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitSignalBase = 128;
// Ends the thread below where the agent ended by itself.
constexpr int kWakeSignal = SIGUSR1;

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// Stops the agent at SIGTERM or SIGINT; a second one ends the process at once. The signals are blocked before any other
// thread begins, and taken by sigwait in a thread of their own: no code runs in a signal handler.
class SignalThread {
 public:
  SignalThread() {
    sigemptyset(&signals_);
    for (const int signal : {SIGTERM, SIGINT, kWakeSignal}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }
  ~SignalThread() {
    if (!thread_.joinable()) return;
    pthread_kill(thread_.native_handle(), kWakeSignal);
    thread_.join();
  }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

  void Start(Agent& agent) {
    thread_ = std::thread([this, &agent] {
      bool stopping = false;
      int signal = 0;
      while (sigwait(&signals_, &signal) == 0 && signal != kWakeSignal) {
        if (stopping) std::_Exit(kExitSignalBase + signal);
        stopping = true;
        spdlog::info("{}: stopping (again: at once)", signal == SIGTERM ? "SIGTERM" : "SIGINT");
        agent.Stop();
      }
    });
  }

 private:
  sigset_t signals_{};
  std::thread thread_;
};

absl::StatusOr<std::map<std::string, std::string>> ParseLabels(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> labels;
  for (const auto& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return InvalidArgument("--label '{}': expected key=value, for example site=eu-central", text);
    labels[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return labels;
}

int Report(const std::string& name, const absl::Status& status) {
  fmt::print(stderr, "{}: {}\n", name, Message(status));
  return status.code() == absl::StatusCode::kInvalidArgument || status.code() == absl::StatusCode::kNotFound
             ? kExitUsage
             : kExitFailed;
}

}  // namespace

AgentMain::AgentMain(std::string kind, const std::string& description) : app_(description, "omnix-" + kind + "-agent") {
  options_.kind = std::move(kind);
  options_.version = OMNIX_VERSION;
  options_.name = options_.kind + "-agent@" + HostName();
}

int AgentMain::Run(int argc, char** argv, const std::function<absl::Status(Agent&)>& set_up) {
  SignalThread signals;
  std::string log_level = "info";
  std::vector<std::string> labels;
  app_.add_option("--orchestrator", options_.orchestrator, "host:port of omnixd")->capture_default_str();
  app_.add_option("--name", options_.name, "Unique name of this agent")->capture_default_str();
  app_.add_option("--capacity", options_.capacity, "Tasks at a time")
      ->capture_default_str()
      ->check(CLI::Range(1U, kMaxAgentCapacity));
  app_.add_option("--label", labels, "key=value, for tasks that ask for it; may be repeated");
  app_.add_option("--log-level", log_level, "trace, debug, info, warning, error or off")->capture_default_str();
  app_.set_version_flag("--version", app_.get_name() + " " + options_.version);
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error) == kExitOk ? kExitOk : kExitUsage;
  }
  const std::string& program = app_.get_name();
  if (const absl::Status status = SetUpLogging(program, log_level); !status.ok()) return Report(program, status);
  auto parsed_labels = ParseLabels(labels);
  if (!parsed_labels.ok()) return Report(program, parsed_labels.status());
  options_.labels = *std::move(parsed_labels);

  Agent agent(options_);
  if (const absl::Status status = set_up(agent); !status.ok()) return Report(program, status);
  signals.Start(agent);
  const absl::Status status = agent.Run();
  if (!agent.idle()) {
    spdlog::error("a task does not end although it was cancelled; ending the process");
    std::_Exit(kExitFailed);
  }
  return status.ok() ? kExitOk : Report(program, status);
}

}  // namespace omnix
