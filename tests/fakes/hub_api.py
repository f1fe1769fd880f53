"""The pages of the fake Hub: one function each."""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fakes.hub_store import LARGE, Entry, Repo, User

if TYPE_CHECKING:
    from fakes.hub import FakeHub

LAST = {"id": "0" * 40, "title": "invented", "date": "2024-05-01T00:00:00.000Z"}
KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}


@dataclass(frozen=True)
class Request:
    """A request, read whole."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """A header, whatever its case."""
        return next((v for k, v in self.headers.items() if k.lower() == name.lower()), "")

    def form(self) -> dict[str, Any]:
        """The body as JSON or as a form."""
        if self.body[:1] == b"{":
            return dict(json.loads(self.body))
        return dict(urllib.parse.parse_qs(self.body.decode()))


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    data: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Problem(Exception):
    """A refusal, in the Hub's words."""

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None, code: str = ""
    ) -> None:
        self.status, self.message = status, message
        self.headers = {**(headers or {}), "X-Error-Message": message}
        if code:
            self.headers["X-Error-Code"] = code

    def answer(self) -> Answer:
        """As an answer."""
        return Answer({"error": self.message}, self.status, self.headers)


# -- who asks ------------------------------------------------------------------------------------


def user_of(hub: FakeHub, request: Request) -> User | None:
    """Who asks; None: nobody in particular."""
    given = request.header("Authorization").removeprefix("Bearer ").strip()
    if not given:
        return None
    user = hub.users.get(given)
    if user is None:
        raise Problem(401, "Invalid credentials in Authorization header")
    if user.expired:
        raise Problem(401, "User Access Token is expired")
    return user


def repo_of(hub: FakeHub, request: Request, kinds: str, repo: str, *, write: bool = False) -> Repo:
    """The repository, if whoever asks may see it (or write to it)."""
    user = user_of(hub, request)
    found = hub.repos.get((KINDS[kinds], repo))
    namespace = repo.split("/")[0]
    ours = user is not None and user.owns(namespace)
    if found is None or (found.private and not ours):
        if user is None:
            raise Problem(401, "Invalid username or password.", code="RepoNotFound")
        raise Problem(404, "Repository not found", code="RepoNotFound")
    if write and user is None:
        raise Problem(401, "Invalid username or password.")
    if write and not (ours and user is not None and user.role == "write"):
        raise Problem(403, "Forbidden: you must use a write token to upload to a repository.")
    return found


def commit_of(repo: Repo, revision: str) -> str:
    """The commit of a revision."""
    try:
        return repo.resolve(revision)
    except KeyError:
        raise Problem(404, f"Invalid rev id: {revision}", code="RevisionNotFound") from None


# -- accounts and repositories -------------------------------------------------------------------


def whoami(hub: FakeHub, request: Request) -> Answer:
    user = user_of(hub, request)
    if user is None:
        raise Problem(401, "Invalid username or password.")
    token = {"displayName": "invented", "role": user.role}
    return Answer(
        {
            "type": "user",
            "name": user.name,
            "orgs": [{"name": org, "type": "org", "roleInOrg": "admin"} for org in user.orgs],
            "auth": {"type": "access_token", "accessToken": token},
        }
    )


def create(hub: FakeHub, request: Request) -> Answer:
    wanted, user = request.form(), user_of(hub, request)
    if user is None:
        raise Problem(401, "Invalid username or password.")
    namespace = wanted.get("organization") or user.name
    if not user.owns(namespace):
        told = "You don't have the rights to create a dataset under the namespace"
        raise Problem(403, f'{told} "{namespace}"')
    if user.role != "write":
        raise Problem(403, "Forbidden: you must use a write token to create a repository.")
    kind, name = wanted.get("type", "model"), f"{namespace}/{wanted['name']}"
    url = f"{hub.endpoint}/{kind}s/{name}"
    if (kind, name) in hub.repos:
        answer = {"error": "You already created this repo", "url": url}
        return Answer(answer, 409)
    private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
    hub.repos[kind, name] = Repo(kind, name, private)
    return Answer({"url": url, "name": name, "id": name})


def delete(hub: FakeHub, request: Request) -> Answer:
    wanted = request.form()
    name = f"{wanted['organization']}/{wanted['name']}"
    kinds = f"{wanted.get('type', 'model')}s"
    repo = repo_of(hub, request, kinds, name, write=True)
    del hub.repos[repo.kind, repo.name]
    return Answer({})


