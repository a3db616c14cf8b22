#include "agents/investigation/logs/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "agents/investigation/logs/embedded_trace.h"
#include "agents/investigation/logs/line_reader.h"
#include "agents/investigation/logs/line_time.h"
#include "agents/investigation/logs/mask.h"
#include "agents/investigation/logs/templates.h"
#include "common/printable.h"
#include "common/redact.h"
#include "common/status.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

// Of a line so much makes its template.
constexpr size_t kMaskedBytes = 2048;
constexpr size_t kSampleBytes = 2048;
constexpr size_t kReasonBytes = 512;
// Unusual beyond so many standard deviations and so many times the expected count.
constexpr double kUnusualDeviations = 5;
constexpr double kUnusualRatio = 3;
constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

bool IsBinary(std::string_view line) {
  constexpr size_t kLookedAt = 256;
  const std::string_view begin = line.substr(0, kLookedAt);
  const auto odd = std::count_if(begin.begin(), begin.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\x1b' && c != '\r') || byte == 0x7F || byte >= 0xF8;
  });
  return odd * 10 > static_cast<ptrdiff_t>(begin.size());
}

// Lines of a stack trace: indented, or with the words that runtimes begin them with.
bool BeginsTrace(std::string_view line) {
  return line.starts_with("Traceback (most recent call last)") || line.starts_with("Caused by:") ||
         line.starts_with("goroutine ") || line.starts_with("Stack trace:") || line.starts_with("stack backtrace:");
}
bool IsIndented(std::string_view line) {
  return line.starts_with("\t") || line.starts_with("  ") || line.starts_with(" at ");
}

struct Counts {
  uint64_t normal = 0;
  uint64_t window = 0;
  // UNIX seconds; kNever: not in the window.
  int64_t first = kNever;
  int64_t last = kNever;
  int64_t last_normal = kNever;
  std::string sample;
};

}  // namespace

class LogComparer::State {
 public:
  explicit State(const LogCompareOptions& options)
      : options_(options),
        begin_(options.begin == absl::InfinitePast() ? kNever : absl::ToUnixSeconds(options.begin)),
        end_(options.end == absl::InfiniteFuture() ? std::numeric_limits<int64_t>::max()
                                                   : absl::ToUnixSeconds(options.end)),
        times_(options.zone, options.end == absl::InfiniteFuture() ? absl::Now() : options.end) {}

  // `known`: UNIX seconds, where it is known otherwise when the line was written.
  void AddLine(std::string_view line, std::optional<int64_t> known) {
    if (line.empty()) return;
    if (IsBinary(line)) {
      ++result_.binary_lines;
      return;
    }
    const bool trace = BeginsTrace(line);
    if (entry_open_ && (trace || IsIndented(line))) {
      Continue(line, trace);
      return;
    }
    const auto time = times_.Read(line);
    // The line of a Python trace that says what happened is not indented; a line with a time is no part of a trace.
    if (entry_open_ && in_trace_ && !time && (!known || SpeaksOfError(line))) {
      Continue(line, false);
      // Where lines need no time of their own, its absence does not tell the next message from more of the trace.
      in_trace_ = !known;
      return;
    }
    Close();
    if (known) {
      result_.timed = true;
      now_ = *known;
    }
    Open(line, time, known.has_value());
  }

  LogComparison Finish();

