// The command against a scripted operator service on a free port.
#include "cli/cli.h"

#include <google/protobuf/text_format.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <omnix/v1/operator.grpc.pb.h>

#include <fstream>
#include <mutex>
#include <sstream>

#include "cli/terminal.h"
#include "common/json.h"
#include "common/process.h"
#include "common/time.h"

namespace omnix {
namespace {

constexpr char kId[] = "INC-2025-09-04-001";
constexpr char kHash[] = "3f2a9c77d0e14b55aa003f2a9c77d0e14b55aa003f2a9c77d0e14b55aa000001";

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

v1::GetIncidentResponse WaitingIncident() {
  return Parse<v1::GetIncidentResponse>(R"(
    incident {
      id: "INC-2025-09-04-001" title: "404 on \033[31mproducts" severity: SEVERITY_CRITICAL phase: PHASE_RECOVERING sequence: 2
      opened_at { seconds: 1756969200 } started_at { seconds: 1756969140 }
      visits { phase: PHASE_RECOVERING entered_at { seconds: 1756969200 } reason: "diagnosis complete" }
      diagnosis {
        symptoms { component: "gateway" summary: "GET /v1/products: 404" }
        hypotheses { id: "h1" kind: "route.prefix_mismatch" component: "shop" title: "prefix /v1 is not served" confidence: 0.93
                     evidence_for: "e1" location { file: "httpClient.js" line: 3 } }
        ruled_out: "the database answers"
      }
      evidence { id: "e1" summary: "the same call without /v1 succeeds" }
      recoveries {
        number: 1
        plan { hash: "3f2a9c77d0e14b55aa003f2a9c77d0e14b55aa003f2a9c77d0e14b55aa000001" summary: "drop /v1" risk: RISK_LOW
               diff: "--- a/httpClient.js\n+++ b/httpClient.js\n@@ -3 +3 @@\n-'/v1'\n+''\033]0;x\007\n" }
        approval { state: APPROVAL_STATE_REQUESTED }
      }
    }
    waiting { what: "approval of plan 3f2a" since { seconds: 1756969230 } hint: "omnix incident approve INC-2025-09-04-001" })");
}

v1::WatchIncidentResponse EventUpdate(uint64_t sequence, const std::string& text) {
  v1::WatchIncidentResponse update;
  update.mutable_event()->set_incident_id(kId);
  update.mutable_event()->set_sequence(sequence);
  update.mutable_event()->mutable_time()->set_seconds(1756969200 + static_cast<int64_t>(sequence));
  update.mutable_event()->mutable_note_added();
  update.set_text(text);
  return update;
}

// One watched stream: what it sends, how it ends. The incident is as `after` from the stream's beginning on.
struct Stream {
  std::vector<v1::WatchIncidentResponse> updates;
  grpc::Status end;
  v1::GetIncidentResponse after;
};

class ScriptedOperator final : public v1::Operator::Service {
 public:
  grpc::Status GetIncident(grpc::ServerContext*, const v1::GetIncidentRequest* request,
                           v1::GetIncidentResponse* response) override {
    const std::lock_guard lock(mutex);
    if (request->incident_id() != kId)
      return {grpc::StatusCode::NOT_FOUND, "unknown incident; open: INC-2025-09-04-001"};
    *response = incident;
    return grpc::Status::OK;
  }
  grpc::Status ListIncidents(grpc::ServerContext*, const v1::ListIncidentsRequest* request,
                             v1::ListIncidentsResponse* response) override {
    const std::lock_guard lock(mutex);
    for (const auto& summary : listed) {
      if (!request->open_only() || summary.phase() != v1::PHASE_RESOLVED) *response->add_incidents() = summary;
    }
    return grpc::Status::OK;
  }
  grpc::Status CommandIncident(grpc::ServerContext*, const v1::CommandIncidentRequest* request,
                               v1::CommandIncidentResponse* response) override {
    const std::lock_guard lock(mutex);
    commands.push_back(*request);
    response->mutable_incident()->set_phase(v1::PHASE_RECOVERING);
    return grpc::Status::OK;
  }
  grpc::Status WatchIncident(grpc::ServerContext*, const v1::WatchIncidentRequest* request,
                             grpc::ServerWriter<v1::WatchIncidentResponse>* writer) override {
    Stream stream;
    {
      const std::lock_guard lock(mutex);
      watched_after.push_back(request->after_sequence());
      if (streams.empty()) return {grpc::StatusCode::INTERNAL, "more streams than scripted"};
      stream = streams.front();
      streams.erase(streams.begin());
      if (stream.after.has_incident()) incident = stream.after;
    }
    for (const auto& update : stream.updates) writer->Write(update);
    return stream.end;
  }

