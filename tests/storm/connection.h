// One keep-alive connection of a monitor.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace omnix::storm {

struct Answer {
  // 0: the connection was closed or could not be made.
  int status = 0;
  bool retry_after = false;
  std::string body;
};

// Blocking; one thread. Connects anew where the server closed.
class Connection {
 public:
  explicit Connection(int port) : port_(port) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Answer Post(const std::string& path, const std::string& body);

  // For senders that do not speak whole requests. False: it is closed.
  bool Open();
  bool Send(std::string_view bytes);
  // What came so far, without waiting for more; empty also where it is closed.
  std::string Received();
  // Both sides are still open.
  bool IsOpen();
  void Close();

 private:
  bool Read(Answer* answer);

  const int port_;
  int fd_ = -1;
  std::string in_;
};

}  // namespace omnix::storm
