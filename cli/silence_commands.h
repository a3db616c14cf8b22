// `omnix silence add|list|show|expire`.
#pragma once

#include "cli/session.h"

namespace omnix {

void AddSilenceCommands(CLI::App& app, Session& session);

}  // namespace omnix
