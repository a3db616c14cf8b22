#include <cmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "agents/documentation/blocks.h"
#include "common/printable.h"

namespace omnix {
namespace {

constexpr char kStyle[] =
    R"(body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
h1{font-size:1.6rem}h2{font-size:1.2rem;border-bottom:1px solid #ccd;padding-bottom:.2rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{border:1px solid #ccd;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#eef1f5}pre{background:#f4f6f8;padding:.7rem;overflow-x:auto;font-size:.85rem}
@media print{body{margin:0;max-width:none;font-size:11px}pre{white-space:pre-wrap}h2{break-after:avoid}tr,pre{break-inside:avoid}}
)";

std::string EscapeHtml(std::string_view raw) {
  std::string out;
  for (const char c : PrintableLine(raw)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string MarkdownToHtml(const std::string& markdown) {
  const std::unique_ptr<char, decltype(&std::free)> html(
      cmark_markdown_to_html(markdown.data(), markdown.size(), CMARK_OPT_SAFE | CMARK_OPT_VALIDATE_UTF8), &std::free);
  return html == nullptr ? "" : html.get();
}

// CommonMark has no tables, so that they are written here.
std::string TableToHtml(const Block& block) {
  std::string out = "<table>\n";
  for (size_t i = 0; i < block.rows.size(); ++i) {
    const char* tag = i == 0 ? "th" : "td";
    out += "<tr>";
    for (const std::string& cell : block.rows[i]) out += fmt::format("<{}>{}</{}>", tag, EscapeHtml(cell), tag);
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

// Runs of blocks that are no tables go through cmark together, so that items form one list.
std::string SectionToHtml(const Section& section) {
  std::string out = fmt::format("<section id=\"{}\">\n", EscapeHtml(section.id));
  std::string markdown = fmt::format("## {}\n", EscapeMarkdown(section.title));
  bool in_list = false;
  auto flush = [&] {
    out += MarkdownToHtml(markdown);
    markdown.clear();
    in_list = false;
  };
  for (const Block& block : section.blocks.all()) {
    if (block.kind == Block::Kind::kTable) {
      flush();
      out += TableToHtml(block);
      continue;
    }
    const bool item = block.kind == Block::Kind::kItem;
    if (!item || !in_list) markdown += "\n";
    markdown += BlockToMarkdown(block);
    in_list = item;
  }
  flush();
  return out + "</section>\n";
}

}  // namespace

std::string ToHtml(const std::string& title, const std::vector<Section>& sections) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>{0}</title>\n<style>\n{1}</style>\n</head>\n<body>\n"
      "<h1>{0}</h1>\n",
      EscapeHtml(title), kStyle);
  for (const Section& section : sections) out += SectionToHtml(section);
  return out + "</body>\n</html>\n";
}

}  // namespace omnix
