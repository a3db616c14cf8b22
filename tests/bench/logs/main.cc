// How fast logs are compared, beside what reading a file and splitting its lines takes: the ceiling, measured in the
// same run on the same file. One JSON object. Usage: omnix-bench-logs [MEGABYTES], default 1024.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "agents/investigation/logs/compare.h"
#include "agents/investigation/logs/line_reader.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr uint64_t kMegabyte = 1000000;
constexpr int64_t kStart = 1756970000;
// The last tenth of the file is the incident.
constexpr double kNormalShare = 0.9;

// A service's log: requests, queries, retries, now and then an error with its stack; in the incident a new one.
class Writer {
 public:
  explicit Writer(std::FILE* file) : file_(file) {}

  int64_t Write(uint64_t bytes) {
    int64_t incident = 0;
    for (uint64_t written = 0; written < bytes;) {
      if (incident == 0 && static_cast<double>(written) > kNormalShare * static_cast<double>(bytes)) incident = time_;
      const std::string line = Line(incident != 0);
      std::fwrite(line.data(), 1, line.size(), file_);
      written += line.size();
    }
    return incident;
  }

 private:
  std::string Line(bool incident) {
    constexpr int kLinesASecond = 500;
    if (++lines_ % kLinesASecond == 0) ++time_;
    const auto r = static_cast<uint32_t>(random_());
    const std::string at =
        fmt::format("{}.{:03}Z",
                    absl::FormatTime("%Y-%m-%dT%H:%M:%S", absl::FromUnixSeconds(time_), absl::UTCTimeZone()), r % 1000);
    if (incident && r % 50 == 0)
      return fmt::format("{} ERROR [worker-{}] connection to 10.1.{}.{}:5432 refused\n", at, r % 16, r % 250, r % 199);
    switch (random_() % 12) {
      case 0:
        return fmt::format("{} DEBUG [worker-{}] SELECT took {}ms, {} rows, query {:08x}\n", at, r % 16, r % 90,
                           r % 500, r);
      case 1:
        return fmt::format("{} INFO  [worker-{}] session {:08x}-{:04x} of user {} refreshed\n", at, r % 16, r,
                           r % 65536, r % 100000);
      case 2:
        if (r % 100 != 0)
          return fmt::format("{} INFO  cache hit ratio {}.{}% of {} keys\n", at, r % 100, r % 10, r % 9999);
        return fmt::format(
            "{} ERROR [worker-{}] cannot parse price\nTraceback (most recent call last):\n"
            "  File \"/srv/shop/price.py\", line {}, in parse\n    return Decimal(text)\n"
            "ValueError: bad price '{}'\n",
            at, r % 16, r % 300, r);
      case 3:
        return fmt::format("{} INFO  user {} {} the {} of {}\n", at, Word(r % 5000), Word(r % 7), Word(r % 11),
                           Word(r % 3000));
      case 4:
        return fmt::format("{} WARN  {}.{}: {} {} took longer than {}ms\n", at, Word(r % 40), Word(r % 90),
                           Word(r % 13), Word(r % 17), r % 5000);
      default:
        return fmt::format("{} INFO  [worker-{}] 192.168.{}.{} \"GET /v1/products/{} HTTP/1.1\" 200 {} {}ms\n", at,
                           r % 16, r % 250, r % 199, r % 5000, r % 20000, r % 400);
    }
  }

  // A word of letters, another for each number.
  static std::string Word(uint32_t number) {
    std::string word;
    for (uint32_t n = number * 2654435761U; word.size() < 3 || n > 0; n /= 26)
      word.push_back(static_cast<char>('a' + n % 26));
    return word;
  }

  std::FILE* file_;
  std::mt19937 random_{1};
  int64_t time_ = kStart;
  uint64_t lines_ = 0;
};

double Seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int Run(uint64_t megabytes) {
  char path[] = "/tmp/omnix-bench-logs-XXXXXX";
  const int fd = mkstemp(path);
  if (fd < 0) return EXIT_FAILURE;
  std::FILE* file = fdopen(fd, "wb");
  const int64_t incident = Writer(file).Write(megabytes * kMegabyte);
  std::fclose(file);

  // The first reading brings the file into memory.
  uint64_t lines = 0;
  const auto count = [&](std::string_view) { ++lines; };
  auto bytes = ReadLines(path, 0, count);
  lines = 0;
  const double ceiling_begin = Seconds();
  bytes = ReadLines(path, 0, count);
  const double ceiling = Seconds() - ceiling_begin;
  LogCompareOptions options;
  options.begin = absl::FromUnixSeconds(incident);
  const double compare_begin = Seconds();
  const auto comparison = CompareLogFile(path, options);
  const double compare = Seconds() - compare_begin;
  unlink(path);
  if (!bytes.ok() || !comparison.ok()) return EXIT_FAILURE;

  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double size = static_cast<double>(*bytes) / static_cast<double>(kMegabyte);
  fmt::print(
      "{{\"benchmark\":\"logs\",\"megabytes\":{:.0f},\"lines\":{},\"entries\":{},\"templates\":{},\"changes\":{},"
      "\"seconds\":{:.2f},\"mb_per_s\":{:.0f},\"ceiling_mb_per_s\":{:.0f},\"share_of_ceiling\":{:.3f},"
      "\"max_rss_mb\":{:.0f}}}\n",
      size, lines, comparison->entries, comparison->templates, comparison->changes.size(), compare, size / compare,
      size / ceiling, ceiling / compare, static_cast<double>(usage.ru_maxrss) / 1024);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace omnix

int main(int argc, char** argv) {
  constexpr uint64_t kDefaultMegabytes = 1024;
  const uint64_t megabytes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : kDefaultMegabytes;
  if (megabytes == 0) {
    fmt::print(stderr, "usage: omnix-bench-logs [MEGABYTES]\n");
    return 2;
  }
  return omnix::Run(megabytes);
}
