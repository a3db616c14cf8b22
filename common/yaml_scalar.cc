#include "common/yaml_scalar.h"

#include <charconv>
#include <string_view>

namespace omnix {
namespace {

constexpr int kDecimal = 10;
constexpr int kOctal = 8;
constexpr int kHexadecimal = 16;

// The whole text as an integer of T; nothing where it is none or out of range.
template <typename T>
std::optional<T> ParseInteger(std::string_view text, int base) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool OnlyOf(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

std::string_view WithoutSign(std::string_view text) {
  return text.starts_with('+') || text.starts_with('-') ? text.substr(1) : text;
}

bool LooksInteger(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  constexpr size_t kDecimalDigits = 10;
  constexpr size_t kOctalDigits = 8;
  if (text.starts_with("0o")) return OnlyOf(text.substr(2), kDigits.substr(0, kOctalDigits));
  if (text.starts_with("0x")) return OnlyOf(text.substr(2), kDigits);
  return OnlyOf(WithoutSign(text), kDigits.substr(0, kDecimalDigits));
}

struct Float {
  double value = 0;
  bool in_range = false;
};

// A decimal number, with or without a fraction and an exponent.
std::optional<Float> CoreFloat(std::string_view text) {
  const std::string_view unsigned_text = WithoutSign(text);
  if (!OnlyOf(unsigned_text, "0123456789.eE+-") || WithoutSign(unsigned_text) != unsigned_text) return std::nullopt;
  Float number;
  const char* const end = unsigned_text.data() + unsigned_text.size();
  const auto [stop, error] = std::from_chars(unsigned_text.data(), end, number.value);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  if (text.starts_with('-')) number.value = -number.value;
  number.in_range = error == std::errc();
  return number;
}

bool LooksInfiniteOrNan(std::string_view text) {
  const std::string_view word = WithoutSign(text);
  return word == ".inf" || word == ".Inf" || word == ".INF" || text == ".nan" || text == ".NaN" || text == ".NAN";
}

template <typename T>
std::optional<T> CoreInteger(const YamlNode& node) {
  if (!node.IsScalar() || node.quoted || !LooksInteger(node.text)) return std::nullopt;
  const std::string_view text = node.text;
  if (text.starts_with("0o")) return ParseInteger<T>(text.substr(2), kOctal);
  if (text.starts_with("0x")) return ParseInteger<T>(text.substr(2), kHexadecimal);
  return ParseInteger<T>(text.starts_with('+') ? text.substr(1) : text, kDecimal);
}

}  // namespace

std::optional<bool> YamlBool(const YamlNode& node) {
  if (!node.IsScalar() || node.quoted) return std::nullopt;
  if (node.text == "true" || node.text == "True" || node.text == "TRUE") return true;
  if (node.text == "false" || node.text == "False" || node.text == "FALSE") return false;
  return std::nullopt;
}

std::optional<int64_t> YamlSigned(const YamlNode& node) { return CoreInteger<int64_t>(node); }

std::optional<uint64_t> YamlUnsigned(const YamlNode& node) { return CoreInteger<uint64_t>(node); }

std::optional<double> YamlNumber(const YamlNode& node) {
  if (const auto integer = CoreInteger<int64_t>(node)) return static_cast<double>(*integer);
  if (!node.IsScalar() || node.quoted) return std::nullopt;
  const auto number = CoreFloat(node.text);
  return number && number->in_range ? std::optional(number->value) : std::nullopt;
}

std::optional<absl::Duration> YamlDuration(const YamlNode& node) {
  absl::Duration duration;
  if (!node.IsScalar() || !absl::ParseDuration(node.text, &duration)) return std::nullopt;
  if (duration < absl::ZeroDuration() || duration == absl::InfiniteDuration()) return std::nullopt;
  return duration;
}

std::optional<google::protobuf::Value> YamlValue(const YamlNode& node) {
  constexpr int64_t kExactLimit = int64_t{1} << 53;
  google::protobuf::Value value;
  if (node.quoted) {
    value.set_string_value(node.text);
  } else if (node.IsNull()) {
    value.set_null_value(google::protobuf::NULL_VALUE);
  } else if (const auto truth = YamlBool(node)) {
    value.set_bool_value(*truth);
  } else if (LooksInteger(node.text)) {
    const auto number = YamlSigned(node);
    if (!number || *number > kExactLimit || *number < -kExactLimit) return std::nullopt;
    value.set_number_value(static_cast<double>(*number));
  } else if (const auto number = CoreFloat(node.text)) {
    if (!number->in_range) return std::nullopt;
    value.set_number_value(number->value);
  } else if (LooksInfiniteOrNan(node.text)) {
    return std::nullopt;
  } else {
    value.set_string_value(node.text);
  }
  return value;
}

}  // namespace omnix
