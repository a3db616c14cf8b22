#include "orchestrator/journal/schema.h"

namespace omnix {
namespace {

constexpr const char* kLogTables = R"sql(
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- The truth: one row an event, in the order in which they were kept.
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  incident TEXT NOT NULL,
  sequence INTEGER NOT NULL,  -- 1, 2, 3... within the incident
  time TEXT NOT NULL,         -- UTC
  type TEXT NOT NULL,         -- 'TaskAssigned'
  text TEXT NOT NULL,         -- the line for people
  payload BLOB NOT NULL,      -- omnix.v1.Event, serialized
  chain BLOB NOT NULL         -- HMAC-SHA-256 over the row before and this one
);
CREATE UNIQUE INDEX events_by_incident ON events (incident, sequence);

-- What incidents run by: playbooks, system models, policies, by hash of their content.
CREATE TABLE pins (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  content BLOB NOT NULL
);

-- How often an alert came again unchanged: counted here alone, there is no event for it.
CREATE TABLE alert_counts (
  incident TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  repeats INTEGER NOT NULL,
  PRIMARY KEY (incident, fingerprint)
) WITHOUT ROWID;

CREATE TABLE agents (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  version TEXT NOT NULL,
  state TEXT NOT NULL,        -- 'connected', 'draining', 'gone'
  task_types TEXT NOT NULL,
  capacity INTEGER NOT NULL,
  running INTEGER NOT NULL,
  labels TEXT NOT NULL,       -- 'site=eu, zone=a'
  connected_at TEXT,
  last_heartbeat_at TEXT
) WITHOUT ROWID;
)sql";

constexpr const char* kProjections = R"sql(
CREATE TABLE incidents (
  opened_event INTEGER PRIMARY KEY,  -- events.id of its first event: orders incidents by age
  id TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  severity TEXT NOT NULL,
  phase TEXT NOT NULL,               -- 'Investigating'
  paused INTEGER NOT NULL DEFAULT 0,
  opened_at TEXT NOT NULL,
  opened_by TEXT NOT NULL,
  started_at TEXT,                   -- when the trouble began
  budget_until TEXT,
  resolved_at TEXT,
  ended_reason TEXT,
  alerts INTEGER NOT NULL DEFAULT 0, -- different ones
  cause TEXT,                        -- the last diagnosis in one paragraph
  explanation TEXT,                  -- the one in work
  plan_hash TEXT,                    -- the last plan
  resources TEXT,                    -- locks held, 'file:/etc/nginx/cors.conf, service:gateway'
  agents TEXT,                       -- the roll call
  playbook_hash TEXT NOT NULL,
  system_hash TEXT NOT NULL,
  policy_hash TEXT NOT NULL,
  sequence INTEGER NOT NULL DEFAULT 0,  -- of the last event that changed this row; what happens to tasks doesn't
  updated_at TEXT                       -- when it did
);
CREATE INDEX incidents_open ON incidents (opened_event) WHERE phase NOT IN ('Resolved', 'Cancelled');

CREATE TABLE tasks (
  incident TEXT NOT NULL,
  id TEXT NOT NULL,              -- 'investigating-1/diagnose'
  type TEXT NOT NULL,            -- 'investigation.diagnose'
  state TEXT NOT NULL,           -- 'waiting', 'running', 'succeeded', 'failed', 'skipped', 'cancelled'
  agent TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  fencing_token INTEGER NOT NULL DEFAULT 0,
  started_at TEXT,
  finished_at TEXT,
  deadline TEXT,
  not_before TEXT,
  reason TEXT,
  evidence INTEGER NOT NULL DEFAULT 0,      -- pieces recorded
  late_results INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (incident, id)
) WITHOUT ROWID;

