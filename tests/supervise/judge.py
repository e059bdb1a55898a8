#!/usr/bin/env python3
"""Holds the emitted supervise against a real MCP client, and against what a hostile agent could send.

The example is compiled, the emitted server runs from the emitted configuration on a loopback port with a queue of the
judge's own, and the official Python SDK talks to it over Streamable HTTP, in both of the protocol's kinds; a human
decides with the emitted tool; then raw sockets say what no client would.

    tests/supervise/judge.py target/debug/bottlec

The client is the package `mcp`, below target/judges/. Where it cannot be had the script says so loudly and goes on
without; a verdict is never skipped. The server runs with each Python of PYTHONS that is here.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

# What is imported leaves nothing behind.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

from hostile import flood, hostile, human, rate, restarted, slow
from judging import ROOT, check, virtual_environment, run, skipped, verdict
from running import LEGACY, MODERN, Running
from wire import versions

EXAMPLE = ROOT / "examples/supervised.kdl"
CLIENT = "mcp==2.3.0"
# What the server promises, the oldest first; the running one is always tried.
PYTHONS = ["python3.9", "python3.10", "python3.11", "python3.12", "python3.13"]


def as_number(version):
    return tuple(map(int, version.split(".")))


def pythons():
    """Each Python by version, without the shims of a version manager that know no such version."""
    found = {}
    homes = sorted(Path(os.path.expanduser("~/.pyenv/versions")).glob("3.*/bin"))
    path = os.pathsep.join([os.environ["PATH"], *map(str, homes)])
    for name in [*PYTHONS, sys.executable]:
        for directory in path.split(os.pathsep):
            program = shutil.which(name, path=directory)
            if program is None:
                continue
            # Itself, and no shim, which would look for it at each start.
            ask = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
            result = run(program, "-IS", "-c", ask)
            version, _, itself = result.stdout.strip().partition(" ")
            if result.returncode == 0 and as_number(version) >= (3, 9):
                found.setdefault(version, itself)
                break
    return {version: found[version] for version in sorted(found, key=as_number)}


def build(bottlec, workspace):
    """The emitted stage and its plan."""
    shutil.copy(EXAMPLE, workspace / EXAMPLE.name)
    run(bottlec, "build", EXAMPLE.name, cwd=workspace, check=True)
    plan = json.loads(next(workspace.glob("stage/*/plan.json")).read_text())
    return workspace / "stage" / plan["slug"], plan


# --- A real client ---

# One process for all of them: it takes longer to start than to talk.
DIALOGUES = """
import asyncio, json, sys, traceback
from mcp.client.client import Client

async def talk(url, mode, ask):
    async with Client(url, mode=mode) as client:
        tools = await client.list_tools()
        resources = await client.list_resources()
        texts = {}
        for resource in resources.resources:
            texts[str(resource.uri)] = (await client.read_resource(resource.uri)).contents[0].text
        calls = []
        for name, arguments in ask:
            result = await client.call_tool(name, arguments)
            calls.append({"error": result.is_error, "text": result.content[0].text, "value": result.structured_content})
        return {
            "version": client.protocol_version,
            "instructions": client.instructions,
            "tools": {tool.name: tool.description for tool in tools.tools},
            "resources": texts,
            "calls": calls,
        }

for line in sys.stdin:
    try:
        said = asyncio.run(asyncio.wait_for(talk(*json.loads(line)), 60))
    except Exception:
        said = {"failed": traceback.format_exc()}
    print(json.dumps(said), flush=True)
