// Test support: omnixd and the five agents as real processes, and the operator API to them.
#pragma once

#include <omnix/v1/operator.grpc.pb.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/world.h"

namespace omnix::testing {

inline const std::vector<std::string> kAgentKinds = {"investigation", "infrastructure", "recovery", "testing",
                                                     "documentation"};

struct StackOptions {
  std::string system_file;
  // Empty: everything is asked.
  std::string policy_file;
  // Configuration of the recovery agent.
  std::string recovery_config;
  // Empty: the default playbook.
  std::string playbooks_folder = {};
  // What the HTTP API asks for; empty: nothing.
  std::string token = {};
  // Further arguments of omnixd.
  std::vector<std::string> arguments = {};
};

class Stack {
 public:
  // Does not start anything. Data, logs and reports go below `folder`.
  Stack(std::string folder, StackOptions options);

  // omnixd and all agents; fails the test where omnixd does not become ready.
  void Start();
  void StartOrchestrator();
  // `environment`: for crash points.
  void StartAgent(const std::string& kind, std::map<std::string, std::string> environment = {});
  // kill -9, then start again. "omnixd" or an agent's kind.
  void KillAndRestart(const std::string& program);
  Program& program(const std::string& name) { return programs_[name]; }

  v1::Operator::Stub& api() { return *api_; }
  int http_port() const { return http_port_; }
  std::string grpc_address() const { return "127.0.0.1:" + std::to_string(grpc_port_); }

  // Empty where it can't be had now.
  v1::GetIncidentResponse Get(const std::string& incident_id);
  std::vector<v1::RecordedEvent> Events(const std::string& incident_id);
  std::string Open(const std::string& title, const std::string& subject = "");
  grpc::Status Command(v1::CommandIncidentRequest request);
  // The incident, once it is in one of these phases; fails the test where it does not get there.
  v1::Incident WaitForPhase(const std::string& incident_id, std::vector<v1::Phase> phases,
                            absl::Duration deadline = absl::Seconds(60));
  // Reads the incident's events as they come until one satisfies `condition`; false where the watch ends before.
  bool WatchFor(const std::string& incident_id, const std::function<bool(const v1::Event&)>& condition,
                absl::Duration deadline = absl::Seconds(60));
  std::string Logs() const;

 private:
  std::string folder_;
  StackOptions options_;
  int grpc_port_;
  int http_port_;
  std::map<std::string, Program> programs_;
  std::unique_ptr<v1::Operator::Stub> api_;
};

// Folder with the programs under test.
std::string BinFolder();
// Root of the source tree.
std::string SourceFolder();

}  // namespace omnix::testing
