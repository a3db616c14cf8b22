// Mines the templates of masked log lines, one line after the other, in bounded memory. After Drain (He et al., "Drain:
// An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017): lines are grouped by their number of words, their
// first word, the exception that they name and whether they speak of an error; within a group a line joins the template
// that it shares most words with, if those are enough, and the words that differ become "<*>". Lines seen before,
// masked, are found by their hash.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace omnix {

inline constexpr size_t kMaxTemplates = 4096;

struct Template {
  // Masked; words that differ are "<*>".
  std::string text;
  bool error = false;
};

// Not thread-safe.
class TemplateMiner {
 public:
  TemplateMiner();
  // The number of the line's template: stays the same while its text may lose words. Beyond kMaxTemplates templates all
  // new ones are kOther.
  uint32_t Add(std::string_view masked);
  const std::vector<Template>& templates() const { return templates_; }

  static constexpr uint32_t kOther = 0;

 private:
  using Words = std::vector<std::string_view>;
  // Of each word; kAnyWord where they differ.
  using Hashes = std::vector<uint64_t>;

  uint32_t Place(std::string_view masked);
  static void Split(std::string_view text, Words* words);
  static double Similarity(const Hashes& a, const Hashes& b);
  void Merge(uint32_t number);

  std::vector<Template> templates_;
  // Beside templates_.
  std::vector<Hashes> hashes_;
  absl::flat_hash_map<uint64_t, uint32_t> seen_;
  std::unordered_map<std::string, std::vector<uint32_t>> groups_;
  // Of the line at hand.
  Words words_;
  Hashes line_;
};

// Does the line speak of an error? Levels (error, fatal, panic, crit, alert, emerg), exceptions, refusals, time-outs,
// answers of 500 and above in access logs.
bool SpeaksOfError(std::string_view text);

}  // namespace omnix
