#include "agents/checks/websocket_client.h"

#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <exception>

#include "agents/checks/socket.h"
#include "agents/checks/url.h"
#include "common/clock.h"
#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

constexpr size_t kMaxMessageBytes = 1 << 20;
constexpr int kSwitchingProtocols = 101;

auto Into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

class Conversation {
 public:
  Conversation(const WebSocketRequest& request, Url url)
      : request_(request),
        url_(std::move(url)),
        what_(fmt::format("{}://{}:{}{}", url_.scheme, url_.host, url_.port, PathOf(url_))) {}

  absl::StatusOr<WebSocketOutcome> Run() {
    asio::io_context io;
    start_ = clock_.Monotonic();
    absl::Status status =
        DeadlineExceeded("{}: no WebSocket within {}", what_, omnix::FormatDuration(request_.timeout));
    const bool tls = url_.scheme == "wss" || url_.scheme == "https";
    asio::co_spawn(io, tls ? OverTls() : OverTcp(), [&](const std::exception_ptr& thrown, absl::Status ended) {
      status = thrown ? Internal("{}: the WebSocket client failed", what_) : std::move(ended);
    });
    io.run_for(absl::ToChronoMilliseconds(request_.timeout));
    if (!status.ok() && !outcome_.accepted) return status;
    if (!status.ok()) outcome_.mistake = "the conversation did not end in time";
    return outcome_;
  }

 private:
  // No query: it may hold a token.
  static std::string PathOf(const Url& url) { return url.target.substr(0, url.target.find('?')); }

  asio::awaitable<absl::Status> Connect(beast::tcp_stream& stream) {
    error_code error;
    asio::ip::tcp::resolver resolver(stream.get_executor());
    const auto endpoints = co_await resolver.async_resolve(url_.host, url_.port, Into(error));
    if (!error) co_await stream.async_connect(endpoints, Into(error));
    co_return error ? SocketError(error, what_) : absl::OkStatus();
  }

  asio::awaitable<absl::Status> OverTcp() {
    websocket::stream<beast::tcp_stream> ws(co_await asio::this_coro::executor);
    const absl::Status connected = co_await Connect(ws.next_layer());
    if (!connected.ok()) co_return connected;
    co_return co_await Talk(ws);
  }

  asio::awaitable<absl::Status> OverTls() {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    error_code error;
    tls.set_default_verify_paths(error);
    tls.set_verify_mode(asio::ssl::verify_peer);
    tls.set_verify_callback(asio::ssl::host_name_verification(url_.host));
    websocket::stream<beast::ssl_stream<beast::tcp_stream>> ws(co_await asio::this_coro::executor, tls);
    const absl::Status connected = co_await Connect(beast::get_lowest_layer(ws));
    if (!connected.ok()) co_return connected;
    SSL_set_tlsext_host_name(ws.next_layer().native_handle(), url_.host.c_str());
    co_await ws.next_layer().async_handshake(asio::ssl::stream_base::client, Into(error));
    if (error) co_return Unavailable("{}: TLS failed: {}", what_, error.message());
    co_return co_await Talk(ws);
  }

  template <typename Socket>
  asio::awaitable<absl::Status> Talk(websocket::stream<Socket>& ws) {
    ws.read_message_max(kMaxMessageBytes);
    ws.set_option(websocket::stream_base::decorator([this](websocket::request_type& upgrade) {
      upgrade.set(beast::http::field::user_agent, "omnix");
      for (const auto& [name, value] : request_.headers) upgrade.set(name, value);
    }));
    ws.control_callback([this](websocket::frame_type kind, beast::string_view) {
      if (kind == websocket::frame_type::pong) outcome_.pong = true;
    });
    error_code error;
    websocket::response_type answer;
    const bool usual_port = url_.port == "80" || url_.port == "443";
    const std::string host = url_.host.find(':') == std::string::npos ? url_.host : "[" + url_.host + "]";
    const std::string host_field = usual_port ? host : host + ":" + url_.port;
    co_await ws.async_handshake(answer, host_field, url_.target, Into(error));
    outcome_.status = static_cast<int>(answer.result_int());
    if (error == websocket::error::upgrade_declined ||
        (error && outcome_.status != 0 && outcome_.status != kSwitchingProtocols)) {
      co_return absl::OkStatus();
    }
    if (error) co_return SocketError(error, what_ + ": WebSocket upgrade");
    outcome_.accepted = true;
    outcome_.status = kSwitchingProtocols;
    co_return co_await Exchange(ws);
  }

  template <typename Socket>
  asio::awaitable<absl::Status> Exchange(websocket::stream<Socket>& ws) {
    error_code error;
    const absl::Duration open_since = clock_.Monotonic();
    const absl::Duration hold_until = open_since + request_.hold;
    if (!request_.send.empty()) co_await ws.async_write(asio::buffer(request_.send), Into(error));
    const bool holds = request_.hold > absl::ZeroDuration();
    const websocket::ping_data nothing;
    if (!error && holds) co_await ws.async_ping(nothing, Into(error));
    bool expected = request_.expect.empty();
    while (!error && (!expected || clock_.Monotonic() < hold_until)) {
      const absl::Duration until = expected ? hold_until : start_ + request_.timeout;
      const absl::Duration left = until - clock_.Monotonic();
      if (left <= absl::ZeroDuration()) break;
      beast::get_lowest_layer(ws).expires_after(absl::ToChronoMilliseconds(left) + std::chrono::milliseconds(1));
      beast::flat_buffer buffer;
      co_await ws.async_read(buffer, Into(error));
      if (error == beast::error::timeout) break;
      if (error) continue;
      outcome_.last_message = beast::buffers_to_string(buffer.data());
      expected = expected || outcome_.last_message.find(request_.expect) != std::string::npos;
    }
    outcome_.held = clock_.Monotonic() - open_since;
    if (error == websocket::error::closed) {
      outcome_.mistake = fmt::format("the peer closed the connection (code {})", static_cast<int>(ws.reason().code));
    } else if (error && error != beast::error::timeout) {
      outcome_.mistake = "the connection broke: " + error.message();
    } else if (!expected) {
      outcome_.mistake = fmt::format("no message with '{}' came", request_.expect);
    } else if (holds && !outcome_.pong) {
      outcome_.mistake = "the ping was not answered";
    } else if (!error) {
      beast::get_lowest_layer(ws).expires_after(kCloseTimeout);
      co_await ws.async_close(websocket::close_code::normal, Into(error));
    }
    co_return absl::OkStatus();
  }

  static constexpr std::chrono::milliseconds kCloseTimeout{200};

  const WebSocketRequest& request_;
  const Url url_;
  const std::string what_;
  SystemClock clock_;
  absl::Duration start_;
  WebSocketOutcome outcome_;
};

}  // namespace

absl::StatusOr<WebSocketOutcome> ConverseOverWebSocket(const WebSocketRequest& request) {
  OMNIX_ASSIGN_OR_RETURN(Url url, ParseUrl(request.url));
  if (url.scheme != "ws" && url.scheme != "wss" && url.scheme != "http" && url.scheme != "https") {
    return InvalidArgument("'{}' is no scheme of a WebSocket; ws, wss, http and https are", url.scheme);
  }
  return Conversation(request, std::move(url)).Run();
}

}  // namespace omnix
