// Statements of SQL without what users typed into them.
#pragma once

#include <string>
#include <string_view>

namespace omnix {

// Every quoted text, dollar-quoted text and number as "?", comments left out, white space as one blank: "select * from
// t where name = ? limit ?". A text that ends within a literal is masked to its end. Linear time.
std::string MaskLiterals(std::string_view sql);

}  // namespace omnix
