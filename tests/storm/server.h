// The omnixd under test.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/support/child.h"

namespace omnix::storm {

// The service of the system model that the alerts speak of.
inline constexpr char kService[] = "checkout";

// Real, on free ports, with a journal of its own. Ends the program where it does not start.
class Server {
 public:
  Server();

  int http_port() const { return http_port_; }
  std::string grpc_address() const { return "127.0.0.1:" + std::to_string(grpc_port_); }
  bool IsRunning() { return child_->IsRunning(); }
  double CpuSeconds() const { return child_->CpuSeconds(); }
  uint64_t ResidentBytes() const { return child_->ResidentBytes(); }
  // A figure of the journal, read beside omnixd: SELECT count(...).
  uint64_t CountInJournal(const std::string& sql) const;
  std::string Log() const;
  // Of the journal.
  std::string folder() const { return folder_ / ""; }

 private:
  bench::Folder folder_;
  int http_port_ = bench::FreePort();
  int grpc_port_ = bench::FreePort();
  std::unique_ptr<bench::Child> child_;
};

}  // namespace omnix::storm
