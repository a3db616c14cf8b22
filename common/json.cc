#include "common/json.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <utility>

#include "common/status.h"

namespace omnix {
namespace {

// Keeps the error of nlohmann's SAX parser as a position, and bounds the depth (its own DOM parser does neither without
// exceptions).
class StrictHandler : public nlohmann::detail::json_sax_dom_parser<Json> {
 public:
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;
  explicit StrictHandler(Json& document) : Base(document, false) {}

  bool start_object(std::size_t n) { return Enter() && Base::start_object(n); }
  bool end_object() {
    --depth_;
    return Base::end_object();
  }
  bool start_array(std::size_t n) { return Enter() && Base::start_array(n); }
  bool end_array() {
    --depth_;
    return Base::end_array();
  }
  template <class Exception>
  bool parse_error(std::size_t position, const std::string& token, const Exception& error) {
    position_ = position;
    return Base::parse_error(position, token, error);
  }

  bool too_deep() const { return depth_ > kMaxJsonDepth; }
  std::size_t position() const { return position_; }

 private:
  bool Enter() { return ++depth_ <= kMaxJsonDepth; }

  int depth_ = 0;
  std::size_t position_ = 0;
};

std::string LineAndColumn(std::string_view text, std::size_t position) {
  const std::size_t end = std::min(position > 0 ? position - 1 : 0, text.size());
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i < end; ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return fmt::format("line {}, column {}", line, column);
}

Json ValueToJson(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kBoolValue:
      return value.bool_value();
    case google::protobuf::Value::kStringValue:
      return value.string_value();
    case google::protobuf::Value::kNumberValue: {
      constexpr double kExactLimit = 9007199254740992.0;  // 2^53
      const double number = value.number_value();
      if (std::floor(number) == number && std::abs(number) <= kExactLimit) return static_cast<int64_t>(number);
      return number;
    }
    case google::protobuf::Value::kStructValue:
      return StructToJson(value.struct_value());
    case google::protobuf::Value::kListValue: {
      Json list = Json::array();
      for (const auto& item : value.list_value().values()) list.push_back(ValueToJson(item));
      return list;
    }
    default:
      return nullptr;
  }
}

google::protobuf::Value JsonToValue(const Json& json) {
  google::protobuf::Value value;
  if (json.is_boolean()) {
    value.set_bool_value(json.get<bool>());
  } else if (json.is_number()) {
    value.set_number_value(json.get<double>());
  } else if (json.is_string()) {
    value.set_string_value(json.get<std::string>());
  } else if (json.is_array()) {
    auto* list = value.mutable_list_value();
    for (const auto& item : json) *list->add_values() = JsonToValue(item);
  } else if (json.is_object()) {
    *value.mutable_struct_value() = JsonToStruct(json);
  } else {
    value.set_null_value(google::protobuf::NULL_VALUE);
  }
  return value;
}

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view text) {
  Json root;
  StrictHandler handler(root);
  const bool ok = Json::sax_parse(text.begin(), text.end(), &handler);
  if (handler.too_deep()) return InvalidArgument("JSON is nested more than {} levels deep", kMaxJsonDepth);
  if (!ok) return InvalidArgument("no valid JSON at {}", LineAndColumn(text, handler.position()));
  // The lexer takes a NUL byte for the text's end, whatever follows it.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return InvalidArgument("no valid JSON at {}", LineAndColumn(text, nul + 1));
  }
  return root;
}

std::string DumpJson(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string MessageToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  // Fails for messages that hold an unregistered Any or a Timestamp out of range only.
  if (!status.ok()) return "{}";
  return text;
}

Json MessageToJsonValue(const google::protobuf::Message& message) {
  return Json::parse(MessageToJson(message), nullptr, /*allow_exceptions=*/false);
}

absl::Status JsonToMessage(std::string_view json, google::protobuf::Message* message, std::string_view what) {
  google::protobuf::util::JsonParseOptions options;
  const auto status = google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, message, options);
  if (!status.ok()) return InvalidArgument("{}: {}", what, std::string(status.message()));
  return absl::OkStatus();
}

Json StructToJson(const google::protobuf::Struct& value) {
  Json object = Json::object();
  for (const auto& [key, field] : value.fields()) object[key] = ValueToJson(field);
  return object;
}

google::protobuf::Struct JsonToStruct(const Json& object) {
  google::protobuf::Struct out;
  for (const auto& [key, field] : object.items()) (*out.mutable_fields())[key] = JsonToValue(field);
  return out;
}

std::string SerializeDeterministically(const google::protobuf::Message& message) {
  // Into a string that does not grow: growing took half of the time.
  std::string bytes(message.ByteSizeLong(), '\0');
  google::protobuf::io::ArrayOutputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeWithCachedSizes(&coded);
  // Now, not when it is destroyed: that is after `bytes` was given away.
  coded.Trim();
  return bytes;
}

}  // namespace omnix
