"""A slot that somebody looks at is held for some minutes."""
import json

HOLD_SECONDS = 420


class Hold:
    def __init__(self, memo):
        self.memo = memo

    def hold(self, visit):
        key = "hold:" + visit.headers.get("X-Kiosk", "web")
        self.memo.remember(key, HOLD_SECONDS, json.dumps({"slot": None}))
        return 200, json.loads(self.memo.recall(key))

    def routes(self):
        return {"/hold": {"GET": self.hold}}
