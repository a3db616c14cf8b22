// Limits and rules of the agent link that both its ends keep.
#pragma once

#include <omnix/v1/agent_link.pb.h>

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace omnix {

inline constexpr uint32_t kLinkVersion = 1;

// What a receiver takes as one message.
inline constexpr size_t kMaxLinkMessageBytes = 16 << 20;
// The largest single item: a message of one item fits with room for its framing.
inline constexpr size_t kMaxLinkItemBytes = kMaxLinkMessageBytes - (64 << 10);
// A sender begins a new message beyond these (an item larger than that travels alone).
inline constexpr size_t kLinkBatchBytes = 1 << 20;
inline constexpr int kLinkBatchItems = 1000;
// A receiver refuses a message of more items.
inline constexpr int kMaxLinkMessageItems = 10'000;

// One piece of evidence. What a task reports beyond the other two is dropped.
inline constexpr size_t kMaxEvidenceItemBytes = 256 << 10;
inline constexpr size_t kMaxEvidencePerTask = 1000;
inline constexpr size_t kMaxEvidenceBytesPerTask = 4 << 20;

inline constexpr uint32_t kMaxAgentCapacity = 10'000;
inline constexpr size_t kMaxAgentNameBytes = 128;
inline constexpr int kMaxAgentTaskTypes = 256;
inline constexpr size_t kMaxTaskSchemaBytes = 64 << 10;
// All schemas of an agent together.
inline constexpr size_t kMaxTaskSchemasBytes = 1 << 20;
inline constexpr size_t kMaxAgentLabels = 64;
inline constexpr size_t kMaxAgentLabelBytes = 256;
inline constexpr size_t kMinInstanceIdDigits = 16;
inline constexpr size_t kMaxInstanceIdDigits = 64;
// Leases that an agent may still name after a reconnect.
inline constexpr int kMaxHelloRunning = 2 * kMaxAgentCapacity;

// Whether an orchestrator of this version can serve an agent that introduces itself so. Errors: FAILED_PRECONDITION
// (link version), INVALID_ARGUMENT (anything else); the message names the field, what it holds and what is expected.
absl::Status CheckHello(const v1::Hello& hello);

}  // namespace omnix
