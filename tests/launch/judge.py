#!/usr/bin/env python3
"""Launches bottles on programs that keep their world in a file, and looks at that world.

    tests/launch/judge.py target/debug/bottlec

`world.py` stands in for the container engine and for smolvm; what they are asked for, in which order and with which
variables, and what there is afterwards, is compared with what `bottlec up`, `down`, `stop`, `status`, `exec` and `logs`
promise. Each program that is started fails, hangs and is killed in turn. The bundle's address answers in a network
namespace that the judge makes for itself; where that is not permitted it says so loudly, and judges nothing.
"""

import ast
import base64
import contextlib
import json
import os
import pty
import py_compile
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

from judging import ROOT, check, run, skipped, verdict

HERE = Path(__file__).resolve().parent

SPEC = """\
bottle "demo" {
    rootfs "./rootfs"
    env { TOKEN from-env="SECRET_TOKEN"; }
    egress { allow "registry.example.com"; }
    supervise
    sidecar "db" image="docker.io/library/redis:8@sha256:@DIGEST@" {
        port 6379 scheme="redis"
        volume "data" "/data" access="read-write"
        no-relay reason="it dials nothing"
    }
    network octet=42
}
""".replace("@DIGEST@", "0" * 64)
PORTS = [8888, 9100, 6379, 9418, 8900]


class Host:
    """A directory with a project, its state and its world."""

    def __init__(self, bottlec, directory, spec=SPEC):
        self.bottlec = bottlec
        self.directory = Path(tempfile.mkdtemp(dir=directory))
        self.project = self.directory / "project"
        self.world = self.directory / "world"
        bin = self.directory / "bin"
        for made in (self.project / "rootfs", self.world, bin, self.directory / "home"):
            made.mkdir(parents=True)
        # By this very Python, since what finds one may take longer than all that the program does; and compiled.
        (bin / "python3").symlink_to(sys.executable)
        for program in ("docker", "smolvm"):
            text = f"import sys\nsys.path.append({str(directory)!r})\nimport world\nworld.main()\n"
            (bin / program).write_text(f"#!{sys.executable} -SIB\n{text}")
            (bin / program).chmod(0o755)
        self.put("ports", PORTS)
        self.write(spec)
        self.env = {
            "PATH": f"{bin}:{os.environ['PATH']}",
            "HOME": str(self.directory / "home"),
            "WORLD": str(self.world),
            "SECRET_TOKEN": "s3cret-value",
            "TERM": "xterm",
        }

    def write(self, spec):
        (self.project / "bottle.kdl").write_text(spec)

    def start(self, *words, env=None, **more):
        return subprocess.Popen(
            [self.bottlec, *words],
            cwd=self.project,
            env=self.env | (env or {}),
            stdin=more.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, *words, code=0, says="", env=None, timeout=120):
        running = self.start(*words, env=env)
        out, err = running.communicate(timeout=timeout)
        name = " ".join(words)
        check(f"`{name}` ends with {code}", running.returncode == code, f"{running.returncode}\n{out}{err}")
        check(f"`{name}` says {says!r}", says in out + err, out + err)
        check(f"`{name}` tells no secret and drives no terminal", "s3cret" not in out + err and "\x1b" not in out + err, err)
        return out + err

    def up(self, *words, **more):
        return self.run("up", "--assume-ready", *words, **more)

    def put(self, name, value):
        (self.world / name).write_text(ascii(value))

    def state(self):
        path = self.world / "world"
        return ast.literal_eval(path.read_text()) if path.exists() else None

    def calls(self):
        path = self.world / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [ast.literal_eval(line) for line in lines]

    def fault(self, at=None, how="fail", **more):
        (self.world / "fault").unlink(missing_ok=True)
        if at:
            self.put("fault", {"at": at, "how": how} | more)

    def note(self):
        path = self.directory / "home/.local/state/bottlec/demo.json"
        return json.loads(path.read_text()) if path.exists() else None

    def is_empty(self):
        state = self.state() or {}
        return not any(state.get(kind) for kind in ("containers", "networks", "volumes", "machines")), state

    def end(self):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int((self.world / "gate.pid").read_text()), signal.SIGKILL)
        for network in ((self.state() or {}).get("networks") or {}).values():
            with contextlib.suppress(KeyError, ProcessLookupError):
                os.kill(network["listener"], signal.SIGKILL)
            subprocess.run(["ip", "address", "delete", f"{network['address']}/32", "dev", "lo"], capture_output=True)


@contextlib.contextmanager
def host(bottlec, directory, spec=SPEC):
    made = Host(bottlec, directory, spec)
    try:
        yield made
    finally:
        made.end()


