#include "orchestrator/intake/formats.h"

#include <algorithm>
#include <utility>

#include "common/status.h"
#include "orchestrator/intake/alertmanager_format.h"
#include "orchestrator/intake/omnix_format.h"

namespace omnix {
namespace {

bool IsUrlName(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !name.empty() && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

AlertFormats AlertFormats::BuiltIn() {
  AlertFormats formats;
  formats.formats_ = {
      {"alertmanager", "Prometheus Alertmanager webhook, version 4, and its relatives", ParseAlertmanager},
      {"omnix", "Omnix's own: one alert, or {\"alerts\": [...]}", ParseOmnixAlerts},
  };
  return formats;
}

absl::Status AlertFormats::Add(AlertFormat format) {
  if (!IsUrlName(format.name)) {
    return InvalidArgument("alert format \"{}\": a name has lower-case letters, digits, '-', '_' and '.' only",
                           format.name);
  }
  if (Find(format.name) != nullptr) return AlreadyExists("alert format \"{}\" exists already", format.name);
  formats_.push_back(std::move(format));
  return absl::OkStatus();
}

const AlertFormat* AlertFormats::Find(std::string_view name) const {
  const auto found = std::ranges::find(formats_, name, &AlertFormat::name);
  return found == formats_.end() ? nullptr : &*found;
}

std::vector<std::string> AlertFormats::Names() const {
  std::vector<std::string> names;
  for (const AlertFormat& format : formats_) names.push_back(format.name);
  return names;
}

}  // namespace omnix
