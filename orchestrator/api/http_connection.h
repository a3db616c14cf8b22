// One connection of the HTTP server. Internal to the server.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>

#include "orchestrator/api/http_core.h"
#include "orchestrator/api/http_stream.h"

namespace omnix {

// Everything but the constructor, Start, the static parts and the destructor runs on the socket's strand. Reads one
// request, waits for its answer, writes it, reads the next: pipelined requests wait in the socket.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using Error = boost::system::error_code;

  HttpConnection(std::shared_ptr<HttpCore> core, Socket socket);
  ~HttpConnection();

  // `overloaded`: answers 503 and closes.
  void Start(bool overloaded);
  // The server stops: ends what is idle and what streams.
  void BeginShutdown();
  void Close();

  // Closes it where it still waits for its client, to make room for another.
  void GiveWay();

  // Of any thread: since when it has waited for its client (the rest of a request, or the next one); nothing where it
  // does not.
  std::optional<absl::Duration> WaitingFor() const;

  // Of any thread: calls one of the three above on the strand.
  void OnStrand(void (HttpConnection::*method)()) {
    core_->Post(socket_.get_executor(), [self = shared_from_this(), method] { (self.get()->*method)(); });
  }

  // Of any thread: the answer to request number `request`.
  void Answer(uint64_t request, ApiResponse response);
  std::shared_ptr<EventStream> AnswerWithStream(uint64_t request, std::function<void()> closed);
  // Of any thread: there is something to write.
  void StreamReady();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Clock = boost::asio::steady_timer::clock_type;
  enum class State { kIdle, kReading, kHandling, kWriting, kStreaming, kLingering, kClosed };

  void SetWaiting(bool waiting);
  void ReadFirstBytes();
  void ReadHeader();
  // Most requests come in one piece, and need no further read: the header, or where the parser is eager all of it.
  // Gives what is wrong with them.
  std::optional<Error> ParseWhatCame();
  void OnHeader(const Error& error);
  // Nothing where the request may go on.
  std::optional<ApiResponse> RefuseHead();
  std::optional<ApiResponse> RefuseBody();
  void Continue100();
  void ReadBody();
  void OnReadError(const Error& error);
  void Dispatch();
  void OnAnswer(uint64_t request, ApiResponse response);
  // `last`: the connection ends after it.
  void Write(ApiResponse response, bool last);
  void OnWritten(const Error& error, bool last);
  void Linger();
  void BeginStream();
  void WatchReader();
  void Pump();
  void EndStream();
  void ReleaseBody();

  // Calls `expired` after `duration`, unless it is armed anew or disarmed before. A request passes through five of
  // these: a timer that goes off before the present deadline is left as it is and looks again then.
  void Arm(absl::Duration duration, void (HttpConnection::*expired)());
  void Disarm() { expired_ = nullptr; }
  void WaitUntil(Clock::time_point time);
  void OnTimer();
  void ReadExpired();
  void HandlerExpired();
  void PingStream();

  std::shared_ptr<HttpCore> core_;
  Socket socket_;
  boost::asio::steady_timer timer_;
  // What is armed; null: nothing.
  void (HttpConnection::*expired_)() = nullptr;
  Clock::time_point deadline_;
  // When the timer goes off; unset: it does not run.
  std::optional<Clock::time_point> waits_until_;
  // Of the timer's last start: what an earlier one had in line already means nothing.
  uint64_t wait_ = 0;
  bool timed_out_ = false;
  State state_ = State::kIdle;
  // Steady clock's nanoseconds; 0: it does not wait for its client.
  std::atomic<int64_t> waiting_since_ = 0;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  Router::Match match_;
  std::string user_;
  bool head_ = false;
  // Number of the request in work; answers to others are ignored.
  uint64_t request_ = 0;
  uint64_t reserved_bytes_ = 0;
  uint64_t lingered_bytes_ = 0;
  std::shared_ptr<HttpStream> stream_;
  bool stream_writing_ = false;
  std::string stream_chunk_;
};

}  // namespace omnix
