#include "common/clean_texts.h"

#include <functional>

namespace omnix {

size_t CleanTexts::Slot(std::string_view text) { return std::hash<std::string_view>()(text) % kSlots; }

bool CleanTexts::Contains(std::string_view text) const {
  if (slots_.empty() || text.empty() || text.size() > kMaxTextBytes) return false;
  return slots_[Slot(text)] == text;
}

void CleanTexts::Add(std::string_view text) {
  if (text.size() > kMaxTextBytes) return;
  if (slots_.empty()) slots_.resize(kSlots);
  slots_[Slot(text)] = text;
}

}  // namespace omnix
