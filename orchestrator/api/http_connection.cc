#include "orchestrator/api/http_connection.h"

#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <cctype>
#include <map>
#include <utility>

#include "common/status.h"

namespace omnix {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

using Response = http::response<http::string_body>;

constexpr size_t kReadBytes = 16 << 10;
constexpr uint64_t kSmallBodyBytes = 64 << 10;
// A cancelled read may just be between two steps: it is cancelled again this much later.
constexpr absl::Duration kCancelAgain = absl::Milliseconds(100);
// After a refusal the rest of a request is read and dropped within these bounds, so that the client gets to read the
// answer.
constexpr absl::Duration kLingerTimeout = absl::Seconds(2);
constexpr uint64_t kMaxLingerBytes = 32 << 20;

constexpr unsigned kBadRequest = 400;
constexpr unsigned kRequestTimeout = 408;
constexpr unsigned kTooLarge = 413;
constexpr unsigned kUnsupportedMedia = 415;
constexpr unsigned kExpectationFailed = 417;
constexpr unsigned kHeaderTooLarge = 431;
constexpr unsigned kInternalError = 500;
constexpr unsigned kUnavailable = 503;
constexpr unsigned kVersionNotSupported = 505;
constexpr unsigned kHttp11 = 11;

ApiResponse BodyTooLarge(uint64_t limit) {
  return Problem(kTooLarge, fmt::format("the body is larger than {} bytes; of an Alertmanager: set max_alerts (1000, "
                                        "say) in the receiver's webhook_configs",
                                        limit));
}

// The headers that tell what a body is. Others may hold credentials and stay here.
std::map<std::string, std::string> BodyHeaders(const http::fields& fields) {
  constexpr std::string_view kCloudEvents = "ce-";
  std::map<std::string, std::string> headers;
  for (const auto& field : fields) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name == "content-type" || name.starts_with(kCloudEvents)) headers[name] = std::string(field.value());
  }
  return headers;
}

// Answers once; dropped unanswered, it says so.
class ConnectionResponder final : public Responder {
 public:
  ConnectionResponder(std::shared_ptr<HttpConnection> connection, uint64_t request)
      : connection_(std::move(connection)), request_(request) {}
  ~ConnectionResponder() override {
    Send(Problem(kInternalError, "the request was dropped without an answer; please report this"));
  }
  void Send(ApiResponse response) override {
    if (!answered_.exchange(true)) connection_->Answer(request_, std::move(response));
  }
  std::shared_ptr<EventStream> StartStream(std::function<void()> closed) override {
    if (answered_.exchange(true)) return nullptr;
    return connection_->AnswerWithStream(request_, std::move(closed));
  }

 private:
  std::shared_ptr<HttpConnection> connection_;
  uint64_t request_;
  std::atomic<bool> answered_ = false;
};

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpCore> core, Socket socket)
    : core_(std::move(core)),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      buffer_(2 * kReadBytes + core_->options.max_header_bytes) {}

HttpConnection::~HttpConnection() { Close(); }

void HttpConnection::Start(bool overloaded) {
  core_->Post(socket_.get_executor(), [self = shared_from_this(), overloaded] {
    Error ignored;
    self->socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (!overloaded) return self->ReadFirstBytes();
    self->Write(Problem(kUnavailable, "too many connections; come back later"), /*last=*/true);
  });
}

void HttpConnection::BeginShutdown() {
  if (state_ == State::kIdle) Close();
  if (stream_) stream_->End("event: end\ndata: {\"status\":503,\"detail\":\"the orchestrator stops\"}\n\n");
}

void HttpConnection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  Disarm();
  // It would keep the connection in memory until it goes off.
  timer_.cancel();
  Error ignored;
  socket_.close(ignored);
  ReleaseBody();
  if (auto stream = std::exchange(stream_, nullptr)) {
    core_->streams.fetch_sub(1);
    stream->Close();
  }
  const std::lock_guard lock(core_->mutex);
  core_->open.erase(this);
  if (core_->open.empty()) core_->all_closed.notify_all();
}

void HttpConnection::GiveWay() {
  if (WaitingFor().has_value()) Close();
}

std::optional<absl::Duration> HttpConnection::WaitingFor() const {
  const int64_t since = waiting_since_.load();
  if (since == 0) return std::nullopt;
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()) - absl::Nanoseconds(since);
}

void HttpConnection::SetWaiting(bool waiting) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  waiting_since_ = waiting ? std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() : 0;
}

void HttpConnection::Arm(absl::Duration duration, void (HttpConnection::*expired)()) {
  expired_ = expired;
  deadline_ = Clock::now() + absl::ToChronoNanoseconds(duration);
  if (!waits_until_ || deadline_ < *waits_until_) WaitUntil(deadline_);
}

