#: title Prometheus Alertmanager webhook, version 4
def recognize: is_webhook_v4 and (has("orgId") or (has("state") and has("title")) | not);
def alerts: webhook_v4;
