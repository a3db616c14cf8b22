// The record of silences: append-only events in a file of its own beside the journal, so that holding an alert back
// needs no place in an incident's stream. One writer at a time.
#pragma once

#include <omnix/v1/silence.pb.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "orchestrator/journal/sqlite_connection.h"

namespace omnix {

// Not thread-safe.
class SilenceLog {
 public:
  // Makes the file where there is none. Errors: those of SqliteConnection; DATA_LOSS (an event can't be read).
  static absl::StatusOr<std::unique_ptr<SilenceLog>> Open(const std::string& path);

  // All of them are durable once it returns OK, or none is kept.
  absl::Status Append(const std::vector<v1::SilenceEvent>& events);
  // In order.
  absl::Status Read(const std::function<void(const v1::SilenceEvent&)>& visit);

 private:
  explicit SilenceLog(std::unique_ptr<SqliteConnection> db) : db_(std::move(db)) {}
  std::unique_ptr<SqliteConnection> db_;
};

}  // namespace omnix