def plan_of(host, *words):
    done = subprocess.run(
        [host.bottlec, "plan", "--format", "json", *words], cwd=host.project, env=host.env, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def changes(calls):
    """The calls that change anything, without questions."""
    asking = ("inspect", "ls", "version", "logs", "--version")
    return [call for call in calls if not any(word in asking for word in call["argv"][1:3])]


# ---------------------------------------------------------------------------------------------------------------------


def judge_first_launch(bottlec, directory):
    with host(bottlec, directory) as h:
        h.up("--", "sh", "-c", "exit 7", code=7)
        plan = plan_of(h)
        calls = h.calls()
        done = [call["argv"] for call in changes(calls)]
        commands = plan["commands"]
        prepare, compose = commands["bundle"]
        expected = [compose, commands["create"], commands["start"], *commands["provision"]]
        check("the plan's vectors and nothing else, in order", done[: len(expected)] == expected, (done, expected))
        attach = [word for word in commands["attach"] if word != "--tty"]
        check("then the program, on what is no terminal", done[len(expected) :] == [[*attach, "sh", "-c", "exit 7"]], done)
        check("supervise's queue was prepared", prepare[0] == "python3" and (h.project / "stage/demo").is_dir())
        stage = str(h.project / "stage/demo")
        check("all of it in the stage", {call["cwd"] for call in calls} == {stage}, {call["cwd"] for call in calls})
        unset, given = commands["unset"], commands["set"]
        for call in calls:
            env = call["env"]
            check("without the variables that are unset", not set(unset) & set(env), env)
            check("with those that are set", given.items() <= env.items(), env)
            check("no secret is an argument", not any("s3cret" in word for word in call["argv"]), call["argv"])
        check("the program's caller has the secret", calls[-1]["env"].get("SECRET_TOKEN") == "s3cret-value")
        written = b"".join(p.read_bytes() for p in h.directory.rglob("*") if p.is_file() and p.name != "calls")
        check("the secret is in no file", b"s3cret" not in written)
        state = h.state()
        check("what there is", len(state["containers"]) == 4 and state["machines"]["demo"]["state"] == "running", state)
        check("the note is private", (h.directory / "home/.local/state/bottlec/demo.json").stat().st_mode & 0o777 == 0o600)

        # Variables that would open a way past the bundle do not get through.
        h.up("--", "true", env={"SMOLVM_PUBLISH_ADDR": "", "SMOLVM_EGRESS_FLOOR": "off", "SMOLVM_LANDLOCK": "off"})
        calls = h.calls()
        check("again: nothing is made", [c["argv"][:3] for c in changes(calls)] == [["smolvm", "machine", "exec"]], calls)
        check("what is set outside does not count", all(given.items() <= call["env"].items() for call in calls))
        check("nor what is to be unset", not any(set(unset) & set(call["env"]) for call in calls))

        h.run("status", says="demo")
        h.run("exec", "--", "sh", "-c", "echo inside; exit 3", code=3, says="inside")
        h.run("logs", "db", says="bottle-demo--db says its last words")
        h.run("logs", "dp", code=2, says="did you mean `db`?")
        said = h.run("denials", says="docs.example.com:443")
        check("denials: the engine's are there, too", "198.51.100.7:22" in said, said)
        h.run("propose", says="+ docs.example.com")
        h.calls()

        # The environment of the human's is not the place for a program of the checkout's.
        (h.project / "docker").write_text("#!/bin/sh\ntouch pwned\n")
        (h.project / "docker").chmod(0o755)
        h.up("--", "true", env={"PATH": f".::{h.env['PATH']}"})
        check("no program is run out of the checkout", not list(h.project.rglob("pwned")))

        # Stopping keeps everything; up goes on.
        h.run("stop", says="stopped")
        state = h.state()
        check("stop keeps everything", len(state["containers"]) == 4 and state["machines"]["demo"]["state"] == "stopped")
        h.run("stop", says="nothing runs")
        h.run("status", code=1, says="machine: stopped")
        before = {name: it["id"] for name, it in state["containers"].items()}
        h.up("--", "true")
        state = h.state()
        check("up goes on with the same containers", {n: it["id"] for n, it in state["containers"].items()} == before)
        check("and the same machine", state["machines"]["demo"]["state"] == "running")
        h.calls()

        h.run("down", says="volumes")
        state = h.state()
        check("down keeps the volumes and nothing else", state["volumes"] == ["bottle-demo--data"], state)
        check("all else is gone", not state["containers"] and not state["networks"] and not state["machines"], state)
        check("and the note", h.note() is None)
        h.run("status", code=1, says="never launched")
        h.run("down", says="removed")
        h.up("--", "true")
        h.run("down", "--volumes", says="removed")
        check("down --volumes leaves nothing", *h.is_empty())


def judge_agents_program(bottlec, directory):
    """Without a program, a terminal gets the agent's own, and a log nothing."""
    agent = '    agent { program "sh" "-c" "echo the agent; exit 5" "it\'s"; mcp "/etc/goose/mcp.json" form="gemini"; }\n'
    with host(bottlec, directory, SPEC.replace("    supervise\n", f"    supervise\n{agent}")) as h:
        h.up(says="is up: `bottlec exec -- PROGRAM`")
        commands = plan_of(h)["commands"]
        copied = [call["argv"][-1] for call in h.calls() if "cp" in call["argv"]]
        check("its file of MCP servers is copied in", "demo:/etc/goose/mcp.json" in copied, copied)
        code, said = on_terminal(h, "up", "--assume-ready")
        done = [call["argv"] for call in changes(h.calls())]
        program = ["sh", "-c", "echo the agent; exit 5", "it's"]
        check("a terminal runs the agent's program", done == [[*commands["attach"], *program]], done)
        check("its code is passed on", code == 5, (code, said))
        check("and what it is is said", "running the agent's program" in said and "`bottlec exec -- sh -l`" in said, said)
        on_terminal(h, "up", "--assume-ready", "--", "sh", "-c", "exit 0")
        done = [call["argv"] for call in changes(h.calls())]
        check("another one that is named is run", done == [[*commands["attach"], "sh", "-c", "exit 0"]], done)
        h.run("down", "--volumes")


def on_terminal(host, *words):
    """Runs a command on a terminal of its own: its code, and what it wrote there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(host.project)
        os.execve(host.bottlec, [str(host.bottlec), *words], host.env)
    said = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 4096):
            said += part
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


BROKER = """\
bottle "demo" {
    rootfs "./rootfs"
    credential "model" {
        upstream "https://api.example.com"
        header "x-api-key" from-env="MODEL_KEY"
        allow "POST" "/v1/messages"
        expose "MODEL_URL"
        placeholder "MODEL_KEY"
    }
    credential "tracker" {
        upstream "https://tracker.example.com"
        basic user="ada" from-file="./tracker"
        allow "GET" "/issues"
    }
    credential "forge" {
        upstream "https://git.example.com"
        bearer from-file="./forge"
        allow "GET" "/issues"
    }
    network octet=42
}
"""


def judge_broker(bottlec, directory):
    """The launch's token, and what only the broker sees: made by `up`, kept while the bundle runs, gone with it."""
    with host(bottlec, directory, BROKER) as h:
        runtime = h.directory / "run"
        runtime.mkdir(mode=0o700)
        h.env |= {"XDG_RUNTIME_DIR": str(runtime), "MODEL_KEY": "s3cret-model"}
        (h.project / "tracker").write_text("s3cret-tracker\n")
        (h.project / "forge").write_text("s3cret-forge\n")
        vault = runtime / "bottlec/demo"

        def holds():
            return {path.name: path.read_text() for path in vault.iterdir()}

        def login(secret):
            return base64.b64encode(f"ada:{secret}".encode()).decode()

        h.up("--", "true")
        calls = h.calls()
        first = holds()
        token = first["token"]
        check("a token that nobody guesses", re.fullmatch("[0-9a-f]{64}", token), token)
        expected = {
            "token": token,
            "model": "s3cret-model",
            "tracker": login("s3cret-tracker"),
            "tracker.token": login(token),
        }
        check("what the broker sends, and no file that it is shown", first == expected, first.keys())
        check("the directory is private", vault.stat().st_mode & 0o777 == 0o700, oct(vault.stat().st_mode))
        check("and each file", all(path.stat().st_mode & 0o777 == 0o400 for path in vault.iterdir()))
        check("no argument has one", not any(s in word for c in calls for word in c["argv"] for s in ("s3cret", token)))
        of_compose = [call["env"] for call in calls if call["argv"][:2] == ["docker", "compose"]]
        check("Compose is told where", [env["BOTTLE_BROKER"] for env in of_compose] == [str(vault)], of_compose)
        of_engine = [call["env"].get("BOTTLE_TOKEN") for call in calls if call["argv"][:3] == ["smolvm", "machine", "start"]]
        check("the machine starts with the token", of_engine == [token], of_engine)
        check("and so does the program", calls[-1]["env"].get("BOTTLE_TOKEN") == token, calls[-1])
        mine = (vault, h.project / "tracker", h.project / "forge")
        others = [p for p in h.directory.rglob("*") if p.is_file() and not any(m == p or m in p.parents for m in mine)]
        written = b"".join(p.read_bytes() for p in others if p.name != "calls")
        check("neither is in any other file", b"s3cret" not in written and token.encode() not in written)
        h.run("exec", "--", "true")
        check("exec, too", h.calls()[-1]["env"].get("BOTTLE_TOKEN") == token)
        for answer in (h.run("status"), h.run("plan"), h.run("logs")):
            check("nothing shows it", token not in answer and "s3cret" not in answer, answer)
        h.calls()

        # Rotation: a new value and the same token, and nothing is made anew.
        before = h.state()
        (h.project / "tracker").write_text("s3cret-rotated")
        h.up("--", "true", env={"MODEL_KEY": "s3cret-new"})
        second = holds()
        check("new secrets count", (second["model"], second["tracker"]) == ("s3cret-new", login("s3cret-rotated")))
        check("the token stays", second["token"] == token and second["tracker.token"] == login(token))
        check("nothing is made anew", h.state() == before)
        h.up("--", "true", env={"MODEL_KEY": ""})
        check("without the variable the secret stays", holds()["model"] == "s3cret-new", holds().keys())

        # What is no longer a credential goes.
        h.write(BROKER.replace("basic user=\"ada\"", "bearer"))
        h.up("--", "true")
        check("what an older spec had is gone", holds().keys() == {"token", "model"}, holds().keys())
        h.write(BROKER)
        h.up("--", "true")

        # The host's session ended, and the directory with it: what still runs knows another token.
        before = h.state()["containers"]
        shutil.rmtree(vault)
        h.calls()
        h.up("--", "true")
        after = h.state()["containers"]
        anew = {name for name in after if before[name]["id"] != after[name]["id"]}
        check("the broker is made anew, and nothing else", anew == {"bottle-demo--broker"}, anew)
        argv = [call["argv"][2] for call in changes(h.calls()) if call["argv"][0] == "smolvm"]
        check("the machine is started anew", argv[:2] == ["stop", "start"], argv)
        check("with another token", holds()["token"] != token)

        h.run("stop")
        check("stopped, it is still there", vault.is_dir())
        h.run("down", "--volumes", says="removed")
        check("it goes with the bundle", not vault.exists(), list(runtime.rglob("*")))
        check("down leaves nothing", *h.is_empty())

        # What no header can hold is said before anything is made, and not repeated.
        for bad in ("s3cret\nx-more: 1", "s3cret\r", " s3cret", "s3crét", "s3cret" * 4000):
            h.up("--", "true", code=125, says="cannot be sent", env={"MODEL_KEY": bad})
        check("nothing was made", *h.is_empty())
        # A launch that fails takes it along.
        h.fault(" compose --project-name")
        h.up("--", "true", code=125)
        check("a failed launch leaves none of it", not vault.exists(), list(runtime.rglob("*")))
        h.fault()
        # Without a directory of the session's, it is in the user's state.
        del h.env["XDG_RUNTIME_DIR"]
        h.up("--", "true")
        check("elsewhere it is in the state", (h.directory / "home/.local/state/bottlec/run/demo/token").is_file())
        h.run("down", "--volumes")
        # A directory that others may write to is not believed.
        h.env["XDG_RUNTIME_DIR"] = str(runtime)
        vault.mkdir(parents=True)
        vault.chmod(0o777)
        h.up("--", "true", code=125, says="not a directory of yours alone")
        check("nothing was made there", *h.is_empty())


def judge_changes(bottlec, directory):
    with host(bottlec, directory) as h:
        h.up("--", "true")
        ids = lambda: {name: it["id"] for name, it in h.state()["containers"].items()}
        before = ids()
        h.calls()
        # A wider list is in force: the container that is shown it is another one, and no other is.
        h.write(SPEC.replace('"registry.example.com"', '"registry.example.com" "docs.example.com"'))
        out = h.run("build", says="what is up of it is of another plan")
        h.run("status", code=1, says="made from something else")
        h.up("--", "true")
        after = ids()
        changed = {name for name in before if before[name] != after[name]}
        expected = {"bottle-demo--pipelock", "bottle-demo--supervise"}
        check("exactly the containers that are shown the change are made anew", changed == expected, changed)
        h.run("build", says="unchanged")
        h.run("status", says="what was launched is what the spec says")

        # A sidecar that is taken out is gone.
        h.write(re.sub(r'(?s)    sidecar "db".*?\n    }\n', "", h.project.joinpath("bottle.kdl").read_text()))
        h.up("--", "true")
        check("a sidecar that is taken out of the spec is gone", "bottle-demo--db" not in h.state()["containers"])

        # Another machine is needed: said, and nothing is touched.
        text = h.project.joinpath("bottle.kdl").read_text()
        h.write(text.replace("env {", 'env { MORE "1";'))
        before = h.state()
        h.calls()
        h.up("--", "true", code=125, says="--recreate")
        check("a change that needs another machine changes nothing", h.state() == before)
        check("and asks before all else", not changes(h.calls()))
        h.up("--recreate", "--", "true")
        argv = [call["argv"][2] for call in changes(h.calls()) if call["argv"][0] == "smolvm"]
        check("the machine is made anew when told so", argv[:4] == ["stop", "delete", "create", "start"], argv)
        h.write(text)

        # Another octet: the old network is in the way.
        h.up("--recreate", "--", "true")
        h.write(text.replace("octet=42", "octet=43"))
        h.up("--recreate", "--", "true")
        state = h.state()
        check("another subnet replaces the old one", state["networks"]["bottle-demo"]["subnet"] == "192.168.43.0/24", state)
        # Another container engine cannot remove what this one runs.
        before = h.state()
        h.write(text.replace("network octet=42", 'network octet=43\n    container-engine "podman"'))
        h.up("--", "true", code=125, says="the bundle was launched with `docker`")
        check("another container engine changes nothing", h.state() == before)
        h.run("down", "--volumes")
        check("nothing is left of either", *h.is_empty())


def judge_what_runs(bottlec, directory):
    """What Compose says of itself is not believed."""
    with host(bottlec, directory) as h:
        h.up("--", "true")

        def edit(change):
            state = h.state()
            change(state)
            h.put("world", state)

        def restart(state):
            for name, it in state["containers"].items():
                if not name.endswith("--bundle"):
                    it["started"] = "2001-01-01T00:00:00Z"

        # The one that owns the address was started anew by itself, after the others.
        edit(restart)
        h.run("status", code=1, says="runs on without the address")
        h.calls()
        h.up("--", "true")
        restarted = [call["argv"][-1] for call in h.calls() if "restart" in call["argv"]]
        ours = ["bottle-demo--pipelock", "bottle-demo--db", "bottle-demo--supervise"]
        check("those that lost the address are started anew", sorted(restarted) == sorted(ours), restarted)

        # Another container in the place of ours, of another make.
        edit(lambda state: state["containers"]["bottle-demo--pipelock"].update(made_from="0" * 64, config="other"))
        h.run("status", code=1, says="made from something else")
        h.up("--", "true")
        check("it is made anew", h.state()["containers"]["bottle-demo--pipelock"]["made_from"] != "0" * 64)

        # A machine whose list somebody changed.
        edit(lambda state: state["machines"]["demo"].update(allowed_cidrs=None))
        h.up("--", "true", code=125, says="not confined")
        h.run("status", code=1, says="may dial anything")
        edit(lambda state: state["machines"]["demo"].update(allowed_cidrs=["192.168.42.2/32", "10.0.0.0/8"]))
        h.up("--", "true", code=125, says="10.0.0.0/8")
        edit(lambda state: state["machines"]["demo"].update(allowed_cidrs=["192.168.42.2/32"], dns="1.1.1.1"))
        h.up("--", "true", code=125, says="1.1.1.1")
        h.run("down", "--volumes")

        # A port that does not answer where the machine dials.
        h.put("ports", [port for port in PORTS if port != 9100])
        h.up("--", "true", code=125, says="192.168.42.2:9100")
        check("and nothing is left", *h.is_empty())
        h.put("ports", PORTS)

        # A sidecar that never gets well: its last words, and nothing is left.
        (h.world / "sick").write_text("bottle-demo--db")
        h.up("--", "true", code=125, says="bottle-demo--db says its last words")
        check("an unhealthy bundle leaves nothing", *h.is_empty())


def judge_whose_it_is(bottlec, directory):
    with host(bottlec, directory) as h:
        theirs = {
            "containers": {
                "bottle-demo--db": {
                    "id": "1", "project": "bottle-demo", "made_from": "", "config": "", "status": "running",
                    "started": "2026-01-01T00:00:00Z", "health": None, "network": "bridge",
                }
            },
            "networks": {}, "volumes": ["theirs"], "images": ["theirs"],
            "machines": {"demo": {"state": "stopped"}, "other": {"state": "running"}},
        }
        h.put("world", theirs)
        h.up("--", "true", code=125, says="no launch of this bottle made")
        check("another's machine is not touched", h.state() == theirs)
        h.run("down", code=3, says="no launch of a bottle made it")
        check("nor by down", h.state() == theirs)
        del theirs["machines"]["demo"]
        h.put("world", theirs)
        h.up("--", "true", code=125, says="no launch of a bottle made it")
        check("another's container is not touched", h.state() == theirs)
        theirs["containers"] = {"theirs": theirs["containers"]["bottle-demo--db"] | {"project": "theirs"}}
        h.put("world", theirs)
        h.up("--", "true")
        h.run("down", "--volumes")
        check("what others have stays", h.state() == theirs, h.state())

        # A second copy under a name of its own, and a second project of the same name.
        h.write(SPEC.replace("    network octet=42\n", ""))
        h.up("--", "true")
        h.up("--name", "demo-two", "--", "true")
        state = h.state()
        check("two copies at once", {"demo", "demo-two"} <= set(state["machines"]), state["machines"])
        check("on two subnets", len({it["subnet"] for it in state["networks"].values()}) == 2, state["networks"])
        h.run("down", "--volumes", "--bottle", "demo-two")
        other = h.directory / "project/other"
        other.mkdir()
        (other / "bottle.kdl").write_text(SPEC.replace("./rootfs", "../rootfs"))
        h.up("other/bottle.kdl", "--", "true", code=125, says="of another spec")
        h.run("down", "other/bottle.kdl", code=3, says="of another spec")
        check("and is left alone", "demo" in h.state()["machines"])
        h.up("--name", "Bad Name", "--", "true", code=125, says="not a valid name")
        # The spec is broken, or gone: what was launched is found by its name.
        h.write("bottle {")
        h.run("down", code=1, says="--bottle SLUG")
        h.run("down", "--volumes", "--bottle", "demo", says="removed")
        check("what others have stays, still", h.state() == theirs, h.state())


def judge_faults(bottlec, directory):
    """Every program in turn fails, is killed, hangs and is interrupted: nothing is left, nothing of others is touched."""
    spec = SPEC.replace("    supervise\n", "    supervise\n    git {\n        user name=\"Ada\" email=\"ada@example.com\"\n    }\n")
    with host(bottlec, directory, spec) as h:
        theirs = {"containers": {}, "networks": {}, "volumes": ["theirs"], "images": ["theirs"], "machines": {"other": {"state": "running"}}}
        h.put("world", theirs)
        h.up("--", "true")
        steps = []
        for call in h.calls():
            words = " ".join(call["argv"])
            if call["argv"][-1] != "true" and words not in steps:
                steps.append(words)
        h.run("down", "--volumes")
        check("there are steps to fail", len(steps) > 8, steps)
        for step in steps:
            for how in ("fail", "killed"):
                h.fault(step, how)
                # A question whose failure is an answer: no such network, no such volume.
                is_question = " inspect " in step
                running = h.start("up", "--assume-ready", "--", "true")
                out, err = running.communicate(timeout=120)
                h.fault()
                shown = f"{step[:70]} ({how})"
                if is_question and running.returncode == 0:
                    h.run("down", "--volumes")
                else:
                    check(f"{shown}: 125", running.returncode == 125, f"{running.returncode}\n{err}")
                    check(f"{shown}: its last words", "goes wrong" in err or "goes wrong" in out or is_question, err)
                    check(f"{shown}: drives no terminal", "\x1b" not in err, err)
                check(f"{shown}: nothing is left", h.state() == theirs, h.state())
                check(f"{shown}: no note is left", h.note() is None)
        for step in [step for step in steps if " inspect " not in step and " ls " not in step]:
            for how in (signal.SIGINT,) if "exec" in step else (signal.SIGINT, signal.SIGTERM):
                h.fault(step, "hang")
                (h.world / "hangs").unlink(missing_ok=True)
                running = h.start("up", "--assume-ready", "--", "true")
                deadline = time.time() + 60
                while not (h.world / "hangs").exists() and running.poll() is None and time.time() < deadline:
                    time.sleep(0.02)
                h.fault()
                running.send_signal(how)
                out, err = running.communicate(timeout=60)
                shown = f"{step[:70]} (interrupted)"
                check(f"{shown}: 125", running.returncode == 125, f"{running.returncode}\n{err}")
                check(f"{shown}: nothing is left", h.state() == theirs, h.state())
                pid = int((h.world / "hangs").read_text()) if (h.world / "hangs").exists() else None
                check(f"{shown}: it does not run on", pid is None or not Path(f"/proc/{pid}").exists(), pid)
        # Killed outright, at any moment that changes something: the next launch goes on, and `down` leaves nothing.
        for step in [step for step in steps if " inspect " not in step and " ls " not in step]:
            h.fault(step, "hang")
            (h.world / "hangs").unlink(missing_ok=True)
            running = h.start("up", "--assume-ready", "--", "true")
            deadline = time.time() + 60
            while not (h.world / "hangs").exists() and running.poll() is None and time.time() < deadline:
                time.sleep(0.02)
            h.fault()
            running.kill()
            running.communicate()
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int((h.world / "hangs").read_text()), signal.SIGKILL)
            h.up("--", "true")
            h.run("down", "--volumes")
            check(f"{step[:70]} (launcher killed): nothing is left in the end", h.state() == theirs, h.state())


