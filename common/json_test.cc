#include "common/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status.h"

namespace omnix {
namespace {

using ::testing::HasSubstr;

TEST(ParseJson, TakesOneDocumentAndNothingBehindIt) {
  EXPECT_EQ(*ParseJson(R"({"a": [1]})"), Json({{"a", {1}}}));
  EXPECT_THAT(Message(ParseJson("{} {}").status()), HasSubstr("line 1, column 4"));
  EXPECT_THAT(Message(ParseJson(std::string_view("{}\n\0{}", 6)).status()), HasSubstr("line 2, column 1"));
  EXPECT_THAT(Message(ParseJson(std::string_view("[\"a\0b\"]", 7)).status()), HasSubstr("line 1, column 4"));
}

}  // namespace
}  // namespace omnix
