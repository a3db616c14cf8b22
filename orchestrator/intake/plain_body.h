// The quick parser for formats that are read in C++: simdjson instead of ParseBody, but only for bodies in which there
// is nothing to mend and nothing to refuse.
#pragma once

#include <simdjson.h>

#include <memory>
#include <mutex>
#include <string_view>

namespace omnix {

// A body and what stands in it. One thread's affair; at most one at a time on each thread. For one of more than a
// megabyte it waits until no other thread has one.
//
//   const PlainBody body(bytes);
//   if (!body.plain()) return ReadSlowly(bytes);
//   Read(body.root());
class PlainBody {
 public:
  explicit PlainBody(std::string_view text);

  PlainBody(const PlainBody&) = delete;
  PlainBody& operator=(const PlainBody&) = delete;

  // True: ParseBody takes this body, too, gives the same value and mends nothing in it: no key stands twice in its
  // object, no string holds half of a surrogate pair. (But numbers: root() gives integers beyond kMaxExactInteger as
  // numbers.) False: only ParseBody can tell.
  bool plain() const { return plain_; }

  // The document, if it is plain; as long as this object lives.
  simdjson::dom::element root() const { return root_; }

 private:
  // For a body whose memory is not worth keeping: one at a time in all threads.
  std::unique_lock<std::mutex> large_bodies_;
  std::unique_ptr<simdjson::dom::parser> own_parser_;
  simdjson::dom::element root_;
  bool plain_ = false;
};

}  // namespace omnix
