#include "tests/storm/server.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <fstream>
#include <sstream>

#include "common/http_client.h"

namespace omnix::storm {

Server::Server() {
  std::ofstream(folder_ / "system.yaml") << "name: storm\nservices:\n  - name: " << kService << "\n    kind: backend\n";
  child_ = std::make_unique<bench::Child>(
      std::vector<std::string>{std::string(OMNIX_BIN_FOLDER) + "/omnixd", "--data", folder_ / "data", "--system",
                               folder_ / "system.yaml", "--grpc", grpc_address(), "--http",
                               fmt::format("127.0.0.1:{}", http_port_), "--log-level", "warning"},
      folder_ / "omnixd.log");
  bench::WaitFor(
      [&] {
        if (!child_->IsRunning()) bench::Die("omnixd ended: " + Log());
        HttpRequest request;
        request.url = fmt::format("http://127.0.0.1:{}/readyz", http_port_);
        const auto response = SendHttp(request);
        return response.ok() && response->status == 200;
      },
      "omnixd");
}

uint64_t Server::CountInJournal(const std::string& sql) const {
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  uint64_t count = 0;
  const std::string uri = "file:" + (folder_ / "data/journal.db") + "?mode=ro";
  constexpr int kBusyMs = 10'000;
  const bool ready =
      sqlite3_open_v2(uri.c_str(), &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr) == SQLITE_OK &&
      sqlite3_busy_timeout(database, kBusyMs) == SQLITE_OK &&
      sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK;
  if (!ready || sqlite3_step(statement) != SQLITE_ROW) bench::Die(sql + ": " + sqlite3_errmsg(database));
  count = static_cast<uint64_t>(sqlite3_column_int64(statement, 0));
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return count;
}

std::string Server::Log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "omnixd.log").rdbuf();
  return text.str();
}

}  // namespace omnix::storm