CREATE TABLE alerts (
  event INTEGER NOT NULL,        -- events.id of its last reading: orders alerts by age
  incident TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  title TEXT NOT NULL,
  severity TEXT NOT NULL,
  status TEXT NOT NULL,          -- 'firing', 'resolved'
  subject TEXT NOT NULL,
  source TEXT NOT NULL,
  starts_at TEXT,
  ends_at TEXT,
  received_at TEXT,
  count INTEGER NOT NULL,        -- how often the monitor sent it
  payload BLOB NOT NULL,         -- omnix.v1.Alert, serialized
  PRIMARY KEY (incident, fingerprint)
) WITHOUT ROWID;
CREATE INDEX alerts_by_age ON alerts (event);
CREATE INDEX alerts_firing ON alerts (event) WHERE status = 'firing';

CREATE TABLE actions (
  incident TEXT NOT NULL,
  plan_hash TEXT NOT NULL,
  number INTEGER NOT NULL,       -- its place in the plan
  id TEXT NOT NULL,
  kind TEXT NOT NULL,            -- 'file.replace_text'
  component TEXT NOT NULL,
  description TEXT NOT NULL,
  risk TEXT NOT NULL,            -- of the plan
  state TEXT NOT NULL,           -- 'planned', 'approved', 'rejected', 'applied', 'undone', 'rolled back', 'needs attention'
  planned_at TEXT NOT NULL,
  changed_at TEXT NOT NULL,
  outcome TEXT,                  -- how its recovery ended
  PRIMARY KEY (incident, plan_hash, number)
) WITHOUT ROWID;

CREATE TABLE approvals (
  incident TEXT NOT NULL,
  sequence INTEGER NOT NULL,     -- of the event that asked or (where nobody was asked) decided
  plan_hash TEXT NOT NULL,
  state TEXT NOT NULL,           -- 'requested', 'granted', 'rejected', 'forbidden', 'lapsed'
  rule TEXT,                     -- the policy rule that asked
  requested_at TEXT,
  expires_at TEXT,
  decided_at TEXT,
  decided_by TEXT,               -- 'operator:alice', 'policy:low-risk text edits'
  reason TEXT,
  PRIMARY KEY (incident, sequence)
) WITHOUT ROWID;

CREATE TABLE phases (
  incident TEXT NOT NULL,
  number INTEGER NOT NULL,       -- 1 for the first visit of the incident
  phase TEXT NOT NULL,
  entered_at TEXT NOT NULL,
  left_at TEXT,
  reason TEXT,
  PRIMARY KEY (incident, number)
) WITHOUT ROWID;
)sql";

constexpr const char* kPruned = R"sql(
-- Rows of `events` that `omnix journal prune` removed; carries the chain over the gap.
CREATE TABLE pruned (
  first INTEGER PRIMARY KEY,  -- events.id of the first row removed
  last INTEGER NOT NULL UNIQUE,
  before BLOB NOT NULL,       -- chain value of the row before the first
  after BLOB NOT NULL,        -- chain value of the last
  time TEXT NOT NULL,         -- when the last of them was removed
  seal BLOB NOT NULL          -- HMAC-SHA-256 over this row
);
)sql";

// Of the projections, in version 3.
constexpr const char* kAlertColumns = R"sql(
-- Of `alerts`, those that fire.
ALTER TABLE incidents ADD COLUMN alerts_firing INTEGER NOT NULL DEFAULT 0;
UPDATE incidents SET alerts_firing =
  (SELECT count(*) FROM alerts WHERE alerts.incident = incidents.id AND alerts.status <> 'resolved');
)sql";

constexpr const char* kPending = R"sql(
-- Alerts that no incident has yet: their grouping rule waits for more occurrences. There is no event for them.
CREATE TABLE pending_alerts (
  fingerprint TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  severity TEXT NOT NULL,
  status TEXT NOT NULL,          -- 'firing', 'resolved'
  subject TEXT NOT NULL,
  rule TEXT NOT NULL,            -- of the grouping
  occurrences INTEGER NOT NULL,  -- its own
  expires_at TEXT NOT NULL,      -- forgotten then
  payload BLOB NOT NULL          -- omnix.v1.PendingAlert, serialized
) WITHOUT ROWID;
)sql";

// Version 4 keeps numbers where version 1 kept names, and rows where they came: a step of an incident then changes
// fewer pages (docs/performance.md).
constexpr const char* kStoryIndex = R"sql(
ALTER TABLE events ADD COLUMN opened_event INTEGER;  -- events.id of the first event of its incident
UPDATE events SET opened_event =
  (SELECT first.id FROM events AS first WHERE first.incident = events.incident AND first.sequence = 1);