def judge_many(bottlec, directory):
    with host(bottlec, directory) as h:
        both = [h.start("up", "--assume-ready", "--", "true") for _ in range(2)]
        ended = [running.communicate(timeout=120) for running in both]
        check("two launches at once: both are well", [running.returncode for running in both] == [0, 0], ended)
        made = [call["argv"][2] for call in changes(h.calls()) if call["argv"][0] == "smolvm"]
        check("and the machine is made once", made.count("create") == 1 and made.count("start") == 1, made)
        h.run("down", "--volumes")
        check("nothing is left", *h.is_empty())


def judge_where_it_lies(bottlec, directory):
    with host(bottlec, directory) as h:
        for path, mode in ((h.project, 0o777), (h.project / "stage", 0o777), (h.project / "stage/demo", 0o777)):
            h.up("--", "true")
            h.run("down", "--volumes")
            h.calls()
            before = path.stat().st_mode
            path.chmod(mode)
            h.up("--", "true", code=125, says="")
            path.chmod(before)
            check(f"a stage that others may write to is not launched: {path.name}", not changes(h.calls()))
        (h.project / "stage/demo/smolfile.toml").write_text("env = []\n")
        h.up("--", "true", code=125, says="smolfile.toml")
        check("nor one that was edited", not changes(h.calls()))
        h.up("--force", "--", "true")
        h.run("down", "--volumes")
        # A private key in the place of what would be copied into the machine, whatever else is assumed.
        (h.project / "cert.pem").write_text("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n")
        (h.project / "ca-key.pem").write_text("-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n")
        (h.project / "ca-key.pem").chmod(0o600)
        h.write(SPEC.replace("egress {", "egress { tls { ca-cert \"./cert.pem\"; ca-key \"./ca-key.pem\"; };"))
        h.calls()
        h.up("--", "true", code=125, says="holds a private key")
        check("a private key is not handed over", not changes(h.calls()))


