// Places where a test may end the process as kill -9 would, or where it makes a call report a failure. They work only
// in the copies of the programs that CMake makes for the crash tests (omnix_with_crash_points in
// cmake/OmnixModule.cmake); everywhere else the macros are nothing.
//
//   OMNIX_CRASH_AT=recovery.before_rename:2   the process kills itself at the second pass of this point
//   OMNIX_STOP_AT=recovery.before_write      it stands still there (SIGSTOP) until somebody sends it SIGCONT
//   OMNIX_FAULT_AT=journal.commit_told_failed:5   this fault happens at its fifth pass (once)
//   OMNIX_CRASH_TRACE=FILE   appends to FILE the name of each point and fault that is passed, a line each
//   OMNIX_CRASH_LIST=1   the program prints the names of all that it has, a line each, and ends
//
// Use them in .cc files only, and not in templates: each notes its name in a section of the program, from which the
// list is read, so that the crash tests find a new point by themselves.
#pragma once

#ifdef OMNIX_CRASH_POINTS
#define OMNIX_CRASH_SECTION [[gnu::section("omnix_crash_points"), gnu::used]]
#define OMNIX_CRASH_POINT(name)                                          \
  do {                                                                   \
    OMNIX_CRASH_SECTION static constexpr char kOmnixCrashPoint[] = name; \
    ::omnix::CrashPoint(kOmnixCrashPoint);                               \
  } while (false)
// True where the fault happens.
#define OMNIX_FAULT_POINT(name)                                                     \
  ([] {                                                                             \
    OMNIX_CRASH_SECTION static constexpr char kOmnixFaultPoint[] = "fault:" name;   \
    return ::omnix::FaultPoint(kOmnixFaultPoint + sizeof("fault:") - sizeof(char)); \
  }())
#else
#define OMNIX_CRASH_POINT(name) static_cast<void>(0)
#define OMNIX_FAULT_POINT(name) false
#endif

namespace omnix {

// Thread-safe. The environment's value is "name" or "name:count" (count 1 where it is not given).
void CrashPoint(const char* name);
bool FaultPoint(const char* name);

}  // namespace omnix