DROP VIEW IF EXISTS story;
DROP INDEX IF EXISTS events_by_incident;
CREATE UNIQUE INDEX events_first ON events (incident) WHERE sequence = 1;
CREATE UNIQUE INDEX events_by_incident ON events (opened_event, sequence);
CREATE VIEW story AS
  SELECT first.incident, e.sequence, e.time, e.type, e.text
  FROM events AS first JOIN events AS e ON e.opened_event = first.id
  WHERE first.sequence = 1 ORDER BY first.incident, e.sequence;
)sql";

// Of the projections, in version 4.
constexpr const char* kLeanProjections = R"sql(
-- 1 where its phase is 'Resolved' or 'Cancelled'. The index is of this column, so that other phases leave it alone.
ALTER TABLE incidents ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
UPDATE incidents SET ended = 1 WHERE phase IN ('Resolved', 'Cancelled');
DROP VIEW IF EXISTS open_incidents;
DROP INDEX IF EXISTS incidents_open;
CREATE INDEX incidents_open ON incidents (opened_event) WHERE ended = 0;
CREATE VIEW open_incidents AS
  SELECT id, severity, phase, paused, title, opened_at, updated_at FROM incidents
  WHERE ended = 0 ORDER BY opened_event DESC;

-- So that views of others go on to name `tasks` and `alerts`.
PRAGMA legacy_alter_table = ON;

-- With row numbers: those of tasks that are in work stand together.
CREATE TABLE new_tasks (
  incident TEXT NOT NULL,
  id TEXT NOT NULL,              -- 'investigating-1/diagnose'
  type TEXT NOT NULL,            -- 'investigation.diagnose'
  state TEXT NOT NULL,           -- 'waiting', 'running', 'succeeded', 'failed', 'skipped', 'cancelled'
  agent TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  fencing_token INTEGER NOT NULL DEFAULT 0,
  started_at TEXT,
  finished_at TEXT,
  deadline TEXT,
  not_before TEXT,
  reason TEXT,
  evidence INTEGER NOT NULL DEFAULT 0,      -- pieces recorded
  late_results INTEGER NOT NULL DEFAULT 0,
  UNIQUE (incident, id)
);
INSERT INTO new_tasks SELECT * FROM tasks ORDER BY incident, id;
DROP TABLE tasks;
ALTER TABLE new_tasks RENAME TO tasks;

-- Without the alert itself: it is in the event that `event` names.
CREATE TABLE new_alerts (
  event INTEGER NOT NULL,        -- events.id of its last reading: orders alerts by age
  incident TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  title TEXT NOT NULL,
  severity TEXT NOT NULL,
  status TEXT NOT NULL,          -- 'firing', 'resolved'
  subject TEXT NOT NULL,
  source TEXT NOT NULL,
  starts_at TEXT,
  ends_at TEXT,
  received_at TEXT,
  count INTEGER NOT NULL,        -- how often the monitor sent it
  PRIMARY KEY (incident, fingerprint)
) WITHOUT ROWID;
INSERT INTO new_alerts
  SELECT event, incident, fingerprint, title, severity, status, subject, source, starts_at, ends_at, received_at, count
  FROM alerts;
DROP TABLE alerts;
ALTER TABLE new_alerts RENAME TO alerts;
CREATE INDEX alerts_by_age ON alerts (event);
CREATE INDEX alerts_firing ON alerts (event) WHERE status = 'firing';
PRAGMA legacy_alter_table = OFF;

-- When a visit of a phase ended is when the next one began: its row is written once.
CREATE TABLE visits (
  event INTEGER PRIMARY KEY,     -- events.id of the event that began it
  incident TEXT NOT NULL,
  phase TEXT NOT NULL,
  entered_at TEXT NOT NULL,
  reason TEXT
);
CREATE INDEX visits_by_incident ON visits (incident);
INSERT INTO visits
  SELECT e.id, p.incident, p.phase, p.entered_at, p.reason
  FROM phases AS p JOIN
    (SELECT id, incident, row_number() OVER (PARTITION BY incident ORDER BY id) AS number FROM events
     WHERE type IN ('IncidentOpened', 'PhaseEntered', 'IncidentEscalated', 'IncidentCancelled', 'IncidentResolved')) AS e
    ON e.incident = p.incident AND e.number = p.number;
