// A person with a terminal in the middle of a storm.
#pragma once

#include <omnix/v1/operator.grpc.pb.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace omnix::storm {

struct Waits {
  size_t calls = 0;
  size_t failures = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

// Lists the incidents and shows the newest, every 20 ms until Stop.
class OperatorProbe {
 public:
  explicit OperatorProbe(const std::string& grpc_address);
  ~OperatorProbe() { Stop(); }

  // Of `omnix incident list` and `omnix incident show`, together.
  Waits Stop();

 private:
  void Run();
  void Call();

  std::unique_ptr<v1::Operator::Stub> api_;
  std::string newest_;
  std::vector<double> waits_ms_;
  size_t failures_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace omnix::storm
