// Mutated and hostile bodies of every format: no crash, nothing lost, bounded time and memory.
//
// OMNIX_FUZZ_BODIES: mutated bodies for each format (default 20,000; tests/run takes 100,000).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/time/clock.h"
#include "common/file.h"
#include "common/status.h"
#include "orchestrator/intake/alert_fields.h"
#include "orchestrator/intake/alert_intake.h"
#include "orchestrator/intake/body_mutator.h"

namespace omnix {
namespace {

const absl::Time kReceivedAt = absl::FromUnixSeconds(1'756'970'043);
constexpr size_t kDefaultBodies = 20'000;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
// Sanitizers keep freed memory for a while and take their time.
constexpr long kMaxGrowthKib = kSanitized ? 2048 << 10 : 128 << 10;
// Of bodies up to 8 MiB: bounded, since filters are ended after 2 s.
constexpr absl::Duration kMaxLargeTime = absl::Seconds(15);
constexpr absl::Duration kMaxTime = kSanitized ? absl::Milliseconds(1000) : absl::Milliseconds(200);

long ResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

size_t BodiesPerFormat() {
  const char* text = std::getenv("OMNIX_FUZZ_BODIES");
  return text == nullptr ? kDefaultBodies : static_cast<size_t>(std::strtoull(text, nullptr, 10));
}

// By format: the samples' texts.
std::map<std::string, std::vector<std::string>> Corpus() {
  std::map<std::string, std::vector<std::string>> corpus;
  for (const std::string& file : Glob(std::string(OMNIX_FORMATS_FOLDER) + "/samples/*.json")) {
    if (file.ends_with(".expected.json")) continue;
    const std::string name = std::filesystem::path(file).filename();
    corpus[name.substr(0, name.find('.'))].push_back(*ReadFile(file));
  }
  return corpus;
}

// What holds for every answer, whatever was sent.
void CheckAnswer(const absl::StatusOr<ParsedAlerts>& parsed) {
  if (!parsed.ok()) {
    const absl::StatusCode code = parsed.status().code();
    EXPECT_TRUE(code == absl::StatusCode::kInvalidArgument || code == absl::StatusCode::kFailedPrecondition ||
                code == absl::StatusCode::kResourceExhausted)
        << parsed.status();
    EXPECT_LT(parsed.status().message().size(), 600u);
    return;
  }
  EXPECT_TRUE(!parsed->alerts.empty() || !parsed->note.empty()) << "neither an alert nor why there is none";
  for (const v1::Alert& alert : parsed->alerts) {
    EXPECT_FALSE(alert.title().empty());
    EXPECT_FALSE(alert.fingerprint().empty());
    EXPECT_LE(alert.title().size(), kMaxAlertTitleBytes);
    EXPECT_LE(alert.description().size(), kMaxAlertTextBytes);
    EXPECT_LE(alert.fingerprint().size(), kMaxFingerprintBytes);
    EXPECT_LE(static_cast<size_t>(alert.labels_size()), kMaxAlertLabels + 4);
    EXPECT_LE(alert.starts_at().seconds(), absl::ToUnixSeconds(kReceivedAt) + 600);
    EXPECT_GE(alert.starts_at().seconds(), 0);
  }
}

class HostileBodies : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    AlertIntakeOptions options;
    // One process, whose programs are compiled before anything is timed.
    options.filters.threads = 1;
    intake_ = AlertIntake::Create(options)->release();
  }
  static void TearDownTestSuite() { delete std::exchange(intake_, nullptr); }

  // Reads the body and says how long it took.
  absl::Duration Read(const std::string& format, const std::string& bytes) {
    const absl::Time begin = absl::Now();
    const auto parsed = intake_->Read({format, {}, bytes, kReceivedAt});
    const absl::Duration took = absl::Now() - begin;
    CheckAnswer(parsed);
    return took;
  }

