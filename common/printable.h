// Makes text from outside safe to show: on a terminal, in a log, in a document. What could move the cursor, change
// colours, forge a line or turn the reading direction is shown as text instead ("\x1b", "\u202e"); bytes that are no
// UTF-8 become "\xNN". Everything else stays as it is.
#pragma once

#include <string>
#include <string_view>

namespace omnix {

// One line: line breaks and tabs become a space each.
std::string PrintableLine(std::string_view text);

// Several lines: "\n" and "\t" stay, "\r\n" becomes "\n".
std::string PrintableText(std::string_view text);

}  // namespace omnix
