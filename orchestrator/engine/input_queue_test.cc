#include "orchestrator/engine/input_queue.h"

#include <gtest/gtest.h>

namespace omnix {
namespace {

EngineInput Input(InputLane lane, size_t weight = 1, size_t bytes = 0) { return {nullptr, lane, weight, bytes}; }

TEST(InputQueue, OperatorsComeBeforeAgentsAndAlerts) {
  InputQueue queue;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(queue.Add(Input(InputLane::kAlerts)).ok());
    ASSERT_TRUE(queue.Add(Input(InputLane::kAgents)).ok());
  }
  ASSERT_TRUE(queue.Add(Input(InputLane::kOperators)).ok());
  ASSERT_TRUE(queue.Add(Input(InputLane::kOwn)).ok());
  const auto taken = queue.Take(2);
  ASSERT_EQ(taken.size(), 7u);
  EXPECT_EQ(taken[0].lane, InputLane::kOwn);
  EXPECT_EQ(taken[1].lane, InputLane::kOperators);
  EXPECT_EQ(taken[4].lane, InputLane::kAgents);
  EXPECT_EQ(taken[6].lane, InputLane::kAlerts);
  EXPECT_FALSE(queue.HasInputs(0));
  EXPECT_TRUE(queue.HasInputs(1));
  EXPECT_EQ(queue.Take(1).size(), 1u);
  EXPECT_TRUE(queue.empty());
}

TEST(InputQueue, FloodOfAlertsLeavesRoomForOperatorsAndAgents) {
  InputQueue queue;
  size_t added = 0;
  while (queue.Add(Input(InputLane::kAlerts)).ok()) ++added;
  EXPECT_EQ(added, kMaxWaitingAlerts);
  EXPECT_EQ(queue.Add(Input(InputLane::kAlerts)).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(queue.Add(Input(InputLane::kOperators)).ok());
  EXPECT_TRUE(queue.Add(Input(InputLane::kAgents)).ok());
  queue.Take(10);
  EXPECT_TRUE(queue.Add(Input(InputLane::kAlerts)).ok());
}

TEST(InputQueue, CallLargerThanAWholeShareGetsItsTurn) {
  InputQueue queue;
  ASSERT_TRUE(queue.Add(Input(InputLane::kAlerts, 5 * kMaxAlertsATransaction)).ok());
  ASSERT_TRUE(queue.Add(Input(InputLane::kAlerts)).ok());
  EXPECT_EQ(queue.Take(kMaxAlertsATransaction).size(), 1u);
  EXPECT_EQ(queue.Take(kMaxAlertsATransaction).size(), 1u);
}

TEST(InputQueue, BytesAreBounded) {
  InputQueue queue;
  ASSERT_TRUE(queue.Add(Input(InputLane::kOperators, 1, kMaxWaitingBytes)).ok());
  EXPECT_FALSE(queue.Add(Input(InputLane::kOperators)).ok());
  queue.Take(1);
  EXPECT_TRUE(queue.Add(Input(InputLane::kOperators)).ok());
}

}  // namespace
}  // namespace omnix
