// Names of threads, for people who look at a running program (top -H, gdb, perf).
#pragma once

#include <pthread.h>

namespace omnix {

// Names the calling thread; at most 15 characters.
inline void NameThread(const char* name) { pthread_setname_np(pthread_self(), name); }

}  // namespace omnix