def judge_nothing_there(bottlec, directory):
    with host(bottlec, directory) as h:
        empty = h.directory / "empty"
        empty.mkdir()
        before = sorted(h.project.rglob("*"))
        env = {"PATH": str(empty), "SECRET_TOKEN": ""}
        out = h.run("up", code=125, env=env)
        for missing in ("`smolvm` is not on PATH", "`docker` is not on PATH", "`python3` is not on PATH", "`SECRET_TOKEN`"):
            check(f"on a host with nothing: {missing}", missing in out, out)
        check("on a host with nothing: nothing is written", sorted(h.project.rglob("*")) == before)
        check("nor noted", not (h.directory / "home/.local").exists())
        shutil.rmtree(h.project / "rootfs")
        out = h.run("up", code=125, env=env)
        check("what is booted from is missing, too", "boots from, is not there" in out, out)
        out = h.run("up", "no-such.kdl", code=125, env=env, says="no-such.kdl")
        h.write("bottle \"demo\" { egres; }\n")
        out = h.run("up", code=125, says="unknown-node")


def judge_script(bottlec, directory):
    """The printed script does the same."""
    with host(bottlec, directory) as h:
        h.run("build")
        h.run("plan", "--format", "sh", says="#!/bin/sh")
        done = subprocess.run([h.bottlec, "plan", "--format", "sh"], cwd=h.project, env=h.env, capture_output=True, text=True)
        (h.project / "launch.sh").write_text(done.stdout)

        def script(*words, code=0):
            ran = subprocess.run(["sh", "launch.sh", *words], cwd=h.project, env=h.env, capture_output=True, text=True, timeout=120)
            check(f"script {words}: {code}", ran.returncode == code, ran.stdout + ran.stderr)

        script("up", "sh", "-c", "exit 9", code=9)
        calls = [call["argv"] for call in changes(h.calls())]
        plan = plan_of(h)["commands"]
        expected = [plan["bundle"][-1], plan["create"], plan["start"], *plan["provision"]]
        check("the script runs the plan's vectors", calls[: len(expected)] == expected, calls)
        script("stop")
        check("the script stops", h.state()["machines"]["demo"]["state"] == "stopped")
        script("purge")
        check("the script removes all", *h.is_empty())
        for step in (" compose --project-name", " machine create", " machine start"):
            h.fault(step)
            script("up", "true", code=125)
            h.fault()
            script("purge")
            check(f"the script stops where{step} fails", *h.is_empty())
        # What a step does not remove is seen, though no step of an undoing must succeed.
        for step in (" container rm", " machine delete"):
            script("up", "true")
            h.fault(step)
            script("down", code=125)
            h.fault()
            script("purge")
        check("in the end all is removed", *h.is_empty())
        (h.project / "stage/demo/compose.yaml").write_text("services: {}\n")
        h.calls()
        script("up", "true", code=125)
        check("an edited stage is not launched", not changes(h.calls()))


