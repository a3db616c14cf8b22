// Limits that nginx sets: which one is in effect, and how much it is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "agents/investigation/gateway_request.h"

namespace omnix {

// What nginx lets through where nothing is written.
inline constexpr uint64_t kDefaultBodyLimit = 1 << 20;
inline constexpr absl::Duration kDefaultGatewayTimeout = absl::Seconds(60);

// "250ms", "10s", "1m 30s", "60": as nginx reads times; unset for what it does not.
std::optional<absl::Duration> NginxTime(const std::string& text);

// "8m", "512k", "1g", "100"; "0" is no limit and gives the greatest number. Unset for what nginx does not read.
std::optional<uint64_t> NginxSize(const std::string& text);

// The zone (where its rate is written) of the request or connection limit in effect for one of these symptoms, else of
// the zone that a log names, else of any; the limit itself where the zone is not found; null: none.
const NginxDirective* RateLimitBehind(const Scene& scene, const v1::Service& service,
                                      const google::protobuf::RepeatedPtrField<std::string>& symptoms,
                                      const std::string& zone);

}  // namespace omnix