  std::mutex mutex;
  v1::GetIncidentResponse incident = WaitingIncident();
  std::vector<v1::IncidentSummary> listed;
  std::vector<v1::CommandIncidentRequest> commands;
  std::vector<Stream> streams;
  std::vector<uint64_t> watched_after;
};

struct Ran {
  int code;
  std::string out;
  std::string err;
};

class CliTest : public testing::Test {
 protected:
  void SetUp() override {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    target_ = "127.0.0.1:" + std::to_string(port);
    v1::IncidentSummary summary;
    summary.set_id(kId);
    summary.set_title("404 on \x1b[31mproducts of the shop");
    summary.set_severity(v1::SEVERITY_CRITICAL);
    summary.set_phase(v1::PHASE_RECOVERING);
    summary.mutable_opened_at()->set_seconds(1756969200);
    summary.set_alerts(2);
    summary.set_waiting_for("approval of plan 3f2a");
    service_.listed = {summary};
  }
  void TearDown() override { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1)); }

  enum class Where { kPipe, kTerminal };
  Ran Omnix(std::vector<std::string> args, Where where = Where::kPipe, const std::string& input = "", int width = 0,
            std::map<std::string, std::string> environment = {}) {
    std::istringstream in(input);
    std::ostringstream out, err;
    const ManualClock clock(absl::FromUnixSeconds(1756969260));
    CliIo io{.in = in, .out = out, .err = err, .clock = clock};
    io.in_is_terminal = io.out_is_terminal = where == Where::kTerminal;
    io.width = width;
    environment.try_emplace("OMNIX_ORCHESTRATOR", target_);
    environment.try_emplace("USER", "alice");
    io.environment = [&](const std::string& name) { return environment[name]; };
    const int code = RunCli(args, io);
    return {code, out.str(), err.str()};
  }

  ScriptedOperator service_;
  std::unique_ptr<grpc::Server> server_;
  std::string target_;
};

TEST_F(CliTest, ListIsATableForPeople) {
  EXPECT_EQ(Omnix({"incident", "list"}).out,
            "INCIDENT            SEVERITY  PHASE       OPENED                ALERTS  TITLE                             "
            "   WAITS FOR\n"
            "INC-2025-09-04-001  critical  Recovering  2025-09-04 07:00:00Z  2       404 on \\x1b[31mproducts of the "
            "shop  approval of plan 3f2a\n");
}

TEST_F(CliTest, TableFitsTheTerminal) {
  const Ran run = Omnix({"incident", "list"}, Where::kTerminal, "", 100, {{"NO_COLOR", "1"}});
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(DisplayWidth(line), 100) << line;
  EXPECT_NE(run.out.find("…"), std::string::npos);
  EXPECT_EQ(run.out.find('\x1b'), std::string::npos);
}

TEST_F(CliTest, ColoursOnlyOnATerminal) {
  EXPECT_NE(Omnix({"incident", "list"}, Where::kTerminal, "", 100).out.find("\x1b[31mcritical"), std::string::npos);
  EXPECT_EQ(Omnix({"incident", "show"}).out.find('\x1b'), std::string::npos);
}

TEST_F(CliTest, JsonAndYamlForPrograms) {
  const auto json = ParseJson(Omnix({"incident", "list", "-o", "json"}).out);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["incidents"][0]["waiting_for"], "approval of plan 3f2a");
  EXPECT_EQ((*json)["incidents"][0]["paused"], false);
  const std::string yaml = Omnix({"-o", "yaml", "incident", "list"}).out;
  EXPECT_NE(yaml.find("severity: SEVERITY_CRITICAL"), std::string::npos) << yaml;
  EXPECT_EQ(yaml.find('\x1b'), std::string::npos);
}

