// Why a store did not let a client in, whatever its kind and language.
#pragma once

#include <string_view>

namespace omnix {

enum class Refusal {
  kNone,
  // Nobody listens there, no route, no such name.
  kUnreachable,
  kTimeout,
  // User or password.
  kCredentials,
  // The store's rules shut the client out whatever it says: pg_hba.conf, a role that may not log in, protected mode.
  kAccess,
  kNoDatabase,
  // The limit of connections is reached.
  kTooMany,
  // Starting, recovering, loading or shutting down.
  kNotReady,
  kOther,
};

// "credentials", "too many connections", ... for people.
std::string_view RefusalText(Refusal refusal);

}  // namespace omnix
