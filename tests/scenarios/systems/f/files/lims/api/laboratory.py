"""What the benches and the wards ask for: sites, samples, tubes, the work list, orders, results."""
import json
import time
import urllib.request
import uuid
from urllib.error import URLError

import clef
import security
from faults import DotnetError


class Laboratory:
    def __init__(self, settings, database, cache):
        self.settings, self.database, self.cache = settings, database, cache

    def sites(self, _):
        return 200, [{"name": name, "surcharge": self.settings["Orders"]["UrgentSurcharge"]} for name in self.settings["Sites"]]

    def samples(self, _):
        rows = self.database.query("SELECT id, barcode, panel, received FROM samples ORDER BY received DESC LIMIT 40")
        return 200, [{**row, "received": row["received"].isoformat()} for row in rows]

    def tubes(self, _):
        rows = self.database.query("SELECT id, sample, colour FROM tubes ORDER BY id LIMIT 80")
        return 200, [{"id": row["id"], "sample": row["sample"], "cap": row["colour"]} for row in rows]

    def worklist(self, request):
        key = "worklist:" + request.headers.get("X-Site-Id", "none")
        self.cache.string_set(key, json.dumps({"samples": [71, 84, 90], "seen": int(time.time())}), 600)
        return 200, json.loads(self.cache.string_get(key))

    def order(self, request):
        wanted = request.json()
        if not 1 <= wanted["tubes"] <= self.settings["Orders"]["MaxTubesPerOrder"]:
            return 400, {"title": "Too many tubes", "status": 400}
        row = self.database.query("INSERT INTO orders (panel, tubes) VALUES (%s, %s) RETURNING id", wanted["panel"], wanted["tubes"])[0]
        self.cache.list_push("labels:pending", json.dumps({"jobId": str(uuid.uuid4()), "order": row["id"], "copies": wanted["tubes"]}))
        return 201, {"id": row["id"]}

    def results(self, request):
        try:
            login = security.subject(request.headers.get("Authorization", ""), self.settings["Jwt"])
        except security.Refused as refused:
            clef.write("Bearer was not authenticated. Failure message: {FailureMessage}", FailureMessage=str(refused),
                       source="Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler")
            return 401, None
        return 200, {"login": login, "results": []}

    def hospital_orders(self, _):
        options = self.settings["Hl7Bridge"]
        url = options["BaseAddress"] + "/v1/pending"
        asked = urllib.request.Request(url, headers={"User-Agent": "lims-api/2.31"})
        try:
            with urllib.request.urlopen(asked, timeout=options["TimeoutSeconds"]) as answer:
                return 200, json.load(answer)
        except OSError as error:
            raise _http_failure(error, options, asked.host) from None

    def routes(self):
        return {("GET", "/sites"): self.sites, ("GET", "/samples"): self.samples, ("GET", "/tubes"): self.tubes,
                ("GET", "/worklist"): self.worklist, ("POST", "/orders"): self.order, ("GET", "/results/mine"): self.results,
                ("GET", "/hospital-orders"): self.hospital_orders}


def _http_failure(error, options, host):
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return DotnetError("System.Threading.Tasks.TaskCanceledException", "The request was canceled due to the configured HttpClient.Timeout of "
                           f"{options['TimeoutSeconds']} seconds elapsing.", DotnetError("System.TimeoutException", "A task was canceled."), 504)
    text = getattr(reason, "strerror", None) or str(reason)
    number = getattr(reason, "errno", None) or 0
    code = "00000005, 0xFFFDFFFF" if number < 0 else str(number)
    return DotnetError("System.Net.Http.HttpRequestException", f"{text} ({host})",
                       DotnetError(f"System.Net.Sockets.SocketException ({code})", text), 502)
