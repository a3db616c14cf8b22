"""Fees of the ticket systems. usage: fees.py --port PORT --table CSV"""
import argparse
import csv
import http.server
import json


class Handler(http.server.BaseHTTPRequestHandler):
    table = ""

    def do_GET(self):
        with open(self.table, encoding="utf-8") as file:
            cents = sum(int(row["cents"]) for row in csv.DictReader(file))
        text = json.dumps({"cents": cents}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--table")
    options = parser.parse_args()
    Handler.table = options.table
    http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler).serve_forever()


main()
