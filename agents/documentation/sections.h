// The sections of a report. Each is a function of the facts; a new one is a function and a line in the table of
// sections.cc.
#pragma once

#include <vector>

#include "agents/documentation/blocks.h"
#include "agents/documentation/facts.h"

namespace omnix {

// All sections in the report's order, each with at least one block.
std::vector<Section> WriteSections(const Facts& facts);

void WriteSummary(const Facts& facts, Blocks& out);
void WriteDetails(const Facts& facts, Blocks& out);
void WriteImpact(const Facts& facts, Blocks& out);
void WriteTimeline(const Facts& facts, Blocks& out);
void WriteSymptoms(const Facts& facts, Blocks& out);
void WriteRootCause(const Facts& facts, Blocks& out);
void WriteFixes(const Facts& facts, Blocks& out);
void WriteAgents(const Facts& facts, Blocks& out);
void WriteReadiness(const Facts& facts, Blocks& out);
void WriteValidation(const Facts& facts, Blocks& out);
void WriteMetrics(const Facts& facts, Blocks& out);
void WriteLessons(const Facts& facts, Blocks& out);
void WriteMessages(const Facts& facts, Blocks& out);
void WriteSecurity(const Facts& facts, Blocks& out);
void WriteAppendix(const Facts& facts, Blocks& out);

// One paragraph: what happened, why, what was done, how it stands.
std::string SummaryText(const Facts& facts);

}  // namespace omnix
