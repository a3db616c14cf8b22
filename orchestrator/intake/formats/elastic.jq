#: title Elastic: Kibana rules through a webhook connector, Watcher
#: also kibana

def flat: type == "object" and (has("kibana.alert.rule.name") or has("rule.name"));
def nested: type == "object" and (.rule | object | has("id") or has("name"));
def template: type == "object" and has("rule_name") and (has("alert_id") or has("rule_id"));
def watch: type == "object" and has("watch_id");
def recognize:
  flat or template or (watch and (has("metadata") or has("payload") or has("trigger") or has("ctx") or has("message")))
  or (nested and (has("alert") or has("context") or has("kibanaBaseUrl")));

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else
    (.rule | object) as $rule | (.alert | object) as $alert | (.context | object) as $context
    | first_text(.rule_name, $rule.name, .["kibana.alert.rule.name"], .["rule.name"], .watch_id) as $title
    | first_text(.rule_id, $rule.id, .["kibana.alert.rule.uuid"], .["rule.id"], .watch_id) as $id
    | first_text(.alert_id, $alert.id, .["kibana.alert.instance.id"]) as $instance
    | first_text(.action_group, $alert.actionGroup, .["kibana.alert.action_group"], .alert_action_group) as $group
    | (if $group == "recovered" or first_text(.status, .alert_status, .["kibana.alert.status"]) == "recovered"
       then "resolved" else "firing" end) as $status
    | if $title == "" then [refuse("/rule_name"; "missing or empty; put \"rule_name\": \"{{rule.name}}\" into the connector's body")]
      else [{
        title: $title,
        description: lines(.message, $context.message, $context.reason, .reason, .["kibana.alert.reason"]),
        severity: first_text(.severity, .["kibana.alert.severity"], $rule.severity, $context.severity),
        status: $status,
        fingerprint: (if $id == "" then "" else "elastic:" + $id + (if $instance == "" or $instance == $id then "" else ":" + $instance end) end),
        identity: {rule: $title, alert: $instance},
        labels: ((.tags // $rule.tags | if type == "array" or type == "string" then tags else texts end)
                 + ({rule: $title, alert: $instance, action_group: $group, space: first_text(.space_id, $rule.spaceId)} | texts)),
        subject: first_text(.subject, .["host.name"], .["service.name"], (.host | object).name, (.service | object).name,
                            (.host, .service)),
        starts_at: first_text(.started_at, .["kibana.alert.start"], since($status; .date, .timestamp, .["@timestamp"])),
        ends_at: first_text(.date, .timestamp, .["@timestamp"]),
        links: [.rule_url, $rule.url, .alert_details_url, $context.alertDetailsUrl, $context.link]
      }] end
  end;
