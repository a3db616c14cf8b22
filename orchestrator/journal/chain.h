// The keyed hashes that make tampering with the journal show.
//
// Each event's chain value is HMAC-SHA-256(key, 'E' | chain of the row before | row id | payload size | payload |
// text); the row before the first one counts as 32 zero bytes. Integers are 8 bytes, little-endian. The head record
// names the last row and is sealed by HMAC-SHA-256(key, 'H' | row id | chain), so that cutting off the end shows, too.
// Rows that were pruned leave a record that carries the chain over the gap (pruned_ranges.h), sealed by
// HMAC-SHA-256(key, 'P' | first row | last row | chain before | chain of the last row | time).
// Each row of silences.db (silence_log.h) carries HMAC-SHA-256(key, 'S' | seal of the row before | sequence | payload).
// Whoever has not the key can make none of them.
//
// What it can't show: a whole older copy of the file put in place of the newer one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

struct evp_mac_ctx_st;

namespace omnix {

inline constexpr size_t kMinKeyBytes = 32;
inline constexpr size_t kMaxKeyBytes = 4096;

// Reads the key file (its text without the line end). With `create`, makes it (mode 0600, 256 random bits as hex) where
// it is absent. Errors: NOT_FOUND, FAILED_PRECONDITION (too short, or others may read it), UNAVAILABLE (can't be
// created).
absl::StatusOr<std::string> LoadJournalKey(const std::string& key_path, bool create);

// Computes the hashes with one key. Not thread-safe.
class Sealer {
 public:
  explicit Sealer(const std::string& key);

  std::string EventChain(const std::string& previous, int64_t id, const std::string& payload, const std::string& text);
  std::string HeadSeal(int64_t id, const std::string& chain);
  // `before` is the chain value of the row before `first`, `after` that of the row `last`.
  std::string PrunedSeal(int64_t first, int64_t last, const std::string& before, const std::string& after,
                         const std::string& time);
  std::string SilenceChain(const std::string& previous, int64_t sequence, const std::string& payload);
  // Tells which key a journal was begun with, without giving the key away (hex).
  std::string KeyId();

  // Chain value before the first row.
  static std::string Origin();

 private:
  void Begin(char domain);
  void Add(std::string_view bytes);
  void Add(int64_t number);
  std::string End();

  struct ContextDeleter {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, ContextDeleter> context_;
  // What End() hashes.
  std::string gathered_;
};

// Last row of the journal as `meta` keeps it: "<id> <chain in hex> <seal in hex>".
struct Head {
  int64_t id = 0;
  std::string chain = Sealer::Origin();
};
std::string FormatHead(const Head& head, Sealer& sealer);
// Errors: DATA_LOSS (malformed, or the seal does not fit).
absl::StatusOr<Head> ParseHead(const std::string& text, Sealer& sealer);

}  // namespace omnix
