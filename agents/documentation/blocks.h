// A document as a list of blocks, written once and rendered as Markdown and as HTML. Text given to a block is plain
// text from outside: the renderers escape it for their format, so that nothing in it is taken for markup.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace omnix {

struct Block {
  enum class Kind { kParagraph, kItem, kTable, kCode };
  Kind kind = Kind::kParagraph;
  // Bold beginning of a paragraph or item; may be empty.
  std::string label;
  std::string text;
  // kItem: 0 is the outermost. kCode: unused.
  int depth = 0;
  // kCode: "diff", "text".
  std::string language;
  // kTable: the first row holds the headings.
  std::vector<std::vector<std::string>> rows;
};

class Blocks {
 public:
  void Paragraph(std::string text, std::string label = "") {
    Add(Block::Kind::kParagraph, std::move(label), std::move(text));
  }
  void Item(std::string text, std::string label = "", int depth = 0);
  void Code(std::string text, std::string language);
  // Nothing is added where there is no row below the headings.
  void Table(std::vector<std::vector<std::string>> rows);

  bool empty() const { return blocks_.empty(); }
  const std::vector<Block>& all() const { return blocks_; }

 private:
  void Add(Block::Kind kind, std::string label, std::string text);
  std::vector<Block> blocks_;
};

struct Section {
  std::string id;
  std::string title;
  Blocks blocks;
};

// CommonMark with tables as GitHub has them.
std::string ToMarkdown(const std::string& title, const std::vector<Section>& sections);

// One block as Markdown, ending with a newline.
std::string BlockToMarkdown(const Block& block);

// One self-contained page (no script, no reference to anything outside), readable in print. Text goes through cmark in
// its safe mode.
std::string ToHtml(const std::string& title, const std::vector<Section>& sections);

// Text as Markdown that shows exactly that text, on one line.
std::string EscapeMarkdown(std::string_view text);

}  // namespace omnix
