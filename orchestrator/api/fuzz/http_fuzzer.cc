// libFuzzer target for the HTTP front door: the input is what a client sends on one connection. tests/fuzz builds and
// runs it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "orchestrator/api/front_door.h"

namespace {

constexpr uint64_t kBetweenLooksAtOthers = 256;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const omnix::FrontDoor* const door = new omnix::FrontDoor;
  static uint64_t inputs = 0;
  const std::string answer = door->Send({reinterpret_cast<const char*>(data), size});
  if (!answer.empty() && !answer.starts_with("HTTP/1.")) std::abort();
  if (++inputs % kBetweenLooksAtOthers == 0 && !door->ServesOthers()) std::abort();
  return 0;
}
