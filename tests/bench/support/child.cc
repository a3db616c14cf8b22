#include "tests/bench/support/child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace omnix::bench {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(1);
constexpr auto kStopTime = std::chrono::seconds(5);
constexpr auto kWaitTime = std::chrono::seconds(60);

}  // namespace

void Die(const std::string& message) {
  std::fprintf(stderr, "benchmark: %s\n", message.c_str());
  std::exit(1);
}

Child::Child(std::vector<std::string> argv, const std::string& log, std::map<std::string, std::string> environment) {
  std::vector<char*> arguments;
  for (auto& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) Die(std::string("fork: ") + std::strerror(errno));
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const auto& [key, value] : environment) setenv(key.c_str(), value.c_str(), 1);
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  execv(arguments[0], arguments.data());
  std::_Exit(127);
}

Child::~Child() { Stop(); }

bool Child::IsRunning() {
  if (pid_ < 0) return false;
  if (waitpid(pid_, nullptr, WNOHANG) != pid_) return true;
  pid_ = -1;
  return false;
}

void Child::Stop() {
  if (pid_ < 0) return;
  kill(pid_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + kStopTime;
  while (IsRunning() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(kPoll);
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

double Child::CpuSeconds() const {
  std::ifstream file(fmt::format("/proc/{}/stat", pid_));
  std::string text;
  std::getline(file, text);
  // The name, in parentheses, may hold spaces; utime and stime are the 12th and 13th field behind it.
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  fields >> user >> system;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

uint64_t Child::ResidentBytes() const {
  std::ifstream file(fmt::format("/proc/{}/statm", pid_));
  uint64_t size = 0;
  uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "omnix-bench-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) Die(name + ": " + std::strerror(errno));
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  if (std::getenv("OMNIX_KEEP_TEST_FOLDERS") == nullptr) std::filesystem::remove_all(path_, ignored);
}

SyncCount::SyncCount(const std::string& path, std::string library) : path_(path), library_(std::move(library)) {
  const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(uint64_t)) != 0) Die(path_ + ": " + std::strerror(errno));
  void* memory = mmap(nullptr, sizeof(uint64_t), PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) Die(path_ + ": " + std::strerror(errno));
  close(fd);
  memory_ = static_cast<const uint64_t*>(memory);
}

std::map<std::string, std::string> SyncCount::environment() const {
  // What is preloaded already (another allocator, say) stays.
  const char* already = std::getenv("LD_PRELOAD");
  return {{"LD_PRELOAD", already == nullptr ? library_ : library_ + ":" + already}, {"OMNIX_SYNC_COUNT", path_}};
}

uint64_t SyncCount::value() const { return __atomic_load_n(memory_, __ATOMIC_RELAXED); }

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, size) != 0 || getsockname(fd, generic, &size) != 0) Die("no free port");
  close(fd);
  return ntohs(address.sin_port);
}

void WaitFor(const std::function<bool()>& condition, const std::string& what) {
  const auto until = std::chrono::steady_clock::now() + kWaitTime;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) Die("waited in vain for " + what);
    std::this_thread::sleep_for(kPoll);
  }
}

uint64_t BytesOf(const std::string& path_prefix) {
  uint64_t bytes = 0;
  const std::filesystem::path prefix(path_prefix);
  for (const auto& entry : std::filesystem::directory_iterator(prefix.parent_path())) {
    if (entry.path().filename().string().starts_with(prefix.filename().string())) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace omnix::bench