void HttpConnection::WaitUntil(Clock::time_point time) {
  waits_until_ = time;
  timer_.expires_at(time);
  timer_.async_wait([self = shared_from_this(), wait = ++wait_](const Error& error) {
    if (!error && wait == self->wait_) self->OnTimer();
  });
}

void HttpConnection::OnTimer() {
  waits_until_.reset();
  if (expired_ == nullptr) return;
  if (Clock::now() < deadline_) return WaitUntil(deadline_);
  (this->*std::exchange(expired_, nullptr))();
}

void HttpConnection::ReadExpired() {
  if (state_ == State::kIdle) return Close();
  timed_out_ = true;
  socket_.cancel();
  Arm(kCancelAgain, &HttpConnection::ReadExpired);
}

void HttpConnection::ReadFirstBytes() {
  if (core_->draining) return Close();
  state_ = State::kIdle;
  SetWaiting(true);
  if (buffer_.size() > 0) return ReadHeader();
  Arm(request_ == 0 ? core_->options.header_timeout : core_->options.idle_timeout, &HttpConnection::ReadExpired);
  socket_.async_read_some(buffer_.prepare(kReadBytes), [self = shared_from_this()](const Error& error, size_t bytes) {
    if (self->state_ == State::kClosed) return;
    if (error) return self->Close();
    self->buffer_.commit(bytes);
    self->ReadHeader();
  });
}

void HttpConnection::ReadHeader() {
  state_ = State::kReading;
  timed_out_ = false;
  ++request_;
  match_ = {};
  user_.clear();
  head_ = false;
  parser_.emplace();
  parser_->header_limit(core_->options.max_header_bytes);
  parser_->body_limit(core_->options.max_body_bytes);
  if (const std::optional<Error> error = ParseWhatCame(); error || parser_->is_header_done()) {
    return OnHeader(error.value_or(Error()));
  }
  Arm(core_->options.header_timeout, &HttpConnection::ReadExpired);
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](const Error& error, size_t) { self->OnHeader(error); });
}

std::optional<HttpConnection::Error> HttpConnection::ParseWhatCame() {
  Error error;
  buffer_.consume(parser_->put(buffer_.data(), error));
  if (!error || error == http::error::need_more) return std::nullopt;
  return error;
}

void HttpConnection::OnReadError(const Error& error) {
  Disarm();
  if (timed_out_) return Write(Problem(kRequestTimeout, "the request did not come in time"), true);
  if (error == http::error::header_limit) {
    return Write(
        Problem(kHeaderTooLarge, fmt::format("the header is larger than {} bytes", core_->options.max_header_bytes)),
        true);
  }
  if (error == http::error::body_limit) {
    const uint64_t limit = match_.route != nullptr && match_.route->max_body_bytes > 0 ? match_.route->max_body_bytes
                                                                                       : core_->options.max_body_bytes;
    return Write(BodyTooLarge(limit), true);
  }
  if (error == http::error::bad_version) return Write(Problem(kVersionNotSupported, "HTTP/1.1 is spoken here"), true);
  if (error == http::error::end_of_stream || error == http::error::partial_message) return Close();
  if (error.category() == make_error_code(http::error::bad_method).category()) {
    return Write(Problem(kBadRequest, "no valid HTTP request: " + error.message()), true);
  }
  Close();
}

void HttpConnection::OnHeader(const Error& error) {
  if (state_ == State::kClosed) return;
  if (error) return OnReadError(error);
  Disarm();
  head_ = parser_->get().method() == http::verb::head;
  const auto coding = parser_->get()[http::field::transfer_encoding];
  if (!coding.empty() && !beast::iequals(coding, "chunked")) {
    // Nobody knows where such a body ends.
    return Write(Problem(kBadRequest, "of transfer encodings only \"chunked\" is known"), true);
  }
  std::optional<ApiResponse> refusal = RefuseHead();
  if (!refusal) refusal = RefuseBody();
  // A body that was not read would be taken for the next request.
  if (refusal) return Write(*std::move(refusal), !parser_->is_done());
  const auto& fields = parser_->get();
  if (parser_->is_done()) return Dispatch();
  if (!fields[http::field::expect].empty()) return Continue100();
  ReadBody();
}

