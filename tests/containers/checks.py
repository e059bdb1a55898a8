"""What must hold of `bottlec up` and its neighbours, with every engine."""

import os
import re
import shutil
import threading
import time
from pathlib import Path

from bottle import SLUG
from engines import run, wait
from judging import check

def said(done):
    return f"it ended with {done.returncode}\n{done.stdout}\n{done.stderr}".strip().replace("\n", "\n    ")


def used():
    """The seconds of a processor that this namespace has used so far."""
    return sum(
        int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
        for fields in (stat.read_text().rpartition(")")[2].split() for stat in Path("/proc").glob("[0-9]*/stat"))
    ) / os.sysconf("SC_CLK_TCK")


class Judge:
    """The checks with one engine, in an order in which each begins where the one before ended."""

    def __init__(self, bottle):
        self.bottle, self.engine = bottle, bottle.engine
        self.others = self.somebodys()

    @property
    def every_one(self):
        return *self.bottle.built_in, "web", "cache"

    def check(self, what, holds, detail=""):
        return check(f"{self.engine.program}: {what}", holds, detail)

    def somebodys(self):
        """Makes what is somebody else's and lies beside the bottle's; or looks at it again."""
        engine = self.engine
        if "somebodys" not in engine.names("container"):
            engine.ask("network", "create", "somebodys")
            engine.ask("volume", "create", "somebodys")
            words = ["run", "--detach", "--name", "somebodys", "--network", "somebodys", "--volume", "somebodys:/data"]
            engine.ask(*words, "docker.io/library/shell:local", "sleep", "100000")
        there = [kind for kind in ("container", "network", "volume") if "somebodys" in engine.names(kind)]
        return engine.id("somebodys"), engine.started("somebodys"), there

    def up(self, *words, program=("true",)):
        return self.bottle.bottlec("up", "bottle.kdl", *words, "--", *program)

    def nothing_left(self, what, volumes=False):
        """Sees that nothing of the bottle is there any more, and all of somebody else's."""
        left = self.bottle.left()
        if volumes:
            self.check(f"{what}: its volumes stay", left.pop("volume"))
        self.check(f"{what}: nothing is left", not any(left.values()), left)
        self.check(f"{what}: the machine is gone", not self.bottle.machines(), self.bottle.machines())
        self.check(f"{what}: what is somebody else's is as it was", self.somebodys() == self.others)

    def all(self):
        steps = [self.a_first_launch, self.git, self.again, self.a_changed_list, self.a_sidecar_less]
        steps += [self.a_restart_of_the_owner, self.stop_and_go_on, self.down, self.two_at_once, self.an_older_bundle]
        steps += [self.another_octet, self.purge, self.a_failed_start, self.a_second_copy, self.a_killed_launch]
        left_out = [self.git, self.stop_and_go_on, self.down, self.two_at_once, self.another_octet]
        left_out += [self.a_second_copy, self.a_killed_launch]
        if not self.bottle.whole:
            steps = [step for step in steps if step not in left_out]
        wanted = os.environ.get("CONTAINERS_STEPS", "").split()
        for step in steps:
            if wanted and step.__name__ not in wanted:
                continue
            started, before = time.monotonic(), used()
            step()
            if os.environ.get("CONTAINERS_TIMES"):
                took = f"{time.monotonic() - started:.1f} s, {used() - before:.1f} s of a processor"
                print(f"{self.engine.program}: {step.__name__}: {took}", flush=True)

    def a_first_launch(self):
        bottle = self.bottle
        bottle.write()
        done = self.up(program=("sh", "-c", "echo in the machine, $HTTP_PROXY; exit 3"))
        self.check("the program's exit code is passed through", done.returncode == 3, said(done))
        proxy = f"in the machine, http://{bottle.address}:8888\n"
        self.check("the program has the agent's environment", proxy in done.stdout, said(done))
        self.check("all sidecars are healthy when it starts", bottle.healthy(*self.every_one, seconds=0), self.engine.list())
        self.check("an allowed host is reached", bottle.reaches("allowed.example.com"))
        self.check("another host is not reached", not bottle.reaches("other.example.com"))
        self.check("a sidecar is reached at the bundle's address", bottle.fetches_page_of(8080))
        done = bottle.bottlec("status", "bottle.kdl")
        self.check("`status` is content", done.returncode == 0, said(done))

    def git(self):
        bottle, world = self.bottle, self.bottle.world
        done = bottle.inside("git", "-C", "/work/app", "log", "--format=%s %an")
        self.check("the repository is in the machine", done.stdout == "the first Ada\n", said(done))

        def push(branch, text, repository="app"):
            script = f"cd /work/{repository} && "
            script += 'printf %s "$2" >work && git checkout -q -B "$1" && git add work && git commit -q -m work && '
            return bottle.inside("sh", "-c", script + 'git push -q origin "$1"', "sh", branch, text)

        name = f"work-{self.engine.program}"
        done = push(name, "an honest line\n")
        self.check("a push goes through the gate", done.returncode == 0 and world.branch(name), said(done))
        # A token of nobody's, put together here so that this file does not hold it.
        done = push("planted", "token = ghp" + "_w8sK2mQx9Tz4LbVc7Yn3Rf6Jh1Gd5Pa0EuSo\n")
        self.check("a planted secret is refused", done.returncode != 0 and not world.branch("planted"), said(done))
        self.check("the refusal says where it is", "work" in done.stderr and "secret" in done.stderr, said(done))
        # The project itself, which the gate sees read-only: what is pushed stays in the gate until the human fetches it.
        before = bottle.git("for-each-ref").stdout
        done = push("mine", "an honest line\n", "own")
        self.check("a push to the project goes through", done.returncode == 0, said(done))
        self.check("and changes nothing of it", bottle.git("for-each-ref").stdout == before)
        done = push("planted", "token = ghp" + "_w8sK2mQx9Tz4LbVc7Yn3Rf6Jh1Gd5Pa0EuSo\n", "own")
        self.check("a planted secret is refused there, too", done.returncode != 0, said(done))
        done = bottle.bottlec("pull")
        self.check("pull: it ends well", done.returncode == 0 and "mine" in done.stdout, said(done))
        refs = bottle.git("for-each-ref", "--format=%(refname)").stdout.split()
        came = [f"refs/remotes/bottle-{SLUG}/{name}" for name in ("main", "mine")]
        self.check("pull: what was pushed is there, and nothing else", refs == ["refs/heads/main", *came], refs)
        shown = bottle.git("show", f"refs/remotes/bottle-{SLUG}/mine:work").stdout
        self.check("pull: it is what was pushed", shown == "an honest line\n", shown)

    def again(self):
        before = self.bottle.ids("bundle", *self.every_one)
        started = time.monotonic()
        done = self.up()
        took = time.monotonic() - started
        self.check("again: it ends well", done.returncode == 0, said(done))
        self.check("again: no container is made anew", self.bottle.ids("bundle", *self.every_one) == before)
        print(f"{self.engine.program}: again takes {took:.1f} s")

    def a_changed_list(self):
        before = self.bottle.ids("bundle", *self.every_one)
        self.bottle.write(allow=("allowed.example.com", "other.example.com"))
        done = self.bottle.bottlec("status", "bottle.kdl")
        self.check("a changed list: `status` says so", done.returncode == 1 and "changed" in done.stdout, said(done))
        done = self.up()
        self.check("a changed list: it ends well", done.returncode == 0, said(done))
        self.check("a changed list: it is in force", self.bottle.reaches("other.example.com"))
        after = self.bottle.ids("bundle", *self.every_one)
        anew = {name for name in before if before[name] != after[name]}
        # supervise is shown the list that is in force. Podman cannot remove a container that another one waits for.
        tied = {"pipelock", "supervise"} & {*self.bottle.built_in} | ({"web"} if self.engine.program == "podman" else set())
        self.check("a changed list: what shows it is made anew, and nothing else", anew == tied, anew)
        self.bottle.write()
        done = self.up()
        self.check("a list as before: it ends well", done.returncode == 0, said(done))
        self.check("a list as before: it is in force", not self.bottle.reaches("other.example.com"))
        done = self.bottle.bottlec("denials", "bottle.kdl")
        self.check("denials: what was refused is listed", "other.example.com" in done.stdout, said(done))
        done = self.bottle.bottlec("propose", "bottle.kdl")
        self.check("propose: it may be allowed", "+ other.example.com" in done.stdout, said(done))

    def a_sidecar_less(self):
        before = self.bottle.ids("bundle", "web")
        self.bottle.write(sidecars=("web",))
        done = self.up()
        self.check("a sidecar less: it ends well", done.returncode == 0, said(done))
        self.check("a sidecar less: it is gone", self.engine.id(self.bottle.container("cache")) is None)
        self.check("a sidecar less: the others stay", self.bottle.ids("bundle", "web") == before)
        self.check("a sidecar less: nobody answers there", not self.bottle.fetches_page_of(8081))

    def a_restart_of_the_owner(self):
        self.engine.ask("container", "restart", self.bottle.container("bundle"))
        done = self.bottle.bottlec("status", "bottle.kdl")
        self.check("the address's owner was restarted: `status` sees it", done.returncode == 1, said(done))
        done = self.up()
        self.check("the address's owner was restarted: `up` ends well", done.returncode == 0, said(done))
        self.check("the address's owner was restarted: pipelock answers", self.bottle.reaches("allowed.example.com"))
        self.check("the address's owner was restarted: the sidecar answers", self.bottle.fetches_page_of(8080))

    def stop_and_go_on(self):
        name, bottle = self.bottle.container("web"), self.bottle
        self.engine.ask("exec", "--user", "0", name, "sh", "-c", "echo kept >/data/kept")
        bottle.inside("touch", "/work/kept")
        done = bottle.bottlec("stop", "bottle.kdl")
        self.check("stop: it ends well", done.returncode == 0, said(done))
        self.check("stop: nobody answers", not bottle.fetches_page_of(8080))
        self.check("stop: the machine stays", bottle.machines() == [SLUG], bottle.machines())
        done = self.up(program=("test", "-e", "/work/kept"))
        self.check("after a stop: the agent's work is there", done.returncode == 0, said(done))
        self.check("after a stop: the sidecar answers", bottle.fetches_page_of(8080))
        done = bottle.bottlec("logs", "pipelock")
        self.check("logs: pipelock's are shown", "listening" in done.stdout, said(done))

    def down(self):
        done = self.bottle.bottlec("down", "bottle.kdl")
        self.check("down: it ends well", done.returncode == 0, said(done))
        self.nothing_left("down", volumes=True)
        done = self.bottle.bottlec("down", "bottle.kdl")
        self.check("down, again: it ends well", done.returncode == 0, said(done))

    def two_at_once(self):
        done = [None, None]

        def launch(at):
            done[at] = self.up()

        threads = [threading.Thread(target=launch, args=(at,)) for at in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        both = "\n    ".join(map(said, done))
        self.check("two at once: both end well", all(it.returncode == 0 for it in done), both)
        self.check("two at once: it is up once", self.bottle.healthy(*self.bottle.built_in, "web", seconds=0), self.engine.list())
        self.check("two at once: pipelock answers", self.bottle.reaches("allowed.example.com"))
        kept = self.engine.ask("exec", self.bottle.container("web"), "cat", "/data/kept")
        self.check("the volume outlived `down`", kept.stdout == "kept\n", said(kept))

    def an_older_bundle(self):
        """As another version of bottlec would have made it: the container that owns the address is another one, and so is
        one that others wait for."""
        self.bottle.bottlec("down", "bottle.kdl")
        old = self.bottle.stage.parent / "old"
        shutil.copytree(self.bottle.stage, old)
        compose = (old / "compose.yaml").read_text()
        for service, limit in (("bundle", "64"), ("pipelock", "2048")):
            start = compose.index(f"\n  {service}:\n")
            changed = re.sub(r"(made-from: )'[0-9a-f]*'", r"\1'0'", compose[start:], count=1)
            changed = changed.replace(f"'{limit}m'", f"'{int(limit) - 1}m'", 2)
            compose = compose[:start] + changed
        (old / "compose.yaml").write_text(compose)
        words = ["compose", "--project-name", f"bottle-{SLUG}", "--file", "compose.yaml", "up", "--detach"]
        # What `up` would say of the project, which is a repository.
        where = os.environ | {"BOTTLE_REPO_1": str(self.bottle.directory / ".git")}
        done = run(self.engine.program, *words, cwd=old, env=where)
        self.check("an older bundle: it is up", done.returncode == 0, said(done))
        done = self.up()
        self.check("an older bundle: `up` ends well", done.returncode == 0, said(done))
        self.check("an older bundle: pipelock answers", self.bottle.reaches("allowed.example.com"))
        self.check("an older bundle: the sidecar answers", self.bottle.fetches_page_of(8080))
        shutil.rmtree(old)

    def another_octet(self):
        self.bottle.write(sidecars=("web",), octet=78)
        done = self.up()
        self.check("another address: it stops for the machine's sake", done.returncode == 125, said(done))
        self.check("another address: and says the way out", "--recreate" in done.stderr, said(done))
        done = self.up("--recreate")
        self.check("another address, with `--recreate`: it ends well", done.returncode == 0, said(done))
        self.check("another address: pipelock answers there", self.bottle.reaches("allowed.example.com"))

    def purge(self):
        done = self.bottle.bottlec("down", "bottle.kdl", "--volumes")
        self.check("down --volumes: it ends well", done.returncode == 0, said(done))
        self.nothing_left("down --volumes")

    def a_second_copy(self):
        """Beside the first, with addresses of its own since the spec pins none."""
        self.bottle.whole = False
        self.bottle.write(sidecars=("web",), octet=None)
        done = self.up()
        self.check("a second copy: the first is up", done.returncode == 0, said(done))
        first = self.bottle.ids("bundle", "web")
        done = self.up("--name", "copy")
        self.check("a second copy: it is up", done.returncode == 0, said(done))
        copies = {name for name in self.engine.names("container") if name.startswith("bottle-copy--")}
        self.check("a second copy: it has containers of its own", len(copies) == 3, self.engine.list())
        done = self.bottle.bottlec("down", "--bottle", "copy", "--volumes")
        self.check("a second copy: it is removed", done.returncode == 0, said(done))
        left = [name for names in self.bottle.left().values() for name in names if "copy" in name]
        self.check("a second copy: nothing of it is left", not left, left)
        self.check("a second copy: the first one stays", self.bottle.ids("bundle", "web") == first)
        self.check("a second copy: the first one answers", self.bottle.inside("true").returncode == 0)
        done = self.bottle.bottlec("down", "bottle.kdl", "--volumes")
        self.check("a second copy: the first one is removed", done.returncode == 0, said(done))
        self.nothing_left("a second copy")

    def a_failed_start(self):
        self.bottle.write(sidecars=("web",), broken=True)
        done = self.up()
        self.check("a sidecar that cannot start: `up` fails as itself", done.returncode == 125, said(done))
        self.check("a sidecar that cannot start: it is named", "broken" in done.stderr, said(done))
        self.nothing_left("a sidecar that cannot start")
        # That of the gate is one that the run made, too.
        images = self.engine.ask("image", "ls", "--format", "{{.Repository}}").stdout
        self.check("a sidecar that cannot start: no image is left", f"bottle-{SLUG}" not in images, images)

    def a_killed_launch(self):
        """Killed while it waits, it undoes nothing; `down` knows what was made all the same."""
        self.bottle.write(sidecars=("web",), slow=True)
        process = self.bottle.spawn("up", "bottle.kdl", "--", "true")
        there = wait(lambda: self.engine.id(self.bottle.container("slow")) is not None, 60)
        self.check("a killed launch: it had begun", there, self.engine.list())
        process.kill()
        process.wait()
        done = self.bottle.bottlec("down", "bottle.kdl", "--volumes")
        self.check("a killed launch: `down` ends well", done.returncode == 0, said(done))
        self.nothing_left("a killed launch")
        # Asked to end, it undoes what it made.
        process = self.bottle.spawn("up", "bottle.kdl", "--", "true")
        wait(lambda: self.engine.id(self.bottle.container("slow")) is not None, 60)
        process.terminate()
        self.check("an interrupted launch: it ends as itself", process.wait(60) == 125, process.returncode)
        self.nothing_left("an interrupted launch")


def judge(bottle):
    Judge(bottle).all()
