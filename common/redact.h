// Takes secrets out of text before it leaves a process: used at the edge, by every probe, log line, excerpt and report.
#pragma once

#include <string>
#include <string_view>

namespace omnix {

// Replaces what looks like a secret by "[redacted]": values of keys such as password, passwd, secret, token, api_key,
// authorization, cookie (in JSON, YAML, env, URL query, header and connection-string form), "Bearer ...", "Basic ...",
// JWTs, user:password@ in URLs, PEM private keys, well-known key prefixes (AKIA..., ghp_..., xox?-..., sk-...).
// Everything else stays byte for byte. Linear time.
std::string Redact(std::string_view text);

// Redacted, valid UTF-8, at most max_bytes (cut at a character, with "..." at the end).
std::string Excerpt(std::string_view text, size_t max_bytes = 2048);

}  // namespace omnix
