// `omnix journal verify|backup|rebuild|prune`: on the file itself, whether omnixd runs or not. The one place of the
// command line that looks into orchestrator/ (docs/architecture.md says why).
#include <omnix/v1/journal.pb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

#include "cli/page.h"
#include "cli/session.h"
#include "common/printable.h"
#include "common/status.h"
#include "orchestrator/journal/chain.h"
#include "orchestrator/journal/file_lock.h"
#include "orchestrator/journal/maintenance.h"
#include "orchestrator/journal/prune.h"
#include "orchestrator/journal/silence_log.h"

namespace omnix {
namespace {

struct JournalArguments {
  // As omnixd's --data.
  std::string data;
  std::string file;
  std::string older_than;
  bool dry_run = false;

  std::string journal() const { return data + "/journal.db"; }
  std::string silences() const { return data + "/silences.db"; }
  std::string key() const { return data + "/journal.key"; }
  // Those of the backup FILE.
  std::string copied_silences() const { return file + ".silences"; }
};

// UNAVAILABLE means a disk here, not an omnixd that can't be reached, which has an exit code of its own.
absl::Status AboutTheFile(const absl::Status& status) {
  return absl::IsUnavailable(status) ? Internal("{}", Message(status)) : status;
}

std::string Counted(uint64_t count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// "90d", "2w", "36h": whole days, weeks or hours.
absl::StatusOr<absl::Duration> ParseAge(const std::string& text) {
  constexpr int64_t kMaxCount = 1'000'000;
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string unit(end, text.data() + text.size());
  const int hours = unit == "h" ? 1 : unit == "d" ? 24 : unit == "w" ? 7 * 24 : 0;
  if (error == std::errc() && count > 0 && count <= kMaxCount && hours > 0) return absl::Hours(count * hours);
  return InvalidArgument("--older-than '{}' is no age: give days, weeks or hours, such as 90d, 12w or 72h", text);
}

absl::StatusOr<int64_t> VerifySilencesOf(const JournalArguments& arguments) {
  OMNIX_ASSIGN_OR_RETURN(const std::string key, LoadJournalKey(arguments.key(), /*create=*/false));
  return VerifySilences(arguments.file.empty() ? arguments.silences() : arguments.copied_silences(), key);
}

absl::StatusOr<int64_t> PruneSilencesOf(const JournalArguments& arguments, const PruneOptions& options) {
  OMNIX_ASSIGN_OR_RETURN(const std::string key, LoadJournalKey(arguments.key(), /*create=*/false));
  if (options.dry_run) return PruneSilences(arguments.silences(), key, {options.before, options.now, true});
  // Whoever has the journal has its silences.
  OMNIX_ASSIGN_OR_RETURN(const auto lock, FileLock::Take(arguments.journal()));
  return PruneSilences(arguments.silences(), key, {options.before, options.now, false});
}

v1::JournalVerified Describe(const std::string& path, const absl::StatusOr<JournalReport>& report) {
  v1::JournalVerified verified;
  verified.set_journal(path);
  verified.set_sound(report.ok());
  const SqliteVersion sqlite = LinkedSqlite();
  verified.set_sqlite_version(sqlite.number);
  verified.set_sqlite_has_wal_reset_bug(sqlite.has_wal_reset_bug);
  if (!report.ok()) {
    verified.set_error(Message(report.status()));
    return verified;
  }
  verified.set_events(static_cast<uint64_t>(report->events));
  verified.set_incidents(static_cast<uint64_t>(report->incidents));
  verified.set_pins(static_cast<uint64_t>(report->pins));
  verified.set_last_row(static_cast<uint64_t>(report->last_id));
  verified.set_pruned_events(static_cast<uint64_t>(report->pruned));
  return verified;
}

absl::StatusOr<ExitCode> Verify(Session& session, const JournalArguments& arguments) {
  const std::string path = arguments.file.empty() ? arguments.journal() : arguments.file;
  auto report = VerifyJournal(path, arguments.key());
  // Only a verdict is an answer; that it could not be read is an error.
  if (!report.ok() && !absl::IsDataLoss(report.status())) return AboutTheFile(report.status());
  v1::JournalVerified verified = Describe(path, report);
  if (report.ok()) {
    const auto silences = VerifySilencesOf(arguments);
    if (absl::IsDataLoss(silences.status())) {
      report = silences.status();
      verified = Describe(path, report);
    } else if (!silences.ok()) {
      return AboutTheFile(silences.status());
    } else {
      verified.set_silence_events(static_cast<uint64_t>(*silences));
    }
  }
  const ExitCode code = verified.sound() ? ExitCode::kDone : ExitCode::kFailed;
  if (session.PrintedForPrograms(verified)) return code;
  if (!report.ok()) return report.status();
  const Style style = session.style();
  Page page(session.io().width, style);
  page.Field("Journal", fmt::format("{}: sound", path));
  page.Field("Events", verified.pruned_events() == 0
                           ? fmt::format("{}", verified.events())
                           : fmt::format("{} ({} more were pruned)", verified.events(), verified.pruned_events()));
  page.Field("Last row", fmt::format("{}", verified.last_row()));
  page.Field("Incidents", fmt::format("{}", verified.incidents()));
  page.Field("Pins", fmt::format("{}", verified.pins()));
  page.Field("Silences", fmt::format("{} events", verified.silence_events()));
  page.Field("SQLite", verified.sqlite_version());
  if (verified.sqlite_has_wal_reset_bug()) {
    page.Item("!",
              fmt::format("SQLite {} can corrupt a file that two programs write to at the same time (the WAL-reset "
                          "bug, mended in 3.51.3). omnixd keeps to one writer; open shells with -readonly.",
                          verified.sqlite_version()));
  }
  session.io().out << page.text();
  return code;
}

// The silences first: an alert that is taken up meanwhile is then in both copies, and taken up once more, instead of in
// none.
absl::Status CopyBoth(const JournalArguments& arguments, v1::JournalBackedUp* answer) {
  OMNIX_ASSIGN_OR_RETURN(const bool silences, BackupSilences(arguments.silences(), arguments.copied_silences()));
  if (const absl::Status status = BackupJournal(arguments.journal(), arguments.file); !status.ok()) {
    if (silences) unlink(arguments.copied_silences().c_str());
    return status;
  }
  answer->set_journal(arguments.journal());
  answer->set_backup(arguments.file);
  if (silences) answer->set_silences(arguments.copied_silences());
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Backup(Session& session, const JournalArguments& arguments) {
  v1::JournalBackedUp answer;
  if (const absl::Status status = CopyBoth(arguments, &answer); !status.ok()) return AboutTheFile(status);
  struct stat info;
  if (stat(arguments.file.c_str(), &info) == 0) answer.set_bytes(static_cast<uint64_t>(info.st_size));
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  const std::string silences =
      answer.silences().empty() ? "" : fmt::format(", and {} of the silences", answer.silences());
  session.io().out << PrintableLine(
                          fmt::format("{} is a copy of {} ({} bytes){}. The key {} is not in it: keep a copy of "
                                      "that elsewhere.",
                                      arguments.file, arguments.journal(), answer.bytes(), silences, arguments.key()))
                   << "\n";
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> Rebuild(Session& session, const JournalArguments& arguments) {
  const auto events = RebuildProjections(arguments.journal());
  if (!events.ok()) return AboutTheFile(events.status());
  v1::JournalRebuilt answer;
  answer.set_journal(arguments.journal());
  answer.set_events(static_cast<uint64_t>(*events));
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  session.io().out << PrintableLine(fmt::format("The tables of {} were made anew from {}.", arguments.journal(),
                                                Counted(answer.events(), "event")))
                   << "\n";
  return ExitCode::kDone;
}

absl::StatusOr<ExitCode> Prune(Session& session, const JournalArguments& arguments) {
  OMNIX_ASSIGN_OR_RETURN(const absl::Duration age, ParseAge(arguments.older_than));
  PruneOptions options;
  options.now = session.now();
  options.before = options.now - age;
  options.dry_run = arguments.dry_run;
  // Silences that were changed are found before anything is removed.
  if (const auto sound = VerifySilencesOf(arguments); !sound.ok()) return AboutTheFile(sound.status());
  const auto report = PruneJournal(arguments.journal(), arguments.key(), options);
  if (!report.ok()) return AboutTheFile(report.status());
  const auto silences = PruneSilencesOf(arguments, options);
  if (!silences.ok()) return AboutTheFile(silences.status());
  v1::JournalPruned answer;
  answer.set_silences(static_cast<uint64_t>(*silences));
  answer.set_journal(arguments.journal());
  answer.set_incidents(static_cast<uint64_t>(report->incidents));
  answer.set_events(static_cast<uint64_t>(report->events));
  answer.set_pins(static_cast<uint64_t>(report->pins));
  answer.set_dry_run(arguments.dry_run);
  if (session.PrintedForPrograms(answer)) return ExitCode::kDone;
  session.io().out << PrintableLine(fmt::format("{} {} of {}, with {} and {}; {}.",
                                                arguments.dry_run ? "Would remove" : "Removed",
                                                Counted(answer.incidents(), "closed incident"), arguments.journal(),
                                                Counted(answer.events(), "event"), Counted(answer.pins(), "unused pin"),
                                                Counted(answer.silences(), "ended silence")))
                   << "\n";
  return ExitCode::kDone;
}

using Handler = absl::StatusOr<ExitCode> (*)(Session&, const JournalArguments&);

// A verb of `omnix journal`, with the --data option that all have.
CLI::App* AddVerb(CLI::App& journal, Session& session, const std::shared_ptr<JournalArguments>& arguments,
                  const std::string& name, const std::string& description, Handler handler) {
  CLI::App* verb = journal.add_subcommand(name, description);
  verb->add_option("--data", arguments->data, "Folder of the journal and its key, as omnixd's --data")->required();
  verb->callback([&session, arguments, handler] {
    session.Do([&session, arguments, handler] { return handler(session, *arguments); });
  });
  return verb;
}

}  // namespace

void AddJournalCommands(CLI::App& app, Session& session) {
  const auto arguments = std::make_shared<JournalArguments>();
  CLI::App* journal = app.add_subcommand("journal", "The journal's file: verify, backup, rebuild, prune");
  journal->require_subcommand(1);
  AddVerb(*journal, session, arguments, "verify",
          "Was anything changed, removed or damaged? Also while omnixd runs (exit code 1 where it was)", Verify)
      ->add_option("FILE", arguments->file, "A backup to verify, with the key of --data, instead of the journal there");
  AddVerb(*journal, session, arguments, "backup",
          "Copies the journal into FILE, and its silences into FILE.silences, also while omnixd runs", Backup)
      ->add_option("FILE", arguments->file, "The copy; must not exist yet")
      ->required();
  AddVerb(*journal, session, arguments, "rebuild", "Makes the tables anew from the events; omnixd must be stopped",
          Rebuild);
  CLI::App* prune = AddVerb(
      *journal, session, arguments, "prune",
      "Removes closed incidents and ended silences, and keeps the rest verifiable; omnixd must be stopped", Prune);
  prune
      ->add_option("--older-than", arguments->older_than,
                   "Age of an incident's last event, such as 90d, 12w or 72h; at least 2d")
      ->required();
  prune->add_flag("--dry-run", arguments->dry_run, "Only say what would go; also while omnixd runs");
}

}  // namespace omnix
