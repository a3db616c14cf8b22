// libFuzzer target for everything between a request and its alerts. Preset fuzz; orchestrator/intake/fuzz/run builds
// and runs it.
//
// The first byte chooses the format, the rest is the body.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/intake/alert_intake.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static omnix::AlertIntake* const intake = omnix::AlertIntake::Create({})->release();
  static const std::vector<std::string>* const names = new std::vector<std::string>(intake->Names());
  if (size == 0) return 0;
  const size_t choice = data[0] % (names->size() + 1);
  const std::string format = choice < names->size() ? (*names)[choice] : "";
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto parsed = intake->Read({format, {}, bytes, absl::FromUnixSeconds(1'756'970'043)});
  // Every body that is taken leaves an alert or says why there is none.
  if (parsed.ok() && parsed->alerts.empty() && parsed->note.empty()) std::abort();
  return 0;
}
