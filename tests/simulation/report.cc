#include "tests/simulation/report.h"

#include <fmt/format.h>
#include <omnix/v1/event.pb.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace omnix::simulation {
namespace {

constexpr size_t kLinesOfAFailure = 60;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) * 1e-6 +
         static_cast<double>(usage.ru_stime.tv_sec) + static_cast<double>(usage.ru_stime.tv_usec) * 1e-6;
}

}  // namespace

void Summary::Add(const Outcome& outcome) {
  ++seeds;
  failed += outcome.broken.empty() ? 0 : 1;
  incidents += outcome.incidents;
  steps += outcome.steps;
  virtual_seconds += absl::ToDoubleSeconds(outcome.virtual_time);
  for (size_t i = 0; i < faults.size(); ++i) faults[i] += outcome.faults[i];
  for (size_t i = 0; i < events.size(); ++i) events[i] += outcome.events[i];
}

void Summary::Add(const Summary& other) {
  seeds += other.seeds;
  failed += other.failed;
  incidents += other.incidents;
  steps += other.steps;
  virtual_seconds += other.virtual_seconds;
  cpu_seconds += other.cpu_seconds;
  for (size_t i = 0; i < faults.size(); ++i) faults[i] += other.faults[i];
  for (size_t i = 0; i < events.size(); ++i) events[i] += other.events[i];
}

std::vector<std::string> Summary::FaultsThatNeverHappened() const {
  std::vector<std::string> names;
  for (size_t i = 0; i < faults.size(); ++i) {
    if (faults[i] == 0) names.emplace_back(NameOf(static_cast<Fault>(i)));
  }
  return names;
}

void Summary::Print() const {
  fmt::print("{:>12}  {}\n", "times", "fault");
  for (size_t i = 0; i < faults.size(); ++i) fmt::print("{:>12}  {}\n", faults[i], NameOf(static_cast<Fault>(i)));
  fmt::print("\n{:>12}  {}\n", "times", "event");
  const auto* kinds = v1::Event::descriptor()->FindOneofByName("kind");
  for (int i = 0; i < kinds->field_count(); ++i) {
    const auto* field = kinds->field(i);
    fmt::print("{:>12}  {}\n", events[static_cast<size_t>(field->number())], field->name());
  }
  fmt::print(
      "\n{} seeds, {} failed; {} incidents, {} steps, {:.1f} h of virtual time; {:.1f} s of CPU, {:.0f} seeds/s/core\n",
      seeds, failed, incidents, steps, virtual_seconds / 3600, cpu_seconds,
      static_cast<double>(seeds) / std::max(cpu_seconds, 1e-3));
}

void PrintFailure(const Outcome& outcome) {
  const size_t first = outcome.trace.size() > kLinesOfAFailure ? outcome.trace.size() - kLinesOfAFailure : 0;
  if (first > 0) fmt::print("... {} lines before\n", first);
  for (size_t i = first; i < outcome.trace.size(); ++i) fmt::print("{}\n", outcome.trace[i]);
  fmt::print("\nseed {}: {}\nreplay it with: omnix-simulation --seed {}\n\n", outcome.seed, outcome.broken,
             outcome.seed);
}

bool PrintRun(const Outcome& outcome) {
  for (const auto& line : outcome.trace) fmt::print("{}\n", line);
  fmt::print("\nseed {}: {}; trace {:016x}, {} incidents, {} steps\n", outcome.seed,
             outcome.broken.empty() ? "every promise held" : outcome.broken, outcome.trace_hash, outcome.incidents,
             outcome.steps);
  return outcome.broken.empty();
}

Share Share::Fork(const std::function<int(Summary&)>& work) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) std::abort();
  std::fflush(nullptr);
  Share share;
  share.pid_ = fork();
  if (share.pid_ == 0) {
    close(ends[0]);
    Summary summary;
    const int code = work(summary);
    summary.cpu_seconds = CpuSeconds();
    std::fflush(nullptr);
    // Smaller than a pipe's buffer: one write takes it whole.
    const bool told = write(ends[1], &summary, sizeof(summary)) == static_cast<ssize_t>(sizeof(summary));
    _exit(told ? code : EXIT_FAILURE);
  }
  close(ends[1]);
  share.pipe_ = ends[0];
  return share;
}

int Share::Join(Summary& all) {
  Summary summary;
  const bool told = read(pipe_, &summary, sizeof(summary)) == static_cast<ssize_t>(sizeof(summary));
  close(pipe_);
  int status = 0;
  waitpid(pid_, &status, 0);
  if (told) all.Add(summary);
  return told && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

}  // namespace omnix::simulation
