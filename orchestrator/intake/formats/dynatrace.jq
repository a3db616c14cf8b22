#: title Dynatrace problem notification (custom webhook integration)
def recognize: type == "object" and has("ProblemTitle") and has("State") and (has("ProblemID") or has("PID"));

# What Dynatrace calls severity is what kind of trouble it is.
def severity:
  {AVAILABILITY: "critical", ERROR: "error", PERFORMANCE: "warning", RESOURCE_CONTENTION: "warning", CUSTOM_ALERT: "warning",
   MONITORING_UNAVAILABLE: "error", INFO: "info"}[text | ascii_upcase] // "";

# A problem that still lasts has the end -1.
def ending: if type == "number" and . < 0 then null else . end;

def alerts:
  object as $body
  | if first_text($body.ProblemTitle) == "" then
      [refuse("/ProblemTitle"; "missing or empty; expected a problem notification of Dynatrace")]
    else
      ($body.ProblemDetailsJSON // $body.ProblemDetailsJSONv2 | unquoted | object) as $details
      | ($body.ImpactedEntities | unquoted | array | map(object)) as $impacted
      | (if $body.State | text | ascii_upcase | IN("RESOLVED", "CLOSED", "MERGED") then "resolved" else "firing" end) as $status
      | [{
          title: $body.ProblemTitle,
          description: first_text($body.ProblemDetailsText, $body.ProblemDetails, $body.ImpactedEntity),
          severity: first_text(($body.ProblemSeverity | severity), ($details.severityLevel | severity)),
          status: $status,
          fingerprint: key("dynatrace"; $body.PID, $body.ProblemID),
          identity: {title: $body.ProblemTitle, entity: $body.ImpactedEntity},
          labels: (($body.Tags | tags)
                   + ({problem: $body.ProblemID, kind: first_text($body.ProblemSeverity, $details.severityLevel), state: $body.State,
                       impact: first_text($body.ProblemImpact, $details.impactLevel), entity: $impacted[0].entity,
                       impacted: ($impacted | map(.name | text | select(. != "")) | join(", "))} | texts)),
          subject: first_text($impacted[0].name, $body.ImpactedEntity),
          starts_at: first_text($details.startTime),
          ends_at: ($details.endTime | ending),
          links: [$body.ProblemURL]
        }]
    end;
