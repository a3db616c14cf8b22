#: title Azure Monitor, common alert schema
#: also azure

def recognize: type == "object" and (.schemaId == "azureMonitorCommonAlertSchema" or ((.data | object).essentials | type) == "object");

# "/subscriptions/.../virtualMachines/web-1" names web-1.
def resource_name: text | split("/") | .[-1] // "";

def alerts:
  ((object | .data | object).essentials) as $essentials
  | if ($essentials | type) != "object" then
      [refuse("/data/essentials"; "missing; switch the action group to the common alert schema")]
    else $essentials
      | first_text((.alertTargetIDs | array[]), (.configurationItems | array[])) as $target
      | [{
          title: first_text(.alertRule, "Azure Monitor alert"),
          description: .description,
          severity: .severity,
          status: (if .monitorCondition == "Resolved" then "resolved" else "firing" end),
          fingerprint: key("azuremonitor"; .alertId, .originAlertId),
          identity: {rule: .alertRule, target: $target},
          labels: ({rule: .alertRule, signal: .signalType, service: .monitoringService, target: $target} | texts
                   | if .service then .monitoring_service = .service | del(.service) else . end),
          subject: first_text((.configurationItems | array[] | resource_name), ($target | resource_name)),
          starts_at: .firedDateTime,
          ends_at: .resolvedDateTime,
          links: [.investigationLink]
        }]
    end;
