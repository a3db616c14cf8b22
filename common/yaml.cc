#include "common/yaml.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/ascii.h"
#include "common/file.h"
#include "common/status.h"
#include "common/time.h"
#include "common/yaml_scalar.h"
#include "common/yaml_tree.h"

namespace omnix {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using ProtoMessage = google::protobuf::Message;

std::string JoinPath(const std::string& path, const std::string& key) { return path.empty() ? key : path + "." + key; }
std::string ItemPath(const std::string& path, size_t index) { return fmt::format("{}[{}]", path, index); }

// "PolicyDecision" -> "policy_decision_", what the names of its values begin with.
std::string EnumPrefix(const EnumDescriptor& type) {
  std::string prefix;
  for (const char c : type.name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_tolower(c);
  }
  return prefix + "_";
}

// The short names that a file may use, in the order of the proto; UNSPECIFIED is none of them.
std::vector<std::string> EnumWords(const EnumDescriptor& type, std::vector<const EnumValueDescriptor*>* values) {
  const std::string prefix = EnumPrefix(type);
  std::vector<std::string> words;
  for (int i = 0; i < type.value_count(); ++i) {
    std::string word = absl::AsciiStrToLower(type.value(i)->name());
    if (word.starts_with(prefix)) word = word.substr(prefix.size());
    if (word == "unspecified") continue;
    words.push_back(word);
    values->push_back(type.value(i));
  }
  return words;
}

// " ; did you mean x?" where a known word is near, else the known words.
std::string Suggestion(const std::string& word, const std::vector<std::string>& known, const std::string& label) {
  const std::string nearest = NearestWord(word, known);
  if (!nearest.empty()) return "; did you mean " + nearest + "?";
  return fmt::format("; {}: {}", label, fmt::join(known, ", "));
}

// Fills a message from a tree. Whatever is wrong goes to the report and is left unset.
class MessageReader {
 public:
  explicit MessageReader(YamlReport* report) : report_(report) {}

  void ReadMessage(const YamlNode& node, const std::string& path, ProtoMessage* message);

 private:
  void ReadField(const YamlNode& node, const std::string& path, const FieldDescriptor& field, ProtoMessage* message);
  void ReadList(const YamlNode& node, const std::string& path, const FieldDescriptor& field, ProtoMessage* message);
  void ReadMap(const YamlNode& node, const std::string& path, const FieldDescriptor& field, ProtoMessage* message);
  void ReadNumber(const YamlNode& node, const std::string& path, const FieldDescriptor& field, ProtoMessage* message);
  void ReadText(const YamlNode& node, const std::string& path, const FieldDescriptor& field, ProtoMessage* message);
  void ReadEnum(const YamlNode& node, const std::string& path, const FieldDescriptor& field, ProtoMessage* message);
  // A value of a singular field, or (of a repeated one) one more item.
  void ReadValue(const YamlNode& node, const std::string& path, const FieldDescriptor& field, ProtoMessage* message);

  void ReadStruct(const YamlNode& node, const std::string& path, google::protobuf::Struct* object);
  void ReadJsonValue(const YamlNode& node, const std::string& path, google::protobuf::Value* value);
  void ReadDuration(const YamlNode& node, const std::string& path, google::protobuf::Duration* duration);

  bool Expect(bool holds, const YamlNode& node, const std::string& path, const std::string& what);
  // Calls `use` with each key's path and value once; a key that comes again is a mistake.
  template <typename Use>
  void ForEachKey(const YamlNode& node, const std::string& path, Use use);

