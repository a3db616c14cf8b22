#: title Opsgenie: alerts as senders post them to its API, and its outgoing webhooks

def is_webhook: type == "object" and has("action") and ((.alert | object) | has("alertId") or has("tinyId"));
def recognize:
  is_webhook or (type == "object" and (.message | type) == "string"
                 and (has("responders") or (has("alias") and (has("priority") or has("entity") or has("source") or has("description")))));

# P1 to P5, which older webhooks write as numbers.
def priority: text | if test("^[1-5]$") then "P" + . else . end;
# Opsgenie tells changes in nanoseconds.
def instant: if type == "number" and . > 1e17 then . / 1e6 else . end;

def alert($status; $starts_at):
  {
    title: first_text(.message, "Opsgenie alert " + first_text(.alias, .alertId)),
    description: .description,
    severity: (.priority | priority),
    status: $status,
    fingerprint: key("opsgenie"; .alias, .alertId),
    identity: {message: .message, entity: .entity, source: .source},
    labels: ((.details | texts) + ({entity: .entity, source: .source} | texts)
             + (.tags | tags | with_entries(.key |= "tag_" + .))),
    subject: first_text(.entity, .source),
    starts_at: $starts_at
  };

def alerts:
  if is_webhook then
    if .action | IN("Create", "Close", "Delete", "UnAcknowledge", "Escalate", "UpdatePriority", "UpdateMessage", "UpdateDescription") then
      . as $event
      | [.alert | alert(if $event.action == "Close" or $event.action == "Delete" then "resolved" else "firing" end;
                        if $event.action == "Create" then .createdAt else null end)
         | .ends_at = ($event.alert.updatedAt | instant)]
    else {alerts: [], note: "an action on an alert that changes nothing here"} end
  elif type == "object" and first_text(.message, .alias) != "" then [alert("firing"; null)]
  else [refuse("/message"; "missing or empty; expected an alert of Opsgenie")] end;
