// The load of the crash tests: alerts by HTTP, operators by gRPC, several incidents at once, each driven to its end by
// a thread of its own that repeats what was not acknowledged. Remembers everything that was acknowledged or shown.
#pragma once

#include <omnix/v1/operator.grpc.pb.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/crash/link_witness.h"
#include "tests/crash/world.h"

namespace omnix::testing {

// What must be in the journal in the end.
struct Ledger {
  // Incident of each service.
  std::map<std::string, std::string> incidents;
  // Fingerprint -> how often it was sent and acknowledged, and how often it was sent at all.
  struct Alert {
    std::string incident;
    int acknowledged = 0;
    int sent = 0;
  };
  std::map<std::string, Alert> alerts;
  // Texts of acknowledged notes, by incident.
  std::vector<std::pair<std::string, std::string>> notes;
  // Plan hashes whose approval was acknowledged, by incident.
  std::vector<std::pair<std::string, std::string>> approvals;
  // Incidents whose cancelling was acknowledged.
  std::vector<std::string> cancelled;
  // Events that a watcher was shown: serialized, by incident and sequence number.
  std::map<std::pair<std::string, uint64_t>, std::string> shown;
  // What went wrong in the driving itself.
  std::vector<std::string> failures;
};

class Load {
 public:
  // `note_bytes`: size of the notes on the incident that is cancelled.
  Load(CrashWorld& world, LinkWitness& witness, size_t note_bytes);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Every incident is where it ends.
  bool done() const { return running_ == 0; }
  // An approval is waited for or given: the incidents are in the middle of their way.
  bool under_way() const { return under_way_; }
  // Once done.
  Ledger TakeLedger();

 private:
  void Drive(const std::string& service);
  void DriveToTheEnd(const std::string& service, const std::string& incident_id);
  void Watch();

  // Each repeats until it is acknowledged; false (and a failure in the ledger) where the time is over.
  bool SendAlert(const std::string& service, const std::string& status, std::string* incident_id);
  bool Open(const std::string& service, std::string* incident_id);
  bool Note(const std::string& incident_id, const std::string& text);
  bool Cancel(const std::string& incident_id);
  // Once; it is asked for again where the plan still waits.
  void Approve(const std::string& incident_id, const std::string& plan_hash);

  std::shared_ptr<v1::Operator::Stub> Api();
  // Gives the status back; after a broken connection the next call makes its own.
  grpc::Status Noted(const grpc::Status& status);
  bool Repeat(const std::string& what, const std::function<bool()>& attempt);
  grpc::Status Command(v1::CommandIncidentRequest request);
  void Record(const std::function<void(Ledger&)>& change);

  CrashWorld& world_;
  LinkWitness& witness_;
  const size_t note_bytes_;
  std::atomic<int> running_ = 0;
  std::atomic<bool> under_way_ = false;
  std::mutex mutex_;
  std::shared_ptr<v1::Operator::Stub> api_;
  Ledger ledger_;
  bool stopping_ = false;
  grpc::ClientContext* watch_ = nullptr;
  std::thread watcher_;
  std::vector<std::thread> drivers_;
};

}  // namespace omnix::testing
