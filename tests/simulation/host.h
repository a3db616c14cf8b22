// The machine under care: its resources, the locks and the action journals of the recovery agents on it (they outlive
// their processes, as files do; locks end with the process), and a witness who counts what must not happen twice.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/bench.h"

namespace omnix::simulation {

struct SimulatedPlan {
  std::string hash;
  std::string incident_id;
  std::vector<std::string> resources;
};

// What the recovery agents wrote down under one plan, in the terms of agents/recovery: always before the effect.
struct ActionRecord {
  // Idempotency keys that began it.
  std::set<std::string> begun;
  bool saved = false;
  // The command that must not run twice: begun, and known to have ended.
  bool command = false;
  bool command_done = false;
  bool undo = false;
  bool rollback = false;
  std::optional<v1::Application> applied;
  std::optional<v1::Application> undone;
  std::optional<v1::Rollback> rolled_back;
};

class Host {
 public:
  explicit Host(Bench& bench) : bench_(bench) {}

  uint64_t NewProcess() { return ++processes_; }
  // Its locks end with it.
  void ProcessEnded(uint64_t process);

  // All or nothing; false where another one (of any process) has one of them.
  bool Lock(uint64_t process, const SimulatedPlan& plan);
  void Unlock(const SimulatedPlan& plan);

  ActionRecord& RecordOf(const std::string& plan_hash) { return records_[plan_hash]; }

  // Whose content the resource has; empty: as it was before any plan.
  const std::string& ContentOf(const std::string& resource) { return contents_[resource]; }
  void Write(const SimulatedPlan& plan, const std::string& resource);
  void Restore(const SimulatedPlan& plan, const std::string& resource);
  // The command that a plan runs once: the witness counts.
  void RunOnce(const SimulatedPlan& plan);

 private:
  void Changes(const SimulatedPlan& plan);

  Bench& bench_;
  uint64_t processes_ = 0;
  // Lock to process and plan.
  std::map<std::string, std::pair<uint64_t, std::string>> locks_;
  std::map<std::string, ActionRecord> records_;
  std::map<std::string, std::string> contents_;
  std::map<std::string, int> witnessed_;
};

}  // namespace omnix::simulation