DROP TABLE phases;
CREATE VIEW phases AS
  SELECT incident,
    (SELECT count(*) FROM visits AS b WHERE b.incident = v.incident AND b.event <= v.event) AS number,
    phase, entered_at,
    (SELECT n.entered_at FROM visits AS n WHERE n.incident = v.incident AND n.event > v.event
     ORDER BY n.event LIMIT 1) AS left_at,
    reason
  FROM visits AS v ORDER BY incident, event;
)sql";

// Of the projections, in version 5: what the events say already is read from them. The view `story` is made anew for
// rebuilds, which bring it back where it is gone.
constexpr const char* kReadFromEvents = R"sql(
-- One index for both: those that fire are a part of it, and all are its parts merged.
DROP INDEX IF EXISTS alerts_firing;
DROP INDEX IF EXISTS alerts_by_age;
CREATE INDEX alerts_by_age ON alerts (status, event);

DROP VIEW IF EXISTS story;
CREATE VIEW story AS
  SELECT first.incident, e.sequence, e.time, e.type, e.text
  FROM events AS first JOIN events AS e ON e.opened_event = first.id
  WHERE first.sequence = 1 ORDER BY first.incident, e.sequence;

-- A visit of a phase begins with an event whose text says which and why (event_text.cc), and ends with the next one.
DROP VIEW IF EXISTS phases;
DROP TABLE IF EXISTS visits;
CREATE VIEW phases AS
  SELECT first.incident,
    row_number() OVER visits AS number,
    CASE e.type
      WHEN 'IncidentOpened' THEN 'Detected'
      WHEN 'PhaseEntered' THEN substr(e.text, 1, instr(e.text || ': ', ': ') - 1)
      ELSE replace(e.type, 'Incident', '')
    END AS phase,
    e.time AS entered_at,
    lead(e.time) OVER visits AS left_at,
    CASE e.type
      WHEN 'IncidentOpened' THEN substr(e.text, 10, instr(e.text, ': ') - 10)  -- 'incident opened by ...: title'
      ELSE substr(e.text, nullif(instr(e.text, ': '), 0) + 2)
    END AS reason
  FROM events AS first JOIN events AS e ON e.opened_event = first.id
  WHERE first.sequence = 1 AND
    e.type IN ('IncidentOpened', 'PhaseEntered', 'IncidentEscalated', 'IncidentCancelled', 'IncidentResolved')
  WINDOW visits AS (PARTITION BY first.incident ORDER BY e.sequence)
  ORDER BY first.incident, e.sequence;
)sql";

constexpr const char* kViews = R"sql(
-- SELECT * FROM story WHERE incident = 'INC-2025-09-04-001';
CREATE VIEW story AS
  SELECT incident, sequence, time, type, text FROM events ORDER BY incident, sequence;

CREATE VIEW open_incidents AS
  SELECT id, severity, phase, paused, title, opened_at, updated_at FROM incidents
  WHERE phase NOT IN ('Resolved', 'Cancelled') ORDER BY opened_event DESC;
)sql";

// What each version made of the projections of the one before.
struct ProjectionStep {
  int64_t version;
  const char* script;
};
constexpr ProjectionStep kProjectionSteps[] = {
    {1, kProjections},
    {3, kAlertColumns},
    {4, kLeanProjections},
    {5, kReadFromEvents},
};

// Of any version.
absl::Status DropProjections(SqliteConnection& db) {
  std::vector<std::string> drops;
  OMNIX_RETURN_IF_ERROR(db.Query(
      "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name IN ('incidents', 'tasks', "
      "'alerts', 'actions', 'approvals', 'phases', 'visits')",
      [&](const SqliteRow& row) {
        drops.push_back(fmt::format("DROP {} {}", row.Text(0), row.Text(1)));
        return absl::OkStatus();
      }));
  for (const std::string& drop : drops) OMNIX_RETURN_IF_ERROR(db.Execute(drop));
  return absl::OkStatus();
}

