// A load of HTTP requests over keep-alive connections, each of which waits for its answer before it sends the next.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/support/board.h"

namespace omnix::bench {

struct LoadResult {
  uint64_t answered = 0;
  double seconds = 0;
};

// One thread, epoll. Dies on any answer but 200.
class Load {
 public:
  Load(int port, int connections);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Sends what `next` gives on every connection until `seconds` are over (0: one request on each) or `most` were sent;
  // waits for the last answers. `latency` (may be null) gets the time from the first byte sent to the answer.
  LoadResult Run(const std::function<const std::string&()>& next, double seconds, uint64_t most, Histogram* latency);

 private:
  struct Connection {
    int fd = -1;
    std::string out;
    size_t sent = 0;
    std::string in;
    uint64_t began = 0;
  };
  void Send(Connection& connection);
  // True once the whole answer is there; it is taken out of `in`.
  bool Receive(Connection& connection);

  int epoll_ = -1;
  std::vector<Connection> connections_;
};

}  // namespace omnix::bench
