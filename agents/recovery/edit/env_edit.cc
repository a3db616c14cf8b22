#include "agents/recovery/edit/env_edit.h"

#include <algorithm>

#include "agents/recovery/edit/unified_diff.h"
#include "common/status.h"

namespace omnix {

absl::StatusOr<EnvValue> FindEnvValue(std::string_view content, const std::string& name) {
  constexpr std::string_view kExport = "export ";
  constexpr std::string_view kBlank = " \t";
  EnvValue found;
  bool any = false;
  size_t at = 0, number = 0;
  for (const std::string_view line : SplitLines(content)) {
    const size_t begin = at;
    at += line.size();
    ++number;
    size_t i = std::min(line.find_first_not_of(kBlank), line.size());
    if (line.substr(i, kExport.size()) == kExport)
      i = std::min(line.find_first_not_of(kBlank, i + kExport.size()), line.size());
    if (line.substr(i, name.size()) != name || line.substr(i + name.size(), 1) != "=") continue;
    i += name.size() + 1;
    EnvValue value;
    if (i < line.size() && (line[i] == '"' || line[i] == '\'')) {
      value.quote = line[i++];
      size_t end = i;
      while (end < line.size() && line[end] != value.quote) end += line[end] == '\\' && value.quote == '"' ? 2 : 1;
      if (end >= line.size()) return InvalidArgument("line {}: a quote without end", number);
      value.end = begin + end;
    } else {
      size_t end = std::min({line.find(" #", i), line.find_first_of("\r\n", i), line.size()});
      while (end > i && kBlank.find(line[end - 1]) != std::string_view::npos) --end;
      value.end = begin + end;
    }
    value.begin = begin + i;
    found = value;
    any = true;
  }
  if (!any) return NotFound("no line {}=...", name);
  return found;
}

absl::StatusOr<std::string> ReplaceEnvValue(std::string_view content, const EnvValue& place, const std::string& value) {
  const std::string_view forbidden = place.quote == '\''  ? "'\r\n"
                                     : place.quote == '"' ? "\"\\$`\r\n"
                                                          : " \t\r\n\"'#\\$`;&|<>()";
  if (value.find_first_of(forbidden) != std::string::npos) {
    return InvalidArgument("the new value holds a character that can't be written there without other quotes");
  }
  return std::string(content.substr(0, place.begin)) + value + std::string(content.substr(place.end));
}

}  // namespace omnix
