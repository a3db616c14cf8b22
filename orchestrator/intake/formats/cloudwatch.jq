#: title AWS CloudWatch alarms through SNS, EventBridge or raw delivery
#: also sns

def is_alarm: type == "object" and has("AlarmName");
def recognize:
  type == "object" and
  (((.TopicArn | type) == "string" and (.Type | type) == "string")
   or (is_alarm and (has("NewStateValue") or has("AWSAccountId")))
   or (.Message | is_alarm)
   or (.["detail-type"] == "CloudWatch Alarm State Change"));

def dimensions: array | map(object | {(first_text(.name, .Name) | select(. != "")): first_text(.value, .Value)}) | add // {};

def alarm:
  (.Trigger | object) as $trigger | ($trigger.Dimensions | dimensions) as $dimensions
  | (if .NewStateValue == "OK" then "resolved" else "firing" end) as $status
  | {
      title: .AlarmName,
      description: lines(.AlarmDescription, .NewStateReason),
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
                               account: .AWSAccountId, region: .Region, state: .NewStateValue} | texts)),
      # The dimensions go from the general to the special.
      subject: first_text($trigger.Dimensions | array | reverse[] | object | .value, .Value),
      starts_at: since($status; .StateChangeTime),
      ends_at: .StateChangeTime
    };

def eventbridge:
  . as $event | (.detail | object) as $detail
  | (if ($detail.state | object).value == "OK" then "resolved" else "firing" end) as $status
  | {
      title: first_text($detail.alarmName, "CloudWatch alarm"),
      description: lines(($detail.configuration | object).description, ($detail.state | object).reason),
      status: $status,
      fingerprint: key("cloudwatch"; .resources | array | .[0]),
      identity: {alarm: $detail.alarmName, account: .account, region: .region},
      labels: ({account: .account, region: .region, state: ($detail.state | object).value} | texts),
      starts_at: since($status; ($detail.state | object).timestamp, .time),
      ends_at: first_text(($detail.state | object).timestamp, .time)
    };

# A message that is no alarm: whatever else is published to the topic.
def notice:
  {
    title: first_text(.Subject, "SNS message of " + (.TopicArn | text)),
    description: (.Message | if type == "string" then . else tojson end),
    fingerprint: key("sns"; .MessageId),
    labels: {topic: .TopicArn},
    starts_at: .Timestamp
  };

def alerts:
  if type != "object" then [refuse(""; "expected an object")]
  elif .Type == "SubscriptionConfirmation" then
    {alerts: [], note: "a handshake of SNS: the subscription waits for confirmation",
     confirm: {topic: .TopicArn, url: .SubscribeURL}}
  elif .Type == "UnsubscribeConfirmation" then {alerts: [], note: "SNS ended the subscription"}
  elif has("detail-type") then [eventbridge]
  elif is_alarm then [alarm]
  elif has("Message") | not then [refuse("/Message"; "missing; expected a notification of SNS")]
  else
    (.Message | if type == "string" then (try fromjson catch null) else . end) as $message
    | if $message | is_alarm then [$message | alarm] elif $message | object | has("detail-type") then [$message | eventbridge]
      else [notice] end
  end;
