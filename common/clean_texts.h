// Remembers texts in which there was nothing to hide: monitors send the same labels, annotations and links again and
// again, and to look for secrets is what an alert costs most.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace omnix {

// A table of fixed size; a text takes the place of another with the same hash. What its user adds, it keeps in memory
// for as long as it likes: never add a text in which something was hidden. Not thread-safe: one for each thread.
//
//   thread_local CleanTexts clean;
//   if (clean.Contains(text)) return text;
//   std::string redacted = Redact(text);
//   if (redacted == text) clean.Add(text);
class CleanTexts {
 public:
  static constexpr size_t kSlots = 512;
  // Longer ones are not remembered. Together with kSlots: at most some 300 KB a table.
  static constexpr size_t kMaxTextBytes = 512;

  bool Contains(std::string_view text) const;
  void Add(std::string_view text);

 private:
  static size_t Slot(std::string_view text);

  // Empty: nothing has been added. The empty text is never remembered.
  std::vector<std::string> slots_;
};

}  // namespace omnix
