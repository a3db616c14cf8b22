#: title Graylog HTTP notification
def is_event: type == "object" and has("event_definition_id") and (.event | type) == "object";
# The callbacks of the alert conditions before version 3.
def is_callback: type == "object" and (.check_result | object | has("triggered_condition"));
def recognize: is_event or is_callback;

def callback:
  (.check_result | object) as $result | ($result.triggered_condition | object) as $condition | (.stream | object) as $stream
  | [{
      title: first_text($condition.title, $result.result_description, "Graylog alert condition"),
      description: lines($result.result_description, ($result.matching_messages | array[:5][] | object | .message)),
      status: (if $result.triggered == false then "resolved" else "firing" end),
      fingerprint: key("graylog"; $condition.id),
      identity: {condition: $condition.title, stream: $stream.title},
      labels: ({stream: $stream.title, condition_type: $condition.type} | texts),
      subject: first_text(($result.matching_messages | array[0] | object | .source), $stream.title),
      starts_at: $result.triggered_at,
      ends_at: $result.triggered_at,
      links: [.stream_url]
    }];

def event:
  object | (.event | object) as $event
  | first_text(.event_definition_title, $event.message, .event_definition_id) as $title
  | if $title == "" then [refuse("/event_definition_title"; "missing or empty; expected a notification of Graylog")]
    else [{
      title: $title,
      description: lines($event.message, (.event_definition_description | if . == "." then "" else . end),
                         (.backlog | array[:5][] | object | .message)),
      severity: ({"1": "info", "2": "warning", "3": "error", "4": "critical"}[$event.priority | text] // ""),
      fingerprint: (key("graylog"; .event_definition_id, $event.event_definition_id)
                    | if . == "" or ($event.key | text) == "" then . else . + ":" + ($event.key | text) end),
      identity: {title: $title, source: $event.source},
      labels: (($event.fields | texts) + ($event.group_by_fields | texts) + ({key: $event.key} | texts)),
      subject: first_text((($event.fields | object) + ($event.group_by_fields | object) | .service, .host), $event.source),
      starts_at: first_text($event.timestamp, $event.timestamp_processing),
      links: [($event.replay_info | object).url]
    }] end;

def alerts: if is_callback then callback else event end;
