// The `omnix` command, without a process around it: what it is given, what it prints, what it returns.
#pragma once

#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "common/clock.h"

namespace omnix {

// Where a command reads and writes. Terminals get colours, fitted tables, questions and progress in place; everything
// else gets plain lines.
struct CliIo {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  // Columns of the terminal; 0: unlimited.
  int width = 0;
  // Value of an environment variable, empty where it is not set.
  std::function<std::string(const std::string& name)> environment = [](const std::string&) { return std::string(); };
};

// Runs one command (args without the program's name) and returns the exit code of exit_code.h. Never throws.
int RunCli(const std::vector<std::string>& args, CliIo& io);

}  // namespace omnix