 private:
  void Open(std::string_view line, const std::optional<LineTime>& time, bool is_known) {
    entry_open_ = true;
    in_trace_ = false;
    sample_.assign(line.substr(0, kSampleBytes));
    masked_.clear();
    reason_.assign(EmbeddedReason(line).substr(0, kReasonBytes));
    if (!reason_.empty() && line.size() > kSampleBytes) {
      sample_.resize(kSampleBytes - std::min(kSampleBytes, reason_.size() + 1));
      sample_.append("\n").append(reason_);
    }
    if (!time) {
      // What has no time of its own was written when the line before it was.
      MaskLine(line.substr(0, kMaskedBytes), &masked_);
      return;
    }
    result_.timed = true;
    if (!is_known) now_ = time->seconds;
    if (line.starts_with('{')) {
      // In one piece: behind the time it would not be seen that quotes are its syntax.
      timeless_.assign(line.substr(0, std::min(time->begin, kMaskedBytes)));
      timeless_.append(line.substr(std::min(time->end, line.size()), kMaskedBytes));
      MaskLine(timeless_, &masked_);
      return;
    }
    MaskLine(line.substr(0, std::min(time->begin, kMaskedBytes)), &masked_);
    if (time->end < line.size()) MaskLine(line.substr(time->end, kMaskedBytes), &masked_);
  }

  void Continue(std::string_view line, bool trace) {
    in_trace_ = in_trace_ || trace || IsIndented(line);
    // The last line that is not indented says what happened, in Python and Java alike; "Caused by" above all.
    if (!IsIndented(line) && !line.starts_with("Traceback") && !line.starts_with("goroutine"))
      reason_.assign(line.substr(0, kReasonBytes));
    if (sample_.size() + 1 + line.size() <= kSampleBytes) sample_.append("\n").append(line);
  }

  void Close() {
    if (!entry_open_) return;
    entry_open_ = false;
    ++result_.entries;
    if (!reason_.empty()) {
      masked_ += " | ";
      MaskLine(reason_, &masked_);
    }
    if (now_ > end_) return;
    const uint32_t number = miner_.Add(masked_);
    if (number >= counts_.size()) counts_.resize(number + 1);
    Count(&counts_[number]);
  }

  void Count(Counts* counts) {
    if (now_ < begin_) {
      ++counts->normal;
      if (now_ == kNever) return;
      counts->last_normal = std::max(counts->last_normal, now_);
      first_normal_ = std::min(first_normal_, now_);
      last_normal_ = std::max(last_normal_, now_);
      return;
    }
    ++result_.window_entries;
    ++counts->window;
    last_window_ = std::max(last_window_, now_);
    if (counts->first == kNever || now_ < counts->first) {
      counts->first = now_;
      counts->sample = sample_;
    }
    counts->last = std::max(counts->last, now_);
  }

  std::optional<LogChange> ChangeOf(const Template& mined, const Counts& counts, double ratio) const;

  const LogCompareOptions options_;
  const int64_t begin_;
  const int64_t end_;
  LineTimeReader times_;
  TemplateMiner miner_;
  std::vector<Counts> counts_;
  LogComparison result_;
  // The entry at hand.
  bool entry_open_ = false;
  bool in_trace_ = false;
  std::string sample_;
  std::string masked_;
  // The line of JSON without its time.
  std::string timeless_;
  std::string reason_;
  // When the last line with a time was written.
  int64_t now_ = kNever;
  int64_t first_normal_ = std::numeric_limits<int64_t>::max();
  int64_t last_normal_ = kNever;
  int64_t last_window_ = kNever;
};

// `ratio`: length of the window / length of normal time.
std::optional<LogChange> LogComparer::State::ChangeOf(const Template& mined, const Counts& counts, double ratio) const {
  LogChange change;
  change.text = mined.text;
  change.error = mined.error;
  change.count = counts.window;
  change.expected = static_cast<double>(counts.normal) * ratio;
  change.sample = counts.sample;
  const auto count = static_cast<double>(counts.window);
  const double deviations = (count - change.expected) / std::sqrt(change.expected + 1);
  if (counts.window > 0) {
    change.first = absl::FromUnixSeconds(counts.first);
    change.last = absl::FromUnixSeconds(counts.last);
  }
  if (counts.window > 0 && counts.normal == 0) {
    change.kind = LogChangeKind::kNew;
  } else if (deviations >= kUnusualDeviations && count >= kUnusualRatio * change.expected) {
    change.kind = LogChangeKind::kMoreOften;
  } else if (counts.window == 0 && change.expected >= kUnusualDeviations * kUnusualDeviations) {
    change.kind = LogChangeKind::kCeased;
    change.first = change.last = absl::FromUnixSeconds(counts.last_normal);
  } else {
    return std::nullopt;
  }
  return change;
}

