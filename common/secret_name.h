// The names that secrets go by, for common/redact.h.
#pragma once

#include <string_view>

namespace omnix {

// True for "password", "dbPassword", "DB_PASSWORD_2", "session-id", "AWS_SECRET_ACCESS_KEY"... Of a name longer than 64
// bytes only its end counts.
bool IsSecretName(std::string_view word);

// True for the headers whose whole value is a secret: "Authorization", "Cookie"...
bool IsHeaderName(std::string_view word);

}  // namespace omnix
