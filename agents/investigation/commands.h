// The investigation agent's own command: `investigate`, a diagnosis by hand.
#pragma once

namespace omnix {

// True where the first argument names it.
bool IsInvestigateCommand(int argc, char** argv);

// Exit code: 0 done (also where nothing was found), 1 failed, 2 bad usage or input.
int RunInvestigateCommand(int argc, char** argv);

}  // namespace omnix
