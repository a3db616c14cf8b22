// The front of the intake: any monitor's body in, alerts out.
//
// What can be read is never dropped: an element of a body that makes no alert is kept as an alert of unknown severity
// beside its well neighbours; a body that no format knows is kept whole; so is one whose filter fails or takes too
// long.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"
#include "orchestrator/intake/filter_pool.h"
#include "orchestrator/intake/format_library.h"
#include "orchestrator/intake/parsed_alerts.h"

namespace omnix {

struct AlertIntakeOptions {
  // Further formats; empty: only the built-in ones.
  std::string formats_folder;
  FilterPoolOptions filters;
  // One filter on one body. Then its process is ended and the body kept unread.
  absl::Duration filter_timeout = absl::Seconds(2);
  // Warnings repeat what jq says of a filter that fails, which may quote the body: for who owns it.
  bool explain_failures = false;
};

struct AlertBody {
  // Name of the format; empty: recognized by the body's shape.
  std::string format;
  // By lower-case name: content-type, ce-*.
  std::map<std::string, std::string> headers;
  std::string bytes;
  absl::Time received_at;
};

// The names by which alerts can be sent, sorted: those of the library, and Omnix's own format, which is no file.
std::vector<std::string> FormatNames(const FormatLibrary& library);

// Thread-safe.
class AlertIntake {
 public:
  // Errors: those of FormatLibrary::Load.
  static absl::StatusOr<std::unique_ptr<AlertIntake>> Create(const AlertIntakeOptions& options);

  using Done = std::function<void(absl::StatusOr<ParsedAlerts>)>;

  // Calls `done` once: before it returns where the answer is at hand (Alertmanager's and Omnix's own bodies, most
  // errors), else on a thread of the intake, at the latest when this object is destroyed. Errors:
  // NOT_FOUND (no such format; names the known ones), INVALID_ARGUMENT (no JSON, with line and column),
  // RESOURCE_EXHAUSTED (more values or alerts than are taken at a time), FAILED_PRECONDITION (JSON, but nothing in it
  // that this format could make an alert of: names the field by its JSON pointer), UNAVAILABLE (too many bodies wait
  // for their filter). None quotes the body.
  void Read(AlertBody body, Done done);

  // The same, waiting for it.
  absl::StatusOr<ParsedAlerts> Read(AlertBody body);

  std::vector<std::string> Names() const;

 private:
  struct Document;

  AlertIntake(FormatLibrary library, const AlertIntakeOptions& options);

  // A body as Alertmanager itself writes it, read from its text. nullopt: it is none. Null for a format: to be
  // recognized.
  std::optional<absl::StatusOr<ParsedAlerts>> ReadPlain(const AlertFormat* format, std::string_view bytes,
                                                        absl::Time received_at) const;
  bool MayBePlain(const AlertFormat* format) const;
  // What needs no filter. nullopt: it does.
  std::optional<absl::StatusOr<ParsedAlerts>> ReadAtOnce(const Document& document) const;
  absl::StatusOr<ParsedAlerts> ReadByFilter(const Document& document, FilterWorker& worker) const;
  absl::StatusOr<const AlertFormat*> Recognize(const std::string& input, FilterWorker& worker) const;

  const FormatLibrary library_;
  const FilterProgram recognize_;
  const absl::Duration filter_timeout_;
  const bool explain_failures_;
  // A failing filter is logged once a minute: a sender may repeat its body as often as it likes.
  mutable std::atomic<int64_t> last_logged_minute_ = -1;
  // Last: its threads end before the rest does.
  FilterPool pool_;
};

}  // namespace omnix
