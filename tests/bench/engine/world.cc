#include "tests/bench/engine/world.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "common/http_client.h"
#include "common/json.h"
#include "common/status.h"
#include "tests/bench/engine/scenario.h"

namespace omnix::bench {
namespace {

constexpr uint32_t kMaxAlertsPerPost = 200;
constexpr int kCeilingAgents = 5;

std::string Program(const std::string& name) { return std::string(OMNIX_BIN_FOLDER) + "/" + name; }

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

World::World() : board_path_(folder_ / "board"), board_(MakeBoard(board_path_)) {
  syncs_ = std::make_unique<SyncCount>(folder_ / "syncs", OMNIX_SYNC_COUNTER);
}

double World::CpuSeconds() const {
  double seconds = 0;
  for (const auto& program : programs_) seconds += program->CpuSeconds();
  return seconds;
}

CeilingWorld::CeilingWorld(const RoundOptions& options) {
  const std::string port = std::to_string(FreePort());
  programs_.push_back(
      std::make_unique<Child>(std::vector<std::string>{Program("omnix-bench-ceiling-server"), port,
                                                       folder_ / "ceiling.db", std::to_string(options.in_flight)},
                              folder_ / "server.log", syncs_->environment()));
  for (int i = 0; i < kCeilingAgents; ++i) {
    programs_.push_back(std::make_unique<Child>(std::vector<std::string>{Program("omnix-bench-ceiling-agent"), port,
                                                                         board_path_, std::to_string(options.evidence)},
                                                folder_ / "agent.log"));
  }
}

uint64_t CeilingWorld::JournalBytes() const { return BytesOf(folder_ / "ceiling.db"); }

EngineWorld::EngineWorld(const RoundOptions& options) {
  const std::string grpc = fmt::format("127.0.0.1:{}", FreePort());
  const std::string http = fmt::format("127.0.0.1:{}", FreePort());
  http_ = "http://" + http;
  Write(folder_ / "system.yaml", SystemYaml());
  std::filesystem::create_directory(folder_ / "playbooks");
  Write(folder_ / "playbooks/bench.yaml", PlaybookYaml());
  programs_.push_back(
      std::make_unique<Child>(std::vector<std::string>{Program("omnixd"), "--data", folder_ / "data", "--system",
                                                       folder_ / "system.yaml", "--playbooks", folder_ / "playbooks",
                                                       "--grpc", grpc, "--http", http, "--log-level", "warning"},
                              folder_ / "omnixd.log", syncs_->environment()));
  WaitFor(
      [&] {
        HttpRequest request;
        request.url = http_ + "/readyz";
        const auto response = SendHttp(request);
        return response.ok() && response->status == 200;
      },
      "omnixd; see " + (folder_ / "omnixd.log"));
  for (const std::string& kind : AgentKinds()) {
    programs_.push_back(std::make_unique<Child>(std::vector<std::string>{Program("omnix-bench-agent"), grpc, kind,
                                                                         board_path_, std::to_string(options.evidence)},
                                                folder_ / "agent.log"));
  }
  feeder_ = std::thread([this, in_flight = options.in_flight] { Feed(in_flight); });
}

EngineWorld::~EngineWorld() { StopFeeding(); }

void EngineWorld::StopFeeding() {
  stopping_ = true;
  if (feeder_.joinable()) feeder_.join();
}

uint64_t EngineWorld::ResidentBytesAfterLoad() {
  StopFeeding();
  WaitFor([&] { return board_->finished >= posted_; }, "the incidents in flight to end");
  // Memory is given back little by little, for some seconds.
  constexpr int kSteadySeconds = 3;
  constexpr int kLongestSeconds = 12;
  uint64_t least = orchestrator().ResidentBytes();
  for (int second = 0, steady = 0; steady < kSteadySeconds && second < kLongestSeconds; ++second) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const uint64_t now = orchestrator().ResidentBytes();
    steady = now < least ? 0 : steady + 1;
    least = std::min(least, now);
  }
  return orchestrator().ResidentBytes();
}

uint64_t EngineWorld::JournalBytes() const { return BytesOf(folder_ / "data/journal.db"); }

uint64_t EngineWorld::Events() const {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  uint64_t events = 0;
  if (sqlite3_open_v2((folder_ / "data/journal.db").c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(db, "SELECT max(id) FROM events", -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    events = static_cast<uint64_t>(sqlite3_column_int64(statement, 0));
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return events;
}

void EngineWorld::Feed(uint32_t in_flight) {
  PostAlerts(in_flight);
  uint32_t finished = 0;
  while (!stopping_) {
    const uint32_t now = board_->WaitForFinished(finished);
    if (now != finished) PostAlerts(now - finished);
    finished = now;
  }
}

void EngineWorld::PostAlerts(uint32_t count) {
  while (count > 0) {
    const uint32_t here = std::min(count, kMaxAlertsPerPost);
    Json alerts = Json::array();
    for (uint32_t i = 0; i < here; ++i) alerts.push_back(AlertJson(++posted_));
    HttpRequest request;
    request.method = "POST";
    request.url = http_ + "/v1/alerts/alertmanager";
    request.headers = {{"Content-Type", "application/json"}};
    request.body = WebhookJson(std::move(alerts)).dump();
    const auto response = SendHttp(request);
    if (stopping_) return;
    if (!response.ok()) Die(Message(response.status()));
    if (response->status / 100 != 2) Die(fmt::format("POST alerts: {} {}", response->status, response->body));
    count -= here;
  }
}

}  // namespace omnix::bench
