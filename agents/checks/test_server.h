// A real HTTP and WebSocket server on a free port of 127.0.0.1, for tests: answers as its script says.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace omnix {

class TestServer {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  using Script = std::function<void(const Request& request, Response& response)>;

  // An upgrade is accepted at `websocket_path` and echoes; elsewhere the script answers it.
  explicit TestServer(Script script, std::string websocket_path = "")
      : script_(std::move(script)),
        websocket_path_(std::move(websocket_path)),
        acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}) {
    port_ = acceptor_.local_endpoint().port();
    thread_ = std::jthread([this] { Accept(); });
  }
  ~TestServer() {
    shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
  }
  std::string Address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string Url(const std::string& path = "") const { return "http://" + Address() + path; }

 private:
  using Socket = boost::asio::ip::tcp::socket;

  void Accept() {
    for (;;) {
      boost::system::error_code error;
      Socket socket = acceptor_.accept(error);
      if (error) return;
      peers_.emplace_back([this, peer = std::move(socket)]() mutable { Serve(std::move(peer)); });
    }
  }

  void Serve(Socket socket) {
    boost::system::error_code error;
    boost::beast::flat_buffer buffer;
    Request request;
    boost::beast::http::read(socket, buffer, request, error);
    if (error) return;
    if (boost::beast::websocket::is_upgrade(request) && request.target() == websocket_path_)
      return Echo(std::move(socket), request);
    Response response(boost::beast::http::status::ok, request.version());
    {
      const std::scoped_lock lock(mutex_);
      script_(request, response);
    }
    response.keep_alive(false);
    if (request.method() == boost::beast::http::verb::head) response.body().clear();
    response.prepare_payload();
    boost::beast::http::write(socket, response, error);
    socket.shutdown(Socket::shutdown_both, error);
  }

  static void Echo(Socket socket, const Request& request) {
    boost::system::error_code error;
    boost::beast::websocket::stream<Socket> ws(std::move(socket));
    ws.accept(request, error);
    while (!error) {
      boost::beast::flat_buffer message;
      ws.read(message, error);
      if (!error && boost::beast::buffers_to_string(message.data()) == "close me") return ws.close({}, error);
      if (!error) ws.write(message.data(), error);
    }
  }

  Script script_;
  std::string websocket_path_;
  std::mutex mutex_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  uint16_t port_ = 0;
  std::vector<std::jthread> peers_;
  std::jthread thread_;
};

}  // namespace omnix
