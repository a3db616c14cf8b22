#include "common/clean_texts.h"

#include <gtest/gtest.h>

#include <string>

namespace omnix {
namespace {

TEST(CleanTextsTest, KnowsWhatWasAddedByteForByte) {
  CleanTexts clean;
  EXPECT_FALSE(clean.Contains("job=api"));
  clean.Add("job=api");
  clean.Add(std::string("a\0b", 3));
  EXPECT_TRUE(clean.Contains("job=api"));
  EXPECT_TRUE(clean.Contains(std::string("a\0b", 3)));
  EXPECT_FALSE(clean.Contains("job=ap"));
  EXPECT_FALSE(clean.Contains("job=apI"));
  EXPECT_FALSE(clean.Contains("a"));
  EXPECT_FALSE(clean.Contains(""));
}

TEST(CleanTextsTest, RemembersNoLongText) {
  CleanTexts clean;
  const std::string longest(CleanTexts::kMaxTextBytes, 'x');
  clean.Add(longest);
  clean.Add(longest + "x");
  EXPECT_TRUE(clean.Contains(longest));
  EXPECT_FALSE(clean.Contains(longest + "x"));
}

TEST(CleanTextsTest, ForgetsRatherThanGrows) {
  CleanTexts clean;
  constexpr size_t kTexts = 10 * CleanTexts::kSlots;
  for (size_t i = 0; i < kTexts; ++i) clean.Add("text " + std::to_string(i));
  size_t known = 0;
  for (size_t i = 0; i < kTexts; ++i) known += clean.Contains("text " + std::to_string(i)) ? 1 : 0;
  EXPECT_LE(known, CleanTexts::kSlots);
  EXPECT_TRUE(clean.Contains("text " + std::to_string(kTexts - 1))) << "the last one is there";
}

}  // namespace
}  // namespace omnix
