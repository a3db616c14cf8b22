#include "orchestrator/api/http_server.h"

#include <spdlog/spdlog.h>

#include <boost/asio/strand.hpp>
#include <cerrno>
#include <chrono>

#include "common/status.h"
#include "orchestrator/api/http_connection.h"
#include "orchestrator/api/http_core.h"

namespace omnix {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Error = boost::system::error_code;

// Connections beyond the limit that are being told so; further ones are closed at once.
constexpr size_t kMaxRefusals = 64;
// Connections that take the place of a slow one which has not gone yet.
constexpr size_t kMaxTakingPlaces = 64;
// A connection that has waited for its client for so long gives way where there is no room for a new one.
constexpr absl::Duration kMinWaiting = absl::Milliseconds(100);
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

absl::Status ListenError(const std::string& address, const char* step, const Error& error) {
  const std::string text = fmt::format("can't {} {}: {}", step, address, error.message());
  if (error == asio::error::address_in_use) return AlreadyExists("{}", text);
  if (error == asio::error::access_denied) return PermissionDenied("{}", text);
  return InvalidArgument("{}", text);
}

absl::Status Listen(HttpCore& core) {
  const HttpServerOptions& options = core.options;
  const std::string shown = fmt::format("{}:{}", options.listen_host, options.port);
  Error error;
  const auto address = asio::ip::make_address(options.listen_host, error);
  if (error) return InvalidArgument("\"{}\" is no numeric address to listen on", options.listen_host);
  const tcp::endpoint endpoint(address, options.port);
  core.acceptor.open(endpoint.protocol(), error);
  if (error) return ListenError(shown, "open", error);
  core.acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (error) return ListenError(shown, "set options for", error);
  core.acceptor.bind(endpoint, error);
  if (error) return ListenError(shown, "bind", error);
  core.acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return ListenError(shown, "listen on", error);
  return absl::OkStatus();
}

// The one that has kept its place longest without sending a whole request; null where none has for long. With the
// core's lock held.
std::shared_ptr<HttpConnection> SlowestLocked(HttpCore& core) {
  auto slowest = core.open.end();
  absl::Duration longest = kMinWaiting;
  for (auto entry = core.open.begin(); entry != core.open.end(); ++entry) {
    const auto waiting = entry->first->WaitingFor();
    if (!waiting.has_value() || *waiting < longest) continue;
    longest = *waiting;
    slowest = entry;
  }
  // One alone: the last reference to a connection must not go while the lock is held.
  return slowest == core.open.end() ? nullptr : slowest->second.lock();
}

void Serve(const std::shared_ptr<HttpCore>& core, tcp::socket socket) {
  auto connection = std::make_shared<HttpConnection>(core, std::move(socket));
  std::shared_ptr<HttpConnection> slowest;
  bool overloaded = false;
  bool admitted = false;
  {
    const std::lock_guard lock(core->mutex);
    overloaded = core->open.size() >= core->options.max_connections;
    // Slow senders must not keep others out.
    if (overloaded) slowest = SlowestLocked(*core);
    // Those that are told so must not keep the others from the places that become free.
    const size_t room = kMaxRefusals + (slowest == nullptr ? 0 : kMaxTakingPlaces);
    admitted = core->open.size() < core->options.max_connections + room;
    if (admitted) core->open.emplace(connection.get(), connection);
  }
  if (slowest != nullptr) slowest->OnStrand(&HttpConnection::GiveWay);
  if (admitted) connection->Start(overloaded && slowest == nullptr);
}

void Accept(const std::shared_ptr<HttpCore>& core) {
  core->acceptor.async_accept(asio::make_strand(core->io), [core](const Error& error, tcp::socket socket) {
    if (!core->acceptor.is_open() || error == asio::error::operation_aborted) return;
    if (!error) {
      Serve(core, std::move(socket));
      return Accept(core);
    }
    spdlog::warn("http: can't accept a connection: {}", error.message());
    auto pause = std::make_shared<asio::steady_timer>(core->acceptor.get_executor(), kAcceptPause);
    pause->async_wait([core, pause](const Error&) {
      if (!core->draining) Accept(core);
    });
  });
}

// Calls `method` of every open connection on its strand.
template <typename Method>
void ForAll(HttpCore& core, Method method) {
  std::vector<std::shared_ptr<HttpConnection>> connections;
  {
    const std::lock_guard lock(core.mutex);
    for (const auto& [pointer, weak] : core.open) {
      if (auto connection = weak.lock()) connections.push_back(std::move(connection));
    }
  }
  for (const auto& connection : connections) connection->OnStrand(method);
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options, Router router,
                                                              RequestObserver observer) {
  OMNIX_ASSIGN_OR_RETURN(AccessPolicy policy,
                         AccessPolicy::Create(options.listen_host, options.hosts, options.token_file));
  std::unique_ptr<HttpServer> server(new HttpServer);
  auto core = std::make_shared<HttpCore>(options, std::move(router), std::move(policy), std::move(observer));
  OMNIX_RETURN_IF_ERROR(Listen(*core));
  Error error;
  server->port_ = core->acceptor.local_endpoint(error).port();
  server->core_ = core;
  Accept(core);
  for (int i = 0; i < options.threads; ++i) server->threads_.emplace_back([core] { core->io.run(); });
  return server;
}

HttpServer::~HttpServer() { Stop(absl::ZeroDuration()); }

void HttpServer::Stop(absl::Duration grace) {
  if (threads_.empty()) return;
  core_->draining = true;
  core_->Post(core_->acceptor.get_executor(), [core = core_] {
    Error ignored;
    core->acceptor.close(ignored);
  });
  ForAll(*core_, &HttpConnection::BeginShutdown);
  {
    std::unique_lock lock(core_->mutex);
    core_->all_closed.wait_for(lock, absl::ToChronoNanoseconds(grace), [&] { return core_->open.empty(); });
  }
  ForAll(*core_, &HttpConnection::Close);
  {
    std::unique_lock lock(core_->mutex);
    core_->all_closed.wait(lock, [&] { return core_->open.empty(); });
    core_->stopped = true;
  }
  core_->work.reset();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace omnix
