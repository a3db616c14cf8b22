// omnixd dies at each crash point that it passes while alerts wait for their occurrences, an incident is merged into
// another one, split, and taken up again by a late alert. No agents: the incidents' ends come from their alerts alone.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "common/http_client.h"
#include "common/json.h"
#include "orchestrator/core/evolve.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/sqlite_connection.h"
#include "tests/crash/story.h"
#include "tests/support/world.h"

namespace omnix::testing {
namespace {

constexpr char kGrouping[] = R"(rules:
  - {name: counted, match: {labels: {kind: counted}}, by: subject, occurrences: {count: 3, within: 1h}}
  - {name: alone, by: none, late: reopen}
)";

constexpr char kPlaybook[] = R"(
name: bare
budget: 10m
investigating:
  - {name: diagnose, type: nobody.diagnose}
validating:
  - {name: validate, type: nobody.validate, when: 'false'}
)";

// omnixd alone, with one death at most; started again wherever it died.
class Daemon {
 public:
  Daemon(std::optional<Death> death, Tracing tracing) : death_(std::move(death)), tracing_(tracing) {
    Spill(folder_ / "grouping.yaml", kGrouping);
    Spill(folder_ / "playbooks/bare.yaml", kPlaybook);
    Spill(folder_ / "system.yaml", "name: bare\nservices: [{name: disk}]\n");
    Start();
  }

  std::string journal() const { return folder_ / "data/journal.db"; }
  std::string key() const { return folder_ / "data/journal.key"; }
  bool died() const { return died_; }
  std::string Log() const { return Slurp(folder_ / "log"); }

  // Until it is acknowledged or refused; a death on the way is mended. `attempts` counts what was sent.
  Json Send(const std::string& method, const std::string& path, const Json& body, int* status, int* attempts) {
    HttpRequest request;
    request.method = method;
    request.url = fmt::format("http://127.0.0.1:{}{}", http_port_, path);
    request.headers = {{"Content-Type", "application/json"}};
    if (!body.is_null()) request.body = body.dump();
    Json answer;
    *status = 0;
    *attempts = 0;
    // What follows a failure says nothing, and would wait in vain.
    if (::testing::Test::HasFailure()) return answer;
    EXPECT_TRUE(WaitUntil([&] {
      StartTheDead();
      ++*attempts;
      const auto response = SendHttp(request);
      if (!response.ok() || response->status == 503) return false;
      *status = response->status;
      answer = ParseJson(response->body).value_or(nullptr);
      return true;
    })) << method
        << " " << path << "\n"
        << Log();
    return answer;
  }

  void Restart() {
    Stop();
    Start();
  }

  void Stop() {
    // A program that has only just been started dies of the signal like any other.
    int status = 0, attempts = 0;
    Send("GET", "/v1/incidents", nullptr, &status, &attempts);
    if (const int code = program_.Terminate(); code != 0) Bury(code);
  }

  Passes ReadPasses() const {
    Passes passes;
    for (int life = 1; life <= lives_; ++life) {
      std::istringstream lines(Slurp(TraceFile(life)));
      for (std::string point; std::getline(lines, point);) ++passes[{kOmnixd, life}][point];
    }
    return passes;
  }

 private:
  std::string TraceFile(int life) const { return folder_ / fmt::format("trace-{}", life); }

  void Start() {
    ++lives_;
    Environment environment;
    if (tracing_ == Tracing::kYes) environment["OMNIX_CRASH_TRACE"] = TraceFile(lives_);
    if (death_ && death_->life == lives_) {
      environment["OMNIX_CRASH_AT"] = fmt::format("{}:{}", death_->point, death_->count);
    }
    program_ =
        Program({ProgramPath(kOmnixd), "--data", folder_ / "data", "--grpc", fmt::format("127.0.0.1:{}", grpc_port_),
                 "--http", fmt::format("127.0.0.1:{}", http_port_), "--system", folder_ / "system.yaml", "--playbooks",
                 folder_ / "playbooks", "--grouping", folder_ / "grouping.yaml"},
                folder_ / "log", environment);
  }

  void Bury(int exit_code) {
    EXPECT_EQ(128 + SIGKILL, exit_code) << "omnixd ended by itself\n" << Log();
    EXPECT_TRUE(death_ && !died_) << "omnixd died unasked\n" << Log();
    died_ = true;
  }

  void StartTheDead() {
    if (program_.IsRunning()) return;
    Bury(program_.Terminate());
    Start();
  }

  const std::optional<Death> death_;
  const Tracing tracing_;
  TemporaryFolder folder_;
  const int grpc_port_ = FreePort();
  const int http_port_ = FreePort();
  Program program_;
  int lives_ = 0;
  bool died_ = false;
};

class MovedAlerts {
 public:
  explicit MovedAlerts(Daemon& daemon) : daemon_(daemon) {}

