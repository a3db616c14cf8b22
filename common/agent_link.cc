#include "common/agent_link.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "common/json.h"
#include "common/status.h"

namespace omnix {
namespace {

// How much of a wrong value an error repeats.
constexpr size_t kQuotedBytes = 64;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameByte(char c) {
  return IsLower(c) || IsDigit(c) || (c >= 'A' && c <= 'Z') ||
         std::string_view("._-@:").find(c) != std::string_view::npos;
}
bool IsWordByte(char c) { return IsLower(c) || IsDigit(c) || c == '_' || c == '-'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// A lower-case word: "recovery", "apply_plan".
bool IsWord(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAgentNameBytes && IsLower(text[0]) &&
         std::all_of(text.begin(), text.end(), IsWordByte);
}

// Printable, so that a hostile value can't forge a line of a log.
std::string Quoted(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kQuotedBytes)) out.push_back(c >= ' ' && c <= '~' ? c : '?');
  return text.size() > kQuotedBytes ? out + "..." : out;
}

absl::Status CheckIdentity(const v1::Hello& hello) {
  if (hello.name().empty() || hello.name().size() > kMaxAgentNameBytes ||
      !std::all_of(hello.name().begin(), hello.name().end(), IsNameByte)) {
    return InvalidArgument(
        "Hello.name '{}': expected 1 to {} letters, digits or . _ - @ :, for example recovery-agent@web1",
        Quoted(hello.name()), kMaxAgentNameBytes);
  }
  const std::string& instance = hello.instance_id();
  if (instance.size() < kMinInstanceIdDigits || instance.size() > kMaxInstanceIdDigits ||
      !std::all_of(instance.begin(), instance.end(), IsHexDigit)) {
    return InvalidArgument(
        "Hello.instance_id of {}: expected {} to {} random hex digits, new with each start of the process",
        hello.name(), kMinInstanceIdDigits, kMaxInstanceIdDigits);
  }
  if (!IsWord(hello.kind())) {
    return InvalidArgument("Hello.kind '{}' of {}: expected a lower-case word, for example recovery",
                           Quoted(hello.kind()), hello.name());
  }
  if (hello.version().size() > kMaxAgentNameBytes) {
    return InvalidArgument("Hello.version of {}: at most {} bytes are allowed", hello.name(), kMaxAgentNameBytes);
  }
  return absl::OkStatus();
}

absl::Status CheckTaskTypes(const v1::Hello& hello) {
  if (hello.task_types().empty() || hello.task_types_size() > kMaxAgentTaskTypes) {
    return InvalidArgument("Hello.task_types of {}: {} task types, expected 1 to {}", hello.name(),
                           hello.task_types_size(), kMaxAgentTaskTypes);
  }
  std::set<std::string_view> seen;
  size_t schemas = 0;
  for (const auto& type : hello.task_types()) {
    const std::string_view name = type.name();
    const size_t dot = name.find('.');
    if (dot == std::string_view::npos || name.substr(0, dot) != hello.kind() || !IsWord(name.substr(dot + 1))) {
      return InvalidArgument("Hello.task_types of {}: '{}' is not of the form {}.verb", hello.name(), Quoted(name),
                             hello.kind());
    }
    if (!seen.insert(name).second) return InvalidArgument("Hello.task_types of {}: {} comes twice", hello.name(), name);
    if (type.input_schema_json().size() > kMaxTaskSchemaBytes) {
      return InvalidArgument("Hello.task_types of {}: the input schema of {} has {} bytes, at most {} are allowed",
                             hello.name(), name, type.input_schema_json().size(), kMaxTaskSchemaBytes);
    }
    schemas += type.input_schema_json().size();
    if (schemas > kMaxTaskSchemasBytes) {
      return InvalidArgument("Hello.task_types of {}: the input schemas have more than {} bytes together", hello.name(),
                             kMaxTaskSchemasBytes);
    }
    if (type.input_schema_json().empty()) continue;
    if (const auto schema = ParseJson(type.input_schema_json()); !schema.ok()) {
      return InvalidArgument("Hello.task_types of {}: input schema of {}: {}", hello.name(), name,
                             Message(schema.status()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(const v1::Hello& hello) {
  if (hello.labels().size() > kMaxAgentLabels) {
    return InvalidArgument("Hello.labels of {}: {} labels, at most {} are allowed", hello.name(), hello.labels().size(),
                           kMaxAgentLabels);
  }
  for (const auto& [key, value] : hello.labels()) {
    if (key.empty() || key.size() > kMaxAgentLabelBytes || value.size() > kMaxAgentLabelBytes) {
      return InvalidArgument("Hello.labels of {}: '{}': keys have 1 to {} bytes, values at most {}", hello.name(),
                             Quoted(key), kMaxAgentLabelBytes, kMaxAgentLabelBytes);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHello(const v1::Hello& hello) {
  if (hello.link_version() != kLinkVersion) {
    return FailedPrecondition(
        "Hello.link_version {}: this side speaks version {} of the agent link; use an agent of a matching release",
        hello.link_version(), kLinkVersion);
  }
  OMNIX_RETURN_IF_ERROR(CheckIdentity(hello));
  OMNIX_RETURN_IF_ERROR(CheckTaskTypes(hello));
  OMNIX_RETURN_IF_ERROR(CheckLabels(hello));
  if (hello.capacity() < 1 || hello.capacity() > kMaxAgentCapacity) {
    return InvalidArgument("Hello.capacity of {}: {}, expected 1 to {}", hello.name(), hello.capacity(),
                           kMaxAgentCapacity);
  }
  if (hello.running_size() > kMaxHelloRunning) {
    return InvalidArgument("Hello.running of {}: {} leases, at most {} are allowed", hello.name(), hello.running_size(),
                           kMaxHelloRunning);
  }
  return absl::OkStatus();
}

}  // namespace omnix
