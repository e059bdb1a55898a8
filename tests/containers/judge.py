#!/usr/bin/env python3
"""Runs the emitted bundle, and `bottlec up`, with real container engines.

Debian 13's Docker with Compose 2 and its Podman with podman-compose 1.6 run in a root directory and in namespaces of
the judge's own; see debian.py. Images are made on the spot from Debian's packages; a small proxy that enforces the
emitted list stands in for pipelock, and a program that keeps its machines in a file for smolvm; git-gate and supervise
are the stage's own, with real git, a real sshd behind them and the real scanner.

    tests/containers/judge.py target/debug/bottlec

What cannot run on a machine is said loudly, with the reason; a verdict is never skipped. With Podman some steps are left
out, unless CONTAINERS_WHOLE is set; CONTAINERS_ENGINES and CONTAINERS_STEPS say what is run, and with CONTAINERS_TIMES
each step says what it took.
"""

import os
import resource
import sys
import time
from pathlib import Path

# What is imported leaves nothing behind.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

from debian import Inside, Missing, prepared
from judging import ROOT, TOOLS, skipped

PLACE = TOOLS / "containers"
# The most that one engine may take.
SECONDS = 900


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bottlec = Path(sys.argv[1]).resolve()
    started = time.monotonic()
    failed = False
    running = {}
    try:
        root = prepared(PLACE)
        environment = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        environment.update({name: value for name, value in os.environ.items() if name.startswith("CONTAINERS_")})
        command = ["python3", "/work/bottlec/tests/containers/inside.py", PLACE.relative_to(ROOT)]
        # Beside each other: both wait for more than they work.
        for engine in os.environ.get("CONTAINERS_ENGINES", "docker podman").split():
            running[engine] = Inside(root, ROOT, bottlec, engine, [*command, engine], environment)
        for engine, program in running.items():
            status, text = program.ended(SECONDS)
            print(text, end="")
            if status != 0:
                print(f"{engine}: {status}")
                failed = True
    except Missing as reason:
        skipped("no container engine can run here", reason)
    finally:
        for program in running.values():
            program.end()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    used = sum(who.ru_utime + who.ru_stime for who in used)
    print(f"containers: it took {time.monotonic() - started:.0f} s, and {used:.0f} s of a processor")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
