// The alert formats that are part of the program: orchestrator/intake/formats/*.jq, as they stood when it was built.
#pragma once

#include <string_view>
#include <vector>

namespace omnix {

struct EmbeddedFormat {
  // The file's name without ".jq".
  std::string_view name;
  std::string_view text;
};

std::vector<EmbeddedFormat> EmbeddedFormats();

}  // namespace omnix