  YamlReport* report_;
};

bool MessageReader::Expect(bool holds, const YamlNode& node, const std::string& path, const std::string& what) {
  if (!holds) report_->AddAt(node.mark, path, "expected " + what + ", found " + DescribeYaml(node));
  return holds;
}

template <typename Use>
void MessageReader::ForEachKey(const YamlNode& node, const std::string& path, Use use) {
  std::map<std::string, YamlMark> seen;
  for (const auto& [key, value] : node.entries) {
    const std::string key_path = JoinPath(path, key.text);
    const auto [first, fresh] = seen.emplace(key.text, key.mark);
    if (!fresh) {
      report_->AddAt(key.mark, key_path, fmt::format("duplicate key, first on line {}", first->second.line));
      continue;
    }
    report_->SetMark(key_path, key.mark);
    use(key, key_path, value);
  }
}

void MessageReader::ReadMessage(const YamlNode& node, const std::string& path, ProtoMessage* message) {
  if (node.IsNull()) return;
  if (!Expect(node.IsMapping(), node, path, "a mapping (key: value)")) return;
  const Descriptor& type = *message->GetDescriptor();
  ForEachKey(node, path, [&](const YamlNode& key, const std::string& key_path, const YamlNode& value) {
    const FieldDescriptor* field = type.FindFieldByName(key.text);
    if (field != nullptr) return ReadField(value, key_path, *field, message);
    std::vector<std::string> known;
    for (int i = 0; i < type.field_count(); ++i) known.push_back(type.field(i)->name());
    report_->AddAt(key.mark, key_path, "unknown key" + Suggestion(key.text, known, "known keys"));
  });
}

void MessageReader::ReadField(const YamlNode& node, const std::string& path, const FieldDescriptor& field,
                              ProtoMessage* message) {
  if (node.IsNull()) return;
  if (field.is_map()) return ReadMap(node, path, field, message);
  if (field.is_repeated()) return ReadList(node, path, field, message);
  const auto* oneof = field.real_containing_oneof();
  if (oneof != nullptr) {
    const auto* other = message->GetReflection()->GetOneofFieldDescriptor(*message, oneof);
    if (other != nullptr) {
      report_->Add(path, fmt::format("excludes {}; give one of the two", other->name()));
      return;
    }
  }
  ReadValue(node, path, field, message);
}

void MessageReader::ReadList(const YamlNode& node, const std::string& path, const FieldDescriptor& field,
                             ProtoMessage* message) {
  if (!Expect(node.IsList(), node, path, "a list (- item)")) return;
  for (size_t i = 0; i < node.entries.size(); ++i) {
    const YamlNode& item = node.entries[i].second;
    const std::string item_path = ItemPath(path, i);
    report_->SetMark(item_path, item.mark);
    // A list item that is absent would shift its successors silently.
    if (Expect(!item.IsNull(), item, item_path, "a value")) ReadValue(item, item_path, field, message);
  }
}

void MessageReader::ReadMap(const YamlNode& node, const std::string& path, const FieldDescriptor& field,
                            ProtoMessage* message) {
  if (!Expect(node.IsMapping(), node, path, "a mapping (key: value)")) return;
  const FieldDescriptor& key_field = *field.message_type()->map_key();
  const FieldDescriptor& value_field = *field.message_type()->map_value();
  ForEachKey(node, path, [&](const YamlNode& key, const std::string& key_path, const YamlNode& value) {
    ProtoMessage* entry = message->GetReflection()->AddMessage(message, &field);
    ReadValue(key, key_path, key_field, entry);
    if (!value.IsNull()) ReadValue(value, key_path, value_field, entry);
  });
}

void MessageReader::ReadValue(const YamlNode& node, const std::string& path, const FieldDescriptor& field,
                              ProtoMessage* message) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const auto& reflection = *message->GetReflection();
      ProtoMessage* child =
          field.is_repeated() ? reflection.AddMessage(message, &field) : reflection.MutableMessage(message, &field);
      if (auto* object = dynamic_cast<google::protobuf::Struct*>(child)) return ReadStruct(node, path, object);
      if (auto* value = dynamic_cast<google::protobuf::Value*>(child)) return ReadJsonValue(node, path, value);
      if (auto* duration = dynamic_cast<google::protobuf::Duration*>(child)) return ReadDuration(node, path, duration);
      return ReadMessage(node, path, child);
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return ReadText(node, path, field, message);
    case FieldDescriptor::CPPTYPE_ENUM:
      return ReadEnum(node, path, field, message);
    default:
      return ReadNumber(node, path, field, message);
  }
}

