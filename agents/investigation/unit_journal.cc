#include "agents/investigation/unit_journal.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/json.h"
#include "common/process.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr size_t kMaxOutputBytes = 16 << 20;
constexpr size_t kMaxMessageBytes = 64 << 10;
constexpr size_t kMaxShownError = 200;

// A field's text. What is no printable UTF-8 comes as a list of bytes, a field that stands there twice as a list of
// texts.
std::string TextOf(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array() || value.empty()) return "";
  if (!value[0].is_number_integer()) return TextOf(value[0]);
  std::string bytes;
  for (const Json& byte : value) {
    if (!byte.is_number_integer() || bytes.size() >= kMaxMessageBytes) break;
    bytes.push_back(static_cast<char>(byte.get<int>()));
  }
  return bytes;
}

std::string FieldOf(const Json& entry, const char* name) {
  const auto found = entry.find(name);
  return found == entry.end() ? "" : TextOf(*found);
}

std::vector<std::string> CommandOf(const JournalQuery& query) {
  std::vector<std::string> argv = {"journalctl", "--no-pager",
                                   "--all",      "--output=json",
                                   "--reverse",  "--output-fields=MESSAGE,PRIORITY,_PID,UNIT",
                                   "--lines",    std::to_string(query.max_entries)};
  if (!query.directory.empty()) argv.push_back("--directory=" + query.directory);
  if (query.since > absl::UnixEpoch()) argv.push_back(fmt::format("--since=@{}", absl::ToUnixSeconds(query.since)));
  if (query.until < absl::InfiniteFuture())
    argv.push_back(fmt::format("--until=@{}", absl::ToUnixSeconds(query.until)));
  if (query.by_systemd_only) {
    argv.emplace_back("_PID=1");
    argv.push_back("UNIT=" + query.unit);
  } else {
    argv.push_back("--unit=" + query.unit);
  }
  return argv;
}

absl::Status ErrorOf(const ProcessResult& result) {
  const std::string text = result.err.substr(0, std::min(result.err.find('\n'), kMaxShownError));
  // journalctl gives what the user may see, which may be nothing, and says so beside it.
  if (result.err.find("insufficient permissions") != std::string::npos ||
      result.err.find("not seeing messages from other users") != std::string::npos ||
      result.err.find("Permission denied") != std::string::npos)
    return PermissionDenied("the agent's user may not read the system's journal (group systemd-journal)");
  if (result.err.find("No such file or directory") != std::string::npos) return NotFound("journalctl: {}", text);
  if (result.exit_code != 0 && !result.timed_out) return FailedPrecondition("journalctl: {}", text);
  if (result.timed_out && result.out.empty()) return DeadlineExceeded("journalctl gave nothing in time");
  return absl::OkStatus();
}

}  // namespace

std::optional<JournalEntry> ParseJournalEntry(std::string_view line) {
  const auto json = ParseJson(line);
  if (!json.ok() || !json->is_object()) return std::nullopt;
  JournalEntry entry;
  int64_t microseconds = 0;
  if (!absl::SimpleAtoi(FieldOf(*json, "__REALTIME_TIMESTAMP"), &microseconds)) return std::nullopt;
  entry.time = absl::FromUnixMicros(microseconds);
  if (!absl::SimpleAtoi(FieldOf(*json, "PRIORITY"), &entry.priority)) entry.priority = kJournalInfo;
  entry.by_systemd = FieldOf(*json, "_PID") == "1" && json->contains("UNIT");
  entry.message = FieldOf(*json, "MESSAGE").substr(0, kMaxMessageBytes);
  if (entry.message.empty()) return std::nullopt;
  return entry;
}

absl::StatusOr<UnitJournal> ReadUnitJournal(const JournalQuery& query) {
  ProcessOptions options;
  options.timeout = query.timeout;
  options.max_output_bytes = kMaxOutputBytes;
  OMNIX_ASSIGN_OR_RETURN(const ProcessResult result, RunProcess(CommandOf(query), options));
  OMNIX_RETURN_IF_ERROR(ErrorOf(result));
  UnitJournal journal;
  size_t lines = 0;
  for (const absl::string_view line : absl::StrSplit(result.out, '\n', absl::SkipEmpty())) {
    ++lines;
    // The last line may be cut; then it is no JSON.
    if (auto entry = ParseJournalEntry({line.data(), line.size()})) journal.entries.push_back(*std::move(entry));
  }
  std::reverse(journal.entries.begin(), journal.entries.end());
  journal.truncated = result.timed_out || result.truncated || lines >= query.max_entries;
  return journal;
}

}  // namespace omnix
