// The bare program of the same shape: an HTTP server (Beast) that parses the body, keeps of each alert one event row
// and one row of the alert as it stands (SQLite, synchronous=FULL, one commit for all that waited), and answers then.
// That is what the ceiling of steps keeps as well, and the least that a record of alerts which can be asked needs:
// what came, in order, and each alert once, found by its fingerprint. With "opens", each alert is an incident of its
// own: one more event (a phase) and the incident's row. No logic: what is left is the transport, the parser and the
// disk.
//
//   omnix-bench-alerts-ceiling PORT DATABASE [opens]
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
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
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
    "16777216; "
    "CREATE TABLE events (id INTEGER PRIMARY KEY, incident TEXT NOT NULL, sequence INTEGER NOT NULL, type TEXT NOT "
    "NULL, payload BLOB NOT NULL); "
    "CREATE UNIQUE INDEX events_by_incident ON events (incident, sequence); "
    "CREATE TABLE alerts (incident TEXT NOT NULL, fingerprint TEXT NOT NULL, title TEXT NOT NULL, severity TEXT NOT "
    "NULL, status TEXT NOT NULL, starts_at TEXT, count INTEGER NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (incident, "
    "fingerprint)) WITHOUT ROWID; "
    "CREATE TABLE incidents (opened_event INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, severity "
    "TEXT NOT NULL, phase TEXT NOT NULL, opened_at TEXT);";
constexpr char kIncident[] = "INC-2025-09-04-";
constexpr char kType[] = "AlertAttached";
constexpr char kPhase[] = "Investigating";

struct Row {
  std::string fingerprint;
  std::string title;
  std::string severity;
  std::string status;
  std::string starts_at;
  std::string payload;
};

struct Waiting {
  std::vector<Row> rows;
  std::function<void()> done;
};

// One thread writes all that came while it wrote the last time.
class Store {
 public:
  Store(const std::string& path, bool opens) : opens_(opens) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK ||
        sqlite3_exec(db_, kSetUp, nullptr, nullptr, nullptr) != SQLITE_OK) {
      Die(path + ": " + sqlite3_errmsg(db_));
    }
    event_ = Prepare("INSERT INTO events (incident, sequence, type, payload) VALUES (?1, ?2, ?3, ?4)");
    alert_ = Prepare(
        "INSERT INTO alerts (incident, fingerprint, title, severity, status, starts_at, count, payload) VALUES (?1, "
        "?2, "
        "?3, ?4, ?5, ?6, 1, ?7) ON CONFLICT (incident, fingerprint) DO UPDATE SET status = excluded.status, count = "
        "count + 1, payload = excluded.payload");
    incident_ = Prepare("INSERT INTO incidents (id, title, severity, phase, opened_at) VALUES (?1, ?2, ?3, ?4, ?5)");
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
  static void BindText(sqlite3_stmt* statement, int place, std::string_view text) {
    sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  static void BindBlob(sqlite3_stmt* statement, int place, const std::string& bytes) {
    sqlite3_bind_blob(statement, place, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  void InsertEvent(std::string_view incident, int64_t sequence, const std::string& payload) {
    BindText(event_, 1, incident);
    sqlite3_bind_int64(event_, 2, sequence);
    BindText(event_, 3, kType);
    BindBlob(event_, 4, payload);
    Step(event_);
  }
  void BindTexts(sqlite3_stmt* statement, std::initializer_list<std::string_view> texts) {
    int place = 0;
    for (const std::string_view text : texts) BindText(statement, ++place, text);
  }
  void Insert(const Row& row) {
    ++alerts_;
    const std::string incident = opens_ ? kIncident + std::to_string(alerts_) : kIncident;
    InsertEvent(incident, opens_ ? 1 : alerts_, row.payload);
    if (opens_) {
      InsertEvent(incident, 2, kPhase);
      BindTexts(incident_, {incident, row.title, row.severity, kPhase, row.starts_at});
      Step(incident_);
    }
    BindTexts(alert_, {incident, row.fingerprint, row.title, row.severity, row.status, row.starts_at});
    BindBlob(alert_, 7, row.payload);
    Step(alert_);
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
  sqlite3_stmt* event_ = nullptr;
  sqlite3_stmt* alert_ = nullptr;
  sqlite3_stmt* incident_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;
  const bool opens_;
  int64_t alerts_ = 0;
};

std::string TextOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Row RowOf(const Json& alert) {
  const Json none = Json::object();
  const Json& labels = alert.contains("labels") ? alert["labels"] : none;
  return {TextOf(alert, "fingerprint"), TextOf(labels, "alertname"), TextOf(labels, "severity"),
          TextOf(alert, "status"),      TextOf(alert, "startsAt"),   DumpJson(alert)};
}

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
      waiting.rows.push_back(RowOf(alert));
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
  if (argc < 3 || argc > 4) Die("usage: omnix-bench-alerts-ceiling PORT DATABASE [opens]");
  Store store(argv[2], argc == 4);
  asio::io_context io;
  tcp::acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), static_cast<uint16_t>(std::atoi(argv[1]))});
  Accept(io, acceptor, store);
  std::vector<std::thread> threads;
  for (int i = 1; i < kThreads; ++i) threads.emplace_back([&] { io.run(); });
  io.run();
}
