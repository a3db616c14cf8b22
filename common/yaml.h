// YAML files read into protobuf messages: the message's descriptor is the schema. Durations are written "90s", "500ms",
// "2m", "1h"; enums by their short lower-case names ("auto" for POLICY_DECISION_AUTO); google.protobuf.Struct takes any
// mapping, whose plain scalars get their types by the core schema of YAML 1.2 (true, 12, 1.5, null; what is quoted is
// text). A key without a value counts as absent.
//
// Every mistake of a file is reported at once, one a line: "system.yaml:12:5: services[0].base_ulr: unknown key; did
// you mean base_url?"
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace omnix {

inline constexpr size_t kMaxYamlBytes = 4 << 20;
// Keeps a Struct, which takes three message levels for one of YAML, below protobuf's own limit of 100.
inline constexpr size_t kMaxYamlDepth = 24;
// Mistakes beyond these are counted only.
inline constexpr size_t kMaxYamlMistakes = 50;

// A place in a file, 1-based; line 0: none.
struct YamlMark {
  int line = 0;
  int column = 0;
};

// Collects the mistakes of one file, and knows where each of its keys and list items stands. A loader reads the file
// and then adds what it finds wrong itself, so that the user gets all of it at once.
class YamlReport {
 public:
  // `name` stands for the file in the messages.
  explicit YamlReport(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  bool ok() const { return mistakes_.empty(); }

  // A loader's mistake at a path ("services[0].base_url"); where the file has no such path, its nearest parent's place
  // is given. Of a value that the reader could not read nothing more is said.
  void Add(const std::string& path, const std::string& problem);
  // The reader's.
  void AddAt(YamlMark mark, const std::string& path, const std::string& problem);
  // The mistakes of another file that belongs to this one.
  void AddAll(const absl::Status& status);

  // The reader notes here where a path stands.
  void SetMark(const std::string& path, YamlMark mark) { marks_[path] = mark; }
  // "system.yaml:12:5: " of a path or its nearest parent.
  std::string Place(const std::string& path) const;

  // OK, or INVALID_ARGUMENT with all mistakes in the order of the file.
  absl::Status status() const;

 private:
  struct Mistake {
    YamlMark mark;
    std::string text;
  };

  void Note(YamlMark mark, const std::string& path, const std::string& problem);
  YamlMark MarkOf(std::string path) const;
  std::string Format(YamlMark mark) const;

  std::string name_;
  std::map<std::string, YamlMark> marks_;
  std::vector<Mistake> mistakes_;
  // Paths whose values the reader complained of.
  std::set<std::string> unread_;
  size_t dropped_ = 0;
};

// Errors: NOT_FOUND and others of ReadFile; INVALID_ARGUMENT with every mistake. `message` is cleared first.
absl::Status ReadYamlFile(const std::string& path, google::protobuf::Message* message);

// The same from text; `name` stands for the file in errors.
absl::Status ParseYaml(const std::string& text, const std::string& name, google::protobuf::Message* message);

// The same for a loader with checks of its own: mistakes go to `report`, and `message` holds whatever could be read.
void ParseYaml(const std::string& text, google::protobuf::Message* message, YamlReport* report);

// The item of `known` that `word` is most likely meant to be; empty where none is near.
std::string NearestWord(const std::string& word, const std::vector<std::string>& known);

}  // namespace omnix
