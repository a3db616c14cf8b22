// What the connections of one HTTP server share. Internal to the server.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

#include "orchestrator/api/http_server.h"

namespace omnix {

class HttpConnection;

// Lives as long as its last connection or answer to come, so that an answer that comes after Stop finds it.
struct HttpCore {
  HttpCore(HttpServerOptions o, Router r, AccessPolicy p, RequestObserver f)
      : options(std::move(o)), router(std::move(r)), policy(std::move(p)), observer(std::move(f)) {}

  // Runs `action` on the executor. False, and the action dropped, where the server has stopped. Thread-safe.
  template <typename Executor, typename Action>
  bool Post(const Executor& executor, Action action) {
    const std::lock_guard lock(mutex);
    if (stopped) return false;
    boost::asio::post(executor, std::move(action));
    return true;
  }

  const HttpServerOptions options;
  const Router router;
  const AccessPolicy policy;
  const RequestObserver observer;
  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  boost::asio::ip::tcp::acceptor acceptor{io};

  std::atomic<bool> draining = false;
  std::atomic<size_t> streams = 0;
  std::atomic<uint64_t> bodies_bytes = 0;

  std::mutex mutex;
  // Signalled when `open` becomes empty.
  std::condition_variable all_closed;
  std::map<HttpConnection*, std::weak_ptr<HttpConnection>> open;
  bool stopped = false;
};

}  // namespace omnix
