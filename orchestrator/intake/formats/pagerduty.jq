#: title PagerDuty: Events API v2 and v1 (what senders post to PagerDuty), webhooks v3, v2 and v1 (what PagerDuty sends)

def is_event_v2: type == "object" and has("event_action");
def is_event_v1: type == "object" and has("event_type") and (has("service_key") or has("incident_key"));
def is_webhook_v3: type == "object" and ((.event | object).event_type | text | starts(["incident.", "service.", "pagey."]));
def is_message: object | (first_text(.event, .type) | starts(["incident."])) and ((.incident | type) == "object" or (.data | type) == "object");
def is_webhook_v2: type == "object" and (.messages | array | length > 0 and all(.[]; is_message));
def recognize:
  (is_event_v2 and (has("routing_key") or has("dedup_key") or has("payload"))) or is_event_v1 or is_webhook_v3 or is_webhook_v2;

# The routing key is a credential and goes nowhere.
def event_v2:
  (.payload | object) as $payload
  | (if .event_action == "resolve" then "resolved" else "firing" end) as $status
  | {
      reply: "pagerduty",
      alerts: [
        if .event_action | . != "trigger" and . != "resolve" then
          refuse("/event_action"; "'event_action' is invalid: expected trigger, acknowledge or resolve")
        elif .event_action == "resolve" and (.dedup_key | text) == "" then
          refuse("/dedup_key"; "'dedup_key' is missing or blank")
        elif .event_action == "trigger" and (.payload | type) != "object" then
          refuse("/payload"; "'payload' is missing or blank")
        elif .event_action == "trigger" and ($payload.summary | text) == "" then
          refuse("/payload/summary"; "'payload.summary' is missing or blank")
        else {
          title: first_text($payload.summary, "resolved: " + (.dedup_key | text)),
          description: lines($payload.summary, ($payload.custom_details | texts | to_entries[] | "\(.key): \(.value)"),
                             ($payload.custom_details | strings)),
          severity: $payload.severity,
          status: $status,
          fingerprint: key("pagerduty"; .dedup_key),
          identity: {summary: $payload.summary, source: $payload.source, component: $payload.component,
                     class: $payload.class},
          labels: ({source: $payload.source, component: $payload.component, group: $payload.group,
                    class: $payload.class, client: .client} | texts),
          subject: first_text($payload.component, $payload.source),
          starts_at: since($status; $payload.timestamp),
          ends_at: $payload.timestamp,
          links: [.client_url, (.links | array[] | object | .href), (.images | array[] | object | .href)]
        } end
      ]
    };

# The generation before: the service key is a credential as well.
def event_v1:
  (if .event_type == "resolve" then "resolved" else "firing" end) as $status
  | (.details | object) as $details
  | if .event_type == "acknowledge" then {alerts: [], note: "an acknowledgement changes no alert"}
    elif first_text(.description, .incident_key) == "" then [refuse("/description"; "missing or empty")]
    else [{
      title: first_text(.description, "resolved: " + (.incident_key | text)),
      description: lines(.description, ($details | texts | to_entries[] | "\(.key): \(.value)"), (.details | strings)),
      severity: first_severity($details.severity, $details.level, $details.priority),
      status: $status,
      fingerprint: key("pagerduty"; .incident_key),
      identity: {description: .description},
      labels: (($details | texts) + ({client: .client} | texts)),
      subject: first_text($details.service, $details.host, $details.hostname, $details.instance),
      links: [.client_url, (.contexts | array[] | object | .href)]
    }] end;

# What v1 and v2 of the webhooks say of an incident, in their two sets of words.
def incident($event; $sent_at):
  (.status == "resolved" or ($event | starts(["incident.resolve"]))) as $resolved
  | {
      title: first_text(.title, .summary, (.trigger_summary_data | object | .subject, .description),
                        "PagerDuty incident " + first_text(.id, .incident_number)),
      description: (.description | text),
      severity: first_severity((.priority | object | .summary, .name), .urgency),
      status: (if $resolved then "resolved" else "firing" end),
      fingerprint: key("pagerduty"; .id, .incident_key),
      labels: ({number: first_text(.incident_number, .number), urgency: .urgency, event: $event, incident_key: .incident_key,
                escalation_policy: (.escalation_policy | object | first_text(.summary, .name))} | texts),
      subject: (.service | object | first_text(.summary, .name)),
      starts_at: first_text(.created_at, .created_on),
      ends_at: first_text(.resolved_at, .last_status_change_at, .last_status_change_on, $sent_at),
      links: [.html_url]
    };

def webhook_v3:
  (.event | object) as $event | ($event.data | object) as $data
  | if ($event.event_type | startswith("incident.") | not) or $data.type != "incident" then
      {alerts: [], note: "an event of PagerDuty that is no alert"}
    else [$data | incident($event.event_type; $event.occurred_at)
          | if (.starts_at | text) == "" then .starts_at = $event.occurred_at else . end] end;

# One alert for each incident, as the last of its messages has it.
def webhook_v2:
  [.messages[] | object
   | first_text(.event, .type) as $event
   | ((.incident | object) + ((.data | object).incident | object)) as $incident
   | .created_on as $sent_at | $incident | incident($event; $sent_at)]
  | group_by(.fingerprint) | map(.[-1]);

def alerts:
  if is_webhook_v3 then webhook_v3
  elif is_webhook_v2 then webhook_v2
  elif type != "object" then [refuse(""; "expected an object")]
  elif is_event_v1 and (is_event_v2 | not) then event_v1
  elif .event_action == "acknowledge" then
    {alerts: [], reply: "pagerduty", reply_key: (.dedup_key | text), note: "an acknowledgement changes no alert"}
  else event_v2 end;
