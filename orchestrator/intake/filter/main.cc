// omnix-alert-filter: runs jq filters of alert formats on behalf of omnixd and omnix.
//
// A filter works on what strangers send, and libjq can neither be interrupted nor survive a failed allocation. So it
// runs in this process, which holds nothing else: no environment, no files, bounded memory; whoever started it ends it
// when it takes too long. It speaks over the socket that is its standard input; see orchestrator/intake/filter_frame.h.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <string>

#include "orchestrator/intake/filter_frame.h"

extern "C" {
#include <jq.h>
}

// A sanitizer needs far more address space than it uses.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OMNIX_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OMNIX_SANITIZED
#endif
#endif

namespace omnix {
namespace {

// Nothing of other inputs is there for a filter, and nothing that writes.
constexpr char kPrelude[] =
    "def input: empty; def inputs: empty; def debug: .; def stderr: .; def input_filename: null; ";
constexpr size_t kMaxMessageBytes = 2000;

bool ReadAll(void* data, size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = read(STDIN_FILENO, at, size);
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool WriteAll(const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = write(STDIN_FILENO, at, size);
    if (sent <= 0) return false;
    at += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

bool Reply(FilterFrameKind kind, const std::string& text) {
  const FilterFrame frame{kind, 0, static_cast<uint32_t>(text.size())};
  return WriteAll(&frame, sizeof(frame)) && WriteAll(text.data(), text.size());
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
  text += TextOf(message) + "\n";
  if (text.size() > kMaxMessageBytes) text.resize(kMaxMessageBytes);
}

struct Filter {
  jq_state* jq = nullptr;
  std::string messages;
};

bool Load(Filter& filter, const std::string& program) {
  filter.jq = jq_init();
  if (filter.jq == nullptr) return Reply(FilterFrameKind::kFailed, "no memory");
  jq_set_error_cb(filter.jq, AppendMessage, &filter.messages);
  if (jq_compile(filter.jq, (kPrelude + program).c_str()) != 0) return Reply(FilterFrameKind::kOutput, "");
  jq_teardown(&filter.jq);
  return Reply(FilterFrameKind::kFailed, filter.messages);
}

bool Run(Filter& filter, const std::string& input) {
  if (filter.jq == nullptr) return Reply(FilterFrameKind::kFailed, "the filter does not compile");
  const jv parsed = jv_parse_sized(input.data(), static_cast<int>(input.size()));
  if (!jv_is_valid(parsed)) {
    jv_free(parsed);
    return Reply(FilterFrameKind::kFailed, "jq can't read its input");
  }
  filter.messages.clear();
  jq_start(filter.jq, parsed, 0);
  const jv output = jq_next(filter.jq);
  if (jv_is_valid(output)) return Reply(FilterFrameKind::kOutput, TextOf(jv_dump_string(output, 0)));
  if (!jv_invalid_has_msg(jv_copy(output))) {
    jv_free(output);
    return Reply(FilterFrameKind::kFailed, filter.messages.empty() ? "the filter gave nothing" : filter.messages);
  }
  return Reply(FilterFrameKind::kFailed, TextOf(jv_invalid_get_msg(output)).substr(0, kMaxMessageBytes));
}

// Until whoever started it closes the socket.
void Serve() {
  std::map<uint32_t, Filter> filters;
  FilterFrame frame{};
  std::string text;
  while (ReadAll(&frame, sizeof(frame)) && frame.size <= kMaxFilterFrameBytes) {
    text.resize(frame.size);
    if (!ReadAll(text.data(), text.size())) return;
    Filter& filter = filters[frame.filter];
    if (!(frame.kind == FilterFrameKind::kLoad ? Load(filter, text) : Run(filter, text))) return;
  }
}

void Confine() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 0);
  const auto limit = [](int what, rlim_t value) {
    const rlimit both{value, value};
    setrlimit(static_cast<__rlimit_resource>(what), &both);
  };
#if !defined(OMNIX_SANITIZED)
  limit(RLIMIT_AS, kMaxFilterMemoryBytes);
#endif
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  // The socket is open already; jq opens nothing.
  limit(RLIMIT_NOFILE, 0);
  limit(RLIMIT_NPROC, 0);
}

}  // namespace
}  // namespace omnix

int main() {
  omnix::Confine();
  omnix::Serve();
  return 0;
}
