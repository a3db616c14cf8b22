// Wrappers around fetch that are given their base when they are made:
//
//   class Http { constructor(private base: string) {} get(path) { return fetch(this.base + path); } }
//   const orders = new Http('/orders');          // orders.get('/open') asks for /orders/open
//   const items = makeClient({ base: BASE });    // function makeClient({ base }) { return { get: (p) => fetch(base +
//   p) } } class Items extends Http { constructor() { super('/items'); } }
#pragma once

#include <set>
#include <string>
#include <vector>

#include "agents/sources/js_value.h"

namespace omnix {

struct MadeClient {
  size_t file = 0;
  // The variable or property that holds it; "this" within a class that extends a wrapper.
  std::string name;
  // Where in the file the name means this (bytes); the whole file for variables.
  size_t begin = 0, end = std::string::npos;
  JsValue base;
};

struct MadeClients {
  std::vector<MadeClient> clients;
  // Classes and functions that make them. A call on one whose base is not known tells nothing of its path.
  std::set<std::string> makers;

  // What `receiver` means at this place: in this file, else (imported) where only one has the name. Null: not known.
  const MadeClient* Find(size_t file, size_t offset, const std::string& receiver) const;
};

MadeClients FindMadeClients(const std::vector<JsFile>& files, const JsSymbols& symbols);

}  // namespace omnix
