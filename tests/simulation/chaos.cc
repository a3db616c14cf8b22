#include "tests/simulation/chaos.h"

namespace omnix::simulation {
namespace {

constexpr Fault kFromOutside[] = {
    Fault::kDiskFull,         Fault::kCrashAtAnyTime, Fault::kLinkCut,         Fault::kLinkDeafAgent,
    Fault::kAgentCrash,       Fault::kAgentFrozen,    Fault::kAgentStopped,    Fault::kAgentDrained,
    Fault::kWallClockForward, Fault::kWallClockBack,  Fault::kWallClockStands, Fault::kLinkDeafOrchestrator,
};
constexpr absl::Duration kTenYears = absl::Hours(24 * 3652);
// The wall clock stays within this of where it began: times are kept in 64 bits of nanoseconds.
constexpr absl::Duration kFarthest = absl::Hours(24 * 3652 * 5);

}  // namespace

Chaos::Chaos(Bench& bench, Daemon& daemon, std::vector<std::unique_ptr<Agent>>& agents)
    : bench_(bench), daemon_(daemon), agents_(agents), random_(bench.random.Fork()) {
  for (const Fault fault : kFromOutside) {
    if (bench_.scenario.Has(fault)) drawn_.push_back(fault);
  }
}

void Chaos::StrikeLater() {
  if (drawn_.empty()) return;
  bench_.scheduler.After(random_.Between(absl::ZeroDuration(), 2 * bench_.scenario.between_faults), [this] {
    if (!bench_.faulty) return;
    Strike(random_.Pick(drawn_));
    StrikeLater();
  });
}

void Chaos::Stop() {
  bench_.faulty = false;
  daemon_.journal().FillDisk(absl::ZeroDuration());
  bench_.scheduler.clock().StandStill(false);
  for (auto& agent : agents_) {
    agent->process().Freeze(absl::ZeroDuration());
    // Nobody leaves an agent drained for ever.
    if (agent->process().draining()) agent->process().Stop();
  }
}

void Chaos::Strike(Fault fault) {
  switch (fault) {
    case Fault::kDiskFull:
      bench_.Count(fault);
      return daemon_.journal().FillDisk(bench_.now() + random_.Between(absl::Milliseconds(10), absl::Seconds(10)));
    case Fault::kCrashAtAnyTime:
      if (!daemon_.up()) return;
      bench_.Count(fault);
      return daemon_.Crash();
    case Fault::kLinkCut:
    case Fault::kLinkDeafAgent:
    case Fault::kLinkDeafOrchestrator:
      return StrikeLink(fault);
    case Fault::kWallClockForward:
    case Fault::kWallClockBack:
    case Fault::kWallClockStands:
      return StrikeClock(fault);
    default:
      return StrikeAgent(fault);
  }
}

void Chaos::StrikeLink(Fault fault) {
  const auto stream = random_.Pick(agents_)->process().stream();
  if (stream == nullptr || !stream->open()) return;
  bench_.Count(fault);
  if (fault == Fault::kLinkCut) return stream->Cut();
  if (fault == Fault::kLinkDeafAgent) return stream->MakeAgentDeaf();
  stream->MakeOrchestratorDeaf();
}

void Chaos::StrikeAgent(Fault fault) {
  AgentProcess& process = random_.Pick(agents_)->process();
  if (!process.alive()) return;
  bench_.Count(fault);
  switch (fault) {
    case Fault::kAgentCrash:
      return process.Kill();
    case Fault::kAgentFrozen:
      return process.Freeze(bench_.now() + random_.Between(absl::Milliseconds(100), absl::Seconds(25)));
    case Fault::kAgentStopped:
      return process.Stop();
    default: {
      v1::DrainAgentRequest request;
      request.set_name(process.name());
      request.set_by("person");
      Callback<v1::DrainAgentResponse> done =
          daemon_.Checked<v1::DrainAgentResponse>("draining", [](const absl::StatusOr<v1::DrainAgentResponse>&) {});
      return daemon_.Give([&](Engine& engine) { engine.DrainAgent(request, done); });
    }
  }
}

void Chaos::StrikeClock(Fault fault) {
  VirtualClock& clock = bench_.scheduler.clock();
  if (absl::AbsDuration(clock.Now() - VirtualClock().Now()) > kFarthest) return;
  bench_.Count(fault);
  if (fault == Fault::kWallClockForward) return clock.JumpWall(kTenYears);
  if (fault == Fault::kWallClockBack) return clock.JumpWall(-kTenYears);
  clock.StandStill(true);
  bench_.scheduler.After(random_.Between(absl::Seconds(1), absl::Seconds(20)), [&clock] { clock.StandStill(false); });
}

}  // namespace omnix::simulation
