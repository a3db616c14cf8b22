// Completion of command lines in bash, zsh and fish. The scripts ask the program itself ("omnix __complete WORDS..."),
// so that they never go stale.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "cli/session.h"

namespace omnix {

inline constexpr char kCompleteCommand[] = "__complete";
inline const std::vector<std::string> kShells = {"bash", "zsh", "fish"};

// The script for one of kShells.
std::string CompletionScript(const std::string& shell);

// What may follow: `words` is the line so far without the program's name, its last word the (maybe empty) beginning of
// the one wanted.
std::vector<std::string> Completions(const CLI::App& app, Session& session, const std::vector<std::string>& words);

}  // namespace omnix
