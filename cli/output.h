// Answers for programs: the API's messages as JSON or YAML, field names as in the proto files. Every field of a message
// is there, also where it is empty, so that scripts need not ask; messages and oneofs that are not set are left out.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace omnix {

enum class OutputFormat { kTable, kJson, kYaml };

// Indented, ends with a newline.
std::string ToJsonText(const google::protobuf::Message& message);
std::string ToYamlText(const google::protobuf::Message& message);

}  // namespace omnix
