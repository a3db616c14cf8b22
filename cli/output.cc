#include "cli/output.h"

#include <google/protobuf/util/json_util.h>
#include <yaml-cpp/yaml.h>

#include "common/json.h"

namespace omnix {
namespace {

// Text that a YAML reader would take for something else, or that is no plain printable line, goes into double quotes.
bool NeedsQuotes(const std::string& text) {
  static constexpr std::string_view kSafe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=@ ()'-";
  if (text.empty() || !std::isalpha(static_cast<unsigned char>(text.front())) || text.back() == ' ') return true;
  if (text.find_first_not_of(kSafe) != std::string::npos) return true;
  static const std::vector<std::string> kWords = {"null", "true", "false", "yes", "no", "on",
                                                  "off",  "y",    "n",     "inf", "nan"};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

void EmitYaml(YAML::Emitter& out, const nlohmann::ordered_json& value) {
  if (value.is_object()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, field] : value.items()) {
      out << YAML::Key;
      if (NeedsQuotes(key)) out << YAML::DoubleQuoted;
      out << key << YAML::Value;
      EmitYaml(out, field);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& item : value) EmitYaml(out, item);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    if (NeedsQuotes(text)) out << YAML::DoubleQuoted;
    out << text;
  } else {
    out << value.dump();
  }
}

std::string YamlOf(const nlohmann::ordered_json& value) {
  YAML::Emitter out;
  EmitYaml(out, value);
  return std::string(out.c_str()) + "\n";
}

}  // namespace

std::string ToJsonText(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  options.add_whitespace = true;
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(message, &text, options).ok()) return "{}\n";
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

std::string ToYamlText(const google::protobuf::Message& message) {
  // ordered_json keeps the order of the proto's fields.
  const auto json = nlohmann::ordered_json::parse(ToJsonText(message), nullptr, /*allow_exceptions=*/false);
  return YamlOf(json);
}

std::string ToJsonText(const nlohmann::json& value) {
  constexpr int kIndent = 2;
  return value.dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string ToYamlText(const nlohmann::json& value) { return YamlOf(nlohmann::ordered_json::parse(ToJsonText(value))); }

}  // namespace omnix
