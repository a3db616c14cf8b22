// JSON text, JSON values and protobuf messages, one into the other. Field names are the proto's own (snake_case).
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace omnix {

using Json = nlohmann::json;

// Strict: one document, valid UTF-8, at most kMaxJsonDepth levels. Errors: INVALID_ARGUMENT with line and column, never
// quoting the text.
inline constexpr int kMaxJsonDepth = 256;
absl::StatusOr<Json> ParseJson(std::string_view text);

// Compact text. Bytes that are no UTF-8 become U+FFFD: dumping never fails.
std::string DumpJson(const Json& value);

// Unset fields are left out; 64-bit integers become strings, as protobuf's JSON mapping has it.
std::string MessageToJson(const google::protobuf::Message& message);
Json MessageToJsonValue(const google::protobuf::Message& message);

// Errors: INVALID_ARGUMENT (unknown field, wrong type), with `what` before the message.
absl::Status JsonToMessage(std::string_view json, google::protobuf::Message* message, std::string_view what);

// A google.protobuf.Struct (the parameters of checks and actions) and back. Integral numbers come back as integers.
Json StructToJson(const google::protobuf::Struct& value);
google::protobuf::Struct JsonToStruct(const Json& object);

// Serialized so that equal messages give equal bytes (maps in key order).
std::string SerializeDeterministically(const google::protobuf::Message& message);

}  // namespace omnix
