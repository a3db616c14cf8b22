#include "agents/investigation/probe_processes.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "agents/investigation/probe.h"
#include "common/file.h"
#include "common/time.h"
#include "fmt/format.h"

namespace omnix {
namespace {

constexpr absl::Duration kWatchStep = absl::Milliseconds(250);
constexpr size_t kMaxPidFileBytes = 4 << 10;
constexpr size_t kShownCommandBytes = 120;

bool IsHere(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("0.0.0.0:") || address.starts_with("::");
}

int PortOf(const std::string& address) { return std::atoi(address.c_str() + address.rfind(':') + 1); }

// What is watched of one service.
struct Watch {
  ProcessFacts facts;
  const v1::Process* process = nullptr;
  std::set<pid_t> pids;
  // Of processes that came while it was watched: how often each command line did.
  std::map<std::string, int> starts;
};

// Somebody's look at the service's files, or copy of them, is not the service.
bool IsFileTool(const std::string& name) {
  static const std::set<std::string> kTools = {"awk",   "cat",   "chmod", "chown", "cp",   "emacs", "find",
                                               "gdb",   "grep",  "head",  "less",  "ls",   "mv",    "nano",
                                               "pgrep", "pkill", "rm",    "sed",   "scp",  "ssh",   "tail",
                                               "tar",   "vi",    "vim",   "more",  "nvim", "rsync", "strace"};
  return kTools.contains(name);
}

bool Matches(const RunningProcess& p, const v1::Process& declared) {
  return !declared.match().empty() && p.state != 'Z' && !IsFileTool(p.name) &&
         (p.name == declared.match() || p.command.find(declared.match()) != std::string::npos);
}

// Nothing where no file is declared or it can't be read; 0 where it holds no number.
std::optional<pid_t> NamedByFile(const v1::Process& declared) {
  if (declared.pid_file().empty()) return std::nullopt;
  const auto text = ReadFile(declared.pid_file(), kMaxPidFileBytes);
  return text.ok() ? std::optional<pid_t>(std::atoi(text->c_str())) : std::nullopt;
}

// The processes of the watch now.
std::vector<RunningProcess> Find(const Watch& watch, const std::vector<RunningProcess>& all,
                                 const std::multimap<int, Listener>& listeners) {
  std::set<pid_t> pids;
  for (const std::string& address : watch.facts.addresses) {
    const auto [begin, end] = listeners.equal_range(PortOf(address));
    for (auto it = begin; it != end; ++it) pids.insert(it->second.pids.begin(), it->second.pids.end());
  }
  if (pids.empty() && watch.process != nullptr) {
    // Where a file names the process, another one that only looks like it belongs to somebody else.
    const bool named = !watch.process->pid_file().empty();
    if (const std::optional<pid_t> pid = NamedByFile(*watch.process)) pids.insert(*pid);
    for (const RunningProcess& p : all) {
      if (!named && Matches(p, *watch.process)) pids.insert(p.pid);
    }
  }
  std::vector<RunningProcess> found;
  for (const RunningProcess& p : all) {
    if (pids.contains(p.pid) && p.state != 'Z') found.push_back(p);
  }
  return found;
}

std::vector<Watch> Watched(const v1::SystemModel& system) {
  std::vector<Watch> watches;
  const auto add = [&](const v1::Service& service, const v1::Instance* instance, std::vector<std::string> addresses,
                       const v1::Process* process) {
    Watch watch;
    watch.facts.service = &service;
    watch.facts.instance = instance;
    watch.facts.name = service.name() + (instance == nullptr ? "" : "/" + instance->name());
    for (const std::string& address : addresses) {
      const std::string plain = AddressOf(address);
      auto& known = watch.facts.addresses;
      if (IsHere(plain) && std::find(known.begin(), known.end(), plain) == known.end()) known.push_back(plain);
    }
    watch.process = process;
    if (!watch.facts.addresses.empty() || process != nullptr) watches.push_back(std::move(watch));
  };
  for (const v1::Service& service : system.services()) {
    std::vector<std::string> addresses(service.listen().begin(), service.listen().end());
    // Behind one address of several copies stands something else.
    if (service.instances().empty() && !service.base_url().empty()) addresses.push_back(service.base_url());
    add(service, nullptr, addresses, service.has_process() ? &service.process() : nullptr);
    for (const v1::Instance& instance : service.instances())
      add(service, &instance, {instance.base_url()}, instance.has_process() ? &instance.process() : nullptr);
  }
  return watches;
}

void Look(Watch* watch, bool first) {
  const auto listeners = ReadListeners();
  ProcessFacts& facts = watch->facts;
  facts.listens = true;
  facts.waiting = 0;
  for (const std::string& address : facts.addresses) {
    const auto [begin, end] = listeners.equal_range(PortOf(address));
    if (begin == end) facts.listens = false;
    for (auto it = begin; it != end; ++it) facts.waiting = std::max(facts.waiting, it->second.waiting);
  }
  if (!first) return;
  facts.processes = Find(*watch, ReadProcesses(), listeners);
}

std::string Describe(const ProcessFacts& facts) {
  if (facts.processes.empty())
    return fmt::format("{}: no process of it was found{}", facts.name,
                       facts.listens ? "" : "; nobody listens at its address");
  const RunningProcess& p = facts.processes[0];
  std::string text = fmt::format("{}: process {} ({}), {}, started {}, {} threads, {:.0f} % of a core", facts.name,
                                 p.pid, p.name, p.stopped() ? "STOPPED (state T)" : fmt::format("state {}", p.state),
                                 omnix::FormatTime(p.started), p.threads, facts.cpu * 100);
  if (!facts.listens) text += "; nobody listens at its address";
  if (facts.waiting > 0) text += fmt::format("; {} connections wait to be accepted", facts.waiting);
  if (facts.restarts_seen > 0) text += fmt::format("; started or ended {} times while watched", facts.restarts_seen);
  return text;
}

absl::Duration CpuOf(const std::vector<RunningProcess>& processes, std::vector<RunningProcess>* now) {
  absl::Duration cpu;
  for (const RunningProcess& p : processes) {
    const auto read = ReadProcess(p.pid);
    if (!read || read->started != p.started) continue;
    cpu += read->cpu - p.cpu;
    now->push_back(*read);
  }
  return cpu;
}

// Counts the processes that came since `begin`. Children of the service's own processes are its work, not its restarts;
// and what only holds the matched text somewhere (a tool, another copy) comes with another command line each time.
void CountStarts(const std::vector<RunningProcess>& all, absl::Time begin, Watch* watch) {
  // The file names the one that counts.
  if (const std::optional<pid_t> pid = NamedByFile(*watch->process)) {
    if (*pid > 0 && watch->pids.insert(*pid).second) ++watch->facts.restarts_seen;
    return;
  }
  for (const RunningProcess& p : all) {
    if (!Matches(p, *watch->process) || p.started <= begin - kWatchStep) continue;
    const bool child = watch->pids.contains(p.parent);
    if (!watch->pids.insert(p.pid).second || child) continue;
    watch->facts.restarts_seen = std::max(watch->facts.restarts_seen, ++watch->starts[p.command]);
  }
}

}  // namespace

void ProbeProcesses(Scene* scene) {
  std::vector<Watch> watches = Watched(scene->input.system);
  if (watches.empty()) return;
  for (Watch& watch : watches) {
    Look(&watch, true);
    for (const RunningProcess& p : watch.facts.processes) watch.pids.insert(p.pid);
    // The one that the file names may be a parent of those that listen.
    if (watch.process != nullptr) watch.pids.insert(NamedByFile(*watch.process).value_or(0));
  }
  const absl::Time begin = absl::Now();
  while (absl::Now() < begin + kProcessWatch && !scene->input.cancelled()) {
    std::this_thread::sleep_for(absl::ToChronoMilliseconds(kWatchStep));
    const std::vector<RunningProcess> all = ReadProcesses();
    for (Watch& watch : watches) {
      // A command of a healthy service may come and go beside it: only what the model names counts.
      if (watch.process == nullptr || (watch.process->match().empty() && watch.process->pid_file().empty())) continue;
      CountStarts(all, begin, &watch);
    }
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  for (Watch& watch : watches) {
    std::vector<RunningProcess> now;
    watch.facts.cpu = absl::ToDoubleSeconds(CpuOf(watch.facts.processes, &now)) / seconds;
    if (!watch.facts.processes.empty() && now.empty()) ++watch.facts.restarts_seen;
    if (!now.empty()) watch.facts.processes = now;
    Look(&watch, false);
    const std::string excerpt =
        watch.facts.processes.empty() ? "" : watch.facts.processes[0].command.substr(0, kShownCommandBytes);
    watch.facts.evidence =
        scene->book.Add(MakeEvidence("processes", watch.facts.service->name(), Describe(watch.facts), excerpt, {},
                                     {{"listens", watch.facts.listens ? "true" : "false"},
                                      {"processes", std::to_string(watch.facts.processes.size())}}));
    scene->facts.Add(watch.facts);
  }
}

const ProcessFacts* ProcessOf(const Scene& scene, const v1::Service& service, const v1::Instance* instance) {
  for (const ProcessFacts* facts : scene.facts.All<ProcessFacts>()) {
    if (facts->service == &service && facts->instance == instance) return facts;
  }
  return nullptr;
}

}  // namespace omnix