  void Tell() {
    ExpectPending("c1", "2026-01-01T00:00:00Z");
    ExpectPending("c2", "2026-01-01T00:01:00Z");
    const std::string a = Fire("a");
    into_ = Fire("b");
    again_ = Fire("r");
    ASSERT_EQ(3u, (std::set<std::string>{a, into_, again_}).size());
    merged_ = a;
    Move(a, "merge", {{"into", into_}});
    EXPECT_EQ(into_, Fire("a")) << "a merged alert is the other incident's";
    Say("r", "resolved", "");
    WaitForPhase(again_, "PHASE_RESOLVED");
    daemon_.Restart();
    Move(into_, "split", {{"fingerprints", {"a"}}});
    split_ = Fire("a");
    EXPECT_NE(into_, split_);
    EXPECT_NE(merged_, split_);
    EXPECT_EQ(again_, Fire("r")) << "the late alert takes its incident up again";
    const Json waiting = Get("/v1/alerts?pending_only=true");
    EXPECT_EQ(2u, waiting.value("alerts", Json::array()).size()) << waiting;
    counted_ = Say("c1", "firing", "2026-01-01T00:02:00Z").value("incident_id", "");
    EXPECT_FALSE(counted_.empty()) << "the third occurrence opens";
    EXPECT_EQ(counted_, Say("c2", "firing", "2026-01-01T00:03:00Z").value("incident_id", ""));
    EXPECT_TRUE(Get("/v1/alerts?pending_only=true").value("alerts", Json::array()).empty());
    daemon_.Stop();
  }

  void Check() {
    const auto report = VerifyJournal(daemon_.journal(), daemon_.key());
    ASSERT_TRUE(report.ok()) << report.status();
    Replay();
    const std::set<std::string> expected = {merged_, into_, again_, split_, counted_};
    EXPECT_EQ(expected.size(), events_.size()) << "an incident was lost or doubled";
    for (const auto& id : expected) EXPECT_TRUE(events_.contains(id)) << "lost: " << id;
    EXPECT_EQ(v1::PHASE_CANCELLED, states_[merged_].phase());
    EXPECT_EQ(1, Count(merged_, [](const v1::Event& e) { return e.has_alerts_moved(); }));
    EXPECT_EQ(1, Count(into_, [](const v1::Event& e) { return e.has_alerts_taken(); }));
    EXPECT_EQ(1, Count(into_, [](const v1::Event& e) { return e.has_alerts_moved(); })) << "split once";
    EXPECT_EQ(1, Count(again_, [](const v1::Event& e) { return e.has_incident_reopened(); }));
    const std::map<std::string, std::string> home = {
        {"a", split_}, {"b", into_}, {"r", again_}, {"c1", counted_}, {"c2", counted_}};
    const Rows before = AlertRows();
    std::multiset<std::pair<std::string, std::string>> rows, wanted(home.begin(), home.end());
    for (const auto& [fingerprint, incident, count] : before) rows.emplace(fingerprint, incident);
    EXPECT_EQ(wanted, rows) << "each alert is in one incident";
    for (const auto& [fingerprint, incident, count] : before) {
      // What came while it waited is in the occurrences, and counts once.
      const int64_t least = fingerprint.starts_with("c") ? 1 : acknowledged_[fingerprint];
      EXPECT_GE(count, least) << fingerprint << " was acknowledged more often than it is counted";
      EXPECT_LE(count, sent_[fingerprint]) << fingerprint << " is counted more often than it was sent";
    }
    for (const auto& [fingerprint, incident] : home) {
      EXPECT_TRUE(std::ranges::any_of(states_[incident].alerts(), [&](const v1::Alert& alert) {
        return alert.fingerprint() == fingerprint && alert.status() == v1::ALERT_STATUS_FIRING;
      })) << fingerprint;
    }
    ASSERT_TRUE(RebuildProjections(daemon_.journal()).ok());
    EXPECT_EQ(before, AlertRows()) << "the rows differ from what the events give";
  }

 private:
  using Rows = std::vector<std::tuple<std::string, std::string, int64_t>>;

  Json Say(const std::string& fingerprint, const std::string& status, const std::string& starts_at) {
    Json alert = {{"title", fingerprint + " fails"}, {"severity", "error"},     {"subject", "disk"}, {"status", status},
                  {"fingerprint", fingerprint},      {"labels", Json::object()}};
    if (fingerprint.starts_with("c")) alert["labels"]["kind"] = "counted";
    if (!starts_at.empty()) alert["starts_at"] = starts_at;
    int code = 0, attempts = 0;
    const Json answer = daemon_.Send("POST", "/v1/alerts/omnix", alert, &code, &attempts);
    EXPECT_EQ(200, code) << answer;
    sent_[fingerprint] += attempts;
    if (code != 200) return Json::object();
    ++acknowledged_[fingerprint];
    return answer["alerts"][0];
  }

  std::string Fire(const std::string& fingerprint) { return Say(fingerprint, "firing", "").value("incident_id", ""); }

