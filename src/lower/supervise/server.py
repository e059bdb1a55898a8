#!/usr/bin/env python3
"""supervise: an agent asks, a human decides.

In the bundle this is an MCP server over HTTP, by which the agent asks for a wider allow list or another tool. On the
host the same file is the human's tool, by which the questions are read and decided:

    python3 supervise/server.py list
    python3 supervise/server.py show ID
    python3 supervise/server.py approve ID [MESSAGE]
    python3 supervise/server.py deny ID [MESSAGE]

Nothing changes by an approval: whoever approves edits the spec and builds the bottle again.

The agent is taken for hostile. It can write nothing but proposals, of which length, number and rate are bounded; no
text of it names a file, is run or is shown to a terminal unescaped; the audit log is out of its reach. The server
dials nobody. It needs Python 3.9 or newer and nothing else.

The queue is a directory on the host: `proposals/<id>.json` are the server's, `decisions/<id>.json` the human's, and
`audit.jsonl` has a line for every proposal and every decision.

Protocol: MCP 2026-07-28, where each request stands alone, and 2025-11-25 down to 2024-11-05, which begin with
`initialize`. Answers are plain JSON, so there is no stream to open, and there are no sessions.
"""

import argparse
import base64
import binascii
import fcntl
import ipaddress
import json
import os
import pwd
import re
import secrets
import signal
import socket
import stat
import sys
import threading
import time
import unicodedata
from datetime import datetime, timezone
from pathlib import Path

NAME, VERSION = "supervise", "1"
MODERN = ["2026-07-28"]
LEGACY = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
META = "io.modelcontextprotocol/"

KINDS = ["allow-host", "tool", "other"]
ID = re.compile(r"[0-9a-f]{8}")
HOST = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Characters that print as nothing: Unicode's Default_Ignorable_Code_Point as of 16.0.0, and Braille's blank.
UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# No file that is read here is longer, nor is the head of a request.
MAX_FILE, MAX_HEAD, MAX_HEADERS = 1 << 20, 16 << 10, 64
# How deep a request's JSON may be nested; MCP's own is seven deep.
MAX_DEPTH = 32
# How many messages one request may hold, and how many proposals a list shows.
MAX_BATCH, MAX_LISTED = 16, 50
# From how many addresses there may be connections at once.
MAX_PEERS = 8


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(text):
    """Text as it may go to a terminal: what moves the cursor, colours or reorders is written out."""
    return "".join(c if is_seen(c) else f"\\u{{{ord(c):x}}}" for c in str(text))


def is_seen(c):
    """Whether a character shows as itself, and as something."""
    return c.isprintable() and not UNSEEN.match(c)


def host_of(text):
    """The one host that a text names, as a spec names it; nothing when it names none, or something beside it."""
    if not text.isascii():
        # Some letters become others when they are lowered.
        return None
    text = text.lower()
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        # What ends in a number, some resolvers take for an address.
        named = len(text) <= 253 and HOST.fullmatch(text) and not NUMBER.fullmatch(text.rsplit(".", 1)[1])
        return text if named else None
    if getattr(address, "scope_id", None) is not None or "%" in text:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def say(*words):
    print(*words, flush=True)


def log(text):
    print(f"{now()} {shown(text)}", file=sys.stderr, flush=True)


# --- The queue: a directory that the server and the human share ---


class Broken(Exception):
    """What the human, or who starts the server, must see to."""


