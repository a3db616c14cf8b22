// What happened in a run: always as a hash (two runs of a seed must give the same), as lines for people only where
// asked.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace omnix::simulation {

class Trace {
 public:
  explicit Trace(bool keep_lines) : keep_lines_(keep_lines) {}

  // `who` is a literal; `words` and the numbers are hashed whether lines are kept or not.
  template <typename... Args>
  void Add(absl::Duration now, const char* who, fmt::format_string<Args...> format, Args&&... args) {
    Hash(static_cast<uint64_t>(absl::ToInt64Nanoseconds(now)));
    Hash(std::string_view(who));
    (Hash(args), ...);
    if (!keep_lines_) return;
    lines_.push_back(fmt::format("{:>10.4f}  {:<12}  {}", absl::ToDoubleSeconds(now), who,
                                 fmt::format(format, std::forward<Args>(args)...)));
  }

  uint64_t hash() const { return hash_; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  // FNV-1a.
  void Hash(std::string_view text) {
    for (const char c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  void Hash(uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3; }
  void Hash(int value) { Hash(static_cast<uint64_t>(value)); }
  void Hash(uint32_t value) { Hash(static_cast<uint64_t>(value)); }

  const bool keep_lines_;
  uint64_t hash_ = 0xcbf29ce484222325;
  std::vector<std::string> lines_;
};

}  // namespace omnix::simulation
