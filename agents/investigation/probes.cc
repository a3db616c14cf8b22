#include "agents/investigation/probe.h"

// One line a probe: Probe<Name> is defined in probe_<name>.cc. The checks take longest: first.
#define OMNIX_PROBES(X) \
  X(Suites)             \
  X(History)            \
  X(Logs)               \
  X(LogChanges)         \
  X(Processes)          \
  X(Units)              \
  X(ServiceLogs)        \
  X(Config)             \
  X(Instances)          \
  X(Metrics)            \
  X(Access)             \
  X(Postgres)

// After the checks and the other probes: they use what those were answered and found.
#define OMNIX_LATE_PROBES(X) \
  X(Clocks)                  \
  X(Memory)

namespace omnix {

#define OMNIX_DECLARE_PROBE(Name) void Probe##Name(Scene* scene);
OMNIX_PROBES(OMNIX_DECLARE_PROBE)
OMNIX_LATE_PROBES(OMNIX_DECLARE_PROBE)
#undef OMNIX_DECLARE_PROBE

#define OMNIX_LIST_PROBE(Name) {#Name, Probe##Name},
const std::vector<Probe>& Probes() {
  static const std::vector<Probe> kProbes = {OMNIX_PROBES(OMNIX_LIST_PROBE)};
  return kProbes;
}

const std::vector<Probe>& LateProbes() {
  static const std::vector<Probe> kProbes = {OMNIX_LATE_PROBES(OMNIX_LIST_PROBE)};
  return kProbes;
}
#undef OMNIX_LIST_PROBE

}  // namespace omnix
