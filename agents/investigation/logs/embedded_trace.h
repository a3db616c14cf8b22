// Stack traces within one line, as structured logs have them: {"msg": "failed", "exception": "Traceback ...\n  File
// ..."}.
#pragma once

#include <string>
#include <string_view>

namespace omnix {

// What the trace says happened ("ValueError: bad port"): the last of its lines that is not indented. Empty: the line
// has no string of several lines.
std::string EmbeddedReason(std::string_view line);

}  // namespace omnix
