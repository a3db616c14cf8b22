#include "orchestrator/intake/json_fields.h"

#include <algorithm>
#include <vector>

#include "common/status.h"
#include "common/time.h"

namespace omnix {
namespace {

// A key comes from outside: errors show at most this much of it.
constexpr size_t kMaxShownKeyBytes = 80;

std::string PointerToken(std::string_view key) {
  std::string token;
  for (const char c : key.substr(0, kMaxShownKeyBytes)) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

std::string NameOf(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    case Json::value_t::null:
      return "null";
    default:
      return "a number";
  }
}

absl::Status Expected(const std::string& pointer, std::string_view expected, const Json& found) {
  return InvalidArgument("{}: expected {}, found {}", pointer.empty() ? "the body" : pointer, expected, NameOf(found));
}

}  // namespace

absl::StatusOr<JsonFields> JsonFields::Of(const Json& value, const std::string& pointer) {
  if (!value.is_object()) return Expected(pointer, "an object", value);
  return JsonFields(value, pointer);
}

const Json* JsonFields::Find(std::string_view key) const {
  const auto found = object_->find(key);
  return found == object_->end() || found->is_null() ? nullptr : &*found;
}

std::string JsonFields::PointerTo(std::string_view key) const { return pointer_ + "/" + PointerToken(key); }

absl::StatusOr<std::string> JsonFields::String(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr) return std::string();
  if (!value->is_string()) return Expected(PointerTo(key), "a string", *value);
  return value->get<std::string>();
}

absl::StatusOr<uint64_t> JsonFields::Count(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr) return 0;
  if (!value->is_number_unsigned()) return Expected(PointerTo(key), "an integer from 0 on", *value);
  return value->get<uint64_t>();
}

absl::StatusOr<std::optional<absl::Time>> JsonFields::Time(std::string_view key) const {
  OMNIX_ASSIGN_OR_RETURN(const std::string text, String(key));
  if (text.empty()) return std::optional<absl::Time>();
  const absl::StatusOr<absl::Time> time = ParseTime(text);
  if (!time.ok()) return InvalidArgument("{}: expected a time as in RFC 3339 (2025-09-04T07:14:03Z)", PointerTo(key));
  if (absl::ToCivilYear(*time, absl::UTCTimeZone()).year() <= 1) return std::optional<absl::Time>();
  return std::optional<absl::Time>(*time);
}

absl::StatusOr<std::map<std::string, std::string>> JsonFields::Strings(std::string_view key) const {
  std::map<std::string, std::string> strings;
  const Json* value = Find(key);
  if (value == nullptr) return strings;
  if (!value->is_object()) return Expected(PointerTo(key), "an object", *value);
  for (const auto& [name, item] : value->items()) {
    if (!item.is_string()) return Expected(PointerTo(key) + "/" + PointerToken(name), "a string", item);
    strings[name] = item.get<std::string>();
  }
  return strings;
}

absl::StatusOr<const Json*> JsonFields::Array(std::string_view key) const {
  const Json* value = Find(key);
  if (value != nullptr && !value->is_array()) return Expected(PointerTo(key), "an array", *value);
  return value;
}

absl::Status JsonFields::OnlyKeys(std::initializer_list<std::string_view> known) const {
  for (const auto& [key, value] : object_->items()) {
    if (std::ranges::find(known, key) == known.end()) {
      return InvalidArgument("{}: unknown key; known are {}", PointerTo(key), fmt::join(known, ", "));
    }
  }
  return absl::OkStatus();
}

}  // namespace omnix
