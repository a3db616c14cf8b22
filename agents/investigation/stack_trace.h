// Source lines in stack traces of common languages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace omnix {

struct StackFrame {
  // As written: "/srv/app/orders.py", "src/orders.ts", "Orders.java".
  std::string file;
  uint32_t line = 0;
};

// The frames that a line of a log names, in its order: Python, JavaScript, Java and Kotlin, Go, Ruby, PHP, C#, Rust.
// Those of libraries (site-packages, node_modules, the runtime's own) are left out.
std::vector<StackFrame> FramesOf(const std::string& line);

}  // namespace omnix
