#include "agents/investigation/metrics/csv.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "common/status.h"

namespace omnix {
namespace {

constexpr int kFirstPrintable = 0x20;

absl::Status OpenError(const std::string& path, int error) {
  const std::string text = std::generic_category().message(error);
  if (error == ENOENT || error == ENOTDIR) return NotFound("{}: {}", path, text);
  if (error == EACCES || error == EPERM) return PermissionDenied("{}: {}", path, text);
  return FailedPrecondition("{}: {}", path, text);
}

}  // namespace

absl::StatusOr<CsvReader> CsvReader::Open(const std::string& path) {
  // O_NONBLOCK: a FIFO without a writer must not hang.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return OpenError(path, errno);
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(fd);
    return FailedPrecondition("{}: not a regular file", path);
  }
  std::FILE* file = fdopen(fd, "rb");
  if (file == nullptr) {
    close(fd);
    return Internal("{}: cannot be read", path);
  }
  CsvReader reader(path, file);
  constexpr int kMark[] = {0xEF, 0xBB, 0xBF};
  for (const int byte : kMark) {
    if (reader.Peek() != byte) break;
    ++reader.at_;
  }
  return reader;
}

absl::Status CsvReader::Wrong(const CsvField& field, const std::string& what) const {
  return InvalidArgument("{}:{}:{}: {}", path_, field.line, field.column, what);
}

bool CsvReader::Fill() {
  constexpr size_t kBlockBytes = 64 << 10;
  block_.resize(kBlockBytes);
  block_.resize(std::fread(block_.data(), 1, kBlockBytes, file_.get()));
  at_ = 0;
  return !block_.empty();
}

int CsvReader::Take() {
  const int c = Peek();
  if (c == EOF) return EOF;
  ++at_;
  ++column_;
  if (c == '\n') {
    ++line_;
    column_ = 1;
  }
  return c;
}

absl::Status CsvReader::Append(CsvField* field, int c) const {
  if (field->text.size() >= kMaxCsvFieldBytes)
    return ResourceExhausted("{}:{}:{}: a field of more than {} bytes", path_, field->line, field->column,
                             kMaxCsvFieldBytes);
  field->text.push_back(static_cast<char>(c));
  return absl::OkStatus();
}

absl::Status CsvReader::ReadQuoted(CsvField* field) {
  Take();
  while (true) {
    const int c = Take();
    if (c == EOF) return Wrong(*field, "a quote that is not closed");
    if (c != '"') {
      OMNIX_RETURN_IF_ERROR(Append(field, c));
    } else if (Peek() == '"') {
      Take();
      OMNIX_RETURN_IF_ERROR(Append(field, '"'));
    } else {
      break;
    }
  }
  const int next = Peek();
  if (next != ',' && next != '\n' && next != '\r' && next != EOF)
    return Wrong({"", line_, column_}, "text behind a closing quote");
  return absl::OkStatus();
}

absl::Status CsvReader::ReadPlain(CsvField* field) {
  for (int c = Peek(); c != ',' && c != '\n' && c != '\r' && c != EOF; c = Peek()) {
    if (c < kFirstPrintable && c != '\t')
      return Wrong({"", line_, column_}, fmt::format("byte 0x{:02x}: this is no CSV text", c));
    OMNIX_RETURN_IF_ERROR(Append(field, Take()));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CsvReader::Next(std::vector<CsvField>* row) {
  row->clear();
  while (Peek() == '\n' || Peek() == '\r') Take();
  if (Peek() == EOF) {
    if (std::ferror(file_.get()) != 0) return Internal("{}: cannot be read", path_);
    return false;
  }
  while (true) {
    if (row->size() >= kMaxCsvFields)
      return ResourceExhausted("{}:{}: more than {} fields in a row", path_, line_, kMaxCsvFields);
    CsvField& field = row->emplace_back();
    field.line = line_;
    field.column = column_;
    OMNIX_RETURN_IF_ERROR(Peek() == '"' ? ReadQuoted(&field) : ReadPlain(&field));
    const int end = Take();
    if (end == ',') continue;
    if (end == '\r' && Peek() == '\n') Take();
    return true;
  }
}

}  // namespace omnix
