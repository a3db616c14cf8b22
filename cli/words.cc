#include "cli/words.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "common/time.h"

namespace omnix {
namespace {

// "SEVERITY_CRITICAL" without "SEVERITY_", in lower case, with spaces.
std::string EnumWord(const std::string& name, size_t prefix_length) {
  std::string word = name.size() > prefix_length ? name.substr(prefix_length) : "unknown";
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return c == '_' ? ' ' : static_cast<char>(std::tolower(c)); });
  return word;
}

size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

constexpr size_t kShortHashLength = 12;

}  // namespace

std::string PhaseWord(v1::Phase phase) {
  std::string word = EnumWord(v1::Phase_Name(phase), sizeof("PHASE_") - 1);
  word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  return word;
}

std::string SeverityWord(v1::Severity severity) {
  return EnumWord(v1::Severity_Name(severity), sizeof("SEVERITY_") - 1);
}

std::string RiskWord(v1::Risk risk) { return EnumWord(v1::Risk_Name(risk), sizeof("RISK_") - 1); }

std::string StepWord(v1::StepOutcome outcome) {
  return EnumWord(v1::StepOutcome_Name(outcome), sizeof("STEP_OUTCOME_") - 1);
}

std::optional<v1::Severity> ParseSeverity(const std::string& word) {
  for (const auto severity :
       {v1::SEVERITY_INFO, v1::SEVERITY_WARNING, v1::SEVERITY_ERROR, v1::SEVERITY_CRITICAL, v1::SEVERITY_UNKNOWN}) {
    if (SeverityWord(severity) == word) return severity;
  }
  return std::nullopt;
}

std::string TimeWord(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M:%SZ", FromProto(time), absl::UTCTimeZone());
}

std::string AgoWord(const google::protobuf::Timestamp& time, absl::Time now) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  return omnix::FormatDuration(std::max(absl::ZeroDuration(), now - FromProto(time))) + " ago";
}

std::string ShortHash(const std::string& hash) { return hash.substr(0, kShortHashLength); }

std::optional<std::string> Nearest(const std::string& word, const std::vector<std::string>& choices) {
  std::optional<std::string> nearest;
  // Up to a third of the letters, at least two: "aprove", "lst", "eskalate".
  size_t best = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& choice : choices) {
    const size_t distance = EditDistance(word, choice);
    if (distance < best && distance < choice.size()) {
      best = distance;
      nearest = choice;
    }
  }
  return nearest;
}

bool HasEnded(v1::Phase phase) {
  return phase == v1::PHASE_RESOLVED || phase == v1::PHASE_ESCALATED || phase == v1::PHASE_CANCELLED;
}

}  // namespace omnix
