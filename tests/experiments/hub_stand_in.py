"""A stand-in for the Hugging Face hub on this machine: the endpoints that up- and downloads call.

It is an HTTP server, so that huggingface_hub's own client runs as it is.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

SHA = "0" * 39 + "1"  # of every commit


class HubStandIn:
    """Repositories by name, each a dict of files.

    Attributes:
        url: Its address.
        repos: Bytes of each file by name, by repository.
        private: Repositories that were made private.
    """

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: set[str] = set()
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubStandIn
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = "/".join(filter(None, (asked.get("organization", "me"), asked["name"])))
            self.hub.repos.setdefault(name, {})
            if asked.get("private") or asked.get("visibility") == "private":
                self.hub.private.add(name)
            self._json({"url": f"{self.hub.url}/{name}", "name": name, "id": name})
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif match := re.fullmatch(r"/api/models/(.+)/preupload/[^/]+", path):
            files = [
                {"path": f["path"], "uploadMode": "regular", "shouldIgnore": False}
                for f in json.loads(body)["files"]
            ]
            self._json({"files": files})
        elif match := re.fullmatch(r"/api/models/(.+)/commit/[^/]+", path):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    value = line["value"]
                    assert value["encoding"] == "base64"
                    content = base64.b64decode(value["content"])
                    self.hub.repos[match[1]][value["path"]] = content
            url = f"{self.hub.url}/{match[1]}/commit/{SHA}"
            self._json({"success": True, "commitOid": SHA, "commitUrl": url})
        else:
            self._json({"error": f"no {path}"}, 404)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if match := re.fullmatch(r"/api/models/(.+)/tree/[^/]+", path):
            if match[1] in self.hub.repos:
                files = self.hub.repos[match[1]].items()
                entry = {"type": "file", "oid": SHA}
                self._json([{**entry, "path": name, "size": len(c)} for name, c in files])
                return
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/[^/]+)?", path):
            if match[1] in self.hub.repos:
                names = [{"rfilename": name} for name in self.hub.repos[match[1]]]
                self._json({"id": match[1], "sha": SHA, "siblings": names})
                return
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            content = self.hub.repos.get(match[1], {}).get(match[2])
            if content is not None:
                self._send(200, content, "application/octet-stream")
                return
        self._json({"error": "Repository not found"}, 404)

    do_HEAD = do_GET

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Repo-Commit", SHA)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        if status == 404:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass
