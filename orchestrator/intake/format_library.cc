#include "orchestrator/intake/format_library.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "common/file.h"
#include "common/status.h"
#include "orchestrator/intake/alert_mapping.h"
#include "orchestrator/intake/embedded_formats.h"

namespace omnix {
namespace {

constexpr std::string_view kCommonFile = "lib";
constexpr std::string_view kDirective = "#: ";
constexpr size_t kMaxFormatBytes = 256 << 10;
constexpr absl::Duration kCompileTimeout = absl::Seconds(10);
constexpr uint32_t kRecognizeId = 0;
// A format's own program; the first is 1.
constexpr uint32_t kFirstFormatId = 1;
constexpr uint32_t kCheckId = 1'000'000;

bool IsUrlName(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !name.empty() && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

int LineCount(std::string_view text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

// "#: title For people" and "#: also second-name third-name" among the comments at the head.
void ReadDirectives(AlertFormat* format) {
  std::istringstream lines(format->text);
  for (std::string line; std::getline(lines, line) && line.starts_with('#');) {
    if (!line.starts_with(kDirective)) continue;
    std::istringstream words(line.substr(kDirective.size()));
    std::string directive, rest;
    words >> directive >> std::ws;
    if (directive == "title") std::getline(words, format->title);
    if (directive != "also") continue;
    while (words >> rest) format->also.push_back(rest);
  }
}

AlertFormat FromJq(std::string name, std::string text, const std::string& file) {
  AlertFormat format;
  format.name = std::move(name);
  format.text = std::move(text);
  const int lines = std::max(1, LineCount(format.text));
  format.place = [file, lines](int line) { return fmt::format("{}:{}: ", file, std::clamp(line, 1, lines)); };
  ReadDirectives(&format);
  return format;
}

// jq's words for people: the first mistake's line as it counts, and what it says.
std::string ReadCompileError(const std::string& said, int* line) {
  constexpr std::string_view kAt = " at <top-level>, line ";
  constexpr std::string_view kError = "jq: error: ";
  std::string text = said.substr(0, said.find('\n'));
  if (text.starts_with(kError)) text.erase(0, kError.size());
  const size_t at = text.find(kAt);
  if (at == std::string::npos) return text;
  *line = std::atoi(text.c_str() + at + kAt.size());
  text.erase(at);
  if (const size_t shell = text.find(" (Unix shell"); shell != std::string::npos) text.erase(shell);
  return text;
}

absl::StatusOr<AlertFormat> ReadFormatFile(const std::string& path) {
  const std::filesystem::path file(path);
  const std::string name = file.stem();
  if (!IsUrlName(name)) {
    return InvalidArgument("{}:1: a format's name has lower-case letters, digits, '-', '_' and '.' only", path);
  }
  if (name == "omnix" || name == "unknown" || name == kCommonFile) {
    return InvalidArgument("{}:1: the name \"{}\" is Omnix's own", path, name);
  }
  if (file.extension() == ".yaml") return LoadAlertMapping(path, name);
  OMNIX_ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxFormatBytes));
  if (text.find('\0') != std::string::npos) return InvalidArgument("{}:1: holds a NUL byte", path);
  return FromJq(name, std::move(text), path);
}

}  // namespace

absl::StatusOr<FormatLibrary> FormatLibrary::Load(const std::string& folder, const std::string& executable) {
  FormatLibrary library;
  for (const EmbeddedFormat& embedded : EmbeddedFormats()) {
    if (embedded.name == kCommonFile) {
      library.common_ = std::string(embedded.text);
    } else {
      const std::string name(embedded.name);
      library.formats_.push_back(FromJq(name, std::string(embedded.text), "formats/" + name + ".jq"));
      library.formats_.back().built_in = true;
    }
  }
  if (!folder.empty()) OMNIX_RETURN_IF_ERROR(library.AddFolder(folder, executable));
  // All of them together: proves also that the filters' process can be started.
  FilterWorker worker(executable);
  OMNIX_RETURN_IF_ERROR(Annotate(worker.Load(library.RecognizeProgram(), kCompileTimeout), "alert formats: "));
  return library;
}

absl::Status FormatLibrary::AddFolder(const std::string& folder, const std::string& executable) {
  if (!std::filesystem::is_directory(folder)) return NotFound("{}: no such folder of alert formats", folder);
  std::string mistakes;
  const auto note = [&mistakes](const absl::Status& status) {
    if (!status.ok()) mistakes += (mistakes.empty() ? "" : "\n") + Message(status);
  };
  std::vector<std::string> files = Glob(folder + "/*.jq");
  for (std::string& file : Glob(folder + "/*.yaml")) files.push_back(std::move(file));
  std::vector<AlertFormat> added;
  for (const std::string& file : files) {
    absl::StatusOr<AlertFormat> format = ReadFormatFile(file);
    if (!format.ok()) {
      note(format.status());
      continue;
    }
    if (std::ranges::find(added, format->name, &AlertFormat::name) != added.end()) {
      note(InvalidArgument("{}:1: there is another format \"{}\" in this folder", file, format->name));
      continue;
    }
    const absl::Status checked = Check(*format, executable);
    if (absl::IsUnavailable(checked)) return checked;
    note(checked);
    added.push_back(*std::move(format));
  }
  if (!mistakes.empty()) return absl::InvalidArgumentError(mistakes);
  for (const AlertFormat& format : added) {
    std::erase_if(formats_, [&](const AlertFormat& known) { return known.name == format.name; });
  }
  has_folder_ = !added.empty();
  formats_.insert(formats_.begin(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  return absl::OkStatus();
}

absl::Status FormatLibrary::Check(const AlertFormat& format, const std::string& executable) const {
  // A fresh process for each: what a format's text does to the compiler stays there.
  FilterWorker fresh(executable);
  const absl::Status loaded =
      fresh.Load({kCheckId, common_ + "\n" + Wrap(format, "[recognize, alerts]")}, kCompileTimeout);
  if (loaded.ok() || absl::IsUnavailable(loaded)) return loaded;
  int line = 0;
  const std::string why = ReadCompileError(Message(loaded), &line);
  return InvalidArgument("{}{}", format.place(line - LineCount(common_) - 2), why);
}

std::string FormatLibrary::Wrap(const AlertFormat& format, std::string_view call) const {
  return fmt::format(".headers as $headers | .body | (\n{}\n{})", format.text, call);
}

FilterProgram FormatLibrary::AlertsProgram(const AlertFormat& format) const {
  const auto index = static_cast<uint32_t>(&format - formats_.data());
  return {kFirstFormatId + index, common_ + "\n" + Wrap(format, "alerts")};
}

FilterProgram FormatLibrary::RecognizeProgram() const {
  std::string text = common_ + "\n[empty";
  for (const AlertFormat& format : formats_) {
    text += fmt::format(", (try ({}) catch empty)\n",
                        Wrap(format, fmt::format("if recognize == true then \"{}\" else empty end", format.name)));
  }
  return {kRecognizeId, text + "]"};
}

const AlertFormat* FormatLibrary::Find(std::string_view name) const {
  for (const AlertFormat& format : formats_) {
    if (format.name == name) return &format;
  }
  for (const AlertFormat& format : formats_) {
    if (std::ranges::find(format.also, name) != format.also.end()) return &format;
  }
  return nullptr;
}

std::vector<std::string> FormatLibrary::Names() const {
  std::vector<std::string> names;
  for (const AlertFormat& format : formats_) names.push_back(format.name);
  std::ranges::sort(names);
  return names;
}

}  // namespace omnix