// Empty, as that version has them.
absl::Status MakeProjections(SqliteConnection& db, int64_t version) {
  for (const ProjectionStep& step : kProjectionSteps) {
    if (step.version <= version) OMNIX_RETURN_IF_ERROR(db.Execute(step.script));
  }
  return absl::OkStatus();
}

absl::Status RunSteps(SqliteConnection& db, const Migrations& migrations, int64_t version) {
  const auto wanted = static_cast<int64_t>(migrations.size());
  for (int64_t step = version; step < wanted; ++step) {
    OMNIX_RETURN_IF_ERROR(db.Execute(migrations[static_cast<size_t>(step)]));
  }
  OMNIX_RETURN_IF_ERROR(db.Execute(fmt::format("PRAGMA application_id = {}", kApplicationId)));
  return db.Execute(fmt::format("PRAGMA user_version = {}", wanted));
}

}  // namespace

const Migrations& JournalMigrations() {
  static const Migrations kMigrations = {
      std::string(kLogTables) + kProjections + kViews,  // 1
      kPruned,                                          // 2
      std::string(kAlertColumns) + kPending,            // 3
      std::string(kStoryIndex) + kLeanProjections,      // 4
      kReadFromEvents,                                  // 5
  };
  return kMigrations;
}

int64_t SchemaVersion() { return static_cast<int64_t>(JournalMigrations().size()); }

absl::Status Migrate(SqliteConnection& db, const Migrations& migrations) {
  OMNIX_ASSIGN_OR_RETURN(const int64_t version, db.Integer("PRAGMA user_version"));
  if (version == static_cast<int64_t>(migrations.size())) return absl::OkStatus();
  return InTransaction(db, [&] { return RunSteps(db, migrations, version); });
}

absl::Status MigrateWithoutProjections(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const int64_t version, db.Integer("PRAGMA user_version"));
  if (version == SchemaVersion()) return absl::OkStatus();
  OMNIX_RETURN_IF_ERROR(DropProjections(db));
  // As empty as the steps find them in a new file.
  OMNIX_RETURN_IF_ERROR(MakeProjections(db, version));
  return RunSteps(db, JournalMigrations(), version);
}

absl::StatusOr<bool> HasStoryNumbers(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const int64_t columns,
                         db.Integer("SELECT count(*) FROM pragma_table_info('events') WHERE name = 'opened_event'"));
  return columns > 0;
}

absl::Status CheckReadable(SqliteConnection& db) {
  OMNIX_ASSIGN_OR_RETURN(const int64_t tables, db.Integer("SELECT count(*) FROM sqlite_master"));
  OMNIX_ASSIGN_OR_RETURN(const int64_t application, db.Integer("PRAGMA application_id"));
  OMNIX_ASSIGN_OR_RETURN(const int64_t version, db.Integer("PRAGMA user_version"));
  if (application != kApplicationId && (tables > 0 || application != 0)) {
    return FailedPrecondition("{}: this database is no Omnix journal; nothing was changed: name another file",
                              db.path());
  }
  if (version < 0)
    return FailedPrecondition("{}: the journal has schema version {}: it was changed", db.path(), version);
  if (version > SchemaVersion()) {
    return FailedPrecondition(
        "{}: the journal has schema version {}, this omnixd knows versions up to {}; nothing was changed: use a newer "
        "omnixd, or another file",
        db.path(), version, SchemaVersion());
  }
  return absl::OkStatus();
}

const std::vector<std::string>& ProjectionTables() {
  static const std::vector<std::string> kTables = {"incidents", "tasks", "alerts", "actions", "approvals"};
  return kTables;
}

absl::Status RecreateProjections(SqliteConnection& db) {
  OMNIX_RETURN_IF_ERROR(DropProjections(db));
  return MakeProjections(db, SchemaVersion());
}

}  // namespace omnix