def read_json(path):
    """The object in a file; nothing when there is no plain file of that name, or something else in it."""
    try:
        # Without blocking, or a pipe of that name would stop the server.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        data = stream.read(MAX_FILE + 1)
    try:
        value = json.loads(data.decode()) if len(data) <= MAX_FILE else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path, value, mode=0o644):
    """Writes a file that is there whole or not at all."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    data = (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(file)
        os.replace(part, path)
    except BaseException:
        part.unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def proposal_of(value):
    """A proposal as it lies in the queue, or nothing."""
    keys = ("id", "kind", "what", "why", "proposed")
    whole = value is not None and all(isinstance(value.get(key), str) for key in keys)
    return {key: value[key] for key in keys} if whole and ID.fullmatch(value["id"]) else None


def decision_of(value):
    """A decision as it lies in the queue, or nothing: what is not clearly one decides nothing."""
    if value is None or value.get("decision") not in ("approved", "denied"):
        return None
    return {"state": value["decision"], "message": str(value.get("message", ""))[:2000]}


class Audit:
    """The audit log: lines of JSON, to which the server and the human's tool append."""

    def __init__(self, path):
        self.path, self.at, self.decided = path, 0, set()

    def __enter__(self):
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self.file = os.open(self.path, flags, 0o600)
        fcntl.flock(self.file, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        os.close(self.file)

    def append(self, **event):
        line = (json.dumps({"time": now(), **event}, ensure_ascii=False) + "\n").encode()
        size = os.fstat(self.file).st_size
        # A line that a full disk cut off does not swallow the next one.
        if size and os.pread(self.file, 1, size - 1) != b"\n":
            line = b"\n" + line
        if os.write(self.file, line) != len(line):
            raise OSError("the audit log takes no more")
        os.fsync(self.file)

    def catch_up(self):
        """Reads which decisions are in it."""
        while True:
            block = os.pread(self.file, MAX_FILE, self.at)
            end = block.rfind(b"\n") + 1
            for line in block[:end].splitlines():
                try:
                    event = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(event, dict) and event.get("event") == "decision":
                    self.decided.add(event.get("id"))
            if not end:
                # No line of ours is as long as a block.
                self.at += len(block) if len(block) == MAX_FILE else 0
                if len(block) < MAX_FILE:
                    return
            self.at += end


class Queue:
    """The directory and what lies in it."""

    def __init__(self, directory, audit, bottle):
        self.directory, self.bottle = Path(directory), bottle
        self.proposals, self.decisions = self.directory / "proposals", self.directory / "decisions"
        self.audit = Audit(Path(audit))

    def prepare(self):
        for path in (self.directory, self.proposals, self.decisions):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.audit:
            pass

    def ids(self, directory):
        """What the names in a directory say; each ends in `.json`."""
        try:
            names = os.listdir(directory)
        except FileNotFoundError:
            return set()
        return {name[:8] for name in names if name.endswith(".json") and ID.fullmatch(name[:-5])}

    def read(self, id):
        proposal = proposal_of(read_json(self.proposals / f"{id}.json"))
        return proposal if proposal and proposal["id"] == id else None

    def decision(self, id):
        return decision_of(read_json(self.decisions / f"{id}.json"))

    def everything(self):
        """All proposals with what became of them, the oldest first."""
        found = []
        for id in self.ids(self.proposals):
            proposal = self.read(id)
            if proposal:
                found.append({**proposal, **(self.decision(id) or {"state": "pending", "message": ""})})
        return sorted(found, key=lambda proposal: (proposal["proposed"], proposal["id"]))

    def propose(self, proposal):
        # First the log: what is in the queue is in it, too.
        with self.audit:
            self.audit.append(event="proposal", bottle=self.bottle, **proposal)
        write_json(self.proposals / f"{proposal['id']}.json", proposal)

    def decide(self, id, decision, message, by):
        with self.audit:
            given = self.decision(id)
            if given:
                raise Broken(f"{id} is {given['state']} already")
            self.audit.append(event="decision", bottle=self.bottle, id=id, decision=decision, message=message, by=by)
            value = {"id": id, "decision": decision, "message": message, "by": by, "decided": now()}
            write_json(self.decisions / f"{id}.json", value)


# --- What the agent can do ---


class Refused(Exception):
    """What the agent asked for and does not get, in words for it."""


class RpcError(Exception):
    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.error = {"code": code, "message": message, **({} if data is None else {"data": data})}


class Bucket:
    """So many in so many seconds."""

    def __init__(self, number, seconds):
        self.number, self.rate, self.left, self.at = number, number / seconds, float(number), time.monotonic()
        self.lock = threading.Lock()

    def take(self):
        with self.lock:
            at = time.monotonic()
            self.left = min(self.number, self.left + (at - self.at) * self.rate)
            self.at = at
            if self.left < 1:
                return False
            self.left -= 1
            return True


CHANGES_NOTHING = (
    "An approval changes nothing by itself: the human edits the bottle's spec and builds it again, and the bottle is "
    "restarted. Until then what is in force stays in force."
)

TEXT, NO_ARGUMENTS = {"type": "string"}, {"type": "object", "properties": {}, "additionalProperties": False}

TOOLS = [
    {
        "name": "propose",
        "title": "Ask the human",
        "description": "Asks the human who runs this sandbox for something that you are not allowed: a host to reach, "
        "a tool, or something else. Returns an id; the proposal is pending until the human decides. " + CHANGES_NOTHING,
        "inputSchema": {
            "type": "object",
            "properties": {
                "kind": {
                    **TEXT,
                    "enum": KINDS,
                    "description": "allow-host: to reach a host; tool: to have a tool; other",
                },
                "what": {
                    **TEXT,
                    "description": "What you ask for, in one line. For allow-host one host: api.example.com, "
                    "*.example.com or an IP address, without scheme, port or path.",
                },
                "why": {**TEXT, "description": "Why you need it, for the human to judge."},
            },
            "required": ["kind", "what", "why"],
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": False, "destructiveHint": False, "openWorldHint": False},
    },
    {
        "name": "proposal",
        "title": "What became of a proposal",
        "description": "Says whether a proposal is pending, approved or denied, with the human's message. "
        + CHANGES_NOTHING,
        "inputSchema": {
            "type": "object",
            "properties": {"id": {**TEXT, "description": "What `propose` returned."}},
            "required": ["id"],
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    },
    {
        "name": "proposals",
        "title": "All proposals",
        "description": f"Lists your newest proposals, at most {MAX_LISTED}, with what became of them.",
        "inputSchema": NO_ARGUMENTS,
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    },
    {
        "name": "in_force",
        "title": "What is in force",
        "description": "Shows what holds in this sandbox now: hosts that may and may not be reached, repositories, and "
        "sidecars with their URLs.",
        "inputSchema": NO_ARGUMENTS,
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    },
]


class Supervise:
    """What the tools and resources do."""

    def __init__(self, config):
        limits = config["limits"]
        self.limits = limits
        self.queue = Queue(config["queue"], config["audit_log"], config["bottle"])
        self.queue.prepare()
        self.lock = threading.Lock()
        self.known = {}
        self.rate = Bucket(limits["proposals_per_hour"], 3600)
        self.in_force = {}
        for name in ("egress", "repos", "sidecars"):
            path = Path(config["in_force"]) / f"{name}.json"
            self.in_force[name] = read_json(path)
            if self.in_force[name] is None:
                raise Broken(f"{path} cannot be read")
        self.sync()

    def sync(self):
        """Brings what is known up to what lies in the queue. The caller holds the lock, or is the only one."""
        there = self.queue.ids(self.queue.proposals)
        self.known = {id: proposal for id, proposal in self.known.items() if id in there}
        for id in there - self.known.keys():
            proposal = self.queue.read(id)
            if proposal:
                self.known[id] = {**proposal, "state": "pending", "message": ""}
        for id in self.queue.ids(self.queue.decisions) & self.known.keys():
            if self.known[id]["state"] != "pending":
                continue
            decision = self.queue.decision(id)
            if not decision:
                continue
            with self.queue.audit as audit:
                audit.catch_up()
                # The human's tool has written its line before the file; a file by hand gets its line here.
                if id not in audit.decided:
                    audit.append(
                        event="decision",
                        bottle=self.queue.bottle,
                        id=id,
                        decision=decision["state"],
                        message=decision["message"],
                        by="a file in decisions/",
                    )
                    audit.decided.add(id)
            self.known[id].update(decision)
            log(f"proposal {id} is {decision['state']}")

    def watch(self):
        """Sees decisions that nobody asks about, for the audit log."""
        while True:
            time.sleep(2)
            try:
                with self.lock:
                    self.sync()
            except OSError as error:
                log(f"the queue cannot be read: {error}")

    def checked(self, kind, what, why):
        if kind not in KINDS:
            raise Refused(f"kind is one of {', '.join(KINDS)}")
        for name, text, limit in (("what", what, self.limits["what_chars"]), ("why", why, self.limits["why_chars"])):
            if not text.strip():
                raise Refused(f"{name} is empty")
            if len(text) > limit:
                raise Refused(f"{name} is {len(text)} characters long: at most {limit} are taken")
            lines = text.replace("\n", "").replace("\t", "") if name == "why" else text
            for c in lines:
                if not is_seen(c):
                    what_it_is = unicodedata.name(c, "a control character")
                    raise Refused(f"{name} holds U+{ord(c):04X} ({what_it_is}), which cannot be seen: leave it out")
        if kind == "allow-host":
            what = host_of(what.strip())
            if what is None:
                raise Refused(
                    "what is one host: `api.example.com`, `*.example.com` or an IP address, without scheme, port, path "
                    "or scope; ask for several hosts one by one"
                )
            if what in self.in_force["egress"].get("allow", []):
                raise Refused("this host is allowed already; if it cannot be reached, the reason is another one")
        return what

    def propose(self, kind, what, why):
        what = self.checked(kind, what, why)
        with self.lock:
            self.sync()
            pending = [proposal for proposal in self.known.values() if proposal["state"] == "pending"]
            for proposal in pending:
                # Who asks twice, since the answer got lost, has asked once.
                if (proposal["kind"], proposal["what"]) == (kind, what):
                    return {"id": proposal["id"], "state": "pending", "note": "this was proposed before"}
            if len(pending) >= self.limits["open_proposals"]:
                raise Refused(f"{len(pending)} proposals are pending: wait until the human has decided some of them")
            if len(self.known) >= self.limits["kept_proposals"]:
                raise Refused("the queue is full: the human must clear the decided proposals first")
            if not self.rate.take():
                raise Refused("too many proposals in the last hour: wait, and ask for what matters most")
            proposal = {"id": secrets.token_hex(4), "kind": kind, "what": what, "why": why, "proposed": now()}
            try:
                self.queue.propose(proposal)
            except OSError as error:
                log(f"the queue cannot be written: {error}")
                raise Refused("the queue cannot be written: the human must see to it") from None
            self.known[proposal["id"]] = {**proposal, "state": "pending", "message": ""}
        log(f"proposal {proposal['id']}: {kind} {what}")
        return {"id": proposal["id"], "state": "pending", "note": CHANGES_NOTHING}

    def proposal(self, id):
        with self.lock:
            self.sync()
            # An id is looked up, never put into a path.
            proposal = self.known.get(id)
            if proposal is None:
                raise Refused("there is no proposal with this id; `proposals` lists them")
            return dict(proposal)

    def proposals(self):
        with self.lock:
            self.sync()
            newest = sorted(self.known.values(), key=lambda proposal: (proposal["proposed"], proposal["id"]))
            keys = ("id", "kind", "what", "state", "message", "proposed")
            return {"proposals": [{key: proposal[key] for key in keys} for proposal in newest[-MAX_LISTED:]]}

    def call(self, params):
        """`tools/call`."""
        tool = next((tool for tool in TOOLS if tool["name"] == params.get("name")), None)
        if tool is None:
            raise RpcError(-32602, "there is no tool of this name")
        arguments = params.get("arguments")
        arguments = {} if arguments is None else arguments
        known = tool["inputSchema"]["properties"]
        try:
            if not isinstance(arguments, dict) or not all(isinstance(value, str) for value in arguments.values()):
                raise Refused("the arguments are texts by name")
            if arguments.keys() != known.keys():
                raise Refused(f"the arguments are exactly: {', '.join(known) or 'none'}")
            if tool["name"] == "in_force":
                value = self.in_force
            else:
                value = getattr(self, tool["name"])(**arguments)
        except Refused as refusal:
            return {"content": [{"type": "text", "text": str(refusal)}], "isError": True}
        text = json.dumps(value, indent=2)
        return {"content": [{"type": "text", "text": text}], "structuredContent": value, "isError": False}

    def resources(self):
        about = {
            "egress": "Hosts that may be reached, and hosts that may not.",
            "repos": "Repositories behind git-gate.",
            "sidecars": "What runs in the bundle, and where.",
        }
        return [
            {"uri": f"supervise://in-force/{name}", "name": name, "description": text, "mimeType": "application/json"}
            for name, text in about.items()
        ]

    def resource(self, uri):
        for known in self.resources():
            if known["uri"] == uri:
                text = json.dumps(self.in_force[known["name"]], indent=2)
                return {"contents": [{"uri": uri, "mimeType": known["mimeType"], "text": text}]}
        return None


# --- MCP ---


def decoded(value):
    """A header's value as the body has it: plain, or in base64."""
    match = re.fullmatch(r"=\?base64\?(.*)\?=", value)
    if match is None:
        return value
    try:
        return base64.b64decode(match.group(1), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


class Mcp:
    """JSON-RPC messages to answers."""

    def __init__(self, supervise):
        self.supervise = supervise
        self.about = {"name": NAME, "title": "Ask the human", "version": VERSION}
        self.offers = {"capabilities": {"tools": {}, "resources": {}}, "instructions": self.instructions()}

    def instructions(self):
        return (
            "You run in a sandbox that reaches few hosts. When you need another host or a tool, ask the human with "
            "`propose`, go on with other work, and look at `proposal` from time to time. " + CHANGES_NOTHING
        )

    def post(self, headers, value):
        """The HTTP status and the JSON of the answer to a body; no JSON for what gets no answer."""
        if not isinstance(value, list):
            return self.message(headers, value)
        # Batches are part of one revision, which is what a client without the header speaks.
        if headers.get("mcp-protocol-version", "2025-03-26") != "2025-03-26" or not 0 < len(value) <= MAX_BATCH:
            return 400, failure(None, RpcError(-32600, "expected one message"))
        answers = [answer for _, answer in (self.message(headers, message) for message in value) if answer is not None]
        return (200, answers) if answers else (202, None)

    def message(self, headers, message):
        id = message.get("id") if isinstance(message, dict) else None
        plain = isinstance(id, str) and len(id) <= 256 or type(id) is int and abs(id) < 1 << 63
        try:
            if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
                raise RpcError(-32600, "expected a JSON-RPC 2.0 message")
            if "id" in message and not plain:
                raise RpcError(-32600, "expected an id that is a text or a whole number")
            method = message.get("method")
            if method is None and "id" in message and ("result" in message or "error" in message):
                return 202, None
            if not isinstance(method, str):
                raise RpcError(-32600, "expected a method")
            modern = self.era(headers, message)
            if "id" not in message:
                return 202, None
            params = message.get("params")
            params = {} if params is None else params
            if not isinstance(params, dict):
                raise RpcError(-32602, "expected params by name")
            result = self.modern(headers, method, params) if modern else self.legacy(method, params)
            return 200, {"jsonrpc": "2.0", "id": id, "result": result}
        except RpcError as error:
            return self.status(error, headers), failure(id if plain else None, error)

    def status(self, error, headers):
        code = error.error["code"]
        if headers.get("mcp-protocol-version") in (None, *LEGACY):
            return 400 if code in (-32600, -32020, -32022) else 200
        return 404 if code == -32601 else 400

    def era(self, headers, message):
        """Whether a message is of the newer kind, which says in itself what it speaks."""
        params = message.get("params")
        meta = params.get("_meta") if isinstance(params, dict) else None
        says = isinstance(meta, dict) and META + "protocolVersion" in meta
        version = headers.get("mcp-protocol-version")
        if version in (None, *LEGACY) and not says:
            return False
        if version is not None and version not in LEGACY + MODERN:
            # Said even when the body is wrong as well: a client learns from it what to fall back to.
            raise unsupported(version)
        return True

    def modern(self, headers, method, params):
        meta = params.get("_meta")
        keys = (META + "protocolVersion", META + "clientCapabilities")
        if not isinstance(meta, dict) or any(key not in meta for key in keys):
            raise RpcError(-32602, f"params._meta must hold {' and '.join(keys)}")
        version = meta[keys[0]]
        named = {"tools/call": "name", "resources/read": "uri"}.get(method)
        mirrored = [("mcp-protocol-version", version), ("mcp-method", method)]
        if named and params.get(named) is not None:
            mirrored.append(("mcp-name", params[named]))
        for header, value in mirrored:
            if header not in headers or decoded(headers[header]) != value:
                raise RpcError(-32020, f"the header {header} does not say what the body says")
        if version not in MODERN:
            raise unsupported(version)
        if method == "server/discover":
            result = {"supportedVersions": MODERN + LEGACY, **self.offers}
        else:
            result = self.common(method, params)
            if result is None:
                raise RpcError(-32601, "there is no such method")
        if method != "tools/call":
            # What the lists say does not change while this program runs.
            result = {**result, "ttlMs": 60_000, "cacheScope": "private"}
        return {"resultType": "complete", "_meta": {META + "serverInfo": self.about}, **result}

    def legacy(self, method, params):
        if method == "initialize":
            asked = params.get("protocolVersion")
            if not isinstance(asked, str):
                raise RpcError(-32602, "expected a protocolVersion")
            version = asked if asked in LEGACY else LEGACY[0]
            return {"protocolVersion": version, "serverInfo": self.about, **self.offers}
        result = {} if method == "ping" else self.common(method, params)
        if result is None:
            raise RpcError(-32601, "there is no such method")
        return result

    def common(self, method, params):
        if method == "tools/list":
            return {"tools": TOOLS}
        if method == "tools/call":
            return self.supervise.call(params)
        if method == "resources/list":
            return {"resources": self.supervise.resources()}
        if method == "resources/templates/list":
            return {"resourceTemplates": []}
        if method == "resources/read":
            found = self.supervise.resource(params.get("uri"))
            if found is None:
                raise RpcError(-32602, "there is no such resource")
            return found
        return None


def unsupported(version):
    asked = version if isinstance(version, str) else ""
    data = {"supported": MODERN + LEGACY, "requested": asked[:64]}
    return RpcError(-32022, "this protocol version is not spoken here", data)


def failure(id, error):
    return {"jsonrpc": "2.0", "id": id, "error": error.error}


# --- HTTP ---


class HttpError(Exception):
    def __init__(self, status, text, **headers):
        super().__init__(text)
        self.status, self.headers = status, headers


REASONS = {
    200: "OK", 202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    406: "Not Acceptable", 408: "Request Timeout", 411: "Length Required", 413: "Content Too Large",
    415: "Unsupported Media Type", 421: "Misdirected Request", 429: "Too Many Requests",
    431: "Request Header Fields Too Large", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


def response(status, body=None, close=False, **headers):
    data = b"" if body is None else json.dumps(body, allow_nan=False).encode()
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Length: {len(data)}"]
    if body is not None:
        lines += ["Content-Type: application/json", "Cache-Control: no-store"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append("Connection: close" if close else "Connection: keep-alive")
    return "\r\n".join([*lines, "", ""]).encode() + data


def parse_json(body):
    """The value of a body, whose depth is bounded before anything recurses into it."""

    def constant(name):
        raise ValueError(f"{name} is no JSON")

    try:
        depth = 0
        # A string is passed over whether it ends or not, so that each byte is looked at once.
        for token in re.findall(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', body, flags=re.S):
            depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token, 0)
            if depth > MAX_DEPTH:
                raise ValueError("too deep")
        return json.loads(body.decode(), parse_constant=constant)
    except (ValueError, RecursionError):
        raise RpcError(-32700, "the body is no JSON, or nested too deep") from None


class Connection:
    """One connection: requests one after the other, each within its time."""

    def __init__(self, server, client):
        self.server, self.client, self.buffer = server, client, bytearray()

    def receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise HttpError(408, "the request took too long")
        self.client.settimeout(left)
        try:
            data = self.client.recv(1 << 16)
        except socket.timeout:
            raise HttpError(408, "the request took too long") from None
        if not data:
            raise EOFError
        self.buffer += data

    def run(self):
        limits = self.server.limits
        answered = True
        while answered:
            try:
                # Between requests a client may be silent for a while; once it has begun it must go on.
                if not self.buffer:
                    try:
                        self.receive(time.monotonic() + limits["idle_seconds"])
                    except HttpError:
                        return
                deadline = time.monotonic() + limits["request_seconds"]
                line, headers = self.head(deadline)
                answer, close = self.answer(line, headers, deadline)
                answered = not close
            except HttpError as error:
                body = {"error": str(error)}
                answer, answered = response(error.status, body, close=True, **error.headers), False
            # The time is for all of it: who reads slowly is cut off as well.
            self.client.settimeout(limits["request_seconds"])
            self.client.sendall(answer)
        # Closed with bytes unread, the connection would be reset and the answer lost.
        self.client.shutdown(socket.SHUT_WR)
        self.client.settimeout(1)
        for _ in range(16):
            if not self.client.recv(1 << 16):
                break

    def head(self, deadline):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > MAX_HEAD:
                raise HttpError(431, "the request's head is too long")
            self.receive(deadline)
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer = bytearray(rest)
        lines = head.decode("latin-1").split("\r\n")
        line = re.fullmatch(r"([A-Z]{1,16}) (\S{1,2048}) HTTP/1\.[01]", lines[0])
        if line is None or len(head) > MAX_HEAD or len(lines) > MAX_HEADERS:
            raise HttpError(400, "this is no HTTP/1.1 request")
        headers = {}
        for text in lines[1:]:
            name, colon, value = text.partition(":")
            name, value = name.lower(), value.strip(" \t")
            control = re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value)
            if not colon or control or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9a-z-]+", name):
                raise HttpError(400, "this is no HTTP header")
            # Of two values two readers could believe different ones; several of `Accept` are one list.
            if name in headers and name != "accept":
                raise HttpError(400, f"the header {name} is there twice")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return line, headers

    def answer(self, line, headers, deadline):
        self.admit(line.group(1), line.group(2), headers)
        body = self.body(headers, deadline)
        try:
            status, answer = self.server.mcp.post(headers, parse_json(body))
        except RpcError as error:
            status, answer = 400, failure(None, error)
        except OSError as error:
            log(f"the queue cannot be read: {error}")
            status, answer = 500, failure(None, RpcError(-32603, "the queue cannot be read: the human must see to it"))
        close = headers.get("connection", "").lower() == "close" or line.group(0).endswith("1.0")
        return response(status, answer, close), close

    def admit(self, method, target, headers):
        """Who may ask at all: no web page, whatever name it has this address under, and nobody too often."""
        if headers.get("host", "").lower() not in self.server.hosts:
            raise HttpError(421, "the Host is not this server")
        origin = headers.get("origin")
        if origin is not None and origin.lower() not in {f"http://{host}" for host in self.server.hosts}:
            raise HttpError(403, "the Origin is not this server")
        if target != "/":
            raise HttpError(404, "there is nothing but /")
        if method != "POST":
            raise HttpError(405, "this server takes POST and opens no stream", Allow="POST")
        if not self.server.rate.take():
            raise HttpError(429, "too many requests", **{"Retry-After": "60"})
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise HttpError(415, "the Content-Type must be application/json")
        accepted = [part.partition(";")[0].strip() for part in headers.get("accept", "*/*").lower().split(",")]
        if not {"application/json", "application/*", "*/*"} & set(accepted):
            raise HttpError(406, "the answer is application/json")

    def body(self, headers, deadline):
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or not re.fullmatch(r"[0-9]{1,12}", length):
            raise HttpError(411, "the Content-Length must be given")
        length = int(length)
        if length > self.server.limits["body_bytes"]:
            raise HttpError(413, f"at most {self.server.limits['body_bytes']} bytes are taken")
        if headers.get("expect", "").lower() == "100-continue" and len(self.buffer) < length:
            self.client.settimeout(1)
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self.buffer) < length:
            self.receive(deadline)
        body = bytes(self.buffer[:length])
        del self.buffer[:length]
        return body


class Server:
    """Accepts connections, so many at once and from one address."""

    def __init__(self, config):
        self.limits = config["limits"]
        self.mcp = Mcp(Supervise(config))
        self.rate = Bucket(self.limits["requests_per_minute"], 60)
        address, port = config["listen"]["address"], config["listen"]["port"]
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}", re.sub(r"^http://|/$", "", config["url"]).lower()}
        self.peers, self.lock = {}, threading.Lock()
        self.listener = socket.create_server((address, port), backlog=64)
        # A signal that comes right before a wait does not end it, and is heard after it.
        self.listener.settimeout(1)
        log(f"listening on {address}:{port} for {config['bottle']}")

    def run(self):
        threading.Thread(target=self.mcp.supervise.watch, daemon=True).start()
        while True:
            try:
                client, (peer, _) = self.listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                # Out of descriptors, most likely: they come back.
                log(f"cannot accept: {error}")
                time.sleep(0.1)
                continue
            if not self.enter(peer):
                self.turn_away(client)
                continue
            try:
                threading.Thread(target=self.serve, args=(client, peer), daemon=True).start()
            except RuntimeError:
                self.leave(peer)
                client.close()

    def enter(self, peer):
        with self.lock:
            # The agent has one address; the health check comes from another one and always finds a place.
            open = self.peers.get(peer, 0)
            if open >= self.limits["connections"] or not open and len(self.peers) >= MAX_PEERS:
                return False
            self.peers[peer] = open + 1
            return True

    def leave(self, peer):
        with self.lock:
            self.peers[peer] -= 1
            if not self.peers[peer]:
                del self.peers[peer]

    def turn_away(self, client):
        with client:
            try:
                client.setblocking(False)
                client.send(response(503, {"error": "too many connections"}, close=True))
            except OSError:
                pass

    def serve(self, client, peer):
        try:
            with client:
                Connection(self, client).run()
        except (OSError, EOFError):
            pass  # It went away.
        except Exception as error:  # One request must not end the others; nothing of it goes out.
            log(f"a request failed: {type(error).__name__}: {error}")
        finally:
            self.leave(peer)


# --- The command line ---


def load(path):
    config = read_json(path)
    if config is None or config.get("version") != 1:
        raise Broken(f"{path} is no configuration of supervise, version 1")
    return config


def queue_of(options):
    """The queue as the host sees it."""
    config = load(options.config) if options.queue is None else {"bottle": None}
    # A relative path begins in the stage, where the configuration lies one directory down.
    written = os.path.expanduser(options.queue or config["queue_on_host"])
    directory = written if options.queue else options.config.resolve().parent.parent / written
    return Queue(directory, Path(directory) / "audit.jsonl", config["bottle"])


def named(queue, id):
    proposal = queue.read(id) if ID.fullmatch(id) else None
    if proposal is None:
        raise Broken(f"there is no proposal {shown(id)}; `list` shows them")
    return proposal


def command_list(options):
    proposals = queue_of(options).everything()
    for proposal in proposals:
        id, state, kind = proposal["id"], proposal["state"], shown(proposal["kind"])
        say(f"{id}  {state:8}  {shown(proposal['proposed'])[:19]}  {kind:10}  {shown(proposal['what'])[:160]}")
    if not proposals:
        say("no proposals")


def command_show(options):
    queue = queue_of(options)
    proposal = named(queue, options.id)
    decision = queue.decision(options.id) or {"state": "pending", "message": ""}
    for name, value in {**proposal, **decision}.items():
        lines = str(value).split("\n") if value else ["-"]
        say(f"{name:9} {shown(lines[0])}")
        for line in lines[1:]:
            say(f"{'':9} {shown(line)}")


def command_decide(options):
    queue = queue_of(options)
    proposal = named(queue, options.id)
    decision = {"approve": "approved", "deny": "denied"}[options.command]
    message = " ".join(options.message)
    if len(message) > 2000:
        raise Broken("a message is at most 2000 characters long")
    try:
        by = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        by = str(os.getuid())
    queue.decide(options.id, decision, message, by)
    say(f"{options.id} is {decision}: {shown(proposal['kind'])} {shown(proposal['what'])}")
    if decision == "approved":
        say("nothing has changed yet: edit the spec, build it again and restart the bottle")
        if proposal["kind"] == "allow-host":
            say(f'for this one: egress {{ allow "{shown(proposal["what"])}"; }}')


def command_clear(options):
    queue = queue_of(options)
    decided = [proposal for proposal in queue.everything() if proposal["state"] != "pending"]
    for proposal in decided:
        # The proposal first: a decision without one decides nothing.
        (queue.proposals / f"{proposal['id']}.json").unlink()
        (queue.decisions / f"{proposal['id']}.json").unlink()
    say(f"{len(decided)} decided proposals cleared; the audit log keeps them")


def command_prepare(options):
    queue = queue_of(options)
    queue.prepare()
    say(f"the queue is {shown(queue.directory)}")


def command_serve(options):
    def stop(*_):
        raise SystemExit(0)

    # The first process of a container is not ended by a signal that it does not handle.
    signal.signal(signal.SIGTERM, stop)
    threading.stack_size(1 << 20)
    Server(load(options.config)).run()


def command_health(options):
    port = load(options.config)["listen"]["port"]
    with socket.create_connection((options.at, port), timeout=3) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: {options.at}:{port}\r\nConnection: close\r\n\r\n".encode())
        if not client.recv(64).startswith(b"HTTP/1.1 405 "):
            raise Broken("what listens there is not supervise")


def main():
    parser = argparse.ArgumentParser(description="Reads and decides what a sandboxed agent asks for.")
    beside = Path(__file__).resolve().with_name("supervise.json")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, run, help, host=True):
        sub = commands.add_parser(name, help=help)
        sub.add_argument("--config", type=Path, default=beside, help="supervise.json; the one beside this file")
        if host:
            sub.add_argument("--queue", help="the queue's directory, instead of the one of the configuration")
        sub.set_defaults(run=run)
        return sub

    command("list", command_list, "list all proposals")
    command("show", command_show, "show one proposal").add_argument("id", metavar="ID")
    for name in ("approve", "deny"):
        sub = command(name, command_decide, f"{name} a proposal; the agent sees the message")
        sub.add_argument("id", metavar="ID")
        sub.add_argument("message", metavar="MESSAGE", nargs="*")
    command("clear", command_clear, "take decided proposals out of the queue")
    command("prepare", command_prepare, "make the queue's directory, before the bundle starts")
    command("serve", command_serve, "run the server, in the bundle", host=False)
    sub = command("health", command_health, "whether the server answers", host=False)
    sub.add_argument("--at", default="127.0.0.1", help="the address at which it is asked; 127.0.0.1")
    options = parser.parse_args()
    # What a terminal cannot show must not stop the tool.
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options.run(options)
    except (Broken, OSError) as error:
        sys.exit(f"supervise: {shown(error)}")


if __name__ == "__main__":
    main()
