// Answers for programs: the API's messages as JSON or YAML, field names as in the proto files. Every field of a message
// is there, also where it is empty, so that scripts need not ask; messages and oneofs that are not set are left out.
#pragma once

#include <google/protobuf/message.h>

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace omnix {

enum class OutputFormat { kTable, kJson, kYaml };

// Indented, ends with a newline.
std::string ToJsonText(const google::protobuf::Message& message);
std::string ToYamlText(const google::protobuf::Message& message);

// The same of a value that is no message of the API. Bytes that are no UTF-8 become U+FFFD.
std::string ToJsonText(const nlohmann::json& value);
std::string ToYamlText(const nlohmann::json& value);

}  // namespace omnix
