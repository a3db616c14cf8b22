#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/cli.h"
#include "cli/exit_code.h"

namespace {

// Nothing is kept in the process, so that a signal may end it at any point; the newline leaves the shell's prompt on a
// line of its own.
void EndBySignal(int signal_number) {
  if (isatty(STDERR_FILENO)) [[maybe_unused]]
    const auto written = write(STDERR_FILENO, "\n", 1);
  _exit(omnix::kExitSignalBase + signal_number);
}

int TerminalWidth() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

int main(int argc, char** argv) {
  signal(SIGINT, EndBySignal);
  signal(SIGTERM, EndBySignal);
  const omnix::SystemClock clock;
  omnix::CliIo io{.in = std::cin, .out = std::cout, .err = std::cerr, .clock = clock};
  io.in_is_terminal = isatty(STDIN_FILENO) != 0;
  io.out_is_terminal = isatty(STDOUT_FILENO) != 0;
  io.width = io.out_is_terminal ? TerminalWidth() : 0;
  io.environment = [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  };
  return omnix::RunCli({argv + 1, argv + argc}, io);
}
