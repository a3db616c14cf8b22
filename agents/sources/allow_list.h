// Finds the lists of allowed origins in configuration files of any format, and says how further origins would be added
// in the list's own style: JSON and YAML arrays (config.list_add), one entry a line such as nginx maps, JS arrays and
// text files (file.insert_lines), several on a line such as env values, inline arrays and regular expressions
// (file.replace_text).
#pragma once

#include <omnix/v1/action.pb.h>
#include <omnix/v1/diagnosis.pb.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

enum class ListStyle {
  kJsonArray,
  kYamlSequence,
  // One entry a line.
  kLines,
  // 'a', 'b' on one line.
  kInlineQuoted,
  // a,b
  kCommaSeparated,
  // (a|b), regular expression
  kAlternation,
};

struct AllowListEntry {
  std::string origin;
  // As it stands in the file: escaped in a regular expression.
  std::string written;
  v1::Location location;
  std::string line_text;
};

struct AllowList {
  std::string file;
  ListStyle style = ListStyle::kLines;
  // JSON pointer of the array (kJsonArray, kYamlSequence).
  std::string pointer;
  // Those of the asked origins that it holds; at least one.
  std::vector<AllowListEntry> entries;
  // Its name or surroundings speak of CORS or origins.
  bool named_for_origins = false;
  // Lines around the entries that the insertion needs.
  std::string previous_line;

  bool Holds(const std::string& origin) const;
};

// Lists in `file` that hold at least one of `origins` ("https://shop.example", no trailing slash); those named for
// origins first. `format` as in ConfigFile.format. Errors: those of ReadFile.
absl::StatusOr<std::vector<AllowList>> FindAllowLists(const std::string& file, const std::string& format,
                                                      const std::vector<std::string>& origins);

// The one action that adds exactly `missing` to the list.
v1::Action AddToAllowList(const AllowList& list, const std::vector<std::string>& missing, const std::string& component);

}  // namespace omnix