TEST_F(CliTest, AlertTestShowsWhatABodyBecomes) {
  const std::string body = R"({"alert_transition": "Triggered", "monitor_id": 12345, "title": "CPU\u001b[31m high",
    "alert_type": "error", "tags": "service:web", "date": 1704067200})";
  const Ran run = Omnix({"alert", "test", "-", "-o", "json"}, Where::kPipe, body);
  ASSERT_EQ(run.code, 0) << run.err;
  const auto json = ParseJson(run.out);
  ASSERT_TRUE(json.ok()) << run.out;
  EXPECT_EQ((*json)["format"], "datadog");
  EXPECT_EQ((*json)["alerts"][0]["fingerprint"], "datadog:12345");
  EXPECT_EQ((*json)["alerts"][0]["severity"], "error");
  EXPECT_EQ((*json)["alerts"][0]["starts_at"], "2024-01-01T00:00:00.000Z");
  EXPECT_EQ((*json)["alerts"][0]["ends_at"], nullptr);
  const Ran table = Omnix({"alert", "test", "--format", "datadog", "-"}, Where::kPipe, body);
  EXPECT_NE(table.out.find("datadog:12345"), std::string::npos) << table.out;
  EXPECT_EQ(table.out.find('\x1b'), std::string::npos);
  EXPECT_NE(Omnix({"alert", "test", "-o", "yaml", "-"}, Where::kPipe, body).out.find("format: datadog"),
            std::string::npos);
  const Ran broken = Omnix({"alert", "test", "-"}, Where::kPipe, "{\"a\": oops}");
  EXPECT_EQ(broken.code, 1);
  EXPECT_NE(broken.err.find("line 1, column 7"), std::string::npos) << broken.err;
  EXPECT_NE(Omnix({"alert", "test", "--format", "nagois", "-"}, Where::kPipe, "{}").err.find("nagios"),
            std::string::npos);
}

TEST_F(CliTest, ShowTellsAllThatIsKnown) {
  const Ran run = Omnix({"incident", "show", "001"});
  EXPECT_EQ(run.code, 0) << run.err;
  for (const char* part :
       {"404 on \\x1b[31mproducts", "Waits for   approval of plan 3f2a (since 2025-09-04 07:00:30Z, 30.0s ago)",
        "-> omnix incident approve", "93 %  prefix /v1 is not served", "at httpClient.js:3",
        "+ the same call without /v1 succeeds", "the database answers", "+''\\x1b]0;x\\x07", "diagnosis complete"}) {
    EXPECT_NE(run.out.find(part), std::string::npos) << part << " is missing in\n" << run.out;
  }
}

TEST_F(CliTest, ShowTellsWhatTheMonitorSaidAndTheIncidentsThatAlertsMovedTo) {
  v1::Incident& incident = *service_.incident.mutable_incident();
  v1::Alert& alert = *incident.add_alerts();
  alert.set_title("LatencyHigh");
  alert.set_description("p99 above 500 ms\nrunbook: look at the pool");
  v1::RelatedIncident& related = *incident.add_related();
  related.set_incident_id("INC-2025-09-04-002");
  related.set_relation(v1::RELATION_MERGED_FROM);
  related.mutable_at()->set_seconds(1756969230);
  const Ran run = Omnix({"incident", "show", "001"});
  for (const char* part : {"p99 above 500 ms", "runbook: look at the pool",
                           "Related     took the alerts of INC-2025-09-04-002 (2025-09-04 07:00:30Z)"}) {
    EXPECT_NE(run.out.find(part), std::string::npos) << part << " is missing in\n" << run.out;
  }
}

TEST_F(CliTest, ASilenceNeedsAnAuthorAndASpanOfTime) {
  const std::vector<std::string> add = {"silence", "add", "a=b", "--for", "3x"};
  const Ran nobody = Omnix(add, Where::kPipe, "", 0, {{"USER", ""}});
  EXPECT_NE(nobody.code, 0);
  EXPECT_NE(nobody.err.find("--by NAME"), std::string::npos) << nobody.err;
  EXPECT_NE(Omnix(add, Where::kPipe, "", 0, {{"USER", ""}, {"LOGNAME", "cron"}}).err.find("'3x' is no duration"),
            std::string::npos);
}