  void ExpectPending(const std::string& fingerprint, const std::string& starts_at) {
    const Json answer = Say(fingerprint, "firing", starts_at);
    EXPECT_TRUE(answer.value("pending", false)) << answer;
  }

  Json Get(const std::string& path) {
    int code = 0, attempts = 0;
    Json answer = daemon_.Send("GET", path, nullptr, &code, &attempts);
    EXPECT_EQ(200, code) << path;
    return answer;
  }

  void WaitForPhase(const std::string& incident, const std::string& phase) {
    Json last;
    EXPECT_TRUE(WaitUntil([&] {
      last = Get("/v1/incidents/" + incident)["incident"]["phase"];
      return last == phase;
    })) << incident
        << " is in " << last << "\n"
        << daemon_.Log();
  }

  void Move(const std::string& incident, const std::string& how, Json body) {
    body["by"] = "test";
    body["reason"] = "a drill";
    int code = 0, attempts = 0;
    const Json answer = daemon_.Send("POST", "/v1/incidents/" + incident + "/" + how, body, &code, &attempts);
    // What was kept without being acknowledged is refused when it is asked for again.
    EXPECT_TRUE(code == 200 || (attempts > 1 && code >= 400 && code < 500)) << how << ": " << code << " " << answer;
  }

  void Replay() {
    auto db = SqliteConnection::Open(daemon_.journal(), SqliteConnection::Access::kReadOnly);
    ASSERT_TRUE(db.ok()) << db.status();
    const absl::Status read = (*db)->Query("SELECT payload FROM events ORDER BY id", [&](const SqliteRow& row) {
      v1::Event event;
      EXPECT_TRUE(event.ParseFromString(row.Blob(0)));
      Evolve(states_[event.incident_id()], event);
      auto& events = events_[event.incident_id()];
      events.push_back(event);
      EXPECT_EQ(events.size(), event.sequence()) << event.incident_id();
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
  }

  Rows AlertRows() {
    Rows rows;
    auto db = SqliteConnection::Open(daemon_.journal(), SqliteConnection::Access::kReadOnly);
    EXPECT_TRUE(db.ok()) << db.status();
    const absl::Status read =
        (*db)->Query("SELECT fingerprint, incident, count FROM alerts ORDER BY 1, 2", [&](const SqliteRow& row) {
          rows.emplace_back(row.Text(0), row.Text(1), row.Integer(2));
          return absl::OkStatus();
        });
    EXPECT_TRUE(read.ok()) << read;
    return rows;
  }

  template <typename Condition>
  int Count(const std::string& incident, Condition condition) {
    return static_cast<int>(std::ranges::count_if(events_[incident], condition));
  }

  Daemon& daemon_;
  std::string merged_, into_, again_, split_, counted_;
  std::map<std::string, int64_t> acknowledged_, sent_;
  std::map<std::string, std::vector<v1::Event>> events_;
  std::map<std::string, v1::Incident> states_;
};

// Gives the passes where they are traced.
bool Tell(const std::optional<Death>& death, Passes* passes) {
  SCOPED_TRACE(death ? fmt::format("omnixd dies in its life {} at {}:{}", death->life, death->point, death->count)
                     : "no death");
  Daemon daemon(death, passes == nullptr ? Tracing::kNo : Tracing::kYes);
  MovedAlerts story(daemon);
  story.Tell();
  story.Check();
  if (::testing::Test::HasFailure()) ADD_FAILURE() << daemon.Log();
  if (passes != nullptr) *passes = daemon.ReadPasses();
  return daemon.died();
}

TEST(MovedAlerts, AreNeitherLostNorDoubledByADeath) {
  Passes passes;
  Tell(std::nullopt, &passes);
  ASSERT_FALSE(::testing::Test::HasFailure());
  std::map<std::string, std::vector<Death>> chances;
  for (const auto& [life, points] : passes) {
    for (const auto& [point, count] : points) {
      for (int pass = 1; pass <= count; ++pass) chances[point].push_back({kOmnixd, life.second, point, pass});
    }
  }
  for (const char* point : {"alerts.pending", "alerts.before_opening", "alerts.half_merged", "alerts.merged",
                            "alerts.half_split", "alerts.split", "alerts.half_reopened", "journal.before_commit",
                            "journal.transaction_ended", "writer.appended"}) {
    EXPECT_TRUE(chances.contains(point)) << point << " is never passed";
  }
  int deaths = 0;
  for (const auto& [point, deaths_of_point] : chances) {
    // The other parts pass theirs in the crash matrix; what is kept of the alerts is decided in these.
    if (!point.starts_with("alerts.") && !point.starts_with("journal.") && !point.starts_with("writer.")) continue;
    std::seed_seq seeds(point.begin(), point.end());
    std::mt19937 random(seeds);
    deaths += Tell(deaths_of_point[random() % deaths_of_point.size()], nullptr);
    if (::testing::Test::HasFailure()) return;
  }
  // The last passes of some depend on the moment.
  EXPECT_GE(deaths, 15);
}

}  // namespace
}  // namespace omnix::testing
