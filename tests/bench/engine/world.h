// The programs of one round of the benchmark: omnixd with five agents, or the ceiling's server with five of its own.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/support/board.h"
#include "tests/bench/support/child.h"

namespace omnix::bench {

struct RoundOptions {
  uint32_t in_flight = 100;
  int evidence = 0;
};

// Ends all its programs when it goes.
class World {
 public:
  virtual ~World() = default;
  Board& board() { return *board_; }
  uint64_t syncs() const { return syncs_->value(); }
  // Of all programs.
  double CpuSeconds() const;
  const Child& orchestrator() const { return *programs_.front(); }
  std::string folder() const { return folder_.path(); }
  virtual uint64_t JournalBytes() const = 0;

 protected:
  World();
  Folder folder_;
  std::string board_path_;
  Board* board_;
  std::unique_ptr<SyncCount> syncs_;
  // The orchestrator first.
  std::vector<std::unique_ptr<Child>> programs_;
};

class CeilingWorld final : public World {
 public:
  explicit CeilingWorld(const RoundOptions& options);
  uint64_t JournalBytes() const override;
};

class EngineWorld final : public World {
 public:
  explicit EngineWorld(const RoundOptions& options);
  ~EngineWorld() override;
  uint64_t JournalBytes() const override;
  // In the journal.
  uint64_t Events() const;
  // Opens no further incidents and waits until those in flight have ended and the orchestrator gives no more memory
  // back, at most some 20 s; its resident bytes then.
  uint64_t ResidentBytesAfterLoad();

 private:
  // Keeps `in_flight` incidents open.
  void Feed(uint32_t in_flight);
  void PostAlerts(uint32_t count);
  void StopFeeding();

  std::string http_;
  uint64_t posted_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread feeder_;
};

}  // namespace omnix::bench
