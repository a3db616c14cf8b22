#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "agents/documentation/blocks.h"
#include "common/printable.h"

namespace omnix {
namespace {

constexpr size_t kMinFence = 3;

size_t LongestRun(std::string_view text, char c) {
  size_t longest = 0, run = 0;
  for (const char at : text) {
    run = at == c ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

std::string Labelled(const Block& block) {
  const std::string text = EscapeMarkdown(block.text);
  if (block.label.empty()) return text;
  return fmt::format("**{}:** {}", EscapeMarkdown(block.label), text);
}

std::string CodeBlock(const Block& block) {
  const std::string fence(std::max(kMinFence, LongestRun(block.text, '`') + 1), '`');
  std::string text = PrintableText(block.text);
  if (!text.ends_with("\n")) text += "\n";
  return fmt::format("{}{}\n{}{}\n", fence, block.language, text, fence);
}

std::string TableRows(const Block& block) {
  std::string out;
  for (size_t i = 0; i < block.rows.size(); ++i) {
    out += "|";
    for (const std::string& cell : block.rows[i]) out += fmt::format(" {} |", EscapeMarkdown(cell));
    out += "\n";
    if (i > 0) continue;
    out += "|";
    for (size_t column = 0; column < block.rows[i].size(); ++column) out += " --- |";
    out += "\n";
  }
  return out;
}

// Where a line begins with what would start a list, a heading or a rule.
size_t LeadingMarker(std::string_view text) {
  if (text.empty()) return std::string_view::npos;
  if (std::string_view("-+=#").find(text.front()) != std::string_view::npos) return 0;
  size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits]))) ++digits;
  const bool numbered = digits > 0 && digits < text.size() && (text[digits] == '.' || text[digits] == ')');
  return numbered ? digits : std::string_view::npos;
}

}  // namespace

std::string BlockToMarkdown(const Block& block) {
  switch (block.kind) {
    case Block::Kind::kItem:
      return fmt::format("{:{}}- {}\n", "", block.depth * 2, Labelled(block));
    case Block::Kind::kTable:
      return TableRows(block);
    case Block::Kind::kCode:
      return CodeBlock(block);
    case Block::Kind::kParagraph:
      break;
  }
  return Labelled(block) + "\n";
}

std::string EscapeMarkdown(std::string_view raw) {
  std::string text = PrintableLine(raw);
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  const size_t marker = LeadingMarker(text);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == marker || std::string_view("\\`*_[]<>&|~").find(text[i]) != std::string_view::npos) out += '\\';
    out += text[i];
  }
  return out;
}

std::string ToMarkdown(const std::string& title, const std::vector<Section>& sections) {
  std::string out = fmt::format("# {}\n", EscapeMarkdown(title));
  for (const Section& section : sections) {
    out += fmt::format("\n## {}\n", EscapeMarkdown(section.title));
    bool in_list = false;
    for (const Block& block : section.blocks.all()) {
      const bool item = block.kind == Block::Kind::kItem;
      if (!item || !in_list) out += "\n";
      out += BlockToMarkdown(block);
      in_list = item;
    }
  }
  return out;
}

}  // namespace omnix
