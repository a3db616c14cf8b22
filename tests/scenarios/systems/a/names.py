"""System A's calls, settings and named edits (see harness/system.py)."""
from harness.system import Call, Setting

_JSON = {"Content-Type": "application/json"}

CALLS = {
    "static": Call("/api/v1/prices", "/prices"),
    "read": Call("/api/v1/stations", "/stations"),
    "other": Call("/api/v1/bikes", "/bikes"),
    "write": Call("/api/v1/rentals", "/rentals", "POST", b'{"bike": 3}', _JSON),
    "cache": Call("/api/v1/basket", "/basket"),
    "login": Call("/api/v1/login", "/login", "POST", b'{"member": "mira", "secret": "pedal"}', _JSON),
    "private": Call("/api/v1/rentals", "/rentals", private=True),
    "upload": Call("/api/v1/photos", "/photos", "POST", b"\xff\xd8" + b"x" * 20000, {"Content-Type": "image/jpeg"}),
    "partner": Call("/api/v1/payment-methods", "/payment-methods"),
    "slow": Call("/api/v1/reports/daily", "/reports/daily"),
    "live": Call("/live", "/live"),
}

_ENV = "app/config/backend-{}.env"
SETTINGS = {
    "database_password": Setting(_ENV, r"DATABASE_URL=postgresql://\w+:([^@]*)@"),
    "database_host": Setting(_ENV, r"DATABASE_URL=postgresql://[^@]*@([^:]*):"),
    "database_port": Setting(_ENV, r"DATABASE_URL=postgresql://[^@]*@[^:]*:(\d+)"),
    "cache_password": Setting(_ENV, r"REDIS_URL=redis://:([^@]*)@"),
    "cache_host": Setting(_ENV, r"REDIS_URL=redis://[^@]*@([^:]*):"),
    "cache_port": Setting(_ENV, r"REDIS_URL=redis://[^@]*@[^:]*:(\d+)"),
    "partner_host": Setting(_ENV, r"PAYMENTS_URL=http://([^:]*):"),
    "partner_port": Setting(_ENV, r"PAYMENTS_URL=http://[^:]*:(\d+)"),
    "secret": Setting(_ENV, r"TOKEN_SECRET=(\S*)"),
    "upload_folder": Setting(_ENV, r"UPLOAD_DIR=(\S*)"),
    "pool_size": Setting(_ENV, r"POOL_SIZE=(\d+)"),
    "limit_value": Setting("app/config/settings.json", r'"max_minutes": (\S+),'),
    "partner_delay_ms": Setting("app/config/payments.json", r'"provider_delay_ms": (\d+)'),
    "worker_database_password": Setting("app/config/worker.json", r"postgresql://\w+:([^@]*)@"),
}

_SITE = "app/gateway/conf.d/site.conf"
EDITS = {
    "client_prefix": [("app/frontend/src/api.js", "API_BASE = '/api/v1'", "API_BASE = '/api/v2'")],
    "gateway_prefix": [(_SITE, "location /api/v1/ {", "location /api/ {")],
    "proxy_path": [(_SITE, "proxy_pass http://velo_backend/;", "proxy_pass http://velo_backend;")],
    "dev_proxy": [("app/frontend/vite.config.js", "'/api/v1': {", "'/api/v2': {")],
    "cors_origin": [("app/gateway/conf.d/cors.conf", '    "https://velo.example" $http_origin;\n', "")],
    "cors_header": [(_SITE, 'Allow-Headers "Authorization, Content-Type"', 'Allow-Headers "Content-Type"')],
    "rate_limit": [("app/gateway/nginx.conf", "rate=200r/s", "rate=1r/s"), (_SITE, "burst=100 nodelay", "burst=1 nodelay")],
    "body_limit": [(_SITE, "client_max_body_size 2m;", "client_max_body_size 8k;")],
    "short_timeout": [(_SITE, "proxy_read_timeout 10s;", "proxy_read_timeout 250ms;")],
    "no_upgrade": [(_SITE, "        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection \"upgrade\";\n", "")],
    "redirect_loop": [(_SITE, "        proxy_pass http://velo_backend/;\n",
                       "        if ($http_x_forwarded_proto != https) {\n            return 301 $uri$is_args$args;\n        }\n"
                       "        proxy_pass http://velo_backend/;\n")],
    "deny": [(_SITE, "    location /api/v1/ {\n", "    location /api/v1/ {\n        deny 127.0.0.0/8;\n")],
    "nginx_syntax": [(_SITE, "    client_max_body_size 2m;\n", "    client_max_body_size 4m\n")],
    "config_syntax": [("app/config/settings.json", '"deposit": 50\n', '"deposit": 50,\n')],
    # Bad releases: of an endpoint, and of the report's memory.
    "bad_endpoint": [("app/backend/app.py", 'zip(("id", "station", "state"), row)) for row in rows]',
                      'zip(("id", "station", "state"), row), battery=row[3]) for row in rows]')],
    "slow_query": [("app/backend/app.py", '"SELECT id, station, state FROM bikes ORDER BY id LIMIT 50"',
                    '"SELECT b.id, b.station, b.state FROM bikes b, bikes c, bikes d, stations s GROUP BY 1 ORDER BY count(*), 1 LIMIT 50"')],
    "no_second_attempt": [(_SITE, "        proxy_pass http://velo_backend/;\n",
                           "        proxy_pass http://velo_backend/;\n        proxy_next_upstream off;\n"),
                          ("app/gateway/conf.d/upstream.conf", ";\n    server", " max_fails=0;\n    server"),
                          ("app/gateway/conf.d/upstream.conf", ";\n}", " max_fails=0;\n}")],
    "cors_twice": [(_SITE, "        proxy_pass http://velo_backend/;\n",
                    "        proxy_pass http://velo_backend/;\n        add_header Access-Control-Allow-Origin $http_origin always;\n")],
    # Innocent ones.
    "innocent_frontend": [("app/frontend/index.html", "<title>Velo</title>", "<title>Velo: bicycles by the minute</title>")],
    "innocent_gateway": [(_SITE, "    server_name velo.example;\n", "    server_name velo.example www.velo.example;\n")],
    "innocent_settings": [("app/config/settings.json", '"unlock": 1.0', '"unlock": 1.2')],
    "innocent_code": [("app/backend/reports.py", '"""The day\'s figures."""', '"""The day\'s figures, for the office."""')],
}
