// What monitors may send wrong, against the real omnixd: the answer, and that it goes on as before. Slow senders, too
// many connections and overload: tests/storm.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "common/file.h"
#include "common/http_client.h"
#include "common/json.h"
#include "orchestrator/intake/body_mutator.h"
#include "tests/support/stack.h"
#include "tests/support/world.h"

namespace omnix {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::SourceFolder;
using testing::Stack;
using testing::TemporaryFolder;

constexpr char kToken[] = "0123456789abcdef0123456789abcdef";
constexpr size_t kMib = 1 << 20;
constexpr absl::Duration kPatience = absl::Seconds(30);

class BadInput : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    testing::StackOptions options;
    options.system_file = SourceFolder() + "/deploy/examples/system.yaml";
    options.token = kToken;
    stack_ = new Stack(folder_->path(), options);
    stack_->StartOrchestrator();
  }
  static void TearDownTestSuite() {
    delete std::exchange(stack_, nullptr);
    delete std::exchange(folder_, nullptr);
  }
  // Whatever was sent, the next alert is taken, by the process that started, whose memory is bounded.
  void TearDown() override {
    EXPECT_EQ(Post("omnix", R"({"title":"after it"})").status, 200);
    ASSERT_TRUE(stack_->program("omnixd").IsRunning()) << stack_->Logs();
    EXPECT_LT(ResidentBytes(), 256 * kMib);
  }

  static HttpResponse Post(const std::string& vendor, const std::string& body, const std::string& token = kToken) {
    HttpRequest request;
    request.method = "POST";
    request.url =
        fmt::format("http://127.0.0.1:{}/v1/alerts{}{}", stack_->http_port(), vendor.empty() ? "" : "/", vendor);
    request.headers = {{"Content-Type", "application/json"}};
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    request.body = body;
    request.timeout = kPatience;
    const auto response = SendHttp(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.value_or(HttpResponse());
  }
  // What was kept of the alert with this fingerprint.
  static v1::Alert Kept(const std::string& fingerprint) {
    grpc::ClientContext context;
    v1::ListAlertsResponse response;
    EXPECT_TRUE(stack_->api().ListAlerts(&context, {}, &response).ok());
    for (const v1::ListedAlert& item : response.alerts()) {
      if (item.alert().fingerprint() == fingerprint) return item.alert();
    }
    ADD_FAILURE() << "no alert " << fingerprint;
    return {};
  }
  static size_t ResidentBytes() {
    std::ifstream status(fmt::format("/proc/{}/status", stack_->program("omnixd").pid()));
    for (std::string word; status >> word;) {
      size_t kib = 0;
      if (word == "VmRSS:" && status >> kib) return kib << 10;
    }
    return 0;
  }

  static TemporaryFolder* folder_;
  static Stack* stack_;
};

TemporaryFolder* BadInput::folder_ = nullptr;
Stack* BadInput::stack_ = nullptr;

TEST_F(BadInput, MalformedJsonIsRefusedWithItsPlaceAndWithoutItsText) {
  const HttpResponse cut = Post("alertmanager", "{\"alerts\":\n [{\"labels\": {\"password\": \"hunter2\"");
  EXPECT_EQ(cut.status, 400);
  EXPECT_THAT(cut.body, AllOf(HasSubstr("line 2"), HasSubstr("column"), Not(HasSubstr("hunter2"))));
  const std::vector<std::string> bodies = {"",
                                           "{",
                                           "nul",
                                           "{\"title\":\"\xff\xfe\"}",
                                           "{\"title\":\"\xed\xa0\x80\"}",
                                           "{\"a\":NaN}",
                                           "[1e400]",
                                           "{} {}",
                                           std::string("{\"title\":\"a\0b\"}", 15)};
  for (const std::string& body : bodies) EXPECT_EQ(Post("alertmanager", body).status, 400) << body;
  EXPECT_THAT(testing::Slurp(*folder_ / "log/omnixd"), Not(HasSubstr("hunter2")));
}

TEST_F(BadInput, TenThousandLevelsAreRefused) {
  constexpr size_t kLevels = 10'000;
  std::string objects;
  for (size_t i = 0; i < kLevels; ++i) objects += "{\"a\":";
  for (const std::string& open : {std::string(kLevels, '['), objects}) {
    const std::string close(kLevels, open[0] == '[' ? ']' : '}');
    for (const char* vendor : {"", "alertmanager", "grafana", "cloudevents"}) {
      const HttpResponse answer = Post(vendor, open + (open[0] == '[' ? "" : "1") + close);
      EXPECT_EQ(answer.status, 400) << vendor;
      EXPECT_THAT(answer.body, HasSubstr("128"));
      EXPECT_LT(answer.body.size(), 1024u);
    }
  }
}

TEST_F(BadInput, AMegabyteLabelIsCut) {
  const std::string label(kMib, 'x');
  EXPECT_EQ(
      Post(
          "alertmanager",
          R"({"version":"4","alerts":[{"status":"firing","fingerprint":"00000000000f00d1","labels":{"alertname":"Big","long":")" +
              label + R"("}}]})")
          .status,
      200);
  const v1::Alert kept = Kept("00000000000f00d1");
  EXPECT_EQ(kept.title(), "Big");
  EXPECT_LE(kept.labels().at("long").size(), size_t{4} << 10);
  // A name is cut, too.
  EXPECT_EQ(Post("omnix", R"({"title":"x","fingerprint":"long-name","labels":{")" + label + R"(":"v"}})").status, 200);
  const v1::Alert named = Kept("long-name");
  for (const auto& [name, value] : named.labels()) EXPECT_LE(name.size(), 256u);
}

