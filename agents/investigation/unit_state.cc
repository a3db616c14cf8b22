#include "agents/investigation/unit_state.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/process.h"
#include "common/status.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr char kProperties[] =
    "LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus,ExecMainExitTimestampMonotonic,NRestarts,"
    "StateChangeTimestampMonotonic,MemoryMax";

using Properties = std::map<std::string, std::string>;

int64_t NumberOf(const Properties& properties, const std::string& name) {
  const auto found = properties.find(name);
  int64_t number = 0;
  return found != properties.end() && absl::SimpleAtoi(found->second, &number) ? number : 0;
}

// Zero is systemd's "never".
absl::Time TimeOf(const Properties& properties, const std::string& name, absl::Time boot) {
  const int64_t microseconds = NumberOf(properties, name);
  return microseconds > 0 ? boot + absl::Microseconds(microseconds) : absl::InfinitePast();
}

std::optional<UnitEnd> EndOf(const Properties& properties, const UnitState& state, absl::Time boot) {
  if (state.result.empty() || state.result == "success") return std::nullopt;
  UnitEnd end;
  end.time = TimeOf(properties, "ExecMainExitTimestampMonotonic", boot);
  if (end.time == absl::InfinitePast()) end.time = state.changed;
  end.result = state.result;
  end.oom = state.result == "oom-kill";
  end.gave_up = state.result == "start-limit-hit";
  const int64_t code = NumberOf(properties, "ExecMainCode");
  if (code == 0) return end;
  end.code = code == CLD_EXITED ? "exited" : code == CLD_DUMPED ? "dumped" : "killed";
  end.status = std::to_string(NumberOf(properties, "ExecMainStatus"));
  return end;
}

}  // namespace

bool RunsSystemd() { return access("/run/systemd/system", F_OK) == 0; }

std::optional<UnitState> ParseUnitState(const std::string& shown, absl::Time boot) {
  Properties properties;
  for (const absl::string_view line : absl::StrSplit(shown, '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(line, absl::MaxSplits('=', 1));
    properties.insert(pair);
  }
  if (properties["LoadState"] == "not-found" || properties["ActiveState"].empty()) return std::nullopt;
  UnitState state;
  state.active = properties["ActiveState"];
  state.sub = properties["SubState"];
  state.result = properties["Result"];
  state.restarts = static_cast<int>(NumberOf(properties, "NRestarts"));
  state.changed = TimeOf(properties, "StateChangeTimestampMonotonic", boot);
  if (uint64_t bytes = 0; absl::SimpleAtoi(properties["MemoryMax"], &bytes)) state.memory_max = bytes;
  state.last_end = EndOf(properties, state, boot);
  return state;
}

absl::StatusOr<UnitState> ReadUnitState(const std::string& unit, absl::Duration timeout) {
  ProcessOptions options;
  options.timeout = timeout;
  OMNIX_ASSIGN_OR_RETURN(
      const ProcessResult result,
      RunProcess({"systemctl", "show", "--no-pager", fmt::format("--property={}", kProperties), "--", unit}, options));
  if (result.timed_out) return DeadlineExceeded("systemctl gave nothing in time");
  if (result.exit_code != 0) return FailedPrecondition("systemctl: {}", result.err.substr(0, result.err.find('\n')));
  timespec since_boot{};
  clock_gettime(CLOCK_MONOTONIC, &since_boot);
  auto state = ParseUnitState(result.out, absl::Now() - absl::DurationFromTimespec(since_boot));
  if (!state) return NotFound("systemd knows no unit {}", unit);
  return *std::move(state);
}

}  // namespace omnix
