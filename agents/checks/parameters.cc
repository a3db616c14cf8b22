#include "agents/checks/parameters.h"

#include "absl/strings/str_join.h"
#include "common/status.h"

namespace omnix {
namespace {

constexpr int kLeastStatus = 100;
constexpr int kMostStatus = 599;

constexpr int kStatusesPerClass = 100;

// 400 for "4xx"; 0 where it is no class of statuses.
int FirstOfClass(const Json& value) {
  if (!value.is_string()) return 0;
  const std::string text = value.get<std::string>();
  if (text.size() != 3 || text.substr(1) != "xx" || text[0] < '1' || text[0] > '5') return 0;
  return (text[0] - '0') * kStatusesPerClass;
}

bool IsStatus(const Json& value) {
  return value.is_number_integer() && value.get<int64_t>() >= kLeastStatus && value.get<int64_t>() <= kMostStatus;
}

}  // namespace

const Json& Parameters::Value(const std::string& key) const {
  static const Json kNull;
  return Has(key) ? with_.at(key) : kNull;
}

void Parameters::Expect(const std::string& key, const std::string& what) { Fail(key + " must be " + what); }

std::string Parameters::String(const std::string& key, const std::string& fallback) {
  if (!Has(key)) return fallback;
  const Json& value = Value(key);
  if (value.is_string()) return value.get<std::string>();
  Expect(key, "a text");
  return fallback;
}

bool Parameters::Bool(const std::string& key, bool fallback) {
  if (!Has(key)) return fallback;
  const Json& value = Value(key);
  if (value.is_boolean()) return value.get<bool>();
  Expect(key, "true or false");
  return fallback;
}

double Parameters::Number(const std::string& key, double least, double most, double fallback) {
  if (!Has(key)) return fallback;
  const Json& value = Value(key);
  if (value.is_number() && value.get<double>() >= least && value.get<double>() <= most) return value.get<double>();
  Expect(key, fmt::format("a number from {} to {}", least, most));
  return fallback;
}

absl::Duration Parameters::Duration(const std::string& key, absl::Duration fallback) {
  if (!Has(key)) return fallback;
  const Json& value = Value(key);
  absl::Duration duration;
  if (value.is_string() && absl::ParseDuration(value.get<std::string>(), &duration) &&
      duration >= absl::ZeroDuration() && duration <= kMaxDuration) {
    return duration;
  }
  Expect(key, "a duration such as \"5s\" or \"500ms\", at most an hour");
  return fallback;
}

std::vector<std::string> Parameters::Strings(const std::string& key) {
  std::vector<std::string> texts;
  if (!Has(key)) return texts;
  const Json& value = Value(key);
  if (value.is_string()) return {value.get<std::string>()};
  if (!value.is_array() || value.size() > kMaxItems) {
    Expect(key, fmt::format("a text or a list of at most {} texts", kMaxItems));
    return texts;
  }
  for (const Json& item : value) {
    if (item.is_string()) {
      texts.push_back(item.get<std::string>());
    } else {
      Expect(key, "a list of texts only");
      return texts;
    }
  }
  return texts;
}

std::vector<int> Parameters::Statuses(const std::string& key) {
  std::vector<int> statuses;
  if (!Has(key)) return statuses;
  const Json list = Value(key).is_array() ? Value(key) : Json::array({Value(key)});
  for (const Json& item : list) {
    if (const int first = FirstOfClass(item); first > 0) {
      for (int status = first; status < first + kStatusesPerClass; ++status) statuses.push_back(status);
      continue;
    }
    if (!IsStatus(item) || list.size() > kMaxItems) {
      Expect(key, "an HTTP status (100 to 599), a class such as \"2xx\", or a list of them");
      return statuses;
    }
    statuses.push_back(item.get<int>());
  }
  return statuses;
}

std::map<std::string, std::string> Parameters::StringMap(const std::string& key) {
  std::map<std::string, std::string> map;
  if (!Has(key)) return map;
  const Json& value = Value(key);
  if (!value.is_object() || value.size() > kMaxItems) {
    Expect(key, fmt::format("a mapping of at most {} entries", kMaxItems));
    return map;
  }
  for (const auto& [name, item] : value.items()) {
    if (item.is_structured() || item.is_null()) {
      Expect(key + "." + name, "a text, number or boolean");
    } else {
      map[name] = item.is_string() ? item.get<std::string>() : DumpJson(item);
    }
  }
  return map;
}

absl::Status Parameters::status() const {
  if (mistakes_.empty()) return absl::OkStatus();
  return InvalidArgument("{}", absl::StrJoin(mistakes_, "; "));
}

}  // namespace omnix
