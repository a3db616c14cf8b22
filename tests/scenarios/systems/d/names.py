"""System D's calls, settings and named edits (see harness/system.py)."""
from harness.system import Call, Setting

_WEB = {"X-Sales-Channel": "web"}
_JSON = {**_WEB, "Content-Type": "application/json"}


def _call(path, *more, **options):
    """The gateway takes nothing off the path and adds nothing."""
    return Call("/api/v1" + path, "/api/v1" + path, *more, **options)


CALLS = {
    "static": _call("/season", headers=_WEB),
    "read": _call("/events", headers=_WEB),
    "other": _call("/venues", headers=_WEB),
    "write": _call("/orders", "POST", b'{"event": 17, "tickets": 2}', _JSON),
    "cache": _call("/basket", headers=_WEB),
    "login": _call("/session", "POST", b'{"mail": "ada@example.org", "word": "rang-7"}', _JSON),
    "private": _call("/orders/mine", headers=_WEB, private=True),
    "upload": _call("/posters", "POST", b"\xff\xd8\xff" + b"x" * 31000, {**_WEB, "Content-Type": "image/jpeg"}),
    "partner": _call("/quote", headers=_WEB),
    "slow": _call("/turnover", headers=_WEB),
    "live": _call("/live"),
}

_SHOP = "ops/config/application-production.properties"
_DEFAULTS = "code/shop/application.properties"
_MACHINE = "etc/default/footlight"
SETTINGS = {
    "database_password": Setting(_MACHINE, r"SHOP_DB_PASSWORD='([^']*)'"),
    "cache_password": Setting(_MACHINE, r"SHOP_REDIS_PASSWORD='([^']*)'"),
    "partner_host": Setting(_SHOP, r"pricing\.base-url=http://([^:]*):"),
    "partner_port": Setting(_SHOP, r"pricing\.base-url=http://[^:]*:(\d+)"),
    "secret": Setting(_MACHINE, r"SESSION_HMAC_KEY=(\S*)"),
    "twin_secret": Setting("ops/config/passport.xml", r'key="([^"]*)"'),
    "upload_folder": Setting(_SHOP, r"posters\.folder=(\S*)"),
    "pool_size": Setting(_SHOP, r"maximum-pool-size=(\d+)"),
    "limit_value": Setting(_SHOP, r"basket\.max-tickets=(\d+)"),
    "partner_delay_ms": Setting("ops/config/pricing.jsonc", r'"thinkMs": (\d+)'),
}

_API = "ops/nginx/api.locations"
_LIMITS = "ops/nginx/limits"
_CATALOGUE = "code/shop/catalogue.py"
_TO_SHOP = "location /api/v1/ {\n    include proxy.headers;\n    proxy_pass http://shop;\n"
EDITS = {
    "client_prefix": [("code/web/src/index.tsx", "REACT_APP_API_ROOT + '/v1'", "REACT_APP_API_ROOT + '/v2'")],
    "gateway_prefix": [(_API, "location /api/v1/ {", "location /v1/ {")],
    # The other way round than elsewhere: the shop knows its prefix, and a slash takes it off.
    "proxy_path": [(_API, _TO_SHOP, _TO_SHOP.replace("http://shop;", "http://shop/;"))],
    "dev_proxy": [("code/web/src/setupProxy.js", "app.use('/api',", "app.use('/backend',")],
    "cors_origin": [(_MACHINE, '"https://www.footlight.example,https://box', '"https://box')],
    "cors_header": [(_DEFAULTS, "Authorization, Content-Type, X-Sales-Channel", "Authorization, Content-Type")],
    "rate_limit": [(_LIMITS, "rate=140r/s", "rate=50r/m"), (_API, "burst=90 nodelay", "burst=2 nodelay")],
    "body_limit": [(_LIMITS, "client_max_body_size 20m;", "client_max_body_size 20k;")],
    "short_timeout": [(_LIMITS, "proxy_read_timeout 25s;", "proxy_read_timeout 400ms;")],
    "no_upgrade": [(_API, "        proxy_set_header Upgrade $http_upgrade;\n", ""),
                   (_API, "        proxy_set_header Connection $connection_or_not;\n", "")],
    "redirect_loop": [(_API, "limit_req zone=buyers", 'if ($ssl_protocol = "") {\n    return 301 $scheme://$http_host$request_uri;\n}\n'
                       "limit_req zone=buyers")],
    "deny": [(_LIMITS, "geo $blocked {\n    default 0;\n", "geo $blocked {\n    default 1;\n    10.31.0.0/16 0;\n")],
    "nginx_syntax": [(_LIMITS, "client_max_body_size 20m;", "client_max_body_size 40 m;")],
    "config_syntax": [(_SHOP, "B\\u00fchne frei", "B\\u00fchne frei f\\u00r alle")],
    # Bad releases.
    "bad_endpoint": [(_CATALOGUE, '"seats": row["seats"]} for', '"seats": row["seats"], "stairs": row["stairs"]} for')],
    "slow_query": [(_CATALOGUE, '"SELECT id, town, seats FROM venues ORDER BY id LIMIT 90"',
                    '"SELECT v.id, v.town, v.seats FROM venues v, venues w, events e, events f WHERE w.seats <= v.seats "\n'
                    '                              "GROUP BY v.id ORDER BY count(*), v.id LIMIT 90"')],
    "cors_twice": [(_API, _TO_SHOP, _TO_SHOP + "    add_header Access-Control-Allow-Origin $http_origin always;\n")],
    # Innocent ones.
    "innocent_frontend": [("code/web/public/index.html", "<title>Footlight</title>", "<title>Footlight: Karten</title>")],
    "innocent_gateway": [("ops/nginx/servers/20-pages.server", "server_name www.footlight.example;",
                          "server_name www.footlight.example karten.footlight.example;")],
    "innocent_settings": [("ops/config/pricing.jsonc", '"standing": 1400', '"standing": 1500')],
    "innocent_code": [("code/shop/office.py", '"""For the office: posters and turnover."""',
                       '"""For the office: posters, and the turnover of a season."""')],
}
