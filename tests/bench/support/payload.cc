#include "tests/bench/support/payload.h"

#include <fmt/format.h>

namespace omnix::bench {
namespace {

constexpr size_t kOutputBytes = 500;
constexpr size_t kExcerptBytes = 200;

}  // namespace

const std::string& SomeOutput() {
  static const std::string output = [] {
    const std::string frame = R"({"checked": "GET /products", "answer": ""})";
    std::string json = frame;
    json.insert(frame.size() - 2, kOutputBytes - frame.size(), 'x');
    return json;
  }();
  return output;
}

v1::Evidence SomeEvidence(int number) {
  v1::Evidence evidence;
  evidence.set_id(fmt::format("e{}", number));
  evidence.set_source("http://127.0.0.1:8080/v1/products");
  evidence.set_summary("GET /v1/products answers 404 through the gateway");
  evidence.set_excerpt(std::string(kExcerptBytes, 'x'));
  return evidence;
}

}  // namespace omnix::bench
