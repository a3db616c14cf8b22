#include "orchestrator/api/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "common/file.h"
#include "common/hash.h"
#include "common/json.h"
#include "orchestrator/api/routes.h"
#include "orchestrator/engine/scripted_operator.h"

namespace omnix {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr int kReadDeadlineMs = 10'000;
constexpr const char* kAlert = R"({"title":"down"})";

// A raw client: sends bytes, reads until the server closes or `marker` came.
class Client {
 public:
  explicit Client(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  std::string ReadUntil(const std::string& marker) {
    while (marker.empty() || text_.find(marker) == std::string::npos) {
      pollfd poll_entry{socket_, POLLIN, 0};
      if (::poll(&poll_entry, 1, kReadDeadlineMs) <= 0) {
        ADD_FAILURE() << "nothing more came; so far: " << text_;
        return text_;
      }
      char chunk[65536];
      const ssize_t got = ::recv(socket_, chunk, sizeof(chunk), 0);
      if (got <= 0) break;
      text_.append(chunk, static_cast<size_t>(got));
    }
    return text_;
  }
  std::string ReadAll() { return ReadUntil(""); }

 private:
  int socket_;
  std::string text_;
};

std::string Request(const std::string& line, const std::string& headers = "", const std::string& body = "") {
  std::string text = line + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers;
  if (headers.find("Connection:") == std::string::npos) text += "Connection: close\r\n";
  if (!body.empty()) text += fmt::format("Content-Length: {}\r\n", body.size());
  return text + "\r\n" + body;
}

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.port = 0;
    v1::Incident incident;
    incident.set_id("INC-1");
    auto* artifact = incident.mutable_document()->add_artifacts();
    artifact->set_name("report.html");
    artifact->set_media_type("text/html");
    artifact->set_content("<h1>Report</h1>");
    twin_.SetIncident(incident);
    v1::GetStatusResponse status;
    status.set_journal("ok");
    status.set_open_incidents(3);
    twin_.SetStatus(status);
  }
  void Start() {
    Router router(ApiRoutes({&twin_, intake_.get(), &metrics_, &clock_}));
    auto server = HttpServer::Start(options_, std::move(router), [this](const std::string& route, unsigned status) {
      metrics_.CountRequest(route, status);
    });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Ask(const std::string& bytes) {
    if (!server_) Start();
    Client client(server_->port());
    client.Send(bytes);
    return client.ReadAll();
  }
  std::string Post(const std::string& path, const std::string& body) { return Ask(Request("POST " + path, "", body)); }

  ScriptedOperator twin_;
  std::unique_ptr<AlertIntake> intake_ = *AlertIntake::Create({});
  Metrics metrics_;
  SystemClock clock_;
  HttpServerOptions options_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AlertIsAcknowledgedOnlyOnceItIsKept) {
  twin_.HoldAlerts();
  Start();
  Client client(server_->port());
  client.Send(Request("POST /v1/alerts/omnix", "", kAlert));
  ASSERT_TRUE(twin_.WaitFor([&] { return twin_.held() == 1; }));
  Client other(server_->port());
  other.Send(Request("GET /healthz"));
  EXPECT_THAT(other.ReadAll(), StartsWith("HTTP/1.1 200"));
  twin_.ReleaseAlerts();
  const std::string answer = client.ReadAll();
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr(R"("incident_id":"INC-2025-09-04-001")"),
                            HasSubstr(R"("opened":true)"), HasSubstr(R"("duplicate":false)")));
}

