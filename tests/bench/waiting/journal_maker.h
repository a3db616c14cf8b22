// Journals of many incidents, written by the real journal.
#pragma once

#include <cstdint>
#include <string>

namespace omnix::bench {

struct JournalShape {
  // Incidents that wait for an approval.
  int waiting = 0;
  int events_each = 17;
};

// Writes data_folder/journal.db (and its key); the incidents run by the built-in playbook and this system model.
void MakeJournal(const std::string& data_folder, const std::string& system_file, const JournalShape& shape);

}  // namespace omnix::bench
