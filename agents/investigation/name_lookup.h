// Whether a name has an address: by this machine's resolver, or by the DNS server that a program is told to ask.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace omnix {

enum class NameState {
  kKnown,
  kUnknown,
  // Nobody answered in time, or the server refuses.
  kNoAnswer,
};

struct NameAnswer {
  NameState state = NameState::kNoAnswer;
  // What a person reads: "payments.internal does not resolve here: Name or service not known".
  std::string told;
};

inline constexpr absl::Duration kNameTimeout = absl::Seconds(3);

NameAnswer ResolveHere(const std::string& name);

// Asks the DNS server for an IPv4 address by UDP. `server`: "127.0.0.53", "10.0.0.2:5353", "[::1]".
NameAnswer AskNameServer(const std::string& server, const std::string& name);

// Whether it is no address but a name that a resolver has to know.
bool NeedsResolver(const std::string& host);

}  // namespace omnix
