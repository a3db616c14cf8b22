#: title Google Cloud Monitoring, webhook notification channel
#: also gcp

def is_notification: type == "object" and (.incident | object | has("incident_id") or has("policy_name"));
# A push subscription of Pub/Sub wraps it.
def is_pushed: type == "object" and (.subscription | type) == "string" and ((.message | object).data | type) == "string";
def pushed: if is_pushed then (.message.data as $data | try ($data | @base64d | fromjson) catch null) else . end;
def recognize: is_notification or (is_pushed and (pushed | is_notification));

def alerts:
  (pushed | if type == "object" then .incident else null end) as $incident
  | if ($incident | type) != "object" then [refuse("/incident"; "missing; expected an incident of Cloud Monitoring")]
    else $incident
      | (.resource | object) as $resource | (.metadata | object) as $metadata
      | [{
          title: first_text(.summary, (.documentation | object).subject, .condition_name, .policy_name, .incident_id,
                            "Cloud Monitoring incident"),
          description: lines(.summary, (.documentation | object).content, .condition_name),
          severity: first_text(.severity, ($metadata.system_labels | object).severity,
                               ($metadata.user_labels | object).severity, (.policy_user_labels | object).severity,
                               ($resource.labels | object).severity),
          status: (if .state | text | ascii_downcase == "closed" then "resolved" else "firing" end),
          fingerprint: key("gcpmonitoring"; .incident_id),
          identity: {policy: .policy_name, condition: .condition_name, resource: .resource_name},
          labels: (($resource.labels | texts) + ((.metric | object).labels | texts) + ($metadata.user_labels | texts)
                   + (.policy_user_labels | texts)
                   + ({project: .scoping_project_id, policy: .policy_name, condition: .condition_name, resource_type: $resource.type, metric: (.metric | object).type} | texts)),
          subject: first_text(.resource_display_name, .resource_name, .resource_id),
          starts_at: .started_at,
          ends_at: .ended_at,
          links: [.url, ((.documentation | object).links | array[] | object | .url)]
        }]
    end;
