#include "common/yaml_tree.h"

#include <google/protobuf/stubs/common.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

namespace omnix {
namespace {

// Ends the parse; the problem is in the report already.
struct ParseStopped {};

// Tags that the scanner gives to what has none: "?" to plain nodes, "!" to quoted scalars.
constexpr const char kPlainTag[] = "?";
constexpr const char kQuotedTag[] = "!";

YamlMark ToYamlMark(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

// Builds the tree from yaml-cpp's events. Open lists and mappings are kept on a stack and moved into their parent when
// they end.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlReport* report) : report_(report) {}

  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ == 0) return;
    Stop(mark, "a second document begins; only one is allowed");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Add(NewNode(YamlNode::Kind::kScalar, mark)); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Problem(mark, "aliases (*name) are not supported; write the value out");
    Add(NewNode(YamlNode::Kind::kScalar, mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    YamlNode node = NewNode(YamlNode::Kind::kScalar, mark);
    node.text = value;
    node.quoted = tag == kQuotedTag;
    CheckTag(mark, tag);
    Add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    Open(mark, tag, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct OpenNode {
    YamlNode node;
    // Of a mapping: the key that waits for its value.
    YamlNode key;
    bool has_key = false;
  };

  static YamlNode NewNode(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.mark = ToYamlMark(mark);
    return node;
  }

  void Problem(const YAML::Mark& mark, const std::string& text) { report_->AddAt(ToYamlMark(mark), "", text); }

  [[noreturn]] void Stop(const YAML::Mark& mark, const std::string& text) {
    Problem(mark, text);
    throw ParseStopped();
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == kPlainTag || tag == kQuotedTag) return;
    Problem(mark, "tags (!name) are not supported; leave it out");
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YamlNode::Kind kind) {
    if (open_.size() >= kMaxYamlDepth) Stop(mark, "nested more than " + std::to_string(kMaxYamlDepth) + " levels deep");
    CheckTag(mark, tag);
    open_.push_back({NewNode(kind, mark), {}, false});
  }

  void Close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    Add(std::move(node));
  }

  void Add(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    OpenNode& parent = open_.back();
    if (parent.node.IsList()) {
      parent.node.entries.push_back({YamlNode(), std::move(node)});
    } else if (!parent.has_key) {
      if (!node.IsScalar()) {
        report_->AddAt(node.mark, "", "a key must be text, found " + DescribeYaml(node));
        throw ParseStopped();
      }
      parent.key = std::move(node);
      parent.has_key = true;
    } else {
      parent.node.entries.push_back({std::move(parent.key), std::move(node)});
      parent.has_key = false;
    }
  }

  YamlReport* report_;
  int documents_ = 0;
  std::vector<OpenNode> open_;
  YamlNode root_;
};

// Byte offset of the first byte that is no UTF-8 or a NUL; npos where there is none.
size_t FirstBadByte(const std::string& text) {
  const int valid = google::protobuf::internal::UTF8SpnStructurallyValid({text.data(), text.size()});
  return std::min(valid == static_cast<int>(text.size()) ? std::string::npos : static_cast<size_t>(valid),
                  text.find('\0'));
}

YamlMark MarkOfByte(const std::string& text, size_t offset) {
  const auto begin = text.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(offset);
  const size_t line_start = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
  return {static_cast<int>(std::count(begin, end, '\n')) + 1,
          static_cast<int>(offset - (line_start == std::string::npos ? 0 : line_start + 1)) + 1};
}

// The beginning of a text, without what would break an error's line.
std::string OneLine(const std::string& text) {
  constexpr size_t kMaxShownBytes = 40;
  constexpr unsigned char kContinuationMask = 0xC0;
  constexpr unsigned char kContinuation = 0x80;
  size_t end = std::min(text.size(), kMaxShownBytes);
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & kContinuationMask) == kContinuation) --end;
  std::string line = text.substr(0, end);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < ' '; }, ' ');
  return end < text.size() ? line + "..." : line;
}

}  // namespace

bool YamlNode::IsNull() const {
  return IsScalar() && !quoted && (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL");
}

YamlNode ParseYamlTree(const std::string& text, YamlReport* report) {
  if (text.size() > kMaxYamlBytes) {
    report->AddAt({}, "", "larger than " + std::to_string(kMaxYamlBytes) + " bytes");
    return {};
  }
  if (const size_t bad = FirstBadByte(text); bad != std::string::npos) {
    report->AddAt(MarkOfByte(text, bad), "", "not UTF-8 text");
    return {};
  }
  TreeBuilder builder(report);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const ParseStopped&) {
    // Reported where it was thrown.
  } catch (const YAML::Exception& error) {
    report->AddAt(ToYamlMark(error.mark), "", "no valid YAML: " + error.msg);
  }
  return builder.TakeRoot();
}

std::string DescribeYaml(const YamlNode& node) {
  if (node.IsList()) return "a list";
  if (node.IsMapping()) return "a mapping";
  if (node.IsNull()) return "nothing";
  return "\"" + OneLine(node.text) + "\"";
}

}  // namespace omnix
