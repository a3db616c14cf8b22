// Names of systemd units, as people write them.
#pragma once

#include <string>

namespace omnix {

// "shop" is "shop.service", as for systemctl; a name with a unit's suffix stays as it is. Empty: it is no name of one
// unit (a pattern, an option, a template).
std::string FullUnitName(const std::string& name);

}  // namespace omnix
