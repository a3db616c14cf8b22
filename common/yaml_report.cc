#include <algorithm>

#include "common/status.h"
#include "common/yaml.h"

namespace omnix {
namespace {

// Levenshtein distance, as in Wagner and Fischer, "The String-to-String Correction Problem" (1974).
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string NearestWord(const std::string& word, const std::vector<std::string>& known) {
  // Longer words are never a slip of one that is known, and would make the distance expensive.
  constexpr size_t kMaxWordBytes = 64;
  constexpr size_t kBytesPerSlip = 3;
  if (word.size() > kMaxWordBytes) return "";
  std::string best;
  size_t best_distance = std::max<size_t>(word.size() / kBytesPerSlip, 1) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

void YamlReport::Add(const std::string& path, const std::string& problem) {
  if (!unread_.contains(path)) Note(MarkOf(path), path, problem);
}

void YamlReport::AddAt(YamlMark mark, const std::string& path, const std::string& problem) {
  if (!path.empty()) unread_.insert(path);
  Note(mark, path, problem);
}

void YamlReport::Note(YamlMark mark, const std::string& path, const std::string& problem) {
  if (mistakes_.size() >= kMaxYamlMistakes) {
    ++dropped_;
    return;
  }
  mistakes_.push_back({mark, Format(mark) + (path.empty() ? "" : path + ": ") + problem});
}

void YamlReport::AddAll(const absl::Status& status) {
  constexpr YamlMark kAfterOwnMistakes = {1 << 30, 0};
  if (!status.ok()) mistakes_.push_back({kAfterOwnMistakes, Message(status)});
}

YamlMark YamlReport::MarkOf(std::string path) const {
  while (true) {
    if (const auto found = marks_.find(path); found != marks_.end()) return found->second;
    const size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return {};
    path.resize(cut);
  }
}

std::string YamlReport::Format(YamlMark mark) const {
  if (mark.line == 0) return name_ + ": ";
  return fmt::format("{}:{}:{}: ", name_, mark.line, mark.column);
}

std::string YamlReport::Place(const std::string& path) const { return Format(MarkOf(path)); }

absl::Status YamlReport::status() const {
  if (ok()) return absl::OkStatus();
  std::vector<Mistake> sorted = mistakes_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Mistake& a, const Mistake& b) {
    return std::tie(a.mark.line, a.mark.column) < std::tie(b.mark.line, b.mark.column);
  });
  std::string text;
  for (const Mistake& mistake : sorted) text += (text.empty() ? "" : "\n") + mistake.text;
  if (dropped_ > 0) text += fmt::format("\n{}: {} more mistakes", name_, dropped_);
  return InvalidArgument("{}", text);
}

}  // namespace omnix
