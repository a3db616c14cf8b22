#include "orchestrator/intake/body_parser.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/status.h"

namespace omnix {
namespace {

// Walks the text and lets the handler see how far the lexer has read.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** seen) : at_(at), seen_(seen) {}
  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *seen_ = ++at_;
    return *this;
  }
  bool operator==(const TrackedIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackedIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** seen_;
};

std::string Place(std::string_view text, size_t offset, size_t* line, size_t* column) {
  *line = *column = 1;
  for (const char c : text.substr(0, offset)) {
    *column = c == '\n' ? 1 : *column + 1;
    if (c == '\n') ++*line;
  }
  return fmt::format("line {}, column {}", *line, *column);
}

bool IsInteger(const std::string& token) { return token.find_first_of(".eE") == std::string::npos; }

// The length of an escape such as "\u20ac".
constexpr size_t kEscape = 6;

// The four digits behind a "\u" at `at`.
std::optional<unsigned> EscapedUnit(std::string_view text, size_t at) {
  constexpr size_t kDigitsAt = 2;
  if (at + kEscape > text.size() || text[at] != '\\' || text[at + 1] != 'u') return std::nullopt;
  unsigned unit = 0;
  const char* const end = text.data() + at + kEscape;
  const auto read = std::from_chars(text.data() + at + kDigitsAt, end, unit, 16);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return unit;
}

bool IsHighSurrogate(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowSurrogate(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

// Puts U+FFFD in the place of each escape of half a surrogate pair, in a copy made where there is one, and gives their
// number. Senders that cut a text within an emoji write such halves: the grammar of JSON allows them, UTF-8 has no
// place for them. The length stays, and so do the positions in errors.
size_t ReplaceLoneSurrogates(std::string_view text, std::string& copy) {
  size_t replaced = 0;
  for (size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    const std::optional<unsigned> unit = EscapedUnit(text, at);
    if (!unit) {
      at += 2;
      continue;
    }
    const bool pair = IsHighSurrogate(*unit) && IsLowSurrogate(EscapedUnit(text, at + kEscape).value_or(0));
    if (!pair && (IsHighSurrogate(*unit) || IsLowSurrogate(*unit))) {
      if (replaced++ == 0) copy = text;
      copy.replace(at, kEscape, "\\ufffd");
    }
    at += pair ? 2 * kEscape : kEscape;
  }
  return replaced;
}

// Builds the document, as nlohmann's SAX parser tells of it. The functions' names and parameters are that parser's.
class BodyBuilder {
 public:
  BodyBuilder(ParsedBody& body, const char* const* seen, const char* begin) : body_(body), seen_(seen), begin_(begin) {}

  bool null() { return Put(nullptr); }
  bool boolean(bool value) { return Put(value); }
  bool number_integer(int64_t value) { return value < -kMaxExactInteger ? Put(std::to_string(value)) : Put(value); }
  bool number_unsigned(uint64_t value) {
    return value > static_cast<uint64_t>(kMaxExactInteger) ? Put(std::to_string(value)) : Put(value);
  }
  // `token` is the number as it stands in the text: also integers that 64 bits don't hold.
  bool number_float(double value, const std::string& token) { return IsInteger(token) ? Put(token) : Put(value); }
  bool string(std::string& value) { return Put(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(size_t) { return Open(Json::object()); }
  bool end_object() { return Close(); }
  bool start_array(size_t) { return Open(Json::array()); }
  bool end_array() { return Close(); }
  bool key(std::string& name) {
    auto& object = open_.back()->get_ref<Json::object_t&>();
    const auto [at, inserted] = object.try_emplace(std::move(name));
    if (!inserted && body_.repeated_keys++ == 0) repeated_key_offset_ = offset();
    member_ = &at->second;
    return Count();
  }
  template <class Exception>
  bool parse_error(size_t position, const std::string&, const Exception& error) {
    error_offset_ = position > 0 ? position - 1 : 0;
    const std::string_view what = error.what();
    bad_utf8_ = what.find("ill-formed UTF-8") != std::string_view::npos;
    overflow_ = what.find("overflow") != std::string_view::npos;
    return false;
  }

  size_t offset() const { return static_cast<size_t>(*seen_ - begin_); }
  size_t error_offset() const { return error_offset_; }
  size_t repeated_key_offset() const { return repeated_key_offset_; }
  bool too_deep() const { return too_deep_; }
  bool too_many() const { return values_ > kMaxBodyValues; }
  bool bad_utf8() const { return bad_utf8_; }
  bool overflow() const { return overflow_; }

 private:
  bool Count() { return ++values_ <= kMaxBodyValues; }

  Json* Place(Json value) {
    if (open_.empty()) return &(body_.value = std::move(value));
    if (open_.back()->is_object()) return &(*member_ = std::move(value));
    auto& array = open_.back()->get_ref<Json::array_t&>();
    return &array.emplace_back(std::move(value));
  }
  bool Put(Json value) {
    Place(std::move(value));
    return Count();
  }
  bool Open(Json value) {
    too_deep_ = open_.size() >= kMaxBodyDepth;
    if (too_deep_ || !Count()) return false;
    open_.push_back(Place(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  ParsedBody& body_;
  const char* const* seen_;
  const char* begin_;
  // The objects and arrays around the place that is read. An element of an array is complete before the array grows, so
  // that the pointers hold.
  std::vector<Json*> open_;
  Json* member_ = nullptr;
  size_t values_ = 0;
  size_t error_offset_ = 0;
  size_t repeated_key_offset_ = 0;
  bool too_deep_ = false;
  bool bad_utf8_ = false;
  bool overflow_ = false;
};

absl::Status ErrorOf(const BodyBuilder& builder, std::string_view text) {
  size_t line = 0, column = 0;
  if (builder.too_many()) {
    return ResourceExhausted("more than {} values and keys at {}", kMaxBodyValues,
                             Place(text, builder.offset(), &line, &column));
  }
  if (builder.too_deep()) {
    return InvalidArgument("nested more than {} levels deep at {}", kMaxBodyDepth,
                           Place(text, builder.offset(), &line, &column));
  }
  const size_t at = std::min(builder.error_offset(), text.size());
  const std::string place = Place(text, at, &line, &column);
  if (builder.bad_utf8()) return InvalidArgument("no valid UTF-8 at {}", place);
  if (builder.overflow()) return InvalidArgument("a number beyond all bounds at {}", place);
  if (at >= text.size()) return InvalidArgument("no valid JSON: it ends too early, at {}", place);
  return InvalidArgument("no valid JSON at {}", place);
}

}  // namespace

absl::StatusOr<ParsedBody> ParseBody(std::string_view text) {
  ParsedBody body;
  std::string mended;
  body.lone_surrogates = ReplaceLoneSurrogates(text, mended);
  if (body.lone_surrogates > 0) text = mended;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* seen = begin;
  BodyBuilder builder(body, &seen, begin);
  if (!Json::sax_parse(TrackedIterator(begin, &seen), TrackedIterator(end, &seen), &builder)) {
    return ErrorOf(builder, text);
  }
  // The lexer takes a NUL byte for the text's end.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    size_t line = 0, column = 0;
    return InvalidArgument("no valid JSON at {}", Place(text, nul, &line, &column));
  }
  if (body.repeated_keys > 0) {
    Place(text, builder.repeated_key_offset(), &body.repeated_key_line, &body.repeated_key_column);
  }
  return body;
}

}  // namespace omnix
