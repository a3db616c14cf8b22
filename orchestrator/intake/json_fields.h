// Reads typed fields of a JSON object; an error names the field by its JSON pointer (RFC 6901) and what was found
// there, never the value.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json.h"

namespace omnix {

class JsonFields {
 public:
  // Errors of all functions: INVALID_ARGUMENT. `pointer` is where `value` stands; empty for the document.
  static absl::StatusOr<JsonFields> Of(const Json& value, const std::string& pointer);

  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  std::string PointerTo(std::string_view key) const;

  // Absent or null: empty.
  absl::StatusOr<std::string> String(std::string_view key) const;
  // Absent or null: 0. Else an integer from 0 on.
  absl::StatusOr<uint64_t> Count(std::string_view key) const;
  // Absent, null, "" or the year 1 ("0001-01-01T00:00:00Z", how Go writes no time): nullopt. Else RFC 3339.
  absl::StatusOr<std::optional<absl::Time>> Time(std::string_view key) const;
  // Absent or null: empty. Values are strings.
  absl::StatusOr<std::map<std::string, std::string>> Strings(std::string_view key) const;
  // Absent or null: null pointer.
  absl::StatusOr<const Json*> Array(std::string_view key) const;
  // Every key is one of these; the error names the first that is not, and the known ones.
  absl::Status OnlyKeys(std::initializer_list<std::string_view> known) const;

 private:
  JsonFields(const Json& object, std::string pointer) : object_(&object), pointer_(std::move(pointer)) {}
  // Null where it is absent or JSON null.
  const Json* Find(std::string_view key) const;

  const Json* object_;
  std::string pointer_;
};

}  // namespace omnix
