// cors.origin_missing: origins that the system declares are not in the allow-list. Counterfactual: an origin that is in
// the list is allowed on the same URL. The remedy adds exactly the missing ones.
#include <algorithm>
#include <set>

#include "agents/investigation/analyzer.h"
#include "agents/sources/allow_list.h"
#include "fmt/format.h"

namespace omnix {
namespace {

std::string AsOrigin(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

struct Lack {
  std::vector<std::string> symptoms;
  std::set<std::string> origins;
  std::string url;
};

// Config files of the service and of what it needs, nearest first.
std::vector<std::pair<const v1::Service*, const v1::ConfigFile*>> ConfigFiles(const Scene& scene,
                                                                              const v1::Service* service) {
  std::vector<const v1::Service*> services = {service};
  for (size_t i = 0; i < services.size(); ++i) {
    for (const std::string& name : services[i]->depends_on()) {
      const v1::Service* needed = scene.FindService(name);
      if (needed != nullptr && std::find(services.begin(), services.end(), needed) == services.end())
        services.push_back(needed);
    }
  }
  std::vector<std::pair<const v1::Service*, const v1::ConfigFile*>> files;
  for (const v1::Service* s : services) {
    for (const v1::ConfigFile& file : s->config_files()) files.emplace_back(s, &file);
  }
  return files;
}

// The change of the list that took one of the missing origins away.
const Change* Removal(const Scene& scene, const std::string& file, const std::set<std::string>& missing) {
  for (const Change* change : scene.ChangesOf(file)) {
    for (const GitHunk& hunk : change->hunks) {
      for (const std::string& line : hunk.removed) {
        for (const std::string& origin : missing) {
          if (line.find(origin.substr(origin.find("//"))) != std::string::npos) return change;
        }
      }
    }
  }
  return nullptr;
}

// How many lists there are that lack some of the origins, and how many that lack none.
struct Lists {
  size_t lacking = 0;
  size_t complete = 0;
};

Lists AddRemedies(Scene* scene, const v1::Service* service, const Lack& lack, const std::vector<std::string>& declared,
                  v1::Hypothesis* h) {
  Lists found;
  std::set<std::string> files_done;
  for (const auto& [owner, file] : ConfigFiles(*scene, service)) {
    std::vector<std::string> paths = {file->path()};
    for (const NginxFacts& nginx : scene->nginx) {
      if (nginx.file == file && nginx.config) paths = nginx.config->files;
    }
    for (const std::string& path : paths) {
      if (!files_done.insert(path).second) continue;
      const auto lists = FindAllowLists(path, path == file->path() ? file->format() : "", declared);
      if (!lists.ok()) continue;
      for (const AllowList& list : *lists) {
        std::vector<std::string> missing;
        for (const std::string& origin : declared) {
          if (lack.origins.count(origin) > 0 && !list.Holds(origin)) missing.push_back(origin);
        }
        const std::string evidence = scene->book.Add(
            MakeEvidence("allow_list", owner->name(),
                         fmt::format("{} lists {} of {} declared origins", path, list.entries.size(), declared.size()),
                         list.entries[0].line_text, list.entries[0].location));
        h->add_evidence_for(evidence);
        ++(missing.empty() ? found.complete : found.lacking);
        if (missing.empty() || (file->has_editable() && !file->editable())) continue;
        if (h->location().file().empty()) {
          *h->mutable_location() = list.entries[0].location;
          h->set_component(owner->name());
        }
        const std::string id = fmt::format("list-{}", h->remedies_size() + 1);
        *h->add_remedies() = MakeRemedy(
            id, fmt::format("Add the {} missing origins to {}", missing.size(), path.substr(path.rfind('/') + 1)),
            owner == service ? "gateway" : "backend", {AddToAllowList(list, missing, owner->name())});
        if (list.named_for_origins) return found;
      }
    }
  }
  return found;
}

// What needs a login is there.
bool IsServedAtAll(Scene* scene, const v1::Service& service, const std::string& url) {
  constexpr int kFirstErrorStatus = 400;
  constexpr int kStatusUnauthorized = 401;
  const int status = scene->prober.Ask({service.name(), url, "", false}).status;
  return status < kFirstErrorStatus || status == kStatusUnauthorized;
}

}  // namespace

void AnalyzeCors(Scene* scene, std::vector<Candidate>* candidates) {
  std::vector<std::string> declared;
  for (const v1::Origin& origin : scene->input.system.origins()) declared.push_back(AsOrigin(origin.url()));
  std::map<const v1::Service*, Lack> lacks;
  for (const auto& [id, result] : scene->symptom_results) {
    const auto& attributes = result.attributes();
    if (attributes.count("origin") == 0 || attributes.count("url") == 0) continue;
    const std::string origin = AsOrigin(attributes.at("origin"));
    const v1::Service* service = scene->ServiceAt(attributes.at("url"));
    if (service == nullptr || std::find(declared.begin(), declared.end(), origin) == declared.end()) continue;
    const Answer& answer = scene->prober.Ask({service->name(), attributes.at("url"), origin, false});
    // No answer, or allowed after all: something else is wrong.
    if (answer.status == 0 || answer.allow_origin == origin || answer.allow_origin == "*") continue;
    Lack& lack = lacks[service];
    lack.symptoms.push_back(id);
    lack.origins.insert(origin);
    lack.url = attributes.at("url");
  }
  for (const auto& [service, lack] : lacks) {
    v1::Hypothesis h;
    h.set_kind("cors.origin_missing");
    h.set_component(service->name());
    std::string names;
    for (const std::string& origin : lack.origins) names += (names.empty() ? "" : ", ") + origin;
    bool other_allowed = false;
    for (const std::string& origin : declared) {
      const Answer answer = scene->prober.Ask({service->name(), lack.url, origin, false});
      const bool allowed = answer.allow_origin == origin;
      const bool missing = lack.origins.count(origin) > 0;
      other_allowed |= allowed && !missing;
      if (answer.status == 0) continue;
      v1::Counterfactual* test = h.add_tests();
      test->set_description(fmt::format("{} is {}", origin, allowed ? "allowed" : "not allowed"));
      test->set_agrees(allowed != missing);
      test->add_evidence_ids(answer.evidence);
      test->agrees() ? h.add_evidence_for(answer.evidence) : h.add_evidence_against(answer.evidence);
    }
    const Lists lists = AddRemedies(scene, service, lack, declared, &h);
    // An error that comes without an origin as well is somebody else's answer: that it lacks the header says nothing.
    if (lists.lacking == 0 && !other_allowed && !IsServedAtAll(scene, *service, lack.url)) continue;
    h.set_title(fmt::format("{} of {} declared origins are not allowed by {}", lack.origins.size(), declared.size(),
                            h.component()));
    h.set_explanation(fmt::format(
        "Preflights from {} get no matching Access-Control-Allow-Origin, so browsers refuse the calls. {}{}", names,
        other_allowed ? "A listed origin is allowed on the same URL, so the list is what is missing them. " : "",
        h.remedies_size() > 0 ? "The list is " + h.location().file() + "."
                              : "No list that could be extended was found in the declared configuration."));
    const Change* removal = Removal(*scene, h.location().file(), lack.origins);
    if (removal != nullptr) {
      h.add_evidence_for(removal->evidence);
      h.set_explanation(h.explanation() + fmt::format(" {} took them out.", removal->Name()));
    }
    for (const std::string& id : lack.symptoms) h.add_symptom_ids(id);
    // A list that is known and lacks nothing: whoever answers is not the one that has it.
    const bool complete = lists.complete > 0 && lists.lacking == 0;
    if (complete) h.set_explanation(h.explanation() + " The lists that were found hold all of them.");
    h.set_confidence(complete                 ? 0.25
                     : h.remedies_size() == 0 ? 0.5
                     : !other_allowed         ? 0.7
                     : removal != nullptr     ? 0.95
                                              : 0.92);
    h.set_status(other_allowed ? v1::HYPOTHESIS_STATUS_SUPPORTED : v1::HYPOTHESIS_STATUS_PROPOSED);
    candidates->push_back({h, {}});
  }
}

}  // namespace omnix
