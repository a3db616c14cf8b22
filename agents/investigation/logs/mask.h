// Log lines without what varies from one to the next: numbers, hexadecimal words, ids, addresses, paths and quoted
// strings become "<num>", "<hex>", "<id>", "<ip>", "<path>" and "<str>". Linear time, one pass.
#pragma once

#include <string>
#include <string_view>

namespace omnix {

// Appends the masked line to `masked`. In JSON lines (first character '{') quotes are part of the syntax, so that only
// what stands in them is masked. The status in an access log's line stays ("... HTTP/1.1" 502"), as do codes of errors
// (ORA-00600, E1234): they tell lines apart. Runs of blanks become one.
void MaskLine(std::string_view line, std::string* masked);

}  // namespace omnix
