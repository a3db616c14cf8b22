// Secrets that a configuration does not say itself: it names a file that holds one ("DB_PASSWORD_FILE=/run/secrets/db",
// as the entry points of many container images have it, https://docs.docker.com/compose/how-tos/use-secrets/).
#pragma once

#include "agents/sources/config_values.h"

namespace omnix {

inline constexpr size_t kMaxHeldBytes = 4096;

// "DB_PASSWORD" of "DB_PASSWORD_FILE", "db.password" of "db.passwordFile"; "" where the key names no file by its end.
std::string KeyOfHeldValue(const std::string& key);

// Whether the value names such a file: the key, without its end, is that of a secret (PID_FILE=/run/x.pid names none),
// or the file lies below a folder of secrets.
bool NamesHeldSecret(const ConfigValue& value);

// Adds what those files hold, by the key without its "_FILE" and at the file's first line. A file that cannot be
// read, that is longer than kMaxHeldBytes or of several lines adds nothing.
void AddHeldValues(ConfigValues* config);

}  // namespace omnix
