// Messages of public products (PostgreSQL, MySQL, Redis, nginx, the C library, common client libraries and runtimes)
// that name the kind of a fault by themselves, found among what a log says now and did not say in normal time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/investigation/scene.h"

namespace omnix {

// Where the fault is, seen from the service whose log has the message.
enum class SignPlace {
  // That service or what it runs on: its configuration, its limits, its disk.
  kSelf,
  // The store that it speaks to, or (in the store's own log) itself.
  kStore,
  // As kStore, unless the store is well for others: then it is what this service sends.
  kWhatItSends,
};

struct SignShape {
  // "database.credentials"; a hypothesis' kind.
  std::string_view kind;
  SignPlace place;
  // RE2, without regard to case. Its first group, where it has one, is what the message speaks of: an address, a path,
  // a name.
  std::string_view pattern;
  // What a person reads: "refuses the credentials that it is given".
  std::string_view says;
};

// One message that is new in a log, or comes much more often.
struct LogSign {
  const SignShape* shape = nullptr;
  const v1::Service* service = nullptr;
  // LogSource::Name().
  std::string log;
  // What it speaks of; "" where the message does not say.
  std::string what;
  // The first such message. Raw: redact it before it goes anywhere.
  std::string text;
  uint64_t count = 0;
  absl::Time first;
  std::string evidence;
};

// The first shape that fits each line; null where none does. `what` is set where the shape has a group.
const SignShape* FindSign(std::string_view text, std::string* what);

// All signs of a service's logs, the most frequent first.
std::vector<const LogSign*> SignsOf(const Scene& scene, const v1::Service& service);

}  // namespace omnix
