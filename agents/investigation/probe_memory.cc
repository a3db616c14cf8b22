#include "agents/investigation/probe_memory.h"

#include <algorithm>
#include <map>
#include <set>

#include "agents/investigation/probe_processes.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr double kLittle = 0.1;
constexpr double kWhole = 100;

std::string Describe(const MemoryFacts& facts) {
  const CgroupMemory& memory = facts.memory;
  std::string text;
  if (memory.tightest) {
    const MemoryLimit& limit = *memory.tightest;
    text = fmt::format("{} of {} used ({:.0f} %), {}", Megabytes(limit.used_bytes), Megabytes(limit.limit_bytes),
                       kWhole * limit.share(), limit.Name());
  }
  if (memory.oom_kills > 0) {
    text += fmt::format("{}the OOM killer took {} processes of {} since {}", text.empty() ? "" : "; ", memory.oom_kills,
                        memory.group, omnix::FormatTime(memory.made));
  }
  return text;
}

// The group of the process that uses most of its limit, or met the OOM killer.
std::optional<MemoryFacts> LookAt(const ProcessFacts& processes) {
  std::optional<MemoryFacts> found;
  absl::Time started = absl::InfiniteFuture();
  const auto worse = [](const CgroupMemory& a, const CgroupMemory& b) {
    if (a.oom_kills != b.oom_kills) return a.oom_kills > b.oom_kills;
    return a.tightest && (!b.tightest || a.tightest->share() > b.tightest->share());
  };
  for (const RunningProcess& process : processes.processes) {
    started = std::min(started, process.started);
    const auto memory = ReadCgroupMemory(process.pid);
    if (!memory || (found && !worse(*memory, found->memory))) continue;
    found.emplace();
    found->memory = *memory;
  }
  if (!found) return std::nullopt;
  found->service = processes.service;
  found->instance = processes.instance;
  found->started = started;
  return found;
}

void LookAtMachine(Scene* scene) {
  const auto memory = ReadMachineMemory();
  if (!memory) return;
  MachineMemoryFacts facts;
  facts.memory = *memory;
  for (const ProcessFacts* processes : scene->facts.All<ProcessFacts>()) {
    uint64_t bytes = 0;
    for (const RunningProcess& process : processes->processes) bytes += ReadResidentBytes(process.pid);
    if (bytes <= facts.largest_bytes) continue;
    facts.largest = processes->service;
    facts.largest_bytes = bytes;
  }
  std::string text = fmt::format("{} of {} available on this machine", Megabytes(memory->available_bytes),
                                 Megabytes(memory->total_bytes));
  if (memory->stalled)
    text += fmt::format("; programs waited for memory {:.0f} % of the last ten seconds", kWhole * *memory->stalled);
  if (memory->available() < kLittle || memory->stalled.value_or(0) > kLittle)
    facts.evidence = scene->book.Add(MakeEvidence("memory", "", text));
  scene->facts.Add(std::move(facts));
}

}  // namespace

std::string Megabytes(uint64_t bytes) {
  constexpr double kMegabyte = 1 << 20;
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / kMegabyte);
}

void ProbeMemory(Scene* scene) {
  std::vector<MemoryFacts> all;
  std::map<std::string, std::set<const v1::Service*>> services_of;
  for (const ProcessFacts* processes : scene->facts.All<ProcessFacts>()) {
    auto facts = LookAt(*processes);
    if (!facts) continue;
    services_of[facts->memory.group].insert(facts->service);
    all.push_back(*std::move(facts));
  }
  for (MemoryFacts& facts : all) {
    facts.shared = services_of[facts.memory.group].size() > 1;
    const std::string text = Describe(facts);
    if (text.empty()) continue;
    facts.evidence = scene->book.Add(MakeEvidence("memory", facts.service->name(), text));
    scene->facts.Add(std::move(facts));
  }
  LookAtMachine(scene);
}

}  // namespace omnix
