#include "tests/support/world.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace omnix::testing {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(10);

std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "omnix-test-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
  // Services of the system under care run as users of their own.
  std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

TemporaryFolder::~TemporaryFolder() {
  if (std::getenv("OMNIX_KEEP_TEST_FOLDERS") != nullptr) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

bool WaitUntil(const std::function<bool()>& condition, absl::Duration deadline) {
  const auto end = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(deadline);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kPollInterval);
  }
  return true;
}

Program::Program(std::vector<std::string> argv, const std::string& log,
                 std::map<std::string, std::string> environment) {
  auto pointers = Pointers(argv);
  pid_ = fork();
  if (pid_ != 0) return;
  setpgid(0, 0);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(out, 1);
  dup2(out, 2);
  close(0);
  open("/dev/null", O_RDONLY);
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  execvp(pointers[0], pointers.data());
  _exit(127);
}

Program::~Program() {
  if (pid_ <= 0) return;
  kill(-pid_, SIGKILL);
  Kill();
}

Program::Program(Program&& other) noexcept : pid_(other.pid_), exit_code_(other.exit_code_) { other.pid_ = -1; }

Program& Program::operator=(Program&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(exit_code_, other.exit_code_);
  return *this;
}

void Program::Reap(bool block) {
  if (pid_ <= 0) return;
  int status = 0;
  if (waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) return;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  pid_ = -1;
}

bool Program::IsRunning() {
  Reap(/*block=*/false);
  return pid_ > 0;
}

void Program::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  Reap(/*block=*/true);
}

void Program::Signal(int number) {
  if (pid_ > 0) kill(pid_, number);
}

int Program::Terminate() {
  if (pid_ <= 0) return exit_code_;
  kill(pid_, SIGTERM);
  if (!WaitUntil([&] { return !IsRunning(); })) {
    ADD_FAILURE() << "a program did not end after SIGTERM";
    Kill();
  }
  return exit_code_;
}

Finished RunToEnd(const std::vector<std::string>& argv, absl::Duration timeout) {
  TemporaryFolder folder;
  Program program(argv, folder / "out");
  Finished finished;
  if (!WaitUntil([&] { return !program.IsRunning(); }, timeout)) {
    ADD_FAILURE() << argv[0] << " did not end in time; so far: " << Slurp(folder / "out");
    return finished;
  }
  finished.exit_code = program.Terminate();
  finished.out = Slurp(folder / "out");
  return finished;
}

std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void Spill(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file << content;
}

std::map<std::string, std::string> Snapshot(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (auto it = std::filesystem::recursive_directory_iterator(folder);
       it != std::filesystem::recursive_directory_iterator(); ++it) {
    if (it->path().filename() == ".git") {
      it.disable_recursion_pending();
    } else if (it->is_regular_file()) {
      files[std::filesystem::relative(it->path(), folder).string()] = Slurp(it->path().string());
    }
  }
  return files;
}

}  // namespace omnix::testing
