#: title New Relic: workflow notifications and the legacy notification channel

def is_workflow: type == "object" and (has("issueUrl") or has("workflowName") or has("issueId"));
def is_legacy: type == "object" and has("current_state") and (has("incident_id") or has("condition_name"));
def recognize: is_workflow or (is_legacy and (has("policy_name") or has("account_id") or has("incident_url")));

def strings: if type == "array" then map(text) | join(", ") else text end;

def workflow:
  {
    title: first_text((.title | strings), (.issueTitle | strings), .condition_name, (.alertConditionNames | strings), .details,
                      "New Relic issue"),
    description: lines((.details | strings), (.impactedEntities | strings), (.trigger | strings)),
    severity: first_severity(.priority, .severity),
    status: (if .state | text | ascii_upcase == "CLOSED" then "resolved" else "firing" end),
    fingerprint: key("newrelic"; .id, .issueId),
    identity: {title: (.title | strings), condition: (.alertConditionNames | strings)},
    labels: ({policy: (.alertPolicyNames | strings), condition: (.alertConditionNames | strings),
              workflow: .workflowName, sources: (.sources | strings), state: .state, account: .accountId} | texts),
    subject: first_text((.impactedEntities | if type == "array" then .[] else . end), (.entitiesData | object | .names | array[]),
                        (.entitiesData | object | .entities | array[] | object | .name)),
    starts_at: first_text(.activatedAt, .createdAt),
    ends_at: first_text(.closedAt, .updatedAt),
    links: [.issueUrl, .issuePageUrl]
  };

def legacy:
  (.targets | array[0] | object) as $target
  | (if .current_state | text | ascii_downcase == "closed" then "resolved" else "firing" end) as $status
  | {
      title: first_text(.condition_name, .details, "New Relic incident"),
      description: .details,
      severity: .severity,
      status: $status,
      fingerprint: key("newrelic"; .incident_id),
      identity: {condition: first_text(.condition_id, .condition_name), target: $target.name},
      labels: (($target.labels | texts) + ({policy: .policy_name, account: .account_name, event: .event_type} | texts)),
      subject: $target.name,
      starts_at: since($status; .timestamp),
      ends_at: .timestamp,
      links: [.incident_url, .runbook_url]
    };

def alerts:
  if is_legacy then [legacy] elif is_workflow then [workflow]
  else [refuse("/issueUrl"; "missing; expected a notification of New Relic")] end;
