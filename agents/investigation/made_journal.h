// For tests: a folder of real journal files, as systemd-journal-remote writes them.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/process.h"
#include "fmt/format.h"

namespace omnix {

class MadeJournal {
 public:
  explicit MadeJournal(std::string folder) : folder_(std::move(folder)) {}

  // Needs Debian's packages systemd and systemd-journal-remote.
  static bool IsPossible() { return access(kWriter, X_OK) == 0 && access("/usr/bin/journalctl", X_OK) == 0; }

  // One of the unit's processes writes.
  void Say(absl::Time time, const std::string& unit, const std::string& message, int priority = 6) {
    Add(time, fmt::format("_PID=4711\n_SYSTEMD_UNIT={}\nPRIORITY={}\n", unit, priority), message);
  }
  // systemd speaks of the unit.
  void Tell(absl::Time time, const std::string& unit, const std::string& message, int priority = 5) {
    Add(time, fmt::format("_PID=1\n_SYSTEMD_UNIT=init.scope\nUNIT={}\nPRIORITY={}\n", unit, priority), message);
  }
  // As systemd 252 tells of a start and its end a second later.
  void TellCrash(absl::Time time, const std::string& unit, const std::string& exit, const std::string& result) {
    Tell(time, unit, fmt::format("Started {} - A service.", unit), 6);
    Tell(time + absl::Seconds(1), unit, fmt::format("{}: Main process exited, {}", unit, exit));
    Tell(time + absl::Seconds(1), unit, fmt::format("{}: Failed with result '{}'.", unit, result), 4);
  }
  void TellRestart(absl::Time time, const std::string& unit, int count) {
    Tell(time, unit, fmt::format("{}: Scheduled restart job, restart counter is at {}.", unit, count));
    Tell(time, unit, fmt::format("Stopped {} - A service.", unit), 6);
  }

  // Once.
  void Write() {
    std::filesystem::create_directories(folder_);
    std::stable_sort(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    ProcessOptions options;
    for (const auto& [time, entry] : entries_) options.input += entry;
    const auto written = RunProcess({kWriter, "-o", folder_ + "/made.journal", "-"}, options);
    ASSERT_TRUE(written.ok() && written->exit_code == 0) << (written.ok() ? written->err : written.status().ToString());
  }

 private:
  static constexpr char kWriter[] = "/lib/systemd/systemd-journal-remote";

  // In the journal's export format; a message as bytes, whatever it holds.
  void Add(absl::Time time, const std::string& fields, const std::string& message) {
    const int64_t microseconds = absl::ToUnixMicros(time);
    std::string size;
    for (uint64_t left = message.size(), i = 0; i < sizeof(left); ++i, left >>= 8)
      size.push_back(static_cast<char>(left & 0xFF));
    constexpr char kBoot[] = "0123456789abcdef0123456789abcdef";
    entries_.emplace_back(
        time, fmt::format("__REALTIME_TIMESTAMP={0}\n__MONOTONIC_TIMESTAMP={0}\n_BOOT_ID={1}\n_MACHINE_ID={1}\n{2}"
                          "MESSAGE\n",
                          microseconds, kBoot, fields) +
                  size + message + "\n\n");
  }

  const std::string folder_;
  std::vector<std::pair<absl::Time, std::string>> entries_;
};

}  // namespace omnix