def judge_script_of_the_broker(bottlec, directory):
    """The script makes the token and the broker's secrets as `up` does."""
    spec = BROKER.replace('basic user="ada"', 'basic user="ada\'s $(id)"')
    with host(bottlec, directory, spec) as h:
        runtime = h.directory / "run"
        runtime.mkdir(mode=0o700)
        h.env |= {"XDG_RUNTIME_DIR": str(runtime), "MODEL_KEY": "s3cret-model"}
        (h.project / "tracker").write_text("s3cret-tracker\n")
        (h.project / "forge").write_text("s3cret-forge\n")
        vault = runtime / "bottlec/demo"
        h.run("build")
        done = subprocess.run([h.bottlec, "plan", "--format", "sh"], cwd=h.project, env=h.env, capture_output=True, text=True)
        (h.project / "launch.sh").write_text(done.stdout)

        def script(*words, code=0, env=None):
            ran = subprocess.run(
                ["sh", "launch.sh", *words], cwd=h.project, env=h.env | (env or {}), capture_output=True, text=True, timeout=120
            )
            check(f"script {words}: {code}", ran.returncode == code, ran.stdout + ran.stderr)
            check("it tells no secret", "s3cret" not in ran.stdout + ran.stderr, ran.stderr)

        made = {}
        for how in ("up", "script"):
            if how == "up":
                h.up("--", "true")
            else:
                script("up", "true")
            made[how] = {path.name: path.read_text() for path in vault.iterdir()}
            private = [path.stat().st_mode & 0o077 for path in (vault, *vault.iterdir())]
            check(f"{how}: nobody else sees it", not any(private), private)
            calls = h.calls()
            token = made[how]["token"]
            given = {call["env"].get("BOTTLE_TOKEN") for call in calls if call["argv"][:3] == ["smolvm", "machine", "start"]}
            check(f"{how}: the machine gets the token", given == {token}, given)
            check(f"{how}: no argument has one", not any(s in w for c in calls for w in c["argv"] for s in ("s3cret", token)))
            if how == "up":
                h.run("down", "--volumes")
            else:
                script("purge")
            check(f"{how}: it goes with the bundle", not vault.exists())
        for what in made.values():
            token = what.pop("token")
            check("a token", re.fullmatch("[0-9a-f]{64}", token), token)
            login = base64.b64encode(f"ada's $(id):{token}".encode()).decode()
            check("and the login that has it", what.pop("tracker.token") == login)
        check("the script's secrets are those of up", made["up"] == made["script"], made)
        script("up", "true", code=125, env={"MODEL_KEY": ""})
        check("without a secret nothing is made", *h.is_empty())


