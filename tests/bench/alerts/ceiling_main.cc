// The bare program of the same shape: an HTTP server (Beast) that parses the body, keeps one row an alert (SQLite,
// synchronous=FULL, one commit for all that waited) and answers then. No logic: what is left is the transport, the
// parser and the disk.
//
//   omnix-bench-alerts-ceiling PORT DATABASE
#include <fmt/format.h>
#include <sqlite3.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "common/json.h"
#include "tests/bench/support/child.h"

namespace omnix::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using Error = boost::system::error_code;

constexpr int kThreads = 2;
// As the journal sets its own connection up.
constexpr const char* kSetUp =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 200; PRAGMA journal_size_limit "
    "= "
    "16777216; CREATE TABLE alerts (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, payload BLOB NOT NULL);";

struct Row {
  std::string fingerprint;
  std::string payload;
};

struct Waiting {
  std::vector<Row> rows;
  std::function<void()> done;
};

// One thread writes all that came while it wrote the last time.
class Store {
 public:
  explicit Store(const std::string& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK ||
        sqlite3_exec(db_, kSetUp, nullptr, nullptr, nullptr) != SQLITE_OK) {
      Die(path + ": " + sqlite3_errmsg(db_));
    }
    insert_ = Prepare("INSERT INTO alerts (fingerprint, payload) VALUES (?1, ?2)");
    begin_ = Prepare("BEGIN IMMEDIATE");
    commit_ = Prepare("COMMIT");
    std::thread([this] { Run(); }).detach();
  }

  void Add(Waiting waiting) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(waiting));
    }
    wake_.notify_one();
  }

 private:
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) != SQLITE_OK) Die(sqlite3_errmsg(db_));
    return statement;
  }
  void Step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) Die(sqlite3_errmsg(db_));
    sqlite3_reset(statement);
  }
  void Insert(const Row& row) {
    sqlite3_bind_text(insert_, 1, row.fingerprint.data(), static_cast<int>(row.fingerprint.size()), SQLITE_STATIC);
    sqlite3_bind_blob(insert_, 2, row.payload.data(), static_cast<int>(row.payload.size()), SQLITE_STATIC);
    Step(insert_);
  }
  void Run() {
    while (true) {
      std::vector<Waiting> batch;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return !waiting_.empty(); });
        batch.swap(waiting_);
      }
      Step(begin_);
      for (const auto& waiting : batch) {
        for (const Row& row : waiting.rows) Insert(row);
      }
      Step(commit_);
      for (const auto& waiting : batch) waiting.done();
    }
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Store& store) : socket_(std::move(socket)), store_(store) {}

  void Read() {
    parser_.emplace();
    parser_->body_limit(8 << 20);
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](const Error& error, size_t) {
      if (!error) self->Handle();
    });
  }

 private:
  void Handle() {
    const auto& request = parser_->get();
    if (request.method() == http::verb::get) return Answer();
    const auto body = ParseJson(request.body());
    if (!body.ok()) return;
    Waiting waiting;
    for (const Json& alert : body->at("alerts")) {
      waiting.rows.push_back({alert.value("fingerprint", ""), DumpJson(alert)});
    }
    waiting.done = [self = shared_from_this()] {
      asio::post(self->socket_.get_executor(), [self] { self->Answer(); });
    };
    store_.Add(std::move(waiting));
  }

  void Answer() {
    response_ = {};
    response_.result(http::status::ok);
    response_.set(http::field::content_type, "application/json");
    response_.body() = "{}";
    response_.prepare_payload();
    http::async_write(socket_, response_, [self = shared_from_this()](const Error& error, size_t) {
      if (!error) self->Read();
    });
  }

  tcp::socket socket_;
  Store& store_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

void Accept(asio::io_context& io, tcp::acceptor& acceptor, Store& store) {
  acceptor.async_accept(asio::make_strand(io), [&](const Error& error, tcp::socket socket) {
    if (error) return;
    socket.set_option(tcp::no_delay(true));
    std::make_shared<Connection>(std::move(socket), store)->Read();
    Accept(io, acceptor, store);
  });
}

}  // namespace
}  // namespace omnix::bench

int main(int argc, char** argv) {
  using namespace omnix::bench;
  if (argc != 3) Die("usage: omnix-bench-alerts-ceiling PORT DATABASE");
  Store store(argv[2]);
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(std::atoi(argv[1]))});
  Accept(io, acceptor, store);
  std::vector<std::thread> threads;
  for (int i = 1; i < kThreads; ++i) threads.emplace_back([&] { io.run(); });
  io.run();
}