  static AlertIntake* intake_;
};

AlertIntake* HostileBodies::intake_ = nullptr;

class MutatedBodies : public HostileBodies, public ::testing::WithParamInterface<std::string> {};

TEST_P(MutatedBodies, AreReadOrRefused) {
  const std::vector<std::string> samples = Corpus().at(GetParam());
  BodyMutator mutator(static_cast<uint32_t>(std::hash<std::string>()(GetParam())));
  for (const std::string& sample : samples) {
    Read(GetParam(), sample);
    Read("", sample);
  }
  const long before = ResidentKib();
  for (size_t i = 0; i < BodiesPerFormat() && !HasFailure(); ++i) {
    const std::string& sample = samples[i % samples.size()];
    // Bytes mostly break the JSON, values reach the filter.
    const std::string body = i % 8 == 0 ? DumpJson(mutator.Values(Json::parse(sample))) : mutator.Bytes(sample);
    const std::string format = i % 16 == 0 ? "" : GetParam();
    // A machine that is busy with something else makes a body slow once; a body that is slow in itself is so each time.
    absl::Duration took = Read(format, body);
    for (int again = 0; again < 5 && took > kMaxTime; ++again) took = Read(format, body);
    EXPECT_LE(took, kMaxTime);
    if (HasFailure()) ADD_FAILURE() << body;
  }
  EXPECT_LT(ResidentKib() - before, kMaxGrowthKib);
}

std::vector<std::string> FormatNames() {
  std::vector<std::string> names;
  for (const auto& [name, samples] : Corpus()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(EachFormat, MutatedBodies, ::testing::ValuesIn(FormatNames()),
                         [](const auto& test) { return test.param; });

// Bodies that once were read wrongly, and what libFuzzer found (fuzz/run): each is read by every format.
TEST_F(HostileBodies, ThatWereKept) {
  const std::vector<std::string> files = Glob(std::string(OMNIX_FORMATS_FOLDER) + "/../fuzz/corpus/*");
  ASSERT_FALSE(files.empty());
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    const std::string body = *ReadFile(file);
    for (const std::string& format : intake_->Names()) Read(format, body);
    Read("", body);
  }
}

TEST_F(HostileBodies, OfEveryShapeAndFormat) {
  std::vector<std::string> bodies = {"",
                                     " ",
                                     "{",
                                     "null",
                                     "0",
                                     "\"\"",
                                     "[]",
                                     "{}",
                                     "[[]]",
                                     "\xef\xbb\xbf{}",
                                     std::string(10'000, '['),
                                     std::string(100'000, '{'),
                                     "{\"title\":\"" + std::string(1 << 20, 'x') + "\"}",
                                     "{\"labels\":{\"alertname\":\"" + std::string(1 << 20, '\xff') + "\"}}",
                                     "{\"title\":\"\\u0000\\u001b[31m\\u202e\"}"};
  std::string keys = "{\"title\":\"t\"";
  for (int i = 0; i < 100'000; ++i) keys += ",\"title\":\"t\"";
  bodies.push_back(keys + "}");
  std::string labels =
      R"({"title":"t","groupKey":"g","alerts":[{"labels":{"alertname":")" + std::string(1 << 20, 'y') + "\"";
  for (int i = 0; i < 10'000; ++i) labels += fmt::format(",\"l{}\":\"v\"", i);
  bodies.push_back(labels + "}}]}");
  const long before = ResidentKib();
  for (const std::string& format : intake_->Names()) {
    for (const std::string& body : bodies) EXPECT_LT(Read(format, body), kMaxLargeTime) << format << body.size();
  }
  for (const std::string& body : bodies) EXPECT_LT(Read("", body), kMaxLargeTime) << body.size();
  EXPECT_LT(ResidentKib() - before, kMaxGrowthKib);
}

TEST_F(HostileBodies, OfEightMebibytesStayWithinBounds) {
  constexpr size_t kBytes = 8 << 20;
  std::vector<std::string> bodies = {"[" + std::string(kBytes, ' ') + "]", "\"" + std::string(kBytes, 'x') + "\"",
                                     std::string(kBytes, '['), std::string(kBytes, '9')};
  for (const char* piece : {"1,", "\"\",", "{},", "[[]],", "1e9,", "{\"a\":1},"}) {
    std::string many = "[";
    while (many.size() < kBytes) many += piece;
    bodies.push_back(many + "0]");
  }
  std::string object = "{";
  for (int i = 0; object.size() < kBytes; ++i) object += fmt::format("\"{:x}\":1,", i);
  bodies.push_back(object + "\"z\":1}");
  const long before = ResidentKib();
  for (const std::string& body : bodies) {
    for (const char* format : {"", "alertmanager", "datadog"}) EXPECT_LT(Read(format, body), kMaxLargeTime);
  }
  EXPECT_LT(ResidentKib() - before, kMaxGrowthKib);
}

}  // namespace
}  // namespace omnix