def judge_script_of_a_repository(bottlec, directory):
    """A repository of the host's is found by the script as `up` finds it, also from a work tree beside the first."""
    spec = SPEC.replace("    supervise\n", "    git { repo \"app\" { path \".\"; }; }\n")
    with host(bottlec, directory, spec) as h:
        subprocess.run(["git", "init", "--quiet"], cwd=h.project, env=h.env, check=True)
        # What `up` pulls from in the end.
        (h.world / "gate").mkdir()
        subprocess.run(["git", "init", "--quiet", "--bare", h.world / "gate/app"], env=h.env, check=True)
        h.run("build")
        for name, words in (("script", ["sh", "launch.sh", "up", "true"]), ("up", [bottlec, "up", "--assume-ready", "--", "true"])):
            done = subprocess.run([bottlec, "plan", "--format", "sh"], cwd=h.project, env=h.env, capture_output=True, text=True)
            (h.project / "launch.sh").write_text(done.stdout)
            h.calls()
            ran = subprocess.run(words, cwd=h.project, env=h.env, capture_output=True, text=True, timeout=120)
            made = [call for call in h.calls() if "compose" in call["argv"] and "up" in call["argv"]]
            where = {call["env"].get("BOTTLE_REPO_1") for call in made}
            expected = {str((h.project / ".git").resolve())}
            check(f"{name}: Compose is told where the repository is", (ran.returncode, where) == (0, expected), (where, ran.stderr))
            subprocess.run(["sh", "launch.sh", "purge"], cwd=h.project, env=h.env, capture_output=True)
            check(f"{name}: and all is removed", *h.is_empty())


