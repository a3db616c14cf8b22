// Bodies that are almost right, for tests: reproducible from a seed.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "common/json.h"

namespace omnix {

class BodyMutator {
 public:
  explicit BodyMutator(uint32_t seed) : random_(seed) {}

  // Changes up to three places of the text, whatever comes of it.
  std::string Bytes(std::string text) {
    static const std::vector<std::string> kPieces = {
        "{",    "}",        "[",       "]",    ",",       ":",       "\"",
        "\\",   "\\u0000",  "\\ud800", "null", "1e999",   "-0",      "9007199254740993",
        "\xff", "\xc3\xa9", "\n",      "true", "{\"a\":", "[[[[[[[["};
    for (size_t changes = Below(3) + 1; changes > 0; --changes) {
      const size_t at = Below(text.size() + 1);
      const size_t length = Below(8);
      switch (Below(4)) {
        case 0:
          text.erase(std::min(at, text.size()), length);
          break;
        case 1:
          text.insert(at, kPieces[Below(kPieces.size())]);
          break;
        case 2:
          if (at < text.size()) text[at] = static_cast<char>(Below(256));
          break;
        default:
          text.insert(at, text.substr(Below(text.size() + 1), length * 4));
      }
    }
    return text;
  }

  // Changes up to three values of the document: it stays JSON.
  Json Values(Json document) {
    for (size_t changes = Below(3) + 1; changes > 0; --changes) {
      std::vector<Json*> places;
      Collect(document, &places);
      Change(places[Below(places.size())]);
    }
    return document;
  }

 private:
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  static void Collect(Json& value, std::vector<Json*>* places) {
    places->push_back(&value);
    if (!value.is_structured()) return;
    for (Json& child : value) Collect(child, places);
  }

  Json Odd() {
    static const std::vector<Json> kOdd = {nullptr,
                                           true,
                                           0,
                                           -1,
                                           1.5,
                                           1e300,
                                           "",
                                           "x",
                                           "resolved",
                                           "firing",
                                           "critical",
                                           "2999-01-01T00:00:00Z",
                                           "0001-01-01T00:00:00Z",
                                           "https://x.example/",
                                           std::string("\0", 1),
                                           std::string(5000, 'x'),
                                           Json::array(),
                                           Json::object(),
                                           Json::array({1, "a", nullptr}),
                                           {{"a", "b"}, {"severity", "info"}}};
    return kOdd[Below(kOdd.size())];
  }

  void Change(Json* value) {
    if (value->is_object() && !value->empty() && Below(2) == 0) {
      auto at = value->begin();
      std::advance(at, static_cast<int>(Below(value->size())));
      if (Below(2) == 0) {
        value->erase(at);
      } else {
        Json moved = *at;
        (*value)["renamed"] = std::move(moved);
      }
    } else if (value->is_array() && !value->empty() && Below(2) == 0) {
      value->push_back((*value)[Below(value->size())]);
    } else {
      *value = Odd();
    }
  }

  std::mt19937 random_;
};

}  // namespace omnix