// Puts a scalar where the field wants it: the singular field, or the end of the repeated one.
#define OMNIX_PUT(Type, value)                                                       \
  (field.is_repeated() ? message->GetReflection()->Add##Type(message, &field, value) \
                       : message->GetReflection()->Set##Type(message, &field, value))

void MessageReader::ReadText(const YamlNode& node, const std::string& path, const FieldDescriptor& field,
                             ProtoMessage* message) {
  if (Expect(node.IsScalar(), node, path, "text")) OMNIX_PUT(String, node.text);
}

void MessageReader::ReadEnum(const YamlNode& node, const std::string& path, const FieldDescriptor& field,
                             ProtoMessage* message) {
  std::vector<const EnumValueDescriptor*> values;
  const std::vector<std::string> words = EnumWords(*field.enum_type(), &values);
  const std::string expected = "one of: " + fmt::format("{}", fmt::join(words, ", "));
  if (!Expect(node.IsScalar(), node, path, expected)) return;
  const auto found = std::find(words.begin(), words.end(), node.text);
  if (!Expect(found != words.end(), node, path, expected)) return;
  OMNIX_PUT(Enum, values[static_cast<size_t>(found - words.begin())]);
}

void MessageReader::ReadNumber(const YamlNode& node, const std::string& path, const FieldDescriptor& field,
                               ProtoMessage* message) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      if (const auto value = YamlBool(node))
        OMNIX_PUT(Bool, *value);
      else
        Expect(false, node, path, "true or false");
      return;
    case FieldDescriptor::CPPTYPE_INT32: {
      const auto value = YamlSigned(node);
      using Limits = std::numeric_limits<int32_t>;
      if (value && *value >= Limits::min() && *value <= Limits::max())
        OMNIX_PUT(Int32, static_cast<int32_t>(*value));
      else
        Expect(false, node, path, fmt::format("a whole number from {} to {}", Limits::min(), Limits::max()));
      return;
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto value = YamlUnsigned(node);
      using Limits = std::numeric_limits<uint32_t>;
      if (value && *value <= Limits::max())
        OMNIX_PUT(UInt32, static_cast<uint32_t>(*value));
      else
        Expect(false, node, path, fmt::format("a whole number from 0 to {}", Limits::max()));
      return;
    }
    case FieldDescriptor::CPPTYPE_INT64:
      if (const auto value = YamlSigned(node))
        OMNIX_PUT(Int64, *value);
      else
        Expect(false, node, path, "a whole number");
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      if (const auto value = YamlUnsigned(node))
        OMNIX_PUT(UInt64, *value);
      else
        Expect(false, node, path, "a whole number, not negative");
      return;
    case FieldDescriptor::CPPTYPE_FLOAT:
      if (const auto value = YamlNumber(node))
        OMNIX_PUT(Float, static_cast<float>(*value));
      else
        Expect(false, node, path, "a number");
      return;
    default:
      if (const auto value = YamlNumber(node))
        OMNIX_PUT(Double, *value);
      else
        Expect(false, node, path, "a number");
      return;
  }
}

#undef OMNIX_PUT

void MessageReader::ReadDuration(const YamlNode& node, const std::string& path, google::protobuf::Duration* duration) {
  const auto value = YamlDuration(node);
  if (Expect(value.has_value(), node, path, "a duration such as 500ms, 90s, 2m or 1h")) *duration = ToProto(*value);
}

void MessageReader::ReadStruct(const YamlNode& node, const std::string& path, google::protobuf::Struct* object) {
  if (!Expect(node.IsMapping(), node, path, "a mapping (key: value)")) return;
  ForEachKey(node, path, [&](const YamlNode& key, const std::string& key_path, const YamlNode& value) {
    ReadJsonValue(value, key_path, &(*object->mutable_fields())[key.text]);
  });
}

void MessageReader::ReadJsonValue(const YamlNode& node, const std::string& path, google::protobuf::Value* value) {
  if (node.IsMapping()) return ReadStruct(node, path, value->mutable_struct_value());
  if (node.IsList()) {
    auto* list = value->mutable_list_value();
    for (size_t i = 0; i < node.entries.size(); ++i) {
      const YamlNode& item = node.entries[i].second;
      const std::string item_path = ItemPath(path, i);
      report_->SetMark(item_path, item.mark);
      ReadJsonValue(item, item_path, list->add_values());
    }
    return;
  }
  const auto scalar = YamlValue(node);
  if (Expect(scalar.has_value(), node, path, "a number that a double holds exactly (or text in quotes)"))
    *value = *scalar;
}

}  // namespace

void ParseYaml(const std::string& text, ProtoMessage* message, YamlReport* report) {
  message->Clear();
  const YamlNode root = ParseYamlTree(text, report);
  report->SetMark("", root.mark);
  MessageReader(report).ReadMessage(root, "", message);
}

absl::Status ParseYaml(const std::string& text, const std::string& name, ProtoMessage* message) {
  YamlReport report(name);
  ParseYaml(text, message, &report);
  return report.status();
}

absl::Status ReadYamlFile(const std::string& path, ProtoMessage* message) {
  message->Clear();
  OMNIX_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxYamlBytes));
  return ParseYaml(text, path, message);
}

}  // namespace omnix
