// The alert formats that Omnix knows: jq files and mappings, built in and from a folder.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "orchestrator/intake/filter_worker.h"

namespace omnix {

struct AlertFormat {
  // As it stands in the URL: POST /v1/alerts/<name>.
  std::string name;
  // Further names that are taken for it.
  std::vector<std::string> also;
  // One line for people.
  std::string title;
  // Definitions of `recognize` and `alerts`, in jq.
  std::string text;
  // "formats/shop.jq:12: " for a line of `text`: where a mistake in it stands. Lines beyond the text are its last.
  std::function<std::string(int line)> place;
  bool built_in = false;
};

// Immutable and thread-safe after Load.
class FormatLibrary {
 public:
  // The built-in formats, and those of `folder` unless it is empty: NAME.jq, and NAME.yaml with a mapping (see
  // docs/alerts.md). One of the folder replaces a built-in one of its name. The folder's filters are compiled, by
  // `executable` (omnix-alert-filter). Errors:
  // NOT_FOUND (no such folder), INVALID_ARGUMENT with every mistake, one a line, as "file:line: why"; UNAVAILABLE (the
  // filter's process can't be started).
  static absl::StatusOr<FormatLibrary> Load(const std::string& folder, const std::string& executable);

  // By name or further name. Null where there is none.
  const AlertFormat* Find(std::string_view name) const;

  // True where a folder added formats: their `recognize` is asked first.
  bool has_folder() const { return has_folder_; }

  // Sorted.
  std::vector<std::string> Names() const;

  // Input of all programs: {"headers": {...}, "body": ...}. Output of AlertsProgram: what the format's `alerts` gives;
  // of RecognizeProgram: an array with the names of the formats that recognize the body, the folder's first.
  FilterProgram AlertsProgram(const AlertFormat& format) const;
  FilterProgram RecognizeProgram() const;

 private:
  absl::Status AddFolder(const std::string& folder, const std::string& executable);
  absl::Status Check(const AlertFormat& format, const std::string& executable) const;
  std::string Wrap(const AlertFormat& format, std::string_view call) const;

  // What formats can use, before each of them.
  std::string common_;
  std::vector<AlertFormat> formats_;
  bool has_folder_ = false;
};

}  // namespace omnix