std::optional<ApiResponse> HttpConnection::RefuseHead() {
  const auto& head = parser_->get();
  if (head.version() != kHttp11 && head.version() != kHttp11 - 1)
    return Problem(kVersionNotSupported, "HTTP/1.1 is spoken here");
  if (head.count(http::field::host) > 1 || (head.count(http::field::host) == 0 && head.version() == kHttp11)) {
    return Problem(kBadRequest, "exactly one Host header is needed");
  }
  const std::string target(head.target());
  if (!target.starts_with('/')) return Problem(kBadRequest, "the request's target must be a path");
  RequestHead access{std::string(head.method_string()), target.substr(0, target.find('?')),
                     std::string(head[http::field::host]), std::string(head[http::field::origin]),
                     std::string(head[http::field::authorization])};
  if (auto refusal = core_->policy.Refuse(access, &user_)) return refusal;
  match_ = core_->router.Find(access.method, target);
  if (match_.route == nullptr) return std::move(match_.problem);
  return std::nullopt;
}

std::optional<ApiResponse> HttpConnection::RefuseBody() {
  const auto& head = parser_->get();
  if (parser_->is_done()) return std::nullopt;
  const auto encoding = head[http::field::content_encoding];
  if (!encoding.empty() && !beast::iequals(encoding, "identity")) {
    return Problem(kUnsupportedMedia, "bodies are taken without Content-Encoding only");
  }
  const auto expect = head[http::field::expect];
  if (!expect.empty() && !beast::iequals(expect, "100-continue"))
    return Problem(kExpectationFailed, "only \"Expect: 100-continue\" is known");
  const uint64_t limit = match_.route->max_body_bytes > 0
                             ? std::min<uint64_t>(match_.route->max_body_bytes, core_->options.max_body_bytes)
                             : core_->options.max_body_bytes;
  const uint64_t length = parser_->content_length() ? *parser_->content_length() : limit;
  if (length > limit) return BodyTooLarge(limit);
  parser_->body_limit(limit);
  reserved_bytes_ = length;
  // Small ones are always taken: a few senders of large ones must not keep alerts out.
  const bool full = core_->bodies_bytes.fetch_add(length) + length > core_->options.max_bodies_bytes;
  if (full && length > kSmallBodyBytes) {
    ReleaseBody();
    return Problem(kUnavailable, "too many large requests are being read; come back later");
  }
  return std::nullopt;
}

void HttpConnection::ReleaseBody() { core_->bodies_bytes.fetch_sub(std::exchange(reserved_bytes_, 0)); }

void HttpConnection::Continue100() {
  Arm(core_->options.write_timeout, &HttpConnection::Close);
  auto go_on = std::make_shared<http::response<http::empty_body>>(http::status::continue_, kHttp11);
  http::async_write(socket_, *go_on, [self = shared_from_this(), go_on](const Error& error, size_t) {
    if (self->state_ == State::kClosed) return;
    if (error) return self->Close();
    self->ReadBody();
  });
}

void HttpConnection::ReadBody() {
  parser_->eager(true);
  if (buffer_.size() > 0) {
    const std::optional<Error> error = ParseWhatCame();
    if (error) return OnReadError(*error);
    if (parser_->is_done()) return Dispatch();
  }
  Arm(core_->options.body_timeout, &HttpConnection::ReadExpired);
  http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](const Error& error, size_t) {
    if (self->state_ == State::kClosed) return;
    if (error) return self->OnReadError(error);
    self->Dispatch();
  });
}

void HttpConnection::Dispatch() {
  state_ = State::kHandling;
  SetWaiting(false);
  Arm(core_->options.handler_timeout, &HttpConnection::HandlerExpired);
  auto& message = parser_->get();
  ApiRequest request;
  request.method = message.method_string();
  request.parameters = std::move(match_.parameters);
  request.query = std::move(match_.query);
  request.body = std::move(message.body());
  request.last_event_id = message["Last-Event-ID"];
  request.headers = BodyHeaders(message);
  request.user = user_;
  match_.route->handler(request, std::make_shared<ConnectionResponder>(shared_from_this(), request_));
}

void HttpConnection::HandlerExpired() {
  OnAnswer(request_, Problem(kUnavailable,
                             "no answer in time; whether a change was kept is not known: look before you repeat it"));
}

void HttpConnection::Answer(uint64_t request, ApiResponse response) {
  core_->Post(socket_.get_executor(), [self = shared_from_this(), request, response = std::move(response)]() mutable {
    self->OnAnswer(request, std::move(response));
  });
}

void HttpConnection::OnAnswer(uint64_t request, ApiResponse response) {
  if (state_ != State::kHandling || request != request_) return;
  Write(std::move(response), /*last=*/false);
}

