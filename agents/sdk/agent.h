// What every C++ agent links: connect, register, lease, progress, evidence, cancel, reconnect. A whole agent:
//
//   int main(int argc, char** argv) {
//     omnix::AgentMain agent("testing", "Runs suites of checks against the system under care.");
//     std::string config;
//     agent.flags().add_option("--config", config, "The agent's own configuration (YAML)");
//     return agent.Run(argc, argv, [&](omnix::Agent& a) {
//       a.Offer("testing.validate", Validate);
//       return absl::OkStatus();
//     });
//   }
#pragma once

#include <grpcpp/channel.h>
#include <omnix/v1/agent_link.pb.h>

#include <CLI/App.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"

namespace omnix {

// One attempt at one task, as its handler sees it. Handlers run on threads of their own, at most `capacity` at a time.
// Thread-safe.
class TaskContext {
 public:
  virtual ~TaskContext() = default;
  virtual const v1::LeaseId& lease() const = 0;
  virtual const std::string& type() const = 0;
  // Always a JSON value; a task whose input is no JSON never reaches the handler.
  virtual const Json& input() const = 0;
  // The same for all attempts of this task.
  virtual const std::string& idempotency_key() const = 0;

  // True once the work should stop: Cancel came, the time is up, or the lease is lost. Long work asks this often.
  virtual bool cancelled() const = 0;

  // OK while a further effect on the world may begin. Errors: CANCELLED, DEADLINE_EXCEEDED, ABORTED (lease lost:
  // another agent may have it).
  virtual absl::Status MayAct() const = 0;

  // Time left for this attempt.
  virtual absl::Duration remaining() const = 0;

  virtual void Progress(const std::string& text, uint32_t percent = 0) = 0;
  // Reported as it is found. Give it an id that is unique within the task; texts are redacted by the caller
  // (common/redact.h).
  virtual void Report(v1::Evidence evidence) = 0;

  // To the orchestrator's operator API.
  virtual std::shared_ptr<grpc::Channel> channel() const = 0;
};

// Does the work and gives its product. An error ends the attempt: INVALID_ARGUMENT, FAILED_PRECONDITION,
// PERMISSION_DENIED, NOT_FOUND, UNIMPLEMENTED for good (another attempt would end the same way), CANCELLED as
// cancelled, all others so that another attempt is made.
using TaskHandler = std::function<absl::StatusOr<v1::Product>(TaskContext& context)>;

struct AgentOptions {
  // "host:port" of omnixd.
  std::string orchestrator = "127.0.0.1:7420";
  std::string name;
  std::string kind;
  std::string version;
  uint32_t capacity = 8;
  std::map<std::string, std::string> labels;
};

class Agent {
 public:
  explicit Agent(AgentOptions options);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Before Run only.
  void Offer(const std::string& task_type, TaskHandler handler, const std::string& input_schema_json = "");
  // The roll call of an incident: not OK where the agent can't work. Must not block. Default: OK.
  void OnPrepare(std::function<absl::Status(const v1::Prepare&)> handler);

  std::shared_ptr<grpc::Channel> channel() const;

  // Serves until Stop; reconnects for ever (0.1 s to 5 s apart, with jitter) with the work still running. After Stop:
  // takes nothing new, waits for running tasks up to 10 s, cancels them, returns. Errors: only those that no retry
  // mends (link version refused, name refused, bad options).
  absl::Status Run();
  // From any thread.
  void Stop();
  // False after Run where a handler did not return in time although it was cancelled; the destructor waits for it.
  bool idle() const;

  // Not for users of an agent.
  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// The main program of an agent: common flags (--orchestrator, --name, --capacity, --label k=v, --log-level), logging,
// SIGTERM and SIGINT.
class AgentMain {
 public:
  AgentMain(std::string kind, const std::string& description);
  CLI::App& flags() { return app_; }
  // Valid in and after `set_up`.
  const AgentOptions& options() const { return options_; }
  // Exit code: 0 stopped by signal, 1 failed, 2 bad usage or configuration (where `set_up` returns INVALID_ARGUMENT or
  // NOT_FOUND).
  int Run(int argc, char** argv, const std::function<absl::Status(Agent&)>& set_up);

 private:
  CLI::App app_;
  AgentOptions options_;
};

}  // namespace omnix
