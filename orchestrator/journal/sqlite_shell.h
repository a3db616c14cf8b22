// Test support: the sqlite3 shell as a person runs it, in a process of its own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace omnix {

class SqliteShell {
 public:
  enum class Access { kReadOnly, kReadWrite };

  explicit SqliteShell(const std::string& path, Access access = Access::kReadOnly) {
    const char* mode = access == Access::kReadOnly ? "-readonly" : "-list";
    int in[2];
    int out[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      execlp("sqlite3", "sqlite3", "-batch", mode, path.c_str(), nullptr);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_ = in[1];
    from_ = out[0];
  }
  // Ends it, and with it its transaction.
  ~SqliteShell() {
    close(to_);
    close(from_);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  SqliteShell(const SqliteShell&) = delete;
  SqliteShell& operator=(const SqliteShell&) = delete;

  pid_t pid() const { return pid_; }

  // The first line that the statements print.
  std::string Ask(const std::string& sql) {
    const std::string line = sql + "\n";
    EXPECT_EQ(write(to_, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    std::string answer;
    char next = 0;
    while (read(from_, &next, 1) == 1 && next != '\n') answer += next;
    return answer;
  }

 private:
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
};

}  // namespace omnix