def judge_work_that_is_not_pulled(bottlec, directory):
    spec = SPEC.replace("    supervise\n", "    git { repo \"app\" { path \".\"; }; }\n")
    with host(bottlec, directory, spec) as h:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]

        def git(*words, where=h.project):
            env = h.env | {"GIT_CONFIG_GLOBAL": "/dev/null"}
            subprocess.run(["git", *identity, *words], cwd=where, env=env, check=True, capture_output=True)

        git("init", "--quiet")
        git("commit", "--quiet", "--allow-empty", "--message=first")
        gate = h.world / "gate"
        gate.mkdir()
        git("clone", "--quiet", "--bare", h.project, gate / "app")
        h.up("--", "true")
        h.run("stop")
        h.run("down", "--volumes", code=3, says="git-gate does not run")
        check("and nothing is removed", h.state()["machines"] and h.state()["volumes"], h.state())
        h.up("--", "true")
        # A tag of commits that no branch has: it is not pulled, and would be lost.
        git("clone", "--quiet", gate / "app", h.directory / "agent")
        git("commit", "--quiet", "--allow-empty", "--message=second", where=h.directory / "agent")
        git("tag", "v1", where=h.directory / "agent")
        git("push", "--quiet", "origin", "v1", where=h.directory / "agent")
        h.run("down", "--volumes", code=3, says="git-gate holds what was not pulled: `refs/tags/v1` of `app`")
        check("and nothing is removed then", h.state()["machines"] and h.state()["volumes"], h.state())
        h.run("down", "--volumes", "--force", says="removed")
        check("with --force nothing is left", *h.is_empty())


def judge_full_disks(bottlec, directory):
    """A full disk in the place of the stage, or of the note of what was launched."""
    with host(bottlec, directory) as h:
        small = ["mount", "-t", "tmpfs", "-o", "size=16k", "none"]
        for place in (h.project / "stage", h.directory / "home/.local/state/bottlec"):
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o755 if place.name == "stage" else 0o700)
            done = subprocess.run([*small, place], capture_output=True, text=True)
            check(f"a small disk at {place.name}", done.returncode == 0, done.stderr)
            place.chmod(0o755 if place.name == "stage" else 0o700)
            with contextlib.suppress(OSError), (place / "fill").open("wb", buffering=0) as fill:
                while True:
                    fill.write(bytes(1024))
            h.up("--", "true", code=125, says="no space left")
            check(f"a full disk at {place.name}: nothing is left", *h.is_empty())
            subprocess.run(["umount", place], check=True)
        h.up("--", "true")
        h.run("down", "--volumes")


