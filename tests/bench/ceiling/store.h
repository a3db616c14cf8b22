// The ceiling's database: the rows that a step needs, and nothing else.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace omnix::bench {

inline constexpr uint32_t kTasksOfIncident = 12;

// One thread. Ends the program at the first error.
class CeilingStore {
 public:
  CeilingStore(const std::string& path, uint32_t incidents);
  ~CeilingStore();
  CeilingStore(const CeilingStore&) = delete;
  CeilingStore& operator=(const CeilingStore&) = delete;

  void Begin();
  // An event row and the update of its task's row.
  void TaskDone(uint32_t incident, uint32_t task, std::string_view payload);
  void TaskAssigned(uint32_t incident, uint32_t task, uint32_t agent);
  // An event row alone.
  void Evidence(uint32_t incident, std::string_view payload);
  // Durable when it returns.
  void Commit();

 private:
  sqlite3_stmt* Prepare(const char* sql);
  void Step(sqlite3_stmt* statement);
  void AddEvent(uint32_t incident, int type, std::string_view payload);

  sqlite3* db_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* event_ = nullptr;
  sqlite3_stmt* done_ = nullptr;
  sqlite3_stmt* assigned_ = nullptr;
  std::vector<int64_t> sequences_;
  int64_t now_ = 0;
};

}  // namespace omnix::bench
