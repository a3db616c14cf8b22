#include "agents/checks/socket.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>

#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace asio = boost::asio;

absl::Status SocketError(const boost::system::error_code& error, const std::string& what) {
  if (error == asio::error::connection_refused)
    return Unavailable("{}: connection refused (nothing listens there)", what);
  if (error == asio::error::timed_out || error == boost::beast::error::timeout) {
    return DeadlineExceeded("{}: no answer in time", what);
  }
  if (error == asio::error::host_not_found || error == asio::error::host_not_found_try_again ||
      error == asio::error::no_data) {
    return Unavailable("{}: name not found", what);
  }
  return Unavailable("{}: {}", what, error.message());
}

absl::Status TryConnect(const HostPort& address, absl::Duration timeout) {
  const std::string what = fmt::format("connecting to {}:{}", address.host, address.port);
  asio::io_context io;
  asio::ip::tcp::resolver resolver(io);
  asio::ip::tcp::socket socket(io);
  absl::Status status = DeadlineExceeded("{}: no answer within {}", what, omnix::FormatDuration(timeout));
  resolver.async_resolve(address.host, address.port, [&](const auto& error, const auto& endpoints) {
    if (error) {
      status = SocketError(error, what);
      return;
    }
    asio::async_connect(socket, endpoints, [&](const auto& failed, const auto&) {
      status = failed ? SocketError(failed, what) : absl::OkStatus();
    });
  });
  io.run_for(absl::ToChronoMilliseconds(timeout));
  return status;
}

absl::Status TryConnect(const std::string& address, absl::Duration timeout) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  return parsed.ok() ? TryConnect(*parsed, timeout) : parsed.status();
}

}  // namespace omnix
