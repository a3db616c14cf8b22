// An event as one line for people: kept in the journal's `text` column and shown by every timeline.
#pragma once

#include <omnix/v1/event.pb.h>

#include <string>

namespace omnix {

std::string EventText(const v1::Event& event);

}  // namespace omnix
