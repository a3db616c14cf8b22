// Paths and URLs as they stand in a frontend's sources: parts that are not known are kUnknownPiece (js_value.h).
#pragma once

#include <string>

namespace omnix {

// What the server is asked for: unknown parts become "1", an unknown or literal origin is dropped. Empty: no path.
std::string RequestPath(std::string text);

// "/orders/{id}", as generators write it: what the name stands for is not known.
std::string WithoutNames(std::string path);

// What stands before the path is not known, and may be more than a host.
bool HasOpenHead(const std::string& text);

// A part of the path of a base is computed at run time: "/api/${version}".
bool HasUnknownPart(const std::string& base);

// "https://api.example/x"; "wss://${location.host}/x" is the page's own host, as far as one can tell.
bool NamesHost(const std::string& text);

// A path or a URL; perhaps behind an unknown part.
bool LooksLikePath(const std::string& text);

// "://" between unknown parts, "wss://" before a host: no path.
bool IsScheme(const std::string& text);

}  // namespace omnix
