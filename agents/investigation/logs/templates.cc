#include "agents/investigation/logs/templates.h"

#include <re2/re2.h>

#include <algorithm>

#include "absl/hash/hash.h"

namespace omnix {
namespace {

// Exact lines that are remembered; forgotten all at once when full, which costs time, not templates.
constexpr size_t kMaxSeen = 1 << 16;
constexpr size_t kMaxWords = 100;
// Templates that a line is compared with.
constexpr size_t kMaxGroup = 128;
// Share of words that must agree. Of errors more: they must not vanish in each other.
constexpr double kSimilar = 0.6;
constexpr double kSimilarErrors = 0.75;
constexpr std::string_view kAny = "<*>";

}  // namespace

bool SpeaksOfError(std::string_view text) {
  static const re2::RE2* const regex = new re2::RE2(
      R"re((?i)\b(?:err|error|errors|fatal|panic|crit|critical|alert|emerg|severe|exception|traceback|failed|failure|refused|denied|timed out|timeout|unreachable|segfault|oom|killed)\b|(?:Exception|Error)\b|^[EF] |" 5\d\d\b)re");
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
}

TemplateMiner::TemplateMiner() { templates_.push_back({"(other lines)", false}); }

uint32_t TemplateMiner::Add(std::string_view masked) {
  const uint64_t hash = absl::HashOf(absl::string_view(masked.data(), masked.size()));
  if (const auto found = seen_.find(hash); found != seen_.end()) return found->second;
  const uint32_t number = Place(masked);
  if (seen_.size() >= kMaxSeen) seen_.clear();
  seen_[hash] = number;
  return number;
}

void TemplateMiner::Split(std::string_view text, Words* words) {
  words->clear();
  for (size_t at = 0; at < text.size() && words->size() < kMaxWords;) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words->push_back(text.substr(at, end - at));
    at = end + 1;
  }
}

double TemplateMiner::Similarity(const Words& a, const Words& b) {
  if (a.empty()) return 1;
  size_t same = 0;
  for (size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
  return static_cast<double>(same) / static_cast<double>(a.size());
}

void TemplateMiner::Merge(uint32_t number, const Words& words) {
  Split(templates_[number].text, &other_words_);
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += ' ';
    text += other_words_[i] == words[i] ? words[i] : kAny;
  }
  templates_[number].text = std::move(text);
}

uint32_t TemplateMiner::Place(std::string_view masked) {
  Split(masked, &words_);
  const bool error = SpeaksOfError(masked);
  std::string key = std::to_string(words_.size()) + (error ? "!" : " ");
  // A first word that varies must not make a group of its own each time.
  if (!words_.empty() && words_[0].find('<') == std::string_view::npos) key += words_[0];
  Group& group = groups_[key];
  uint32_t best = kOther;
  double most = 0;
  for (const uint32_t member : group.members) {
    Split(templates_[member].text, &other_words_);
    const double similarity = Similarity(words_, other_words_);
    if (similarity > most) {
      most = similarity;
      best = member;
    }
  }
  if (best != kOther && most >= (error ? kSimilarErrors : kSimilar)) {
    if (most < 1) Merge(best, words_);
    return best;
  }
  if (templates_.size() >= kMaxTemplates || group.members.size() >= kMaxGroup) {
    if (group.members.empty()) groups_.erase(key);
    return kOther;
  }
  std::string text;
  for (const std::string_view word : words_) text.append(text.empty() ? "" : " ").append(word);
  templates_.push_back({std::move(text), error});
  group.members.push_back(static_cast<uint32_t>(templates_.size() - 1));
  return group.members.back();
}

}  // namespace omnix
