#include "agents/documentation/sections.h"

namespace omnix {
namespace {

struct Entry {
  const char* id;
  const char* title;
  void (*write)(const Facts& facts, Blocks& out);
};

constexpr Entry kSections[] = {
    {"summary", "Summary", WriteSummary},
    {"details", "Incident details", WriteDetails},
    {"impact", "Impact", WriteImpact},
    {"timeline", "Timeline", WriteTimeline},
    {"symptoms", "Symptoms", WriteSymptoms},
    {"root-cause", "Root cause", WriteRootCause},
    {"fixes", "Fixes", WriteFixes},
    {"agents", "Agent analysis", WriteAgents},
    {"readiness", "Infrastructure readiness", WriteReadiness},
    {"validation", "Validation", WriteValidation},
    {"metrics", "Response times", WriteMetrics},
    {"lessons", "Lessons, prevention and follow-ups", WriteLessons},
    {"messages", "Messages to stakeholders", WriteMessages},
    {"security", "Security assessment", WriteSecurity},
    {"appendix", "Appendix: evidence", WriteAppendix},
};

}  // namespace

std::vector<Section> WriteSections(const Facts& facts) {
  std::vector<Section> sections;
  for (const Entry& entry : kSections) {
    Section section{entry.id, entry.title, {}};
    entry.write(facts, section.blocks);
    if (section.blocks.empty()) section.blocks.Paragraph("Not known.");
    sections.push_back(std::move(section));
  }
  return sections;
}

}  // namespace omnix