LogComparison LogComparer::State::Finish() {
  Close();
  const std::vector<Template>& templates = miner_.templates();
  result_.templates = templates.size() - 1;
  const bool normal_seen = last_normal_ != kNever;
  if (normal_seen) result_.normal = absl::Seconds(last_normal_ - first_normal_ + 1);
  if (!result_.timed || last_window_ == kNever) return std::move(result_);
  const int64_t window_end = std::min(end_, last_window_);
  const auto window = static_cast<double>(window_end - (begin_ == kNever ? window_end : begin_) + 1);
  const double ratio = normal_seen ? window / absl::ToDoubleSeconds(result_.normal) : 0;
  for (size_t i = TemplateMiner::kOther + 1; i < counts_.size(); ++i) {
    // Without normal time every line is new: only errors are worth a word then.
    if (!normal_seen && !templates[i].error && !options_.all_without_normal) continue;
    if (auto change = ChangeOf(templates[i], counts_[i], ratio)) result_.changes.push_back(*std::move(change));
  }
  std::stable_sort(result_.changes.begin(), result_.changes.end(), [](const LogChange& a, const LogChange& b) {
    const bool a_last = a.kind == LogChangeKind::kCeased;
    const bool b_last = b.kind == LogChangeKind::kCeased;
    return std::tuple(a_last, !a.error, a.kind, a.first) < std::tuple(b_last, !b.error, b.kind, b.first);
  });
  for (const LogChange& change : result_.changes) {
    if (change.error && change.kind != LogChangeKind::kCeased &&
        (!result_.first_error || change.first < result_.first_error->first))
      result_.first_error = change;
  }
  if (result_.changes.size() > options_.max_changes) result_.changes.resize(options_.max_changes);
  return std::move(result_);
}

LogComparer::LogComparer(const LogCompareOptions& options) : state_(std::make_unique<State>(options)) {}
LogComparer::~LogComparer() = default;
void LogComparer::AddLine(std::string_view line) { state_->AddLine(line, std::nullopt); }
void LogComparer::AddLine(std::string_view line, absl::Time time) { state_->AddLine(line, absl::ToUnixSeconds(time)); }
LogComparison LogComparer::Finish() { return state_->Finish(); }

absl::StatusOr<LogComparison> CompareLogFile(const std::string& path, const LogCompareOptions& options) {
  LogComparer comparer(options);
  OMNIX_ASSIGN_OR_RETURN(const uint64_t bytes,
                         ReadLines(path, options.max_bytes, [&](std::string_view line) { comparer.AddLine(line); }));
  LogComparison comparison = comparer.Finish();
  comparison.bytes = bytes;
  return comparison;
}

std::string Describe(const LogChange& change) {
  constexpr size_t kShownBytes = 300;
  const std::string text = Excerpt(PrintableLine(change.text), kShownBytes);
  const std::string first = omnix::FormatTime(change.first);
  switch (change.kind) {
    case LogChangeKind::kNew:
      if (change.count == 1) return fmt::format("new{}, once at {}: {}", change.error ? " error" : "", first, text);
      return fmt::format("new{}, {} times since {}: {}", change.error ? " error" : "", change.count, first, text);
    case LogChangeKind::kMoreOften:
      return fmt::format("{} times since {} where {:.1f} are usual: {}", change.count, first, change.expected, text);
    case LogChangeKind::kCeased:
      return fmt::format("ceased, last at {}, {:.1f} are usual: {}", first, change.expected, text);
  }
  return text;
}

}  // namespace omnix