TEST_F(BadInput, OfAKeyThatComesTwiceTheLastCountsAndTheAnswerSaysSo) {
  const HttpResponse answer = Post("omnix", R"({"title":"first","title":"second","fingerprint":"twice"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, AllOf(HasSubstr("warnings"), HasSubstr("line 1, column 25")));
  EXPECT_EQ(Kept("twice").title(), "second");
}

TEST_F(BadInput, TimesOfTheFarFutureAndPastBecomeTheTimeOfArrival) {
  const std::vector<std::string> times = {"9999-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "1066-10-14T09:00:00Z",
                                          "292277026596-12-04T15:30:08Z", "yesterday"};
  for (size_t i = 0; i < times.size(); ++i) {
    const std::string fingerprint = fmt::format("00000000000a000{}", i);
    const std::string alert = fmt::format(
        R"({{"alerts":[{{"fingerprint":"{}","labels":{{"alertname":"T"}},"startsAt":"{}"}}]}})", fingerprint, times[i]);
    EXPECT_EQ(Post("alertmanager", alert).status, 200) << times[i];
    const v1::Alert kept = Kept(fingerprint);
    EXPECT_EQ(kept.starts_at().seconds(), kept.received_at().seconds()) << times[i];
    EXPECT_EQ(kept.labels().at("omnix_given_starts_at"), times[i]);
  }
}

TEST_F(BadInput, BeyondTheLimitsThereIsAdvice) {
  const HttpResponse large = Post("alertmanager", "{\"alerts\":[" + std::string(8 * kMib, ' ') + "]}");
  EXPECT_EQ(large.status, 413);
  EXPECT_THAT(large.body, AllOf(HasSubstr("set max_alerts"), HasSubstr("8388608")));
  std::string alerts;
  for (int i = 0; i < 10'001; ++i) alerts += fmt::format("{}{{\"labels\":{{\"i\":\"{}\"}}}}", i == 0 ? "" : ",", i);
  const HttpResponse many = Post("alertmanager", "{\"alerts\":[" + alerts + "]}");
  EXPECT_EQ(many.status, 413);
  EXPECT_THAT(many.body, HasSubstr("set max_alerts"));
}

TEST_F(BadInput, WrongTypesAreTakenWithDefaultsOrTheFieldIsNamed) {
  EXPECT_EQ(Post("alertmanager",
                 R"({"alerts":[{"fingerprint":7,"labels":{"alertname":"Typed","n":5,"list":[1]},"annotations":null}]})")
                .status,
            200);
  const HttpResponse strings = Post("alertmanager", R"({"alerts":"none"})");
  EXPECT_EQ(strings.status, 422);
  EXPECT_THAT(strings.body, HasSubstr("/alerts"));
  EXPECT_THAT(Post("omnix", R"({"tilte":"x"})").body, HasSubstr("/tilte"));
  const HttpResponse mixed = Post("alertmanager", R"({"alerts":[{"labels":{"alertname":"Good"}},"bad"]})");
  EXPECT_EQ(mixed.status, 200);
  EXPECT_THAT(mixed.body, AllOf(HasSubstr("warnings"), HasSubstr("/alerts/1")));
}

TEST_F(BadInput, UnknownVendorsGetTheListAndStrangersNothing) {
  const HttpResponse unknown = Post("nagois", "{}");
  EXPECT_EQ(unknown.status, 404);
  for (const char* vendor : {"alertmanager", "grafana", "cloudwatch", "datadog", "pagerduty", "opsgenie", "sentry",
                             "gcpmonitoring", "azuremonitor", "newrelic", "zabbix", "nagios", "checkly", "uptimekuma",
                             "graylog", "elastic", "cloudevents", "generic"}) {
    EXPECT_THAT(unknown.body, HasSubstr(vendor));
  }
  for (const char* token : {"", "wrong", "0123456789abcdef0123456789abcdeg"}) {
    const HttpResponse answer = Post("omnix", R"({"title":"x"})", token);
    EXPECT_EQ(answer.status, 401);
    EXPECT_THAT(answer.Header("www-authenticate"), Not(::testing::IsEmpty()));
  }
}

// Every sample of every format with a few places changed: an answer of the documented ones, each time.
TEST_F(BadInput, MutatedBodiesAreAnswered) {
  constexpr int kOfEachSample = 20;
  const size_t before = ResidentBytes();
  BodyMutator mutator(2025);
  int answers = 0;
  for (const std::string& file : Glob(SourceFolder() + "/orchestrator/intake/formats/samples/*.json")) {
    if (file.ends_with(".expected.json")) continue;
    const std::string name = std::filesystem::path(file).filename();
    const std::string vendor = name.substr(0, name.find('.'));
    const std::string sample = *ReadFile(file);
    for (int i = 0; i < kOfEachSample && !HasFailure(); ++i, ++answers) {
      const std::string body = i % 2 == 0 ? mutator.Bytes(sample) : DumpJson(mutator.Values(*ParseJson(sample)));
      const HttpResponse answer = Post(i % 5 == 0 ? "" : vendor, body);
      EXPECT_THAT((std::vector<int>{200, 202, 400, 413, 422}), Contains(answer.status)) << answer.body << body;
    }
  }
  EXPECT_GT(answers, 1000);
  EXPECT_LT(ResidentBytes(), before + 128 * kMib);
}

}  // namespace
}  // namespace omnix
