#: title Elastic: Kibana rules through a webhook connector, Watcher, ElastAlert
#: also kibana

def flat: type == "object" and (has("kibana.alert.rule.name") or has("rule.name") or has("kibana.alert.uuid"));
def nested: type == "object" and (.rule | object | has("id") or has("name"));
def template:
  type == "object" and ((has("rule_name") and (has("alert_id") or has("rule_id") or has("action_group") or has("rule_type")))
                        or (has("ruleName") and (has("alertId") or has("alertUuid") or has("actionGroup"))));
def watch: type == "object" and has("watch_id");
# Objects in strings, as {{#rule}}{{.}}{{/rule}} writes them.
def quoted: type == "object" and ((.webhook_body // .) | object | has("rule_info") and (has("alert_info") or has("context_info")));
def recognize:
  flat or template or quoted
  or (watch and (has("metadata") or has("payload") or has("trigger") or has("ctx") or has("message")))
  or (nested and (has("alert") or has("context") or has("kibanaBaseUrl")));

def bodies:
  if quoted then
    (.webhook_body // .) | {rule: (.rule_info | unquoted), alert: (.alert_info | unquoted), context: (.context_info | unquoted)}
  else . end;

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  else bodies
    | (.rule | object) as $rule | (.alert | object) as $alert | (.context | object) as $context | (.metadata | object) as $metadata
    | first_text(.rule_name, .ruleName, $rule.name, .["kibana.alert.rule.name"], .["rule.name"], $metadata.name, .watch_id) as $title
    | first_text(.rule_id, .ruleId, $rule.id, .["kibana.alert.rule.uuid"], .["rule.id"], .watch_id) as $id
    | first_text(.alert_id, .alertId, $alert.id, .["kibana.alert.instance.id"]) as $instance
    | first_text(.action_group, .actionGroup, $alert.actionGroup, .["kibana.alert.action_group"], .alert_action_group) as $group
    | first_text(.status, .alert_status, .["kibana.alert.status"], .state) as $state
    | (if ($group | ascii_downcase) == "recovered" or ($state | ascii_downcase | IN("recovered", "resolved", "ok", "inactive"))
       then "resolved" else "firing" end) as $status
    | if $title == "" then [refuse("/rule_name"; "missing or empty; put \"rule_name\": \"{{rule.name}}\" into the connector's body")]
      else [{
        title: $title,
        description: lines(.message, $context.message, $context.reason, .reason, .["kibana.alert.reason"], $context.title, .context),
        severity: first_severity(.severity, .["kibana.alert.severity"], $rule.severity, ($rule.params | object).severity, $context.severity,
                                 $metadata.severity, $metadata.priority, ($group | select(is_severity))),
        status: $status,
        fingerprint: (if $id == "" then "" else "elastic:" + $id + (if $instance == "" or $instance == $id then "" else ":" + $instance end) end),
        identity: {rule: $title, alert: $instance},
        labels: (($metadata | texts)
                 + (.tags // $rule.tags | unquoted | if type == "array" or type == "string" then tags else texts end)
                 + ({rule: $title, alert: $instance, action_group: $group, space: first_text(.space_id, .spaceId, $rule.spaceId),
                     rule_type: first_text(.rule_type, .ruleType, $rule.type)} | texts)),
        subject: first_text(.subject, .["host.name"], .["service.name"], (.host | object).name, (.service | object).name,
                            (.host, .service), $context.serviceName, ($context.host | object).name, $context.group),
        starts_at: first_text(.started_at, .["kibana.alert.start"], $alert.start,
                              since($status; .date, .timestamp, .["@timestamp"], $context.timestamp, $context.date)),
        ends_at: first_text(.["kibana.alert.end"], .date, .timestamp, .["@timestamp"], $context.timestamp, $context.date),
        links: [.rule_url, .ruleUrl, $rule.url, .alert_details_url, $context.alertDetailsUrl, $context.link, $context.viewInAppUrl]
      }] end
  end;
