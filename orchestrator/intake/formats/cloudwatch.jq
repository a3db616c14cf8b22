#: title AWS CloudWatch alarms through SNS, EventBridge or raw delivery
#: also sns

def is_alarm: type == "object" and has("AlarmName");
def is_event: type == "object" and (.["detail-type"] | type) == "string" and (.detail | type) == "object";
# SNS and EventBridge through a function of Lambda that passes on what it got.
def is_records: type == "object" and (.Records | array | length > 0 and all(.[]; type == "object" and (.Sns | type) == "object"));
def recognize:
  type == "object" and
  (((.TopicArn | type) == "string" and (.Type | type) == "string")
   or (is_alarm and (has("NewStateValue") or has("AWSAccountId")))
   or (.Message | is_alarm)
   or is_event or is_records
   # The action of an alarm that calls a function.
   or (has("alarmArn") and (.alarmData | type) == "object"));

def dimensions: array | map(object | {(first_text(.name, .Name) | select(. != "")): first_text(.value, .Value)}) | add // {};

# The alarms that made a composite one fire.
def children: array | map(object | .Arn | text | split(":alarm:") | .[-1] // "" | select(. != "")) | join(", ");

# The metrics of an alarm: one in the trigger itself, several (of an expression) behind it. [{Namespace, MetricName, Dimensions}]
def metrics: [., (.Metrics | array[] | object | .MetricStat | object | .Metric)] | map(select(type == "object" and has("MetricName")));

def alarm:
  (.Trigger | object | metrics) as $metrics | ($metrics[0] // (.Trigger | object)) as $trigger
  | ([$metrics[] | .Dimensions | dimensions] | add // {}) as $dimensions
  | (if .NewStateValue == "OK" then "resolved" else "firing" end) as $status
  | {
      title: .AlarmName,
      description: lines(.AlarmDescription, .NewStateReason, (.TriggeringChildren | children | select(. != "") | "Fired by: " + .)),
      severity: first_text(.Priority, .Severity),
      status: $status,
      fingerprint: (if (.AlarmArn | text) != "" then key("cloudwatch"; .AlarmArn)
                    elif (.AWSAccountId | text) != "" then
                      "cloudwatch:" + ([.AWSAccountId, .Region, .AlarmName] | map(text) | join(":"))
                    else "" end),
      identity: {alarm: .AlarmName, namespace: first_text($trigger.Namespace, .Namespace),
                 metric: first_text($trigger.MetricName, .MetricName)},
      labels: ($dimensions + ({Namespace: first_text($trigger.Namespace, .Namespace),
                               MetricName: first_text($trigger.MetricName, .MetricName),
                               account: .AWSAccountId, region: .Region, rule: .AlarmRule, state: .NewStateValue} | texts)),
      # The dimensions go from the general to the special.
      subject: first_text($metrics[] | .Dimensions | array | reverse[] | object | .value, .Value),
      starts_at: since($status; .StateChangeTime),
      ends_at: .StateChangeTime
    };

# An alarm as EventBridge and Lambda are told of it; `.`: what names it, $account, $region, $arn, $time come with it.
def changed_alarm($arn; $account; $region; $time):
  (.configuration | object) as $configuration | (.state | object) as $state
  | ([$configuration.metrics | array[] | object | .metricStat | object | .metric | object]) as $metrics
  | ([$metrics[] | .dimensions | object | texts] | add // {}) as $dimensions
  | (if $state.value == "OK" then "resolved" else "firing" end) as $status
  | {
      title: first_text(.alarmName, "CloudWatch alarm"),
      description: lines($configuration.description, $state.reason),
      status: $status,
      fingerprint: key("cloudwatch"; $arn),
      identity: {alarm: .alarmName, account: $account, region: $region},
      labels: ($dimensions + ({Namespace: $metrics[0].namespace, MetricName: $metrics[0].name, account: $account, region: $region,
                               state: $state.value, rule: $configuration.alarmRule} | texts)),
      subject: first_text([$dimensions[]] | reverse[]),
      starts_at: since($status; $state.timestamp, $time),
      ends_at: first_text($state.timestamp, $time)
    };

# Whatever else AWS tells by EventBridge: its health, findings, changes of state.
def event:
  . as $event | (.detail | object) as $detail
  | ($detail.eventDescription | array | map(object | .latestDescription | text) | join("\n")) as $told
  | (if first_text($detail.statusCode, $detail.status) | ascii_downcase | IN("closed", "resolved") then "resolved" else "firing" end) as $status
  | {
      title: first_text($detail.title, $detail.eventTypeCode, $detail.alarmName, .["detail-type"]),
      description: lines($told, $detail.description, ($detail | tojson)),
      severity: first_severity($detail.severity, ($detail.Severity | object).Label),
      status: $status,
      fingerprint: (if ($detail.eventArn | text) != "" then key("cloudwatch"; $detail.eventArn) else key("cloudwatch"; .id) end),
      labels: ({account: .account, region: .region, source: .source, type: .["detail-type"], service: $detail.service} | texts),
      subject: first_text($detail.service, $detail["instance-id"], (.resources | array[0])),
      starts_at: first_text($detail.startTime, since($status; .time)),
      ends_at: first_text($detail.endTime, .time)
    };

def eventbridge:
  if (.detail | object) | has("alarmName") and has("state") then
    (.resources | array[0]) as $arn | .account as $account | .region as $region | .time as $time
    | .detail | changed_alarm($arn; $account; $region; $time)
  else event end;

def function_call:
  .alarmArn as $arn | .accountId as $account | .region as $region | .time as $time
  | .alarmData | changed_alarm($arn; $account; $region; $time);

# A message that is no alarm: whatever else is published to the topic.
def notice:
  {
    title: first_text(.Subject, "SNS message of " + (.TopicArn | text)),
    description: (.Message | if type == "string" then . else tojson end),
    fingerprint: key("sns"; .MessageId),
    labels: {topic: .TopicArn},
    starts_at: .Timestamp
  };

def of_sns:
  if type != "object" then [refuse(""; "expected an object")]
  elif .Type == "SubscriptionConfirmation" then
    {alerts: [], note: "a handshake of SNS: the subscription waits for confirmation",
     confirm: {topic: .TopicArn, url: .SubscribeURL}}
  elif .Type == "UnsubscribeConfirmation" then {alerts: [], note: "SNS ended the subscription"}
  elif has("detail-type") then [eventbridge]
  elif has("alarmData") then [function_call]
  elif is_alarm then [alarm]
  elif has("Message") | not then [refuse("/Message"; "missing; expected a notification of SNS")]
  else
    (.Message | if type == "string" then (try fromjson catch null) else . end) as $message
    | if $message | is_alarm then [$message | alarm] elif $message | object | has("detail-type") then [$message | eventbridge]
      else [notice] end
  end;

def alerts:
  if is_records then
    [.Records[] | .Sns | of_sns] | {alerts: [.[] | if type == "object" then .alerts[] else .[] end],
                                    note: ([.[] | if type == "object" then .note else empty end][0] // "")}
  else of_sns end;
