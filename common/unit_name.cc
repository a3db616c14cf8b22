#include "common/unit_name.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace omnix {

std::string FullUnitName(const std::string& name) {
  constexpr const char kAllowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
  constexpr std::array<std::string_view, 11> kSuffixes = {".service", ".socket",    ".target", ".device",
                                                          ".mount",   ".automount", ".swap",   ".timer",
                                                          ".path",    ".slice",     ".scope"};
  constexpr size_t kMaxNameBytes = 255;
  if (name.empty() || name[0] == '-' || name.size() > kMaxNameBytes ||
      name.find_first_not_of(kAllowed) != std::string::npos)
    return "";
  const bool full =
      std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) { return name.ends_with(suffix); });
  std::string unit = full ? name : name + ".service";
  return unit.find("@.") == std::string::npos ? unit : "";
}

}  // namespace omnix
