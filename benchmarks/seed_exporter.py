"""Does what balena-prometheus-exporter is documented to do, for comparison: at each scrape by Prometheus it requests the list of
fleets and then each fleet, one after the other, and gives up at the first request that fails.

Written for this benchmark from the exporter's documentation. Reads BALENA_TOKEN, BALENA_API_URL and PORT. Uses requests and
prometheus_client where they are installed, as the exporter does; otherwise Python's standard library."""

import json
import os
import sys
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

TOKEN = os.environ["BALENA_TOKEN"]
API = os.environ["BALENA_API_URL"]
PORT = int(os.environ["PORT"])

try:
    import requests

    def fetch(path):
        response = requests.get(API + path, headers={"Authorization": f"Bearer {TOKEN}"})
        if not response.ok:
            print(f"Error: {response.text}")
            sys.exit(1)
        return response.json()["d"]

    client = "requests"
except ImportError:

    def fetch(path):
        url = API + urllib.parse.quote(path, safe="/?$=()&:,")
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)["d"]
        except OSError as error:
            print(f"Error: {error}")
            sys.exit(1)

    client = "urllib"


def fleets():
    for fleet in fetch("/v6/application?$filter=is_directly_accessible_by__user/any(dau:1 eq 1)"):
        counted = fetch(f"/v6/application({fleet['id']})?$expand=owns__device/$count($filter=is_online eq true)")[0]
        yield counted["app_name"], float(counted["owns__device"])


def main():
    try:
        from prometheus_client import REGISTRY, start_http_server
        from prometheus_client.core import GaugeMetricFamily
    except ImportError:
        return serve_plain_text()

    class Collector:
        def collect(self):
            gauge = GaugeMetricFamily("balena_devices_online", "Devices by status", labels=["fleet_name"])
            for name, online in fleets():
                gauge.add_metric([name], online)
            return [gauge]

    start_http_server(PORT, addr="127.0.0.1")
    REGISTRY.register(Collector())
    print(f"ready: {client}, prometheus_client", flush=True)
    threading.Event().wait()


class PlainText(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            body = "".join(f'balena_devices_online{{fleet_name="{name}"}} {online}\n' for name, online in fleets())
            status = 200
        except SystemExit:  # prometheus_client's server survives it and answers so
            body, status = "A server error occurred.\n", 500
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


def serve_plain_text():
    list(fleets())  # registering a collector asks once, too
    server = HTTPServer(("127.0.0.1", PORT), PlainText)
    print(f"ready: {client}, plain text", flush=True)
    server.serve_forever()


main()