TEST_F(CliTest, UnknownIncidentNamesTheOpenOnes) {
  const Ran run = Omnix({"incident", "show", "INC-2020-01-01-009"});
  EXPECT_EQ(run.code, 1);
  EXPECT_NE(run.err.find("open: INC-2025-09-04-001"), std::string::npos);
}

TEST_F(CliTest, AmbiguousIncidentIsAUsageError) {
  service_.listed.push_back(service_.listed[0]);
  service_.listed[1].set_id("INC-2025-09-05-001");
  const Ran run = Omnix({"incident", "show", "001"});
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("INC-2025-09-05-001"), std::string::npos);
  service_.listed[1].set_phase(v1::PHASE_RESOLVED);
  EXPECT_EQ(Omnix({"incident", "show", "001"}).code, 0) << "the open one goes first";
}

TEST_F(CliTest, ApproveInAPipeNeedsYes) {
  const Ran run = Omnix({"incident", "approve"});
  EXPECT_EQ(run.code, 4);
  EXPECT_NE(run.err.find(std::string("--plan ") + kHash + " --yes"), std::string::npos) << run.err;
  EXPECT_TRUE(service_.commands.empty());
}

TEST_F(CliTest, ApproveSendsTheHashOfTheShownPlan) {
  const Ran run = Omnix({"incident", "approve", "--yes", "--reason", "looked at"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_NE(run.out.find("-'/v1'"), std::string::npos);
  ASSERT_EQ(service_.commands.size(), 1u);
  EXPECT_EQ(service_.commands[0].approve().plan_hash(), kHash);
  EXPECT_EQ(service_.commands[0].by(), "alice");
  EXPECT_EQ(service_.commands[0].reason(), "looked at");
}

TEST_F(CliTest, ApproveAsksOnATerminal) {
  EXPECT_EQ(Omnix({"incident", "approve"}, Where::kTerminal, "maybe\nno\n").code, 3);
  EXPECT_EQ(Omnix({"incident", "approve"}, Where::kTerminal, "").code, 4);
  EXPECT_TRUE(service_.commands.empty());
  EXPECT_EQ(Omnix({"incident", "approve"}, Where::kTerminal, "yes\n").code, 0);
  EXPECT_EQ(service_.commands.size(), 1u);
}

TEST_F(CliTest, ApproveRefusesAnotherPlan) {
  EXPECT_EQ(Omnix({"incident", "approve", "--yes", "--plan", "ffffffffffff"}).code, 1);
  EXPECT_EQ(Omnix({"incident", "approve", "--yes", "--plan", "3f"}).code, 2) << "too short to name a plan";
  EXPECT_TRUE(service_.commands.empty());
  service_.incident.mutable_incident()->mutable_recoveries(0)->mutable_approval()->set_state(
      v1::APPROVAL_STATE_FORBIDDEN);
  EXPECT_EQ(Omnix({"incident", "approve", "--yes"}).code, 3);
}

v1::GetIncidentResponse Ended(v1::Phase phase, uint64_t sequence) {
  v1::GetIncidentResponse answer = WaitingIncident();
  answer.mutable_incident()->set_phase(phase);
  answer.mutable_incident()->set_sequence(sequence);
  answer.clear_waiting();
  return answer;
}

TEST_F(CliTest, WatchContinuesAfterALostStreamWithoutLossOrRepetition) {
  auto asked = EventUpdate(3, "three");
  asked.mutable_event()->mutable_approval_requested();
  auto resolved = EventUpdate(5, "five");
  resolved.mutable_event()->mutable_incident_resolved();
  service_.streams = {
      {{EventUpdate(1, "one"), EventUpdate(2, "two"), asked}, {grpc::StatusCode::UNAVAILABLE, "stopping"}, {}},
      {{EventUpdate(3, "three again"), EventUpdate(4, "four"), resolved},
       grpc::Status::OK,
       Ended(v1::PHASE_RESOLVED, 5)}};
  const Ran run = Omnix({"incident", "watch"});
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(service_.watched_after, (std::vector<uint64_t>{0, 3}));
  EXPECT_EQ(run.out.find("three again"), std::string::npos);
  size_t at = 0;
  for (const char* line : {"  one\n", "  two\n", "  three\n", "-> omnix incident approve INC-2025-09-04-001\n",
                           "  four\n", "  five\n", "Resolved\n"}) {
    at = run.out.find(line, at);
    ASSERT_NE(at, std::string::npos) << line << " is missing or out of order in\n" << run.out;
  }
}

TEST_F(CliTest, WatchOfAnEscalatedIncidentFails) {
  service_.incident = Ended(v1::PHASE_ESCALATED, 2);
  service_.streams = {{{EventUpdate(1, "one"), EventUpdate(2, "two")}, grpc::Status::OK, {}}};
  EXPECT_EQ(Omnix({"incident", "watch"}).code, 1);
}

TEST_F(CliTest, ProgressIsInPlaceOnATerminalAndThrottledInAPipe) {
  v1::WatchIncidentResponse progress;
  progress.mutable_progress()->set_text("probing 24 routes");
  const Stream stream{{progress, progress, EventUpdate(2, "two")}, grpc::Status::OK, Ended(v1::PHASE_CANCELLED, 2)};
  service_.streams = {stream, stream};
  const std::string terminal = Omnix({"incident", "watch", kId}, Where::kTerminal, "", 60).out;
  EXPECT_NE(terminal.find("\r\x1b[K"), std::string::npos);
  const std::string pipe = Omnix({"incident", "watch", kId}).out;
  EXPECT_NE(pipe.find("probing 24 routes"), std::string::npos);
  EXPECT_EQ(pipe.find("probing 24 routes"), pipe.rfind("probing 24 routes")) << "twice in no time";
}

TEST_F(CliTest, ReportGoesWhereItIsAskedFor) {
  EXPECT_EQ(Omnix({"incident", "report"}).code, 1) << "no report yet";
  auto* artifact = service_.incident.mutable_incident()->mutable_document()->add_artifacts();
  artifact->set_name("report.md");
  artifact->set_content("# It\n");
  EXPECT_EQ(Omnix({"incident", "report"}).out, "# It\n");
  const std::string path = testing::TempDir() + "/omnix-cli-report.md";
  EXPECT_EQ(Omnix({"incident", "report", "--out", path}).code, 0);
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), "# It\n");
  std::remove(path.c_str());
}