def settings(hub: FakeHub, request: Request, kinds: str, repo: str) -> Answer:
    found, wanted = repo_of(hub, request, kinds, repo, write=True), request.form()
    if "gated" in wanted:
        found.gated = wanted["gated"]
    if "visibility" in wanted or "private" in wanted:
        found.private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
    return Answer({"gated": found.gated, "private": found.private})


def validate_yaml(hub: FakeHub, request: Request) -> Answer:
    return Answer({"errors": [], "warnings": []})


def info(
    hub: FakeHub, request: Request, kinds: str, repo: str, revision: str | None = None
) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    commit = found.commits[commit_of(found, revision or "main")]
    siblings = [{"rfilename": path, "size": entry.size} for path, entry in commit.tree.items()]
    return Answer(
        {
            "_id": hashlib.md5(repo.encode()).hexdigest()[:24],
            "id": repo,
            "author": repo.split("/")[0],
            "sha": commit.oid,
            "private": found.private,
            "gated": found.gated,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "lastModified": "2024-05-01T00:00:00.000Z",
            "createdAt": "2024-05-01T00:00:00.000Z",
            "siblings": siblings,
        }
    )


# -- writing -------------------------------------------------------------------------------------


def preupload(hub: FakeHub, request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = repo_of(hub, request, kinds, repo, write=True)
    tree = found.commits[commit_of(found, revision)].tree
    files = [
        {
            "path": file["path"],
            "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
            "shouldIgnore": False,
            "oid": tree[file["path"]].etag if file["path"] in tree else None,
        }
        for file in request.form()["files"]
    ]
    return Answer({"files": files})


def lfs_batch(hub: FakeHub, request: Request, kinds: str, repo: str) -> Answer:
    repo_of(hub, request, kinds, repo, write=True)
    objects = []
    for wanted in request.form()["objects"]:
        entry = {"oid": wanted["oid"], "size": wanted["size"], "authenticated": True}
        if wanted["oid"] not in hub.lfs:
            entry["actions"] = {
                "upload": {"href": f"{hub.endpoint}/_lfs/{wanted['oid']}"},
                "verify": {"href": f"{hub.endpoint}/_lfs/{wanted['oid']}/verify"},
            }
        objects.append(entry)
    return Answer({"transfer": "basic", "objects": objects})


def lfs_put(hub: FakeHub, request: Request, oid: str) -> Answer:
    if hashlib.sha256(request.body).hexdigest() != oid:
        raise Problem(400, "the bytes are not those announced")
    hub.lfs[oid] = request.body
    return Answer(b"", headers={"ETag": f'"{oid}"'})


def lfs_verify(hub: FakeHub, request: Request, oid: str) -> Answer:
    if oid not in hub.lfs:
        raise Problem(404, "no such object")
    return Answer({})


def commit(hub: FakeHub, request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = repo_of(hub, request, kinds, repo, write=True)
    lines = [json.loads(line) for line in request.body.splitlines()]
    tree, title = dict(found.files), ""
    for line in lines:
        key, value = line["key"], line["value"]
        if key == "header":
            title, parent = value["summary"], value.get("parentCommit")
            if parent and parent != found.head:
                raise Problem(412, "A commit has happened since. Please refresh and try again.")
        elif key == "file":
            data = base64.b64decode(value["content"])
            tree[value["path"]] = Entry(len(data), data)
        elif key == "lfsFile":
            if value["oid"] not in hub.lfs:
                raise Problem(400, "LFS pointer pointed to a file that does not exist")
            tree[value["path"]] = Entry(value["size"], None, value["oid"])
        elif key == "deletedFile":
            if value["path"] not in tree:
                raise Problem(400, f"A file with this name doesn't exist: {value['path']}")
            del tree[value["path"]]
        elif key == "deletedFolder":
            tree = {p: e for p, e in tree.items() if not p.startswith(value["path"])}
    oid = found.commit(tree, title)
    url = f"{hub.endpoint}/{kinds}/{repo}/commit/{oid}"
    return Answer({"success": True, "commitOid": oid, "commitUrl": url})


def tag(hub: FakeHub, request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = repo_of(hub, request, kinds, repo, write=True)
    if request.method == "DELETE":
        if found.tags.pop(revision, None) is None:
            raise Problem(404, "no such tag", code="RevisionNotFound")
        return Answer({})
    name = request.form()["tag"]
    if name in found.tags:
        raise Problem(409, f"Tag {name} already exists")
    found.tags[name] = commit_of(found, revision)
    return Answer({})


def squash(hub: FakeHub, request: Request, kinds: str, repo: str, branch: str) -> Answer:
    found = repo_of(hub, request, kinds, repo, write=True)
    tree = found.files
    kept = {found.commits[oid].oid: found.commits[oid] for oid in found.tags.values()}
    found.commits = kept
    found.commit(tree, request.form().get("message") or "squashed", parent=None)
    return Answer({})


def lfs_files(hub: FakeHub, request: Request, kinds: str, repo: str) -> Answer:
    found = repo_of(hub, request, kinds, repo, write=True)
    told = [
        {
            "fileOid": oid,
            "oid": oid,
            "filename": path,
            "pushedAt": "2024-05-01T00:00:00.000Z",
            "ref": "main",
            "size": len(hub.lfs[oid]),
        }
        for oid, path in found.ever.items()
        if oid in hub.lfs
    ]
    return Answer(told)


def lfs_delete(hub: FakeHub, request: Request, kinds: str, repo: str) -> Answer:
    repo_of(hub, request, kinds, repo, write=True)
    for oid in request.form()["deletions"]["sha"]:
        hub.lfs.pop(oid, None)
    return Answer({})


# -- reading -------------------------------------------------------------------------------------


def refs(hub: FakeHub, request: Request, kinds: str, repo: str) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    return Answer(
        {
            "branches": [
                {"name": name, "ref": f"refs/heads/{name}", "targetCommit": oid}
                for name, oid in found.branches.items()
            ],
            "tags": [
                {"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid}
                for name, oid in found.tags.items()
            ],
            "converts": [],
        }
    )


def commits(hub: FakeHub, request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    commit_of(found, revision)
    return Answer(
        [
            {
                "id": each.oid,
                "title": each.title,
                "message": "",
                "authors": [],
                "date": "2024-05-01T00:00:00.000Z",
            }
            for each in found.history(revision)
        ]
    )


def tree(
    hub: FakeHub, request: Request, kinds: str, repo: str, revision: str, path: str | None = None
) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    files = found.commits[commit_of(found, revision)].tree
    start = f"{path}/" if path else ""
    deep = request.query.get("recursive", ["false"])[0].lower() in ("true", "1")
    out: dict[str, dict[str, Any]] = {}
    for name, entry in sorted(files.items()):
        if not name.startswith(start):
            continue
        parts = name[len(start) :].split("/")
        for depth in range(1, len(parts) if deep else min(len(parts), 2)):
            folder = start + "/".join(parts[:depth])
            out[folder] = {"type": "directory", "path": folder, "size": 0, "oid": "0" * 40}
        if deep or len(parts) == 1:
            out[name] = _file(name, entry)
            if request.query.get("expand", ["false"])[0].lower() in ("true", "1"):
                out[name]["lastCommit"] = LAST
    if path and not out:
        raise Problem(404, f"{path} does not exist", code="EntryNotFound")
    entries = list(out.values())
    at = int(request.query.get("cursor", ["0"])[0])
    headers = {}
    if at + hub.page < len(entries):
        query = urllib.parse.urlencode({"recursive": str(deep).lower(), "cursor": at + hub.page})
        headers["Link"] = f'<{hub.endpoint}{urllib.parse.quote(request.path)}?{query}>; rel="next"'
    return Answer(entries[at : at + hub.page], headers=headers)


def paths_info(hub: FakeHub, request: Request, kinds: str, repo: str, revision: str) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    files = found.commits[commit_of(found, revision)].tree
    asked = request.form().get("paths", [])
    told = []
    for name in [asked] if isinstance(asked, str) else asked:
        if name in files:
            more = {"lastCommit": LAST} if request.form().get("expand") else {}
            told.append({**_file(name, files[name]), **more})
        elif any(path.startswith(f"{name}/") for path in files):
            told.append({"type": "directory", "path": name, "size": 0, "oid": "0" * 40})
    return Answer(told)


def _file(path: str, entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "file", "path": path, "size": entry.size, "oid": entry.oid}
    if entry.small is None:
        told["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": 130}
    return told


def resolve(
    hub: FakeHub, request: Request, repo: str, revision: str, path: str, kinds: str = "models"
) -> Answer:
    found = repo_of(hub, request, kinds, repo)
    user = user_of(hub, request)
    if found.gated and not (user and (user.owns(repo.split("/")[0]) or user.name in found.granted)):
        told = f"Access to {kinds[:-1]} {repo} is restricted"
        raise Problem(403 if user else 401, told, code="GatedRepo")
    at = commit_of(found, revision)
    entry = found.commits[at].tree.get(path)
    if entry is None:
        raise Problem(404, "Entry not found", {"X-Repo-Commit": at}, code="EntryNotFound")
    common = {"X-Repo-Commit": at, "ETag": f'"{entry.etag}"', "Accept-Ranges": "bytes"}
    if entry.small is None:
        linked = {"X-Linked-Size": str(entry.size), "X-Linked-Etag": f'"{entry.sha256}"'}
        # another host, as it is on the Hub: a client must not follow it to read the headers
        elsewhere = hub.endpoint.replace("127.0.0.1", "localhost")
        where = f"{elsewhere}/_cdn/{entry.sha256}"
        return Answer(b"", 302, {**common, **linked, "Location": where})
    return _ranged(request, entry.small, common)


def cdn(hub: FakeHub, request: Request, oid: str) -> Answer:
    if oid not in hub.lfs:
        raise Problem(404, "no such object")
    return _ranged(request, hub.lfs[oid], {"ETag": f'"{oid}"', "Accept-Ranges": "bytes"})


def _ranged(request: Request, data: bytes, headers: dict[str, str]) -> Answer:
    headers = {"Content-Type": "application/octet-stream", **headers}
    asked = request.header("Range")
    if not asked:
        return Answer(data, 200, headers)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(len(data) - int(last), 0)
    stop = min(int(last), len(data) - 1) if first and last else len(data) - 1
    if start >= len(data) and data:
        raise Problem(416, "out of range", {"Content-Range": f"bytes */{len(data)}"})
    told = {**headers, "Content-Range": f"bytes {start}-{stop}/{len(data)}"}
    return Answer(data[start : stop + 1], 206, told)


_REPO = r"(?P<repo>[^/]+/[^/]+)"
_API = rf"/api/(?P<kinds>models|datasets|spaces)/{_REPO}"
_REV = r"(?P<revision>.+)"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"/api/whoami-v2", whoami),
    ("POST", r"/api/repos/create", create),
    ("DELETE", r"/api/repos/delete", delete),
    ("POST", r"/api/validate-yaml", validate_yaml),
    ("PUT", rf"{_API}/settings", settings),
    ("POST", rf"{_API}/preupload/{_REV}", preupload),
    ("POST", rf"/(?P<kinds>datasets|spaces)/{_REPO}\.git/info/lfs/objects/batch", lfs_batch),
    ("PUT", r"/_lfs/(?P<oid>\w+)", lfs_put),
    ("POST", r"/_lfs/(?P<oid>\w+)/verify", lfs_verify),
    ("POST", rf"{_API}/commit/{_REV}", commit),
    ("POST|DELETE", rf"{_API}/tag/{_REV}", tag),
    ("POST", rf"{_API}/super-squash/(?P<branch>.+)", squash),
    ("GET", rf"{_API}/lfs-files", lfs_files),
    ("POST", rf"{_API}/lfs-files/batch", lfs_delete),
    ("GET", rf"{_API}/refs", refs),
    ("GET", rf"{_API}/commits/{_REV}", commits),
    ("GET", rf"{_API}/tree/(?P<revision>refs/[^/]+/[^/]+|[^/]+)(?:/(?P<path>.*))?", tree),
    ("POST", rf"{_API}/paths-info/{_REV}", paths_info),
    ("GET", rf"{_API}/revision/{_REV}", info),
    ("GET", _API, info),
    (
        "GET|HEAD",
        rf"/(?P<kinds>datasets|spaces)/{_REPO}/resolve/(?P<revision>refs/[^/]+/[^/]+|[^/]+)/(?P<path>.+)",
        resolve,
    ),
    ("GET|HEAD", rf"/{_REPO}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", resolve),
    ("GET|HEAD", r"/_cdn/(?P<oid>\w+)", cdn),
]
