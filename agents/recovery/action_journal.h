// What was begun and done under one plan, on the host's disk, written before each effect. One file a plan hash: JSON
// lines, each fsynced. A torn last line (a crash while writing it) is cut off: its effect had not begun.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"

namespace omnix {

class ActionJournal {
 public:
  // Errors: DATA_LOSS (a line that is not the last is no JSON), others of the file system.
  static absl::StatusOr<ActionJournal> Open(const std::string& path);
  ActionJournal(ActionJournal&& other) noexcept;
  ActionJournal& operator=(ActionJournal&&) = delete;
  ~ActionJournal();

  // Durable when it returns OK. After an error nothing more is accepted.
  absl::Status Append(const std::string& event, Json fields = Json::object());

  // The last entry of that event, or null; with `key` and `value` the last one that has them.
  const Json* Last(const std::string& event) const;
  const Json* Last(const std::string& event, const std::string& key, const Json& value) const;
  bool empty() const { return entries_.empty(); }

 private:
  explicit ActionJournal(std::string path) : path_(std::move(path)) {}

  std::string path_;
  int fd_ = -1;
  bool failed_ = false;
  std::vector<Json> entries_;
};

}  // namespace omnix