TEST_F(CliTest, NoteTakesAnOptionalIncident) {
  EXPECT_EQ(Omnix({"incident", "note", "called the team"}).code, 0);
  EXPECT_EQ(Omnix({"incident", "note", "001", "status"}).code, 0);
  ASSERT_EQ(service_.commands.size(), 2u);
  EXPECT_EQ(service_.commands[0].note().text(), "called the team");
  EXPECT_EQ(service_.commands[1].note().text(), "status");
  EXPECT_EQ(service_.commands[1].incident_id(), kId);
}

TEST_F(CliTest, MistypedVerbsSuggestTheNearest) {
  const Ran run = Omnix({"incident", "aprove"});
  EXPECT_EQ(run.code, 2);
  EXPECT_NE(run.err.find("did you mean `omnix incident approve`?"), std::string::npos);
}

TEST_F(CliTest, UnreachableOrchestratorHasItsOwnCode) {
  EXPECT_EQ(Omnix({"status", "--orchestrator", "127.0.0.1:1"}).code, 5);
}

TEST_F(CliTest, CompletionOffersVerbsValuesAndOpenIncidents) {
  EXPECT_EQ(Omnix({"__complete", "incident", "app"}).out, "approve\n");
  EXPECT_EQ(Omnix({"__complete", "incident", "show", ""}).out, std::string(kId) + "\n");
  EXPECT_EQ(Omnix({"__complete", "-o", "j"}).out, "json\n");
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_NE(Omnix({"completion", shell}).out.find("omnix __complete"), std::string::npos);
}

TEST_F(CliTest, TheProgramItself) {
  const auto version = RunProcess({OMNIX_PROGRAM, "version"});
  ASSERT_TRUE(version.ok()) << version.status();
  EXPECT_EQ(version->exit_code, 0);
  EXPECT_TRUE(version->out.starts_with("omnix ")) << version->out;
  const auto list = RunProcess({OMNIX_PROGRAM, "incident", "list", "--orchestrator", target_});
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->exit_code, 0) << list->err;
  EXPECT_NE(list->out.find(kId), std::string::npos);
}

}  // namespace
}  // namespace omnix
