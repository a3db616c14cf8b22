// What must hold in the end, whatever died on the way.
#pragma once

#include "tests/crash/story.h"
#include "tests/crash/world.h"

namespace omnix::testing {

// Reads the journal of the stopped omnixd and compares it with what was acknowledged, with what watchers were shown,
// and with what the kernel and the commands witnessed. Fails the test where they differ.
void CheckTheEnd(const Story& story, const Told& told, CrashWorld& world);

}  // namespace omnix::testing
