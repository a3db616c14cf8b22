// Loaded into a process by LD_PRELOAD: counts its fsync and fdatasync calls in the file that OMNIX_SYNC_COUNT names
// (eight bytes, shared memory), and passes them on.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

std::atomic<uint64_t>* Counter() {
  static std::atomic<uint64_t>* const counter = []() -> std::atomic<uint64_t>* {
    const char* path = std::getenv("OMNIX_SYNC_COUNT");
    const int fd = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return nullptr;
    void* memory = mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return memory == MAP_FAILED ? nullptr : static_cast<std::atomic<uint64_t>*>(memory);
  }();
  return counter;
}

using Sync = int (*)(int);

int CountAndPass(const char* name, int fd) {
  if (auto* counter = Counter(); counter != nullptr) counter->fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name))(fd);
}

}  // namespace

extern "C" int fsync(int fd) { return CountAndPass("fsync", fd); }
extern "C" int fdatasync(int fd) { return CountAndPass("fdatasync", fd); }
