#include "orchestrator/journal/read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>

namespace omnix {
namespace {

TEST(ReadAhead, GivesAllInOrderAndThenNone) {
  int made = 0;
  ReadAhead<int> numbers(
      3, [&]() -> absl::StatusOr<std::optional<int>> { return made < 1000 ? std::optional(made++) : std::nullopt; });
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(**numbers.Next(), i);
  EXPECT_FALSE(numbers.Next()->has_value());
  EXPECT_FALSE(numbers.Next()->has_value());
}

TEST(ReadAhead, GivesWhatWasMadeBeforeAnErrorFirst) {
  int made = 0;
  ReadAhead<int> numbers(10, [&]() -> absl::StatusOr<std::optional<int>> {
    if (made == 2) return absl::DataLossError("torn");
    return made++;
  });
  EXPECT_EQ(**numbers.Next(), 0);
  EXPECT_EQ(**numbers.Next(), 1);
  EXPECT_TRUE(absl::IsDataLoss(numbers.Next().status()));
}

TEST(ReadAhead, EndsWhileItsQueueIsFull) {
  std::atomic<int> made = 0;
  {
    ReadAhead<int> numbers(2, [&]() -> absl::StatusOr<std::optional<int>> { return made++; });
    EXPECT_EQ(**numbers.Next(), 0);
  }
  EXPECT_LE(made, 4) << "no more than the queue and the one in hand";
}

}  // namespace
}  // namespace omnix