def judge_page(bottlec, directory):
    """The page of the first bottle, command by command."""
    page = (ROOT / "docs/first-bottle.md").read_text()
    blocks = re.findall(r"(?ms)^```(sh|kdl)\n(.*?)^```$", page)
    check("the page has its commands", len(blocks) > 8, blocks)
    with host(bottlec, directory) as h:
        git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main"]
        home, gate = Path(h.env["HOME"]), h.world / "gate"
        project = home / "project"
        project.mkdir()
        for words in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "--message=first"]):
            subprocess.run([*git, *words], cwd=project, check=True, env=h.env)
        gate.mkdir()
        subprocess.run(["git", "clone", "--quiet", "--bare", project, gate / "project"], check=True, env=h.env)
        # The agent: it commits to a branch of its own and pushes that, to what stands in for git-gate.
        claude = h.directory / "bin/claude"
        claude.write_text(
            f"#!/bin/sh\nset -eu\nwork=$(mktemp -d)\ngit clone --quiet '{gate}/project' \"$work\"\ncd \"$work\"\n"
            "git checkout --quiet -B my-change\n"
            "git -c user.name=Agent -c user.email=agent@example.com commit --quiet --allow-empty --message=change\n"
            "git push --quiet origin +my-change\n"
        )
        claude.chmod(0o755)
        (h.directory / "bin/bottlec").write_text(
            # The host lacks what the judge's has not; a secret is not typed here.
            f'#!/bin/sh\nif [ "$1" = up ]; then shift; set -- up --assume-ready "$@"; fi\nexec {bottlec} "$@"\n'
        )
        (h.directory / "bin/bottlec").chmod(0o755)
        env = h.env | {"ANTHROPIC_API_KEY": "s3cret-value", "GIT_CONFIG_GLOBAL": "/dev/null", "EDITOR": "true"}
        identity = "git config user.name Ada; git config user.email ada@example.com; "
        tolerated = "bottlec preflight"
        for kind, text in blocks:
            if kind == "kdl":
                (project / "bottle.kdl").write_text(text)
                continue
            text = text.replace("read -rs ANTHROPIC_API_KEY && export ANTHROPIC_API_KEY\n", "")
            # What this host lacks, preflight says, and fails.
            text = text.replace(tolerated, f"{tolerated} || true")
            if "exec -- git" in text:
                # Its directory in the machine is nowhere here.
                text = text.replace("git -C /work/project status", "true")
            done = subprocess.run(
                ["bash", "-euc", identity + text], cwd=project, env=env, capture_output=True, text=True, timeout=180
            )
            check(f"page: {text.splitlines()[0] if text else ''}", done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}")
        log = subprocess.run(["git", "log", "--format=%s"], cwd=project, env=env, capture_output=True, text=True).stdout
        check("page: what the agent committed is merged", "change" in log.split(), log)
        state = h.state()
        check("page: the list became wider, and nothing is left in the end", *h.is_empty())


def measure(bottlec, directory):
    """What the launcher adds to the time of the programs that it starts."""
    with host(bottlec, directory) as h:
        scratch = h.directory / "scratch"
        scratch.mkdir()
        first, again = [], []
        for _ in range(3):
            for times in (first, again):
                begun = time.monotonic()
                h.up("--", "true")
                whole = time.monotonic() - begun
                calls = h.calls()
                begun = time.monotonic()
                for call in calls:
                    # In a world without anything they fail, and take as long.
                    subprocess.run(call["argv"], env=h.env | {"WORLD": str(scratch)}, cwd=scratch, capture_output=True)
                times.append((whole, time.monotonic() - begun, len(calls)))
            h.run("down", "--volumes")
        for name, times in (("first", first), ("again", again)):
            whole, programs, count = (statistics.median(part) for part in zip(*times))
            print(f"launch, {name}: {whole:.2f} s, {whole - programs:.2f} s more than its {count:.0f} programs")


def main(bottlec):
    with tempfile.TemporaryDirectory() as directory:
        # What stands in for the engines is compiled once.
        py_compile.compile(HERE / "world.py", f"{directory}/world.pyc", doraise=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for judge in (
            judge_first_launch,
            judge_agents_program,
            judge_broker,
            judge_changes,
            judge_what_runs,
            judge_whose_it_is,
            judge_many,
            judge_where_it_lies,
            judge_nothing_there,
            judge_script,
            judge_page,
            judge_script_of_a_repository,
            judge_script_of_the_broker,
            judge_work_that_is_not_pulled,
            judge_full_disks,
            judge_faults,
        ):
            if not ONLY or judge.__name__ in ONLY:
                judge(bottlec, directory)
        measure(bottlec, directory)
    return verdict("launch")


ONLY = sys.argv[2:]

if __name__ == "__main__":
    program = Path(sys.argv[1]).resolve()
    namespace = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.environ.get("LAUNCH_JUDGE") == "inside":
        sys.exit(main(program))
    if run(*namespace, "true").returncode != 0 or not shutil.which("ip"):
        skipped("everything", "network and process namespaces of one's own are not permitted here, or there is no `ip`")
        sys.exit(verdict("launch"))
    os.execvpe(
        namespace[0], [*namespace, sys.executable, __file__, str(program), *ONLY], os.environ | {"LAUNCH_JUDGE": "inside"}
    )
