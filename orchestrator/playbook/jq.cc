#include "orchestrator/playbook/jq.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "common/status.h"

extern "C" {
#include <jq.h>
}

namespace omnix {
namespace {

constexpr size_t kMaxMessageBytes = 300;

// Nothing of the environment or of other inputs is there for a program: `env` is this process's, and may hold secrets.
constexpr std::string_view kPrelude = "def env: {}; def input: empty; def inputs: empty; ";

void EraseAll(std::string_view part, std::string* text) {
  for (size_t at = text->find(part); at != std::string::npos; at = text->find(part, at)) text->erase(at, part.size());
}

// jq's message on one line, without its boilerplate, cut at a character.
std::string CleanMessage(std::string text) {
  constexpr unsigned char kContinuationMask = 0xC0;
  constexpr unsigned char kContinuation = 0x80;
  EraseAll("jq: error: ", &text);
  EraseAll(" (Unix shell quoting issues?)", &text);
  EraseAll(kPrelude, &text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  EraseAll("  ", &text);
  if (const size_t count = text.rfind("; jq: "); count != std::string::npos) text.erase(count);
  if (text.size() <= kMaxMessageBytes) return text;
  size_t end = kMaxMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & kContinuationMask) == kContinuation) --end;
  return text.substr(0, end) + "...";
}

// Consumes `value`.
std::string TextOf(jv value) {
  const jv text = jv_get_kind(value) == JV_KIND_STRING ? value : jv_dump_string(value, 0);
  std::string copy(jv_string_value(text), static_cast<size_t>(jv_string_length_bytes(jv_copy(text))));
  jv_free(text);
  return copy;
}

void AppendMessage(void* data, jv message) {
  std::string& text = *static_cast<std::string*>(data);
  if (text.size() > kMaxMessageBytes) return jv_free(message);
  text += (text.empty() ? "" : "; ") + TextOf(message);
}

}  // namespace

struct JqProgram::State {
  State() : jq(jq_init()) {
    if (jq != nullptr) jq_set_error_cb(jq, AppendMessage, &messages);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (jq != nullptr) jq_teardown(&jq);
  }

  jq_state* jq;
  // What jq has said since it was last asked.
  std::string messages;
};

JqProgram::JqProgram(std::unique_ptr<State> state) : state_(std::move(state)) {}
JqProgram::JqProgram(JqProgram&&) noexcept = default;
JqProgram& JqProgram::operator=(JqProgram&&) noexcept = default;
JqProgram::~JqProgram() = default;

absl::StatusOr<JqProgram> JqProgram::Compile(const std::string& program) {
  if (program.size() > kMaxJqProgramBytes) {
    return InvalidArgument("a jq program of {} bytes; at most {} are allowed", program.size(), kMaxJqProgramBytes);
  }
  if (program.find('\0') != std::string::npos) return InvalidArgument("a jq program must not hold a NUL byte");
  if (program.find("$ENV") != std::string::npos) return InvalidArgument("$ENV is not available to jq programs here");
  auto state = std::make_unique<State>();
  if (state->jq == nullptr) return ResourceExhausted("no memory for a jq program");
  if (jq_compile(state->jq, (std::string(kPrelude) + program).c_str()) == 0) {
    return InvalidArgument("jq does not compile: {}", CleanMessage(state->messages));
  }
  state->messages.clear();
  return JqProgram(std::move(state));
}

absl::StatusOr<Json> JqProgram::Run(const Json& input) {
  const std::string text = DumpJson(input);
  const jv parsed = jv_parse_sized(text.data(), static_cast<int>(text.size()));
  if (!jv_is_valid(parsed)) {
    const std::string why = TextOf(jv_invalid_get_msg(parsed));
    return InvalidArgument("jq can't read its input: {}", CleanMessage(why));
  }
  state_->messages.clear();
  jq_start(state_->jq, parsed, 0);
  const jv output = jq_next(state_->jq);
  if (jv_is_valid(output)) return ParseJson(TextOf(jv_dump_string(output, 0)));
  if (!jv_invalid_has_msg(jv_copy(output))) {
    jv_free(output);
    if (!state_->messages.empty()) return InvalidArgument("jq failed: {}", CleanMessage(state_->messages));
    return Json(nullptr);
  }
  return InvalidArgument("jq failed: {}", CleanMessage(TextOf(jv_invalid_get_msg(output))));
}

absl::StatusOr<bool> JqProgram::Test(const Json& input) {
  OMNIX_ASSIGN_OR_RETURN(const Json output, Run(input));
  return !(output.is_null() || (output.is_boolean() && !output.get<bool>()));
}

absl::StatusOr<JqProgram*> CachedJqProgram(const std::string& program) {
  thread_local std::unordered_map<std::string, JqProgram> cache;
  if (const auto found = cache.find(program); found != cache.end()) return &found->second;
  OMNIX_ASSIGN_OR_RETURN(JqProgram compiled, JqProgram::Compile(program));
  if (cache.size() >= kMaxCachedJqPrograms) cache.clear();
  return &cache.emplace(program, std::move(compiled)).first->second;
}

}  // namespace omnix
