// The programs under load: omnixd (with an agent where wanted), and the bare program of the same shape.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/support/board.h"
#include "tests/bench/support/child.h"

namespace omnix::bench {

class Server {
 public:
  virtual ~Server() = default;
  int port() const { return port_; }
  const Child& child() const { return *child_; }

 protected:
  Folder folder_;
  int port_ = FreePort();
  std::unique_ptr<Child> child_;
};

class BareServer final : public Server {
 public:
  // `opens`: each alert is an incident of its own.
  explicit BareServer(bool opens);
};

class Omnixd final : public Server {
 public:
  // With `board`: an agent that notes when the first task of an incident comes.
  explicit Omnixd(const std::string& board = "");

 private:
  std::unique_ptr<Child> agent_;
};

}  // namespace omnix::bench
