#include "agents/investigation/logs/templates.h"

#include <re2/re2.h>

#include <algorithm>

#include "absl/hash/hash.h"
#include "absl/strings/ascii.h"

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
constexpr uint64_t kAnyWord = 0;

uint64_t HashOf(std::string_view text) { return absl::HashOf(absl::string_view(text.data(), text.size())); }

// The first name of an exception ("InvalidSignatureError"), "" where there is none.
std::string_view ExceptionIn(std::string_view text) {
  const auto is_word = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t at = 0; at < text.size(); ++at) {
    if (!absl::ascii_isupper(static_cast<unsigned char>(text[at])) || (at > 0 && is_word(text[at - 1]))) continue;
    const size_t begin = at;
    while (at < text.size() && is_word(text[at])) ++at;
    const std::string_view word = text.substr(begin, at - begin);
    for (const std::string_view end : {std::string_view("Error"), std::string_view("Exception")}) {
      if (word.size() > end.size() && word.ends_with(end)) return word;
    }
  }
  return "";
}

}  // namespace

bool SpeaksOfError(std::string_view text) {
  static const re2::RE2* const regex = new re2::RE2(
      R"re((?i)\b(?:err|error|errors|fatal|panic|crit|critical|alert|emerg|severe|exception|traceback|failed|failure|refused|denied|timed out|timeout|unreachable|segfault|oom|killed)\b|(?-i:Exception|Error)\b|(?-i:^[EF]) |" 5\d\d\b)re");
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex);
}

TemplateMiner::TemplateMiner() {
  templates_.push_back({"(other lines)", false});
  hashes_.emplace_back();
}

uint32_t TemplateMiner::Add(std::string_view masked) {
  const uint64_t hash = HashOf(masked);
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

double TemplateMiner::Similarity(const Hashes& a, const Hashes& b) {
  if (a.empty()) return 1;
  size_t same = 0;
  for (size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
  return static_cast<double>(same) / static_cast<double>(a.size());
}

// The line at hand joins the template.
void TemplateMiner::Merge(uint32_t number) {
  Hashes& hashes = hashes_[number];
  std::string text;
  for (size_t i = 0; i < words_.size(); ++i) {
    if (hashes[i] != line_[i]) hashes[i] = kAnyWord;
    if (i > 0) text += ' ';
    text += hashes[i] == kAnyWord ? kAny : words_[i];
  }
  templates_[number].text = std::move(text);
}

uint32_t TemplateMiner::Place(std::string_view masked) {
  Split(masked, &words_);
  line_.clear();
  for (const std::string_view word : words_) line_.push_back(HashOf(word));
  const bool error = SpeaksOfError(masked);
  std::string key = std::to_string(words_.size()) + (error ? "!" : " ");
  // A first word that varies must not make a group of its own each time.
  if (!words_.empty() && words_[0].find('<') == std::string_view::npos) key += words_[0];
  // In structured logs the names of the fields outnumber what tells one failure from another.
  key.append(" ").append(ExceptionIn(masked));
  std::vector<uint32_t>& members = groups_[key];
  uint32_t best = kOther;
  double most = 0;
  for (const uint32_t member : members) {
    const double similarity = Similarity(line_, hashes_[member]);
    if (similarity <= most) continue;
    most = similarity;
    best = member;
  }
  if (best != kOther && most >= (error ? kSimilarErrors : kSimilar)) {
    Merge(best);
    return best;
  }
  if (templates_.size() >= kMaxTemplates || members.size() >= kMaxGroup) {
    if (members.empty()) groups_.erase(key);
    return kOther;
  }
  std::string text;
  for (const std::string_view word : words_) text.append(text.empty() ? "" : " ").append(word);
  templates_.push_back({std::move(text), error});
  hashes_.push_back(line_);
  members.push_back(static_cast<uint32_t>(templates_.size() - 1));
  return members.back();
}

}  // namespace omnix
