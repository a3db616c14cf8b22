#include "orchestrator/intake/plain_body.h"

#include <algorithm>
#include <vector>

#include "orchestrator/intake/body_parser.h"

namespace omnix {
namespace {

namespace dom = simdjson::dom;

// A parser takes some fifteen bytes for each byte of the largest body that it has read. Each thread keeps one, for
// bodies up to this size; of those for larger bodies there is one at a time, so that what a few senders can make omnixd
// take is bounded.
constexpr size_t kMaxKeptBytes = 1 << 20;

std::mutex large_bodies;

dom::parser& KeptParser() {
  thread_local dom::parser parser;
  return parser;
}

// Holds a parsed document to the limits of ParseBody and looks for keys that stand twice: simdjson does neither.
class PlainCheck {
 public:
  bool IsPlain(dom::element value, size_t depth) {
    if (!Count()) return false;
    switch (value.type()) {
      case dom::element_type::OBJECT:
        return depth < kMaxBodyDepth && IsPlainObject(value.get_object().value_unsafe(), depth);
      case dom::element_type::ARRAY:
        return depth < kMaxBodyDepth && std::ranges::all_of(value.get_array().value_unsafe(), [&](dom::element item) {
                 return IsPlain(item, depth + 1);
               });
      default:
        return true;
    }
  }

 private:
  bool Count() { return ++values_ <= kMaxBodyValues; }

  bool IsPlainObject(dom::object object, size_t depth) {
    keys_.clear();
    for (const dom::key_value_pair& field : object) {
      if (!Count()) return false;
      keys_.push_back(field.key);
    }
    if (!EachOnce(keys_.begin(), keys_.end())) return false;
    return std::ranges::all_of(object,
                               [&](const dom::key_value_pair& field) { return IsPlain(field.value, depth + 1); });
  }

  using Key = std::vector<std::string_view>::iterator;

  static bool EachOnce(Key begin, Key end) {
    // Below it, comparing each with each is quicker: mostly the sizes tell.
    constexpr std::ptrdiff_t kFewKeys = 24;
    if (end - begin > kFewKeys) {
      std::sort(begin, end);
      return std::adjacent_find(begin, end) == end;
    }
    for (Key key = begin; key != end; ++key) {
      if (std::find(begin, key, *key) != key) return false;
    }
    return true;
  }

  size_t values_ = 0;
  // Of the object that is looked at.
  std::vector<std::string_view> keys_;
};

}  // namespace

PlainBody::PlainBody(std::string_view text) {
  if (text.size() > kMaxKeptBytes) {
    large_bodies_ = std::unique_lock(large_bodies);
    own_parser_ = std::make_unique<dom::parser>();
  }
  dom::parser& parser = own_parser_ ? *own_parser_ : KeptParser();
  plain_ = parser.parse(text.data(), text.size()).get(root_) == simdjson::SUCCESS && PlainCheck().IsPlain(root_, 0);
}

}  // namespace omnix
