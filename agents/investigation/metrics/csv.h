// Reads a CSV file row by row: RFC 4180 (quotes, doubled quotes, line breaks inside quotes), "\n" or "\r\n". Memory is
// bounded by one row.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace omnix {

inline constexpr size_t kMaxCsvFieldBytes = 64 << 10;
inline constexpr size_t kMaxCsvFields = 1 << 20;

struct CsvField {
  std::string text;
  // Where it begins, both from 1; columns count bytes.
  uint64_t line = 0;
  uint64_t column = 0;
};

// Not thread-safe.
class CsvReader {
 public:
  // Regular files only. Errors: NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION.
  static absl::StatusOr<CsvReader> Open(const std::string& path);

  // False at the end of the file; empty lines are skipped. Errors: INVALID_ARGUMENT "file:line:column: ..." (a quote
  // that is not closed, text behind a closing quote, control characters: a binary file), RESOURCE_EXHAUSTED, INTERNAL.
  absl::StatusOr<bool> Next(std::vector<CsvField>* row);

  const std::string& path() const { return path_; }
  // "file:line:column: " before `what`.
  absl::Status Wrong(const CsvField& field, const std::string& what) const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  CsvReader(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  // The next byte, or EOF.
  int Peek() { return at_ < block_.size() || Fill() ? static_cast<unsigned char>(block_[at_]) : EOF; }
  int Take();
  bool Fill();
  absl::Status ReadQuoted(CsvField* field);
  absl::Status ReadPlain(CsvField* field);
  absl::Status Append(CsvField* field, int c) const;

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::string block_;
  size_t at_ = 0;
  uint64_t line_ = 1;
  uint64_t column_ = 1;
};

}  // namespace omnix
