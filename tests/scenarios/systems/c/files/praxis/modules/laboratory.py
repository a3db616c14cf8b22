"""What the laboratory can analyse."""
import json
import urllib.request


class LaboratoryUnavailable(Exception):
    pass


class Laboratory:
    def __init__(self, url):
        self.url = url

    def catalog(self, visit):
        asked = urllib.request.Request(self.url + "/tests", headers={"User-Agent": "praxis/6"})
        try:
            with urllib.request.urlopen(asked, timeout=12) as answer:
                return 200, json.load(answer)
        except OSError as error:
            raise LaboratoryUnavailable(f"GET {self.url}/tests") from error

    def routes(self):
        return {"/catalog": {"GET": self.catalog}}
