#include "agents/documentation/blocks.h"

namespace omnix {

void Blocks::Add(Block::Kind kind, std::string label, std::string text) {
  Block block;
  block.kind = kind;
  block.label = std::move(label);
  block.text = std::move(text);
  blocks_.push_back(std::move(block));
}

void Blocks::Item(std::string text, std::string label, int depth) {
  Add(Block::Kind::kItem, std::move(label), std::move(text));
  blocks_.back().depth = depth;
}

void Blocks::Code(std::string text, std::string language) {
  Add(Block::Kind::kCode, "", std::move(text));
  blocks_.back().language = std::move(language);
}

void Blocks::Table(std::vector<std::vector<std::string>> rows) {
  if (rows.size() < 2) return;
  Add(Block::Kind::kTable, "", "");
  blocks_.back().rows = std::move(rows);
}

}  // namespace omnix
