// The text of default_playbook.yaml, put into the program at build time.
#pragma once

namespace omnix {

extern const char kDefaultPlaybookYaml[];

}  // namespace omnix
