// XML, by hand and leniently: the places of values matter, and whether the document is valid its own reader says.
#include <re2/re2.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "agents/sources/config_formats.h"

namespace omnix {
namespace {

std::string Decoded(std::string text) {
  for (const auto& [entity, character] : {std::pair<std::string_view, char>{"&lt;", '<'},
                                          {"&gt;", '>'},
                                          {"&quot;", '"'},
                                          {"&apos;", '\''},
                                          {"&amp;", '&'}}) {
    for (size_t at = text.find(entity); at != std::string::npos; at = text.find(entity, at + 1))
      text.replace(at, entity.size(), 1, character);
  }
  return text;
}

class XmlReader {
 public:
  XmlReader(const ConfigSource& source, ConfigValues* config) : source_(source), text_(source.text), config_(*config) {}

  void Read() {
    while (at_ < text_.size() && depth_.size() <= kMaxConfigDepth) {
      const size_t open = std::min(text_.find('<', at_), text_.size());
      Text(text_.substr(at_, open - at_), at_);
      at_ = open;
      if (at_ == text_.size() || Skipped("<!--", "-->") || Skipped("<?", "?>") || Skipped("<!", ">")) continue;
      Tag();
    }
  }

 private:
  bool Skipped(std::string_view begin, std::string_view end) {
    if (text_.substr(at_, begin.size()) != begin) return false;
    const size_t found = text_.find(end, at_ + begin.size());
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
    return true;
  }

  // The key of an element is the names of those around it, but for the document's own.
  std::string Key() const {
    std::string key;
    for (size_t i = depth_.size() > 1 ? 1 : 0; i < depth_.size(); ++i) key = JoinKey(key, depth_[i]);
    return key;
  }

  // Values come in the order in which they stand.
  void Add(const std::string& key, std::string_view value, size_t offset) {
    for (; counted_ < offset; ++counted_) {
      if (text_[counted_] != '\n') continue;
      ++line_;
      line_start_ = counted_ + 1;
    }
    const auto column = static_cast<uint32_t>(offset - line_start_ + 1);
    AddConfigValue(source_, key, Decoded(std::string(value)), line_, column, &config_);
  }

  void Text(std::string_view text, size_t offset) {
    const std::string stripped(absl::StripAsciiWhitespace(std::string(text)));
    if (!stripped.empty() && !depth_.empty()) Add(Key(), stripped, offset + text.find(stripped));
  }

  void Tag() {
    static const RE2 kTag(R"(^<(/?)([A-Za-z_][\w.:-]*)((?:[^>"']|"[^"]*"|'[^']*')*?)(/?)>)");
    static const RE2 kAttribute(R"re(([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'))re");
    const re2::StringPiece rest(text_.data() + at_, text_.size() - at_);
    re2::StringPiece parts[5];
    if (!kTag.Match(rest, 0, rest.size(), RE2::ANCHOR_START, parts, 5)) {
      ++at_;
      return;
    }
    at_ += parts[0].size();
    if (!parts[1].empty()) {
      if (!depth_.empty()) depth_.pop_back();
      return;
    }
    depth_.emplace_back(parts[2].data(), parts[2].size());
    re2::StringPiece attributes = parts[3], name, value, single;
    while (RE2::FindAndConsume(&attributes, kAttribute, &name, &value, &single)) {
      const re2::StringPiece& given = single.data() != nullptr && !single.empty() ? single : value;
      if (given.data() == nullptr) continue;
      Add(JoinKey(Key(), {name.data(), name.size()}), {given.data(), given.size()},
          static_cast<size_t>(given.data() - text_.data()));
    }
    if (!parts[4].empty()) depth_.pop_back();
  }

  const ConfigSource& source_;
  const std::string_view text_;
  ConfigValues& config_;
  size_t at_ = 0;
  size_t counted_ = 0;
  uint32_t line_ = 1;
  size_t line_start_ = 0;
  std::vector<std::string> depth_;
};

}  // namespace

void ReadXmlConfig(const ConfigSource& source, ConfigValues* config) { XmlReader(source, config).Read(); }

}  // namespace omnix
