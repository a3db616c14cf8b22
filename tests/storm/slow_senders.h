// Senders that keep a connection for as long as they can.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/storm/connection.h"

namespace omnix::storm {

// Many connections, each of which sends one byte a second of a request that never ends.
class SlowSenders {
 public:
  // `beginning` is sent at once, then a byte of `rest` each second, over and over.
  SlowSenders(int port, size_t count, const std::string& beginning, std::string rest);
  ~SlowSenders();

  // Connections that the server has not closed.
  size_t open() const { return open_; }

 private:
  void Run(std::string rest);

  std::vector<std::unique_ptr<Connection>> connections_;
  std::atomic<size_t> open_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// The longest of `count` alerts sent one after the other, each over a connection of its own, in milliseconds. Those
// that were not taken are counted.
struct AlertWaits {
  double max_ms = 0;
  double p50_ms = 0;
  size_t refused = 0;
};
AlertWaits SendAlertsOneByOne(int port, size_t count, uint64_t first_number);

// As many open files as the system lets this process have.
size_t RaiseOpenFiles();

}  // namespace omnix::storm
