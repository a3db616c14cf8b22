#include "agents/sources/access_log.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/hash.h"

namespace omnix {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() : path_(testing::TempDir() + "log-" + RandomHex(6)) {}
  ~LogTest() override { std::filesystem::remove(path_); }
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  std::string path_;
};

TEST_F(LogTest, CountsByMethodPathAndStatus) {
  Write(R"(1.2.3.4 - - [04/Sep/2025:07:14:03 +0000] "GET /v1/products?x=1 HTTP/1.1" 404 153 "-" "curl"
1.2.3.4 - bob [2025-09-04T07:15:03+00:00] "GET /v1/products HTTP/2.0" 404 153
1.2.3.4 - - [04/Sep/2025:06:00:00 +0000] "GET /old HTTP/1.1" 200 1
::1 - - [04/Sep/2025:09:20:00 +0200] "POST /login HTTP/1.1" 200 1 rt=0.1
garbage
)");
  const auto summary = ReadAccessLog(path_, absl::FromCivil(absl::CivilHour(2025, 9, 4, 7), absl::UTCTimeZone()));
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->lines, 3u);
  EXPECT_EQ(summary->unread, 1u);
  ASSERT_EQ(summary->requests.size(), 2u);
  EXPECT_EQ(summary->requests[0].path, "/v1/products");
  EXPECT_EQ(summary->requests[0].count, 2u);
  EXPECT_EQ(summary->requests[0].last - summary->requests[0].first, absl::Minutes(1));
}

TEST_F(LogTest, ErrorLinesAreBoundedAndNewestLast) {
  std::string text = "2025/09/04 07:00:00 [notice] 1#1: start\nplain line\nValueError: bad (error)\n";
  for (int i = 0; i < 10; ++i) text += "2099/09/04 07:00:0" + std::to_string(i) + " [error] 1#1: connect() failed\n";
  Write(text);
  const auto lines = ReadErrorLog(path_, absl::UnixEpoch(), 3);
  ASSERT_TRUE(lines.ok());
  ASSERT_EQ(lines->size(), 3u);
  EXPECT_EQ(lines->back().level, "error");
  EXPECT_NE(lines->back().text.find("07:00:09"), std::string::npos);
  EXPECT_EQ(ReadErrorLog(path_, absl::UnixEpoch())->size(), 11u);
  EXPECT_FALSE(ReadErrorLog(path_ + "x", absl::UnixEpoch()).ok());
}

}  // namespace
}  // namespace omnix
