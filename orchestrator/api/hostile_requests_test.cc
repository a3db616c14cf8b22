// Bytes that are almost requests, thrown at the real HTTP server: each ends with an answer or a closed connection, and
// others are served as before. fuzz/http_fuzzer.cc does the same by coverage.
#include <gtest/gtest.h>

#include "common/file.h"
#include "orchestrator/api/front_door.h"
#include "orchestrator/intake/body_mutator.h"

namespace omnix {
namespace {

constexpr int kRequests = 3'000;

std::vector<std::string> KeptRequests() {
  std::vector<std::string> requests;
  for (const std::string& file : Glob(std::string(OMNIX_REQUESTS_FOLDER) + "/*")) requests.push_back(*ReadFile(file));
  return requests;
}

void ExpectAnAnswerOrNone(const std::string& answer) {
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.")) << answer;
}

TEST(HostileRequests, ThatWereKeptAreAnsweredOrRefused) {
  const FrontDoor door;
  const std::vector<std::string> requests = KeptRequests();
  ASSERT_GE(requests.size(), 20u);
  for (const std::string& request : requests) {
    ExpectAnAnswerOrNone(door.Send(request));
    EXPECT_TRUE(door.ServesOthers()) << request;
  }
}

TEST(HostileRequests, ThatAreAlmostRightAreAnsweredOrRefused) {
  const FrontDoor door;
  const std::vector<std::string> requests = KeptRequests();
  BodyMutator mutator(7421);
  for (int i = 0; i < kRequests && !::testing::Test::HasFailure(); ++i) {
    const std::string request = mutator.Bytes(requests[static_cast<size_t>(i) % requests.size()]);
    ExpectAnAnswerOrNone(door.Send(request));
    if (::testing::Test::HasFailure()) ADD_FAILURE() << request;
  }
  EXPECT_TRUE(door.ServesOthers());
}

// What the bodies may hold is the formats' matter; how they are framed is the server's.
TEST(HostileRequests, FramingIsTakenByTheLetter) {
  const FrontDoor door;
  const std::string post = "POST /v1/alerts/omnix HTTP/1.1\r\nHost: localhost\r\n";
  const std::string alert = R"({"title":"x"})";
  // Two lengths, or a length beside chunks, are how requests are smuggled past a proxy.
  for (const char* headers :
       {"Content-Length: 13\r\nContent-Length: 5\r\n", "Content-Length: 13\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -1\r\n", "Content-Length: 0x0d\r\n", "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip, identity\r\n"}) {
    const std::string answer = door.Send(post + headers + "\r\n" + alert);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5")) << headers << answer;
    EXPECT_EQ(answer.find("HTTP/1.", 1), std::string::npos) << "the rest was taken for a second request: " << answer;
  }
  EXPECT_TRUE(door.Send(post + "Content-Length: 13\r\n\r\n" + alert).starts_with("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace omnix