void HttpConnection::Write(ApiResponse response, bool last) {
  state_ = State::kWriting;
  ReleaseBody();
  if (core_->observer) core_->observer(match_.route == nullptr ? "" : match_.route->pattern, response.status);
  const bool keep_alive = !last && parser_ && parser_->get().keep_alive() && !core_->draining &&
                          request_ < core_->options.max_requests_per_connection;
  auto message = std::make_shared<Response>(static_cast<http::status>(response.status), kHttp11);
  for (const auto& [name, value] : response.headers) message->insert(name, value);
  if (!response.content_type.empty()) message->set(http::field::content_type, response.content_type);
  message->set("X-Content-Type-Options", "nosniff");
  if (message->count(http::field::cache_control) == 0) message->set(http::field::cache_control, "no-store");
  message->content_length(response.body.size());
  message->body() = std::move(response.body);
  message->keep_alive(keep_alive);
  Arm(core_->options.write_timeout, &HttpConnection::Close);
  // HEAD: the header alone, with the length that GET would have.
  auto serializer = std::make_shared<http::response_serializer<http::string_body>>(*message);
  auto done = [self = shared_from_this(), message, serializer, keep_alive](const Error& error, size_t) {
    self->OnWritten(error, !keep_alive);
  };
  if (head_) {
    http::async_write_header(socket_, *serializer, std::move(done));
  } else {
    http::async_write(socket_, *serializer, std::move(done));
  }
}

void HttpConnection::OnWritten(const Error& error, bool last) {
  if (state_ == State::kClosed) return;
  Disarm();
  if (error) return Close();
  if (last) return Linger();
  ReadFirstBytes();
}

void HttpConnection::Linger() {
  if (state_ != State::kLingering) {
    state_ = State::kLingering;
    SetWaiting(true);
    Error ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    Arm(kLingerTimeout, &HttpConnection::Close);
    buffer_.clear();
  }
  socket_.async_read_some(buffer_.prepare(kReadBytes), [self = shared_from_this()](const Error& error, size_t bytes) {
    self->lingered_bytes_ += bytes;
    if (self->state_ == State::kClosed) return;
    if (error || self->lingered_bytes_ > kMaxLingerBytes) return self->Close();
    self->Linger();
  });
}

std::shared_ptr<EventStream> HttpConnection::AnswerWithStream(uint64_t request, std::function<void()> closed) {
  if (core_->streams.fetch_add(1) >= core_->options.max_event_streams) {
    core_->streams.fetch_sub(1);
    Answer(request, Problem(kUnavailable, "too many event streams are open"));
    return nullptr;
  }
  auto stream = std::make_shared<HttpStream>(weak_from_this(), core_->options.max_stream_bytes, std::move(closed));
  const bool posted = core_->Post(socket_.get_executor(), [self = shared_from_this(), request, stream] {
    if (self->state_ != State::kHandling || request != self->request_) {
      self->core_->streams.fetch_sub(1);
      stream->Close();
      return;
    }
    self->stream_ = stream;
    self->BeginStream();
  });
  if (!posted) stream->Close();
  return stream;
}

void HttpConnection::BeginStream() {
  state_ = State::kStreaming;
  ReleaseBody();
  if (core_->observer) core_->observer(match_.route->pattern, static_cast<unsigned>(http::status::ok));
  // Delimited by the connection's end.
  stream_chunk_ =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
  if (head_) {
    stream_->End("");
    stream_->Take();
  }
  WatchReader();
  Pump();
}

void HttpConnection::WatchReader() {
  buffer_.clear();
  // A reader of a stream says nothing more; bytes or an end mean that it has gone.
  socket_.async_read_some(buffer_.prepare(1), [self = shared_from_this()](const Error&, size_t) {
    if (self->state_ == State::kStreaming) self->Close();
  });
}

void HttpConnection::StreamReady() {
  core_->Post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->state_ == State::kStreaming) self->Pump();
  });
}

void HttpConnection::PingStream() { stream_->Send(": ping\n\n"); }

void HttpConnection::Pump() {
  if (stream_writing_) return;
  stream_chunk_ += stream_->Take();
  if (stream_chunk_.empty()) {
    if (stream_->ended()) return EndStream();
    return Arm(core_->options.stream_ping_interval, &HttpConnection::PingStream);
  }
  stream_writing_ = true;
  Arm(core_->options.write_timeout, &HttpConnection::Close);
  asio::async_write(socket_, asio::buffer(stream_chunk_), [self = shared_from_this()](const Error& error, size_t) {
    if (self->state_ == State::kClosed) return;
    if (error) return self->Close();
    self->stream_writing_ = false;
    self->stream_chunk_.clear();
    self->Pump();
  });
}

void HttpConnection::EndStream() {
  Error ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  // WatchReader's read ends when the reader closes its side, at the latest then:
  Arm(kLingerTimeout, &HttpConnection::Close);
}

}  // namespace omnix