TEST_F(HttpServerTest, SaysWhatIsWrongWithAnAlert) {
  EXPECT_THAT(Post("/v1/alerts/omnix", "{\"title\":\n \"hunter2"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("line 2"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(Post("/v1/alerts/omnix", "{\"title\":\"\xff\xfe\"}"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Post("/v1/alerts/omnix", std::string(100'000, '[')), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Post("/v1/alerts/omnix", R"({"tilte":"x"})"), AllOf(StartsWith("HTTP/1.1 422"), HasSubstr("/tilte")));
  EXPECT_THAT(Post("/v1/alerts/nagois", kAlert),
              AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("alertmanager, "), HasSubstr(", omnix, ")));
  EXPECT_THAT(Post("/v1/alerts/zabbix", R"({"event_id":"hunter2"})"),
              AllOf(StartsWith("HTTP/1.1 422"), HasSubstr("/trigger_name"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(Post("/v1/alerts/alertmanager", R"({"truncatedAlerts":4,"alerts":[{"labels":{"a":"b"}}]})"),
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr(R"("truncated_alerts":4)")));
}

TEST_F(HttpServerTest, AlertsWithoutAFormatAreRecognized) {
  EXPECT_THAT(Post("/v1/alerts", kAlert), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr(R"("format":"omnix")")));
  EXPECT_THAT(Post("/v1/alerts", R"({"some":"thing"})"),
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr(R"("format":"unknown")"), HasSubstr("unknown severity")));
  const std::string event = "ce-specversion: 1.0\r\nCE-Type: com.shop\r\nce-source: /shop\r\nce-id: A1\r\n";
  EXPECT_THAT(Ask(Request("POST /v1/alerts", event + "Content-Type: text/plain\r\n", "it broke")),
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("cloudevents:/shop:A1")));
}

TEST_F(HttpServerTest, PagerDutysSendersAreAnsweredAsByPagerDuty) {
  const std::string trigger =
      R"({"routing_key":"R0UTINGKEY","event_action":"trigger","dedup_key":"k1","payload":{"summary":"s","source":"h","severity":"error"}})";
  for (const char* path : {"/v2/enqueue", "/v1/alerts/pagerduty", "/v1/alerts"}) {
    EXPECT_THAT(Post(path, trigger), AllOf(StartsWith("HTTP/1.1 202"), HasSubstr(R"("dedup_key":"k1")"),
                                           HasSubstr(R"("status":"success")"), Not(HasSubstr("R0UTINGKEY"))));
  }
  EXPECT_THAT(Post("/v2/enqueue", R"({"routing_key":"R0UTINGKEY","event_action":"acknowledge","dedup_key":"k1"})"),
              AllOf(StartsWith("HTTP/1.1 202"), HasSubstr(R"("dedup_key":"k1")"), HasSubstr(R"("status":"success")")));
  EXPECT_THAT(
      Post("/v2/enqueue", R"({"routing_key":"R0UTINGKEY","event_action":"trigger"})"),
      AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("invalid event"), HasSubstr("'payload' is missing or blank")));
  EXPECT_THAT(Post("/v2/enqueue", "{"),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("invalid event"), HasSubstr("column 2")));
  twin_.FailWith(Unavailable("disk full"));
  EXPECT_THAT(Post("/v2/enqueue", trigger), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After")));
}

TEST_F(HttpServerTest, AHandshakeOfSnsIsAnsweredAndKeepsNothing) {
  EXPECT_THAT(
      Post(
          "/v1/alerts/cloudwatch",
          R"({"Type":"SubscriptionConfirmation","TopicArn":"arn:aws:sns:eu-west-1:1:t","SubscribeURL":"https://sns.eu-west-1.amazonaws.com/"})"),
      AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("waits for confirmation"), HasSubstr(R"("alerts":[])")));
  EXPECT_TRUE(twin_.alerts.empty());
}

TEST_F(HttpServerTest, OverloadAndOutageAre503WithRetryAfter) {
  for (const absl::Status& status : {Unavailable("disk full"), ResourceExhausted("queue full")}) {
    twin_.FailWith(status);
    EXPECT_THAT(Post("/v1/alerts/omnix", kAlert),
                AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: "), HasSubstr("full")));
  }
}

TEST_F(HttpServerTest, BodyBeyondTheLimitIsRefusedWithAdvice) {
  const std::string body(options_.max_body_bytes + 1, ' ');
  EXPECT_THAT(Post("/v1/alerts/omnix", body), AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("set max_alerts")));
  std::string chunked = "POST /v1/alerts/omnix HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  chunked += fmt::format("{:x}\r\n", body.size()) + body + "\r\n0\r\n\r\n";
  EXPECT_THAT(Ask(chunked), StartsWith("HTTP/1.1 413"));
  const std::string fitting = std::string(options_.max_body_bytes - strlen(kAlert), ' ') + kAlert;
  EXPECT_THAT(Post("/v1/alerts/omnix", fitting), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Post("/v1/incidents", std::string(kMaxCommandBodyBytes + 1, ' ')), StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, RoutesAndMethodsAreExplained) {
  EXPECT_THAT(
      Ask(Request("GET /v1/incidents/INC-1/evnets")),
      AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("GET /v1/incidents/{id}/events"), Not(HasSubstr("/v1/agents"))));
  EXPECT_THAT(Ask(Request("DELETE /v1/incidents")),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD, POST")));
  EXPECT_THAT(Ask(Request("GET /v1/incidents?limit=x")), AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("limit")));
  EXPECT_THAT(Ask(Request("GET /v1/incidents?lmit=1")),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("open_only, limit")));
  EXPECT_THAT(Ask(Request("GET /v1/incidents?limit=%zz")), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask(Request("GET /v1/incidents/INC-9")), AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("no incident")));
}

TEST_F(HttpServerTest, ServesTheJsonApi) {
  EXPECT_THAT(Ask(Request("GET /v1/incidents?limit=7")), AllOf(StartsWith("HTTP/1.1 200"), HasSubstr(R"("alerts":7)")));
  EXPECT_THAT(Ask(Request("GET /v1/incidents/INC-1/events?after_sequence=41")), HasSubstr(R"("sequence":"42")"));
  EXPECT_THAT(Ask(Request("GET /v1/agents")), HasSubstr("recovery-agent@web1"));
  EXPECT_THAT(Post("/v1/incidents", kAlert), AllOf(StartsWith("HTTP/1.1 201"), HasSubstr("incident_id")));
  EXPECT_THAT(Post("/v1/incidents/INC-1/approve", R"({"by":"ann","plan_hash":"3f2a"})"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Post("/v1/incidents/INC-1/approve", "{}"), AllOf(StartsWith("HTTP/1.1 422"), HasSubstr("/plan_hash")));
  EXPECT_THAT(Post("/v1/incidents/INC-1/pause", R"({"plan_hash":"x"})"), StartsWith("HTTP/1.1 422"));
  EXPECT_THAT(Ask(Request("POST /v1/incidents/INC-1/pause", "Content-Length: 0\r\n")), StartsWith("HTTP/1.1 200"));
  ASSERT_EQ(twin_.commands.size(), 2u);
  EXPECT_EQ(twin_.commands[0].approve().plan_hash(), "3f2a");
  EXPECT_EQ(twin_.commands[0].by(), "ann");
  EXPECT_TRUE(twin_.commands[1].has_pause());
  EXPECT_THAT(Ask(Request("GET /v1/incidents/INC-1/artifacts/report.html")),
              AllOf(HasSubstr("Content-Security-Policy: sandbox"), HasSubstr("<h1>Report</h1>")));
  twin_.FailWith(FailedPrecondition("nothing to approve"));
  EXPECT_THAT(Post("/v1/incidents/INC-1/approve", R"({"plan_hash":"3f2a"})"), StartsWith("HTTP/1.1 409"));
}

TEST_F(HttpServerTest, ReadinessFollowsTheJournal) {
  EXPECT_THAT(Ask(Request("GET /readyz")), StartsWith("HTTP/1.1 200"));
  v1::GetStatusResponse status;
  status.set_journal("disk full");
  twin_.SetStatus(status);
  EXPECT_THAT(Ask(Request("GET /readyz")), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("disk full")));
  EXPECT_THAT(Ask(Request("GET /metrics")),
              AllOf(HasSubstr("omnix_journal_ok 0"),
                    HasSubstr(R"(omnix_http_requests_total{route="/readyz",status="503"} 1)")));
}

TEST_F(HttpServerTest, KeepsAliveAndAnswersPipelinedRequestsInOrder) {
  Start();
  Client client(server_->port());
  const std::string keep = "Connection: keep-alive\r\n";
  client.Send(Request("GET /healthz", keep) + Request("POST /v1/alerts/omnix", keep, kAlert) +
              Request("HEAD /healthz", keep) + Request("GET /v1/agents"));
  const std::string all = client.ReadAll();
  const size_t health = all.find(R"({"status":"ok"})"), alert = all.find("incident_id"),
               agents = all.find("recovery-agent");
  EXPECT_LT(health, alert);
  EXPECT_LT(alert, agents);
  EXPECT_NE(agents, std::string::npos);
  EXPECT_EQ(all.find(R"({"status":"ok"})", health + 1), std::string::npos) << "HEAD has no body";
}

TEST_F(HttpServerTest, Expect100IsAnsweredBeforeTheBody) {
  Start();
  Client client(server_->port());
  client.Send(
      fmt::format("POST /v1/alerts/omnix HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nConnection: close\r\n"
                  "Content-Length: {}\r\n\r\n",
                  strlen(kAlert)));
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), StartsWith("HTTP/1.1 100"));
  client.Send(kAlert);
  EXPECT_THAT(client.ReadAll(), HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(Ask(Request("POST /v1/alerts/omnix", "Expect: a miracle\r\n", kAlert)), StartsWith("HTTP/1.1 417"));
}

TEST_F(HttpServerTest, SlowAndMalformedRequestsEnd) {
  options_.header_timeout = options_.body_timeout = absl::Seconds(1);
  Start();
  Client header(server_->port());
  header.Send("GET /healthz HTTP/1.1\r\nHost:");
  EXPECT_THAT(header.ReadAll(), StartsWith("HTTP/1.1 408"));
  Client body(server_->port());
  body.Send("POST /v1/alerts/omnix HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{");
  EXPECT_THAT(body.ReadAll(), StartsWith("HTTP/1.1 408"));
  Client silent(server_->port());
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_THAT(Ask("\x16\x03\x01 nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Ask("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(Ask("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 400")) << "no Host";
  EXPECT_THAT(Ask(Request("POST /v1/alerts/omnix", "Content-Encoding: gzip\r\n", kAlert)), StartsWith("HTTP/1.1 415"));
}

// One timer serves all waits of a connection: it must not end a long one where a shorter one before it would have.
TEST_F(HttpServerTest, AnIdleConnectionEndsAfterItsOwnTimeAndNotThatOfItsHead) {
  options_.header_timeout = absl::Milliseconds(300);
  options_.idle_timeout = absl::Milliseconds(800);
  Start();
  Client client(server_->port());
  client.Send(Request("GET /healthz", "Connection: keep-alive\r\n"));
  const std::string answer = client.ReadUntil("}");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  const absl::Time answered = absl::Now();
  EXPECT_EQ(client.ReadAll(), answer) << "it says nothing more";
  EXPECT_GE(absl::Now() - answered, absl::Milliseconds(600));
}

TEST_F(HttpServerTest, TooManyConnectionsAreToldSo) {
  options_.max_connections = 1;
  Start();
  twin_.HoldAlerts();
  Client first(server_->port());
  first.Send(Request("POST /v1/alerts/omnix", "", kAlert));
  ASSERT_TRUE(twin_.WaitFor([&] { return twin_.held() == 1; }));
  Client second(server_->port());
  EXPECT_THAT(second.ReadAll(), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("too many connections")));
  twin_.ReleaseAlerts();
}

// 1,000 senders that never finish their heads, or their bodies, in places for 256.
TEST_F(HttpServerTest, SlowSendersDoNotKeepAlertsOut) {
  Start();
  const std::string head = "POST /v1/alerts/omnix HTTP/1.1\r\nHost: localhost\r\n";
  for (const std::string& beginning : {head, head + "Content-Length: 8000000\r\n\r\n{"}) {
    std::vector<std::unique_ptr<Client>> slow;
    for (int i = 0; i < 1000; ++i) {
      slow.push_back(std::make_unique<Client>(server_->port()));
      slow.back()->Send(beginning);
    }
    absl::Duration slowest;
    for (int i = 0; i < 20; ++i) {
      // A place is free for others once its holder has been slow for a moment, long before its time for a head is over;
      // until then senders are told to come again, or closed where even that would take a place.
      std::string answer;
      const absl::Time begun = absl::Now();
      do {
        answer = Post("/v1/alerts/omnix", kAlert);
      } while (!answer.starts_with("HTTP/1.1 200") && absl::Now() - begun < absl::Seconds(5));
      slowest = std::max(slowest, absl::Now() - begun);
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
    }
    std::printf("slowest alert beside 1,000 slow senders: %s\n", absl::FormatDuration(slowest).c_str());
  }
}

TEST_F(HttpServerTest, EngineThatDoesNotAnswerIs503) {
  options_.handler_timeout = absl::Milliseconds(50);
  twin_.HoldAlerts();
  EXPECT_THAT(Post("/v1/alerts/omnix", kAlert), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("no answer in time")));
  server_->Stop(absl::ZeroDuration());
  twin_.ReleaseAlerts();  // an answer after the end is dropped
}

TEST_F(HttpServerTest, ForeignPagesAndHostsAreRefused) {
  EXPECT_THAT(Ask(Request("POST /v1/alerts/omnix", "Origin: http://evil.example\r\n", kAlert)),
              StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(Ask(Request("POST /v1/alerts/omnix", "Origin: null\r\n", kAlert)), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(Ask(Request("POST /v1/alerts/omnix", "Origin: http://127.0.0.1\r\n", kAlert)),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("GET /v1/agents HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(Ask("GET /healthz HTTP/1.1\r\nHost: pod-7\r\nConnection: close\r\n\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, TokenGuardsEverythingButHealth) {
  options_.listen_host = "0.0.0.0";
  const auto refused = HttpServer::Start(options_, Router({}), nullptr);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  options_.token_file = testing::TempDir() + "omnix-token-" + RandomHex(8);
  ASSERT_TRUE(ReplaceFile(options_.token_file, "0123456789abcdef\n").ok());
  EXPECT_THAT(Ask(Request("GET /v1/agents")), AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("WWW-Authenticate: Bearer")));
  EXPECT_THAT(Ask(Request("GET /v1/agents", "Authorization: Bearer 0123456789abcdeX\r\n")), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(Ask(Request("GET /v1/agents", "Authorization: Bearer 0123456789abcdef\r\n")), StartsWith("HTTP/1.1 200"));
  // "ann:0123456789abcdef"
  EXPECT_THAT(Ask(Request("POST /v1/incidents/INC-1/pause",
                          "Authorization: Basic YW5uOjAxMjM0NTY3ODlhYmNkZWY=\r\nContent-Length: 0\r\n")),
              StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(twin_.commands.at(0).by(), "ann");
  EXPECT_THAT(Ask(Request("GET /healthz")), StartsWith("HTTP/1.1 200"));
  std::filesystem::remove(options_.token_file);
}

v1::WatchIncidentResponse Update(uint64_t sequence, size_t bytes = 10) {
  v1::WatchIncidentResponse update;
  update.mutable_event()->set_sequence(sequence);
  update.set_text(std::string(bytes, 'x'));
  return update;
}

TEST_F(HttpServerTest, StreamsAnIncidentAndGoesOnWhereTheReaderWas) {
  Start();
  Client client(server_->port());
  client.Send(Request("GET /v1/incidents/INC-1/watch?after_sequence=1", "Last-Event-ID: 5\r\n"));
  const auto sink = twin_.Sink(0);
  EXPECT_EQ(twin_.watches[0].after_sequence(), 5u);
  EXPECT_THAT(client.ReadUntil("\r\n\r\n"), HasSubstr("text/event-stream"));
  EXPECT_TRUE(sink->OnUpdate(Update(6)));
  EXPECT_THAT(client.ReadUntil("\n\n"), AllOf(HasSubstr("id: 6\nevent: event\ndata: {")));
  sink->OnEnd(absl::OkStatus());
  EXPECT_THAT(client.ReadAll(), HasSubstr("event: end\ndata: {\"detail\":\"\",\"status\":200}"));
  EXPECT_FALSE(sink->OnUpdate(Update(7)));
  EXPECT_THAT(Ask(Request("GET /v1/incidents/INC-9/watch")), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServerTest, ReaderThatLeavesIsUnwatchedAndSlowOneEnds) {
  options_.max_stream_bytes = 1000;
  Start();
  {
    Client client(server_->port());
    client.Send(Request("GET /v1/watch"));
    client.ReadUntil("\r\n\r\n");
  }
  EXPECT_TRUE(twin_.WaitFor([&] { return twin_.unwatched == 1; }));
  Client slow(server_->port());
  slow.Send(Request("GET /v1/watch"));
  const auto sink = twin_.Sink(1);
  constexpr size_t kHuge = 1 << 20;
  int taken = 0;
  while (taken < 1000 && sink->OnUpdate(Update(1, kHuge))) ++taken;
  EXPECT_LT(taken, 1000);
  EXPECT_THAT(slow.ReadAll(), HasSubstr("too slow"));
}

TEST_F(HttpServerTest, StopEndsStreamsAndGivesRequestsGrace) {
  twin_.HoldAlerts();
  Start();
  Client stream(server_->port()), idle(server_->port()), busy(server_->port());
  stream.Send(Request("GET /v1/watch"));
  stream.ReadUntil("\r\n\r\n");
  busy.Send(Request("POST /v1/alerts/omnix", "", kAlert));
  ASSERT_TRUE(twin_.WaitFor([&] { return twin_.held() == 1; }));
  std::thread stop([&] { server_->Stop(absl::Seconds(10)); });
  EXPECT_THAT(stream.ReadAll(), HasSubstr("the orchestrator stops"));
  EXPECT_EQ(idle.ReadAll(), "");
  twin_.ReleaseAlerts();
  EXPECT_THAT(busy.ReadAll(), StartsWith("HTTP/1.1 200"));
  stop.join();
}

}  // namespace
}  // namespace omnix
