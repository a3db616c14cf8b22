#: title PagerDuty Events API v2 (what senders post to PagerDuty) and webhooks v3 (what PagerDuty sends)

def is_event_v2: type == "object" and has("event_action");
def is_webhook_v3: type == "object" and ((.event | object).event_type | text | starts(["incident.", "service.", "pagey."]));
def recognize: (is_event_v2 and (has("routing_key") or has("dedup_key") or has("payload"))) or is_webhook_v3;

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
          description: lines($payload.summary, ($payload.custom_details | texts | to_entries[] | "\(.key): \(.value)")),
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
          links: [.client_url, (.links | array[] | object | .href)]
        } end
      ]
    };

def webhook_v3:
  (.event | object) as $event | ($event.data | object) as $data
  | if ($event.event_type | startswith("incident.") | not) or $data.type != "incident" then
      {alerts: [], note: "an event of PagerDuty that is no alert"}
    else [{
      title: first_text($data.title, $data.summary, "PagerDuty incident " + ($data.id | text)),
      severity: first_text(($data.priority | object).summary, $data.urgency),
      status: (if $data.status == "resolved" or $event.event_type == "incident.resolved" then "resolved" else "firing" end),
      fingerprint: key("pagerduty"; $data.id),
      labels: ({number: $data.number, urgency: $data.urgency, event: $event.event_type,
                escalation_policy: ($data.escalation_policy | object).summary} | texts),
      subject: ($data.service | object).summary,
      starts_at: first_text($data.created_at, $event.occurred_at),
      ends_at: first_text($data.resolved_at, $event.occurred_at),
      links: [$data.html_url]
    }] end;

def alerts:
  if is_webhook_v3 then webhook_v3
  elif type != "object" then [refuse(""; "expected an object")]
  elif .event_action == "acknowledge" then {alerts: [], reply: "pagerduty", note: "an acknowledgement changes no alert"}
  else event_v2 end;
