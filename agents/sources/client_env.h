// The .env files of a frontend, whose values bundlers put into it.
#pragma once

#include <set>
#include <string>

#include "agents/sources/js_value.h"

namespace omnix {

// By its name: ".env", ".env.production", "web.env".
bool IsEnvFile(const std::string& path);

// Which of the client's .env files count: .env.production and .env.staging are for builds, .env.development for the
// development server, .env.test for neither. True of other files.
bool IsReadBy(const std::string& path, ClientBuild build);

// Adds those that bundlers read beside the ones among `paths`, and beside the package.json above the sources; the later
// ones of a name win (https://create-react-app.dev/docs/adding-custom-environment-variables,
// https://vite.dev/guide/env-and-mode).
void AddEnvFiles(std::set<std::string>* paths);

// Of Angular's environments (https://angular.dev/tools/cli/environments) leaves those that the build is made with:
// environment.prod.ts where there is one, else environment.ts, in production; environment.development.ts where there is
// one, else environment.ts, in development; listed or not.
void ChooseEnvironments(ClientBuild build, std::set<std::string>* paths);

// KEY=value lines.
void ReadEnvFile(const JsFile& file, JsSymbols* symbols);

}  // namespace omnix
