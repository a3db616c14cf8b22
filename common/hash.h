// SHA-256, HMAC-SHA-256 and random identifiers (OpenSSL).
#pragma once

#include <string>
#include <string_view>

namespace omnix {

// 32 raw bytes.
std::string Sha256(std::string_view data);
std::string HmacSha256(std::string_view key, std::string_view data);

// Lower-case hex.
std::string Hex(std::string_view bytes);
std::string Sha256Hex(std::string_view data);

// `bytes` random bytes of the system's generator, as lower-case hex.
std::string RandomHex(int bytes);

}  // namespace omnix
