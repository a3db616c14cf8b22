#: title Azure Monitor: common alert schema, and the older ones of metric, log and activity log alerts
#: also azure

def data: object | .data | object;
def is_common: type == "object" and (.schemaId == "azureMonitorCommonAlertSchema" or (data.essentials | type) == "object");
def is_log_search: object | has("AlertRuleName") and (has("SearchQuery") or has("SearchResult") or has("LinkToSearchResults"));
def is_log: type == "object" and (is_log_search or (data | is_log_search));
def is_budget: object | (.data | object | has("BudgetName"));
# {"data": {"context": ...}} or, of classic alerts, {"context": ...} alone.
def envelope: if (data.context | type) == "object" then .data else . end;
def is_context:
  type == "object" and
  (envelope | object | (.status | type) == "string" and (.context | type) == "object"
   and (.context | has("resourceId") or has("activityLog") or has("portalLink")));
def recognize: is_common or is_log or is_context or is_budget;

# "/subscriptions/.../virtualMachines/web-1" names web-1; a subscription alone names nothing.
def resource_name: text | if test("^/subscriptions/[^/]*/?$") then "" else split("/") | .[-1] // "" end;
# Classic alerts count from 0 (critical) to 4, with or without the word.
def sev: text | if test("^[0-4]$") then "Sev" + . else . end;

# What the alert's kind adds: dimensions of a metric, the message of an activity log or of the service's health.
def conditions: .condition | object | .allOf | array[] | object;
def dimensions:
  [.condition | object | .allOf | array[] | object | .dimensions | array[] | object
   | {(first_text(.name, .Name) | select(. != "")): (.value | text)}] | add // {};
def measured:
  conditions | select(has("metricName") and has("metricValue"))
  | "\(.metricName | text) is \(.metricValue | text) (\(.operator | text) \(.threshold | text))";

def common:
  (data.essentials) as $essentials | (data.alertContext | object) as $context
  | ($context.properties | object) as $properties
  | ($essentials.monitoringService == "ServiceHealth") as $health
  | if ($essentials | type) != "object" then
      [refuse("/data/essentials"; "missing; switch the action group to the common alert schema")]
    else $essentials
      | first_text((.alertTargetIDs | array[]), (.configurationItems | array[])) as $target
      | [{
          title: first_text(.alertRule, $properties.title, "Azure Monitor alert"),
          description: lines(.description, $properties.title, ($context | measured), $properties.communication, $properties.details),
          severity: (.severity | sev),
          # Notices of the service's health are fired ones to their end: their stage tells.
          status: (if .monitorCondition == "Resolved" or ($health and ($properties.stage | IN("Resolved", "Complete", "Canceled")))
                   then "resolved" else "firing" end),
          fingerprint: (if $health then key("azuremonitor"; $properties.trackingId, .alertId, .originAlertId)
                        else key("azuremonitor"; .alertId, .originAlertId) end),
          identity: {rule: .alertRule, target: $target},
          labels: (($context | dimensions)
                   + ({rule: .alertRule, signal: .signalType, service: .monitoringService, target: $target,
                       tracking_id: $properties.trackingId, region: $properties.region} | texts
                      | if .service then .monitoring_service = .service | del(.service) else . end)),
          subject: first_text(if $health then $properties.service else null end, (.configurationItems | array[] | resource_name),
                              ($target | resource_name), $properties.service),
          starts_at: first_text(if $health then $properties.impactStartTime else null end, .firedDateTime),
          ends_at: first_text(.resolvedDateTime, $properties.impactMitigationTime),
          links: [.investigationLink, ($context | conditions | .linkToFilteredSearchResultsUI)]
        }]
    end;

def log:
  (if data | is_log_search then .data else . end)
  | [{
      title: .AlertRuleName,
      description: lines(.Description, (.SearchQuery | text | if . == "" then "" else "Query: " + . end)),
      severity: first_text(.Severity | sev),
      fingerprint: "",
      identity: {rule: .AlertRuleName, subscription: .SubscriptionId, workspace: .WorkspaceId},
      labels: ({rule: .AlertRuleName, results: .ResultCount, alert_type: .AlertType} | texts),
      subject: first_text((.AffectedConfigurationItems | array[] | resource_name), (.ResourceId | resource_name)),
      starts_at: first_text(.SearchIntervalEndtimeUtc, .SearchIntervalStartTimeUtc),
      links: [.LinkToSearchResults, .LinkToFilteredSearchResultsUI]
    }];

def activity_log:
  .activityLog | object | (.properties | object) as $properties
  | [{
      title: first_text($properties.title, .description, .operationName, "Azure activity log alert"),
      description: lines(.description, $properties.details, $properties.communication, .operationName),
      severity: .level,
      status: (if (.status | IN("Resolved", "Deactivated")) or ($properties.stage | IN("Resolved", "Complete")) then "resolved" else "firing" end),
      fingerprint: key("azuremonitor"; $properties.trackingId, .correlationId, .eventDataId),
      labels: ({operation: .operationName, resource_group: .resourceGroupName, caller: .caller, status: .status, source: .eventSource} | texts),
      subject: first_text((.resourceId | resource_name), $properties.service),
      starts_at: .eventTimestamp
    }];

def classic:
  envelope | .status as $state | .context
  | if (.activityLog | type) == "object" then activity_log
    else (if $state | IN("Deactivated", "Resolved") then "resolved" else "firing" end) as $status
      | (.condition | object) as $condition
      | [{
          title: first_text(.name, "Azure alert"),
          description: lines(.description, ($condition.metricName | text | if . == "" then "" else "\(.) \($condition.operator | text) \($condition.threshold | text): \($condition.metricValue | text)" end)),
          severity: (.severity | sev),
          status: $status,
          # The rule, and of a rule over several resources the one that it speaks of.
          fingerprint: key("azuremonitor"; if (.id | text) == "" then null else [.id, .resourceId | text | select(. != "")] | join(":") end),
          identity: {rule: .name, resource: .resourceName},
          labels: ((. | dimensions) + ({rule: .name, resource_group: .resourceGroupName, resource_type: .resourceType, region: .resourceRegion,
                                        metric: $condition.metricName} | texts)),
          subject: first_text(.resourceName, (.resourceId | resource_name)),
          starts_at: since($status; .timestamp),
          ends_at: .timestamp,
          links: [.portalLink]
        }]
    end;

def budget:
  .data
  | [{
      title: ("Budget " + (.BudgetName | text)),
      description: "\(.SpendingAmount | text) of \(.Budget | text) \(.Unit | text) spent, told from \(.NotificationThresholdAmount | text) on",
      severity: "warning",
      fingerprint: key("azuremonitor"; .BudgetId, .BudgetName),
      labels: ({subscription: .SubscriptionName, resource_group: .ResourceGroup, budget: .BudgetName} | texts),
      subject: first_text(.ResourceGroup, .SubscriptionName)
    }];

def alerts:
  if is_log then log elif is_budget then budget elif is_context and (is_common | not) then classic else common end;
