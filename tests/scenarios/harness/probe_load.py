"""How many requests the diagnosis itself sent to each service: from access logs, and the counters of the stores."""
from .http import TRAFFIC_AGENT

# User agents of the systems' own programs when they call each other.
OWN_AGENTS = (TRAFFIC_AGENT, "velo-backend", "manifest/", "tariffd", "praxis/", "footlight-", "valmont-", "lims-api/")
# A second line of a request that has one already.
REPEATED = '"msg":"request errored"'


def _foreign_requests(path, offset):
    with open(path, "rb") as file:
        file.seek(offset)
        lines = file.read().decode("utf-8", "replace").splitlines()
    marks = ('"GET ', '"POST ', '"OPTIONS ', '"HEAD ', "method=", '"method"', '.method"', "verb=", '"RequestMethod"')
    return sum(any(mark in line for mark in marks) and not any(text in line for text in (*OWN_AGENTS, REPEATED)) for line in lines)


class ProbeLoad:
    """Made before the diagnosis; `counts` after it."""

    def __init__(self, system):
        self.system = system
        self.offsets = {name: self._size(name) for logs in system.access_logs().values() for name in logs}
        self.connections = self._database_connections()

    def _size(self, name):
        with open(self.system.path(name), "ab") as file:
            return file.tell()

    def _database_connections(self):
        """Connections that Omnix's own role made, by the server's log."""
        with open(self.system.postgres.log, encoding="utf-8", errors="replace") as file:
            return sum("connection authorized" in line and f"user={self.system.watch_role} " in line for line in file)

    def counts(self):
        counts = {service: sum(_foreign_requests(self.system.path(name), self.offsets[name]) for name in logs)
                  for service, logs in self.system.access_logs().items()}
        counts[self.system.database] = self._database_connections() - self.connections
        return counts
