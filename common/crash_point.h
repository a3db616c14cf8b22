// Places where a test may end the process as kill -9 would. In builds with the CMake option OMNIX_CRASH_POINTS (all but
// Release, unless set), a target that called omnix_crash_points() kills itself at the count-th pass of the point that
// the environment names:
//
//   OMNIX_CRASH_AT=recovery.before_rename:2 omnix-recovery-agent ...
//
// In other builds the macro is nothing.
#pragma once

#ifdef OMNIX_CRASH_POINTS
#define OMNIX_CRASH_POINT(name) ::omnix::CrashPoint(name)
#else
#define OMNIX_CRASH_POINT(name) static_cast<void>(0)
#endif

namespace omnix {

// Thread-safe. `name` as in OMNIX_CRASH_AT="name" or "name:count" (count 1 where it is not given).
void CrashPoint(const char* name);

}  // namespace omnix
