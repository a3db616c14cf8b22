"""the client calls a missing version of the API, and an origin is missing (two causes)"""
from harness import decoys
from harness.scenario import Cause, Fix, Truth

NAME = "the client calls a missing version of the API, and an origin is missing (two causes)"


def inject(s):
    innocent = [decoys.code_commit(s), *decoys.usual(s)]
    client = s.edit("client_prefix")
    s.record(client, "frontend: next version of the API", "Mia Lindt", 9)
    cors = s.edit("cors_origin")
    s.record(cors, "gateway: origins of the new site", "Dana Okafor", 7)
    s.apply(cors)
    return Truth([Cause([s.client, s.gateway], ["route.prefix_mismatch"], client),
                  Cause([s.cors_service], ["cors.origin_missing"], cors)],
                 [Fix(file=client[0]), Fix(file=cors[0]), Fix(kind="git.revert")], decoys=innocent)


def symptom(s):
    return s.call("static").status == 200
