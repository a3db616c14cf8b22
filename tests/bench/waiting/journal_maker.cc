#include "tests/bench/waiting/journal_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "common/status.h"
#include "common/system_model.h"
#include "orchestrator/core/event_text.h"
#include "orchestrator/journal/sqlite_journal.h"
#include "orchestrator/playbook/library.h"
#include "tests/bench/support/child.h"
#include "tests/bench/waiting/story.h"

namespace omnix::bench {
namespace {

// As many incidents pass through their phases at the same time: their events stand between each other.
constexpr int kAtTheSameTime = 100;

void Must(const absl::Status& status) {
  if (!status.ok()) Die(Message(status));
}

// One event of each story, then the next of each.
void Interleave(std::vector<std::vector<v1::Event>> stories, Batch& batch) {
  for (size_t i = 0; !stories.empty() && i < stories.front().size(); ++i) {
    for (auto& story : stories) {
      v1::RecordedEvent& recorded = batch.events.emplace_back();
      recorded.set_text(EventText(story[i]));
      *recorded.mutable_event() = std::move(story[i]);
    }
  }
}

}  // namespace

void MakeJournal(const std::string& data_folder, const std::string& system_file, const JournalShape& shape) {
  std::filesystem::create_directories(data_folder);
  auto journal = SqliteJournal::Open({data_folder + "/journal.db", data_folder + "/journal.key", ""});
  Must(journal.status());
  auto system = LoadSystemModel(system_file);
  Must(system.status());
  Batch batch;
  RunByCache cache;
  const v1::Pins pins = cache.PinsFor(BuiltInPlaybook(), *system, v1::Policy(), batch.pins);
  const auto run_by = cache.Load(pins, **journal);
  Must(run_by.status());
  StoryMaker maker(pins, **run_by);
  const absl::Time now = absl::Now();
  const std::string day = absl::FormatTime("%Y-%m-%d", now, absl::UTCTimeZone());
  for (int made = 0; made < shape.waiting;) {
    std::vector<std::vector<v1::Event>> stories;
    for (int i = 0; i < kAtTheSameTime && made < shape.waiting; ++i) {
      ++made;
      stories.push_back(
          maker.Make(fmt::format("INC-{}-{:03}", day, made), made, shape.events_each - kEventsWithoutEvidence, now));
    }
    Interleave(std::move(stories), batch);
    Must((*journal)->Append(batch));
    Must((*journal)->Maintain());
    batch = {};
  }
}

}  // namespace omnix::bench