"""


class Client:
    """A real client that is told whom to talk to, and what about."""

    def __init__(self, environment):
        env = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
        command = [environment / "bin/python", "-c", DIALOGUES]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def talk(self, running, mode, *calls):
        self.process.stdin.write(json.dumps([running.url, mode, calls]) + "\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline() or '{"failed": "it has ended"}')
        failure = said.get("failed")
        check(f"a real client gets through, {mode}", failure is None, failure)
        return said if failure is None else None


def with_a_client(client, running, mode):
    host = f"{mode}.example.com"
    wish = {"kind": "allow-host", "what": host, "why": "the build fetches its data from there"}
    said = client.talk(running, mode, ("propose", wish), ("proposals", {}), ("in_force", {}), ("propose", wish))
    if said is None:
        return
    expected = MODERN if mode == "auto" else LEGACY[0]
    check(f"{mode}: the newest version is agreed on", said["version"] == expected, said["version"])
    check(
        f"{mode}: four tools", sorted(said["tools"]) == ["in_force", "proposal", "proposals", "propose"], said["tools"]
    )
    for text in (said["tools"]["propose"], said["tools"]["proposal"], said["instructions"]):
        check(f"{mode}: the agent is told that an approval changes nothing", "changes nothing by itself" in text, text)
    proposed, listed, in_force, again = said["calls"]
    id = proposed["value"]["id"]
    check(f"{mode}: a proposal is pending", not proposed["error"] and proposed["value"]["state"] == "pending", proposed)
    check(f"{mode}: text and structure say the same", json.loads(proposed["text"]) == proposed["value"], proposed)
    check(f"{mode}: it is listed", id in [entry["id"] for entry in listed["value"]["proposals"]], listed)
    check(f"{mode}: who asks twice has asked once", again["value"]["id"] == id, again)
    copies = {
        f"supervise://in-force/{path.stem}": json.loads(path.read_text())
        for path in (running.server.parent / "in-force").iterdir()
    }
    resources = {uri: json.loads(text) for uri, text in said["resources"].items()}
    check(f"{mode}: the resources are the copies", resources == copies and len(copies) == 3, resources)
    check(
        f"{mode}: the tool shows the same",
        list(in_force["value"].values()) == list(copies[f"supervise://in-force/{n}"] for n in in_force["value"]),
        in_force,
    )
    everything = json.dumps(said)
    for secret in ("queue", "/root", "identity", "host_key", "OPS_ANTHROPIC_KEY", ".kdl"):
        found = secret in re.sub("the queue is", "", everything)
        check(f"{mode}: the agent is not told of {secret}", not found, everything)

    shown = running.tool("show", id)
    check(f"{mode}: the human sees it", host in shown.stdout and "pending" in shown.stdout, shown)
    decided = running.tool("approve", id, "fine", "by", "me")
    check(f"{mode}: the human approves it", decided.returncode == 0 and f'allow "{host}"' in decided.stdout, decided)
    check(f"{mode}: not twice", running.tool("deny", id).returncode != 0)
    said = client.talk(running, mode, ("proposal", {"id": id}), ("in_force", {}))
    value = said["calls"][0]["value"]
    check(f"{mode}: the agent learns of it", (value["state"], value["message"]) == ("approved", "fine by me"), value)
    check(f"{mode}: and nothing has changed", host not in said["calls"][1]["text"], said)
    events = [(event["event"], event.get("decision")) for event in running.audit() if event["id"] == id]
    check(f"{mode}: the audit log has both, once", events == [("proposal", None), ("decision", "approved")], events)


def judge(python, stage, directory, client, thorough):
    def running(name, **limits):
        place = directory / name
        place.mkdir(exist_ok=True)
        return Running(python, stage, place, **limits)

    many = {"requests_per_minute": 1_000_000}
    compiled = run(python, "-W", "error", "-m", "py_compile", running("compile").server)
    check("the server compiles without a warning", compiled.returncode == 0, compiled.stderr)
    with running("client") as server:
        if client is not None:
            for mode in ("auto", "legacy"):
                with_a_client(client, server, mode)
        versions(server)
    if not thorough:
        return
    with running("hostile", **many) as server:
        hostile(server)
    with running("slow", **many, request_seconds=2, idle_seconds=2) as server:
        slow(server)
    with running("flood", **many) as server:
        flood(server)
    with running("full", **many, kept_proposals=25, proposals_per_hour=1000) as server:
        flood(server)
    with running("rate") as server:
        rate(server)
    with running("human", **many) as server:
        id = human(server)
    with running("human", **many) as server:
        restarted(server, id)


def emitted(stage, plan):
    """What the stage says of itself."""
    ip = plan["bundle_ip"]
    entry = json.loads((stage / "agent/mcp.json").read_text())
    url = f"http://{ip}:9100/"
    check(
        "the entry is what MCP clients read",
        entry == {"mcpServers": {"supervise": {"type": "http", "url": url}}},
        entry,
    )
    add = ["claude", "mcp", "add", "--transport", "http", "--scope", "user", "supervise", url]
    check("so is the argument vector", plan["supervise"]["mcp_add"] == add, plan["supervise"])


def main():
    bottlec = str(Path(sys.argv[1]).resolve())
    packages = virtual_environment("supervise", CLIENT)
    if packages is None:
        skipped("what a real client would say", f"{CLIENT} cannot be had here")
    client = Client(packages) if packages else None
    found = pythons()
    print(f"with Python {', '.join(found)}" + (f" and {CLIENT}" if client else ""))
    if "3.9" not in found:
        skipped("the oldest Python that the server promises to run with", "there is no 3.9 here")
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        stage, plan = build(bottlec, directory)
        emitted(stage, plan)
        # The oldest and the newest differ the most; what lies between them is asked whether it starts and talks.
        thorough = {min(found, key=as_number), max(found, key=as_number)}
        for version, python in found.items():
            place = directory / version
            place.mkdir()
            judge(python, stage, place, client, version in thorough)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
