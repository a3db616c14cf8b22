// Every sample beside the formats, and every body of real senders in OMNIX_SHARED, gives its expected reading.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "common/file.h"
#include "common/status.h"
#include "common/time.h"
#include "orchestrator/intake/alert_intake.h"
#include "orchestrator/intake/reading_json.h"

namespace omnix {
namespace {

const absl::Time kReceivedAt = absl::FromUnixSeconds(2'000'000'000);
constexpr char kExpected[] = ".expected.json";

AlertIntake& Intake() {
  static AlertIntake* const intake = AlertIntake::Create({})->release();
  return *intake;
}

absl::StatusOr<ParsedAlerts> Read(const std::string& format, const std::string& bytes) {
  return Intake().Read({format, {}, bytes, kReceivedAt});
}

std::vector<std::string> Samples() {
  std::vector<std::string> files = Glob(std::string(OMNIX_FORMATS_FOLDER) + "/samples/*.json");
  std::erase_if(files, [](const std::string& file) { return file.ends_with(kExpected); });
  return files;
}

// "samples/grafana.values.json" is Grafana's.
std::string VendorOf(const std::string& file) {
  const std::string name = std::filesystem::path(file).filename();
  return name.substr(0, name.find('.'));
}

TEST(FormatSamples, GiveTheirExpectedReadingByNameAndByShape) {
  const std::vector<std::string> samples = Samples();
  ASSERT_FALSE(samples.empty());
  for (const std::string& file : samples) {
    SCOPED_TRACE(file);
    const std::string body = *ReadFile(file);
    const auto expected = ReadFile(file.substr(0, file.size() - std::string(".json").size()) + kExpected);
    const auto named = Read(VendorOf(file), body);
    ASSERT_TRUE(named.ok()) << named.status();
    ASSERT_TRUE(expected.ok()) << expected.status() << "; the reading is\n" << ReadingJson(*named).dump(2);
    EXPECT_EQ(ReadingJson(*named), *ParseJson(*expected)) << ReadingJson(*named).dump(2);
    if (VendorOf(file) == "generic") continue;
    const auto recognized = Read("", body);
    ASSERT_TRUE(recognized.ok()) << recognized.status();
    EXPECT_EQ(ReadingJson(*recognized), ReadingJson(*named));
  }
}

TEST(FormatSamples, EachFormatHasOne) {
  std::vector<std::string> sampled;
  for (const std::string& file : Samples()) sampled.push_back(VendorOf(file));
  for (const std::string& name : Intake().Names()) {
    EXPECT_NE(std::ranges::find(sampled, name), sampled.end()) << name << " has no sample";
  }
}

TEST(FormatSamples, ExactlyOneFormatRecognizesEach) {
  const auto library = FormatLibrary::Load("", DefaultFilterExecutable());
  ASSERT_TRUE(library.ok()) << library.status();
  FilterWorker worker(DefaultFilterExecutable());
  for (const std::string& file : Samples()) {
    const std::string vendor = VendorOf(file);
    if (vendor == "generic" || vendor == "omnix") continue;
    const std::string input = DumpJson({{"headers", Json::object()}, {"body", *ParseJson(*ReadFile(file))}});
    const auto names = worker.Run(library->RecognizeProgram(), input, absl::Seconds(10));
    ASSERT_TRUE(names.ok()) << names.status();
    EXPECT_EQ(*names, DumpJson(Json::array({vendor}))) << file;
  }
}

// The expectations of OMNIX_SHARED: see its README.md.
bool Matches(const Json& expected, const std::string& field, const Json& value) {
  const Json any = expected.value(field + "_any", Json::array());
  if (std::ranges::find(any, value) != any.end()) return true;
  return !expected.contains(field) || expected[field] == value;
}

bool FingerprintMatches(const Json& expected, const std::string& fingerprint) {
  if (expected["dedup_key"].is_null()) return !fingerprint.empty();
  Json keys = expected.value("dedup_any", Json::array());
  keys.push_back(expected["dedup_key"]);
  return std::ranges::any_of(keys, [&](const Json& key) {
    return key.is_string() && (fingerprint == key || fingerprint.ends_with(":" + key.get<std::string>()));
  });
}

bool TimeMatches(const Json& expected, const Json& actual) {
  if (expected.is_null() || actual.is_null()) return expected == actual;
  return absl::AbsDuration(*ParseTime(expected) - *ParseTime(actual)) <= absl::Milliseconds(1);
}

void CheckAlert(const Json& expected, const Json& alert) {
  for (const char* field : {"title", "severity", "status", "subject"}) {
    EXPECT_TRUE(Matches(expected, field, alert[field])) << field << ": " << alert[field];
  }
  EXPECT_TRUE(FingerprintMatches(expected, alert["fingerprint"])) << alert["fingerprint"];
  EXPECT_TRUE(TimeMatches(expected["starts_at"], alert["starts_at"])) << alert["starts_at"];
  EXPECT_TRUE(TimeMatches(expected["ends_at"], alert["ends_at"])) << alert["ends_at"];
  for (const auto& [name, value] : expected["labels"].items()) EXPECT_EQ(alert["labels"].value(name, Json()), value);
}

TEST(FormatSamples, BodiesOfRealSendersGiveTheirExpectedReading) {
  const char* shared = std::getenv("OMNIX_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "OMNIX_SHARED names no folder with alert-payloads";
  const std::string folder = std::string(shared) + "/alert-payloads/";
  const auto index = ReadFile(folder + "index.json");
  ASSERT_TRUE(index.ok()) << index.status();
  const Json entries = *ParseJson(*index);
  for (const Json& entry : entries) {
    SCOPED_TRACE(entry["file"]);
    const std::string body = *ReadFile(folder + entry["file"].get<std::string>());
    for (const std::string& format : {std::string(), entry["vendor"].get<std::string>()}) {
      const auto parsed = Read(format, body);
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      EXPECT_EQ(parsed->format, entry["vendor"]);
      EXPECT_THAT(parsed->warnings, testing::IsEmpty());
      const Json reading = ReadingJson(*parsed);
      ASSERT_EQ(reading["alerts"].size(), entry["count"].get<size_t>());
      const Json expected = entry.value("alerts", Json::array({entry["expected"]}));
      for (size_t i = 0; i < reading["alerts"].size(); ++i) CheckAlert(expected[i], reading["alerts"][i]);
    }
  }
}

}  // namespace
}  // namespace omnix
