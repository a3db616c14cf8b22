#include "agents/investigation/stack_trace.h"

#include <re2/re2.h>

namespace omnix {
namespace {

constexpr size_t kMaxFrames = 64;

}  // namespace

std::vector<StackFrame> FramesOf(const std::string& line) {
  static const RE2 kPython(R"re(File \\?"([^"\\]+)\\?", line (\d+))re");
  static const RE2 kPhp(R"(([\w./\-]+\.php)(?::| on line |\()(\d+))");
  static const RE2 kOther(
      R"(([\w@./\-]+\.(?:jsx?|mjs|cjs|tsx?|java|kt|scala|go|rb|cs|rs|ex|exs|py|pl|lua)):(?:line )?(\d+))");
  static const RE2 kLibrary(
      R"((site-packages|dist-packages|node_modules|/usr/lib/|/usr/local/lib/|node:internal|\(internal/|<frozen|/gems/|vendor/|/runtime/))");
  std::vector<StackFrame> frames;
  for (const RE2* pattern : {&kPython, &kPhp, &kOther}) {
    std::string rest = line, file;
    uint32_t number = 0;
    while (frames.size() < kMaxFrames && RE2::PartialMatch(rest, *pattern, &file, &number)) {
      rest = rest.substr(rest.find(file) + file.size());
      if (!RE2::PartialMatch(file, kLibrary) && number > 0) frames.push_back({file, number});
    }
    if (!frames.empty()) break;
  }
  return frames;
}

}  // namespace omnix
