#include "agents/sources/access_format.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/hash.h"

namespace omnix {
namespace {

const absl::Time kTime = absl::FromUnixSeconds(1756970043);  // 2025-09-04T07:14:03Z

TEST(AccessFormat, ReadsCommonAndCombined) {
  const auto record = AccessFormat().Read(
      R"(10.0.0.7 - bob [04/Sep/2025:07:14:03 +0000] "GET /v1/products?page=2 HTTP/1.1" 404 153 "-" "curl/8.0")");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->time, kTime);
  EXPECT_EQ(record->method, "GET");
  EXPECT_EQ(record->path, "/v1/products");
  EXPECT_EQ(record->status, 404);
  EXPECT_EQ(record->client, "10.0.0.7");
  EXPECT_FALSE(record->duration.has_value());
}

TEST(AccessFormat, FindsDurationsBehindTheUsualFields) {
  const std::string common = R"(::1 - - [04/Sep/2025:07:14:03 +0000] "GET / HTTP/1.1" 200 5 "-" "rt=9 agent")";
  auto record = AccessFormat().Read(common + " 0.250");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->duration, absl::Milliseconds(250));
  record = AccessFormat().Read(common + " rt=1.5 urt=1.25");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->duration, absl::Milliseconds(1500));
  EXPECT_EQ(record->upstream_duration, absl::Milliseconds(1250));
}

TEST(AccessFormat, ReadsJson) {
  const auto record = AccessFormat().Read(
      R"({"time":"2025-09-04T07:14:03+00:00","remote_addr":"10.0.0.7","request":"POST /a?b HTTP/1.1","status":"502",)"
      R"("http":{"duration_ms":120},"upstream_response_time":"0.100, 0.020","upstream_addr":"10.0.0.1:80, 10.0.0.2:80"})");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->time, kTime);
  EXPECT_EQ(record->method, "POST");
  EXPECT_EQ(record->path, "/a");
  EXPECT_EQ(record->status, 502);
  EXPECT_EQ(record->duration, absl::Milliseconds(120));
  EXPECT_EQ(record->upstream_duration, absl::Milliseconds(120));
  EXPECT_EQ(record->upstream, "10.0.0.2:80");
}

TEST(AccessFormat, ReadsNamesOfOpenTelemetryAndEcs) {
  const auto telemetry = AccessFormat().Read(
      R"({"@timestamp":"2025-09-04T07:14:03.000Z","severity_text":"INFO","attributes":{"http.request.method":"GET",)"
      R"("url.path":"/a","http.response.status_code":503,"duration_ms":12}})");
  ASSERT_TRUE(telemetry.has_value());
  EXPECT_EQ(telemetry->method, "GET");
  EXPECT_EQ(telemetry->path, "/a");
  EXPECT_EQ(telemetry->status, 503);
  EXPECT_EQ(telemetry->duration, absl::Milliseconds(12));
  const auto ecs = AccessFormat().Read(
      R"({"@timestamp":"2025-09-04T07:14:03Z","event.duration":5000000,"url.path":"/b","http.response.status_code":200})");
  ASSERT_TRUE(ecs.has_value());
  EXPECT_EQ(ecs->duration, absl::Milliseconds(5));
  const auto nested = AccessFormat().Read(
      R"({"@timestamp":"2025-09-04T07:14:03Z","event":{"duration":7000000},"http":{"response":{"status_code":200}}})");
  ASSERT_TRUE(nested.has_value());
  EXPECT_EQ(nested->duration, absl::Milliseconds(7));
  // Other groups' names give way to names by themselves, and words are no status.
  const auto both = AccessFormat().Read(
      R"({"time":"2025-09-04T07:14:03Z","code":200,"otel.status_code":"OK","path":"/a","source.path":"/b.go"})");
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(both->status, 200);
  EXPECT_EQ(both->path, "/a");
}

TEST(AccessFormat, FollowsTheLogFormatOfTheConfiguration) {
  const std::string path = testing::TempDir() + "format-" + RandomHex(6) + ".conf";
  std::ofstream(path) << R"(events {}
http {
  log_format timed escape=json '$msec|$request_time|${status}|$upstream_addr|$upstream_response_time|'
                               '$request_method $request_uri|$remote_addr';
  server { location / { access_log logs/timed.log timed; } access_log /var/log/plain.log combined; }
}
)";
  const auto config = ReadNginxConfig(path);
  ASSERT_TRUE(config.ok()) << config.status();
  auto record = FormatOfLog(*config, "/srv/logs/timed.log")
                    .Read("1756970043.120|0.312|504|127.0.0.1:9000|-|GET /a/b?c=1|10.1.1.1");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(absl::ToUnixSeconds(record->time), absl::ToUnixSeconds(kTime));
  EXPECT_EQ(record->status, 504);
  EXPECT_EQ(record->path, "/a/b");
  EXPECT_EQ(record->duration, absl::Milliseconds(312));
  EXPECT_FALSE(record->upstream_duration.has_value());
  EXPECT_EQ(record->upstream, "127.0.0.1:9000");
  EXPECT_EQ(record->client, "10.1.1.1");
  EXPECT_TRUE(FormatOfLog(*config, "/var/log/plain.log")
                  .Read(R"(1.1.1.1 - - [04/Sep/2025:07:14:03 +0000] "GET / HTTP/1.1" 200 5 "-" "-")")
                  .has_value());
  std::filesystem::remove(path);
}

TEST(AccessFormat, SaysNothingOfOtherLines) {
  for (const char* line : {"", "garbage", "{\"level\":\"info\"}", "{broken", "GET / 200",
                           "2025/09/04 07:14:03 [error] 1#1: connect() failed"})
    EXPECT_FALSE(AccessFormat().Read(line).has_value()) << line;
}

}  // namespace
}  // namespace omnix
