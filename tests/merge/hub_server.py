"""A model hub on this machine, as far as an upload by huggingface_hub needs one.

Repositories, pre-upload, the LFS batch API with basic transfers and verification, and commits
(https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md, huggingface_hub/_commit_api.py).
"""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "hf_test"


class Hub(ThreadingHTTPServer):
    """`repos` maps a name to its files, `private` to whether it was made as a private one."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos, self.private, self.objects = {}, {}, {}
        self.requests = []
        self.break_uploads = False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, value, status=200, **headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_request(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0]
        self.server.requests.append((self.command, path))
        if path.startswith("/storage/"):  # its addresses are signed, it takes no token
            return self.store(path.rpartition("/")[2], body)
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer({"error": "Invalid username or password."}, 401)
        if path == "/api/repos/create":
            return self.create(json.loads(body))
        if path.endswith("/info/lfs/objects/batch"):
            return self.batch(json.loads(body))
        if path == "/verify":
            wanted = json.loads(body)
            found = len(self.server.objects.get(wanted["oid"], b""))
            return self.answer({}, 200 if found == wanted["size"] else 422)
        if "/preupload/" in path:
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            return self.answer({"files": files})
        if "/commit/" in path:
            return self.commit(path.split("/commit/")[0].removeprefix("/api/models/"), body)
        return self.answer({"error": f"no {path}"}, 404)

    do_GET = do_POST = do_PUT = handle_request

    def create(self, wanted):
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in self.server.repos:
            return self.answer({"error": "You already created this repo", "url": name}, 409)
        self.server.repos[name] = {}
        self.server.private[name] = wanted.get("private") or wanted.get("visibility") == "private"
        return self.answer({"url": f"{self.server.url}/{name}", "id": name})

    def batch(self, wanted):
        objects = []
        for one in wanted["objects"]:
            actions = {
                "upload": {"href": f"{self.server.url}/storage/{one['oid']}"},
                "verify": {"href": f"{self.server.url}/verify"},
            }
            objects.append({**one, "actions": actions})
        self.answer({"transfer": "basic", "objects": objects})

    def store(self, oid, body):
        if self.server.break_uploads or hashlib.sha256(body).hexdigest() != oid:
            return self.answer({"error": "the sum is wrong"}, 400)
        self.server.objects[oid] = body
        return self.answer({})

    def commit(self, name, body):
        files = dict(self.server.repos[name])
        for line in body.decode().splitlines():
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                files[value["path"]] = self.server.objects[value["oid"]]
        self.server.repos[name] = files
        url = f"{self.server.url}/{name}/commit/1"
        self.answer({"commitUrl": url, "commitOid": "1" * 40, "success": True})
