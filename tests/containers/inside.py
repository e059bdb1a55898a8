#!/usr/bin/env python3
"""What judge.py runs in its own Debian: the world beyond the bundle, then one engine after the other.

    inside.py PLACE        where what was downloaded lies in the repository
"""

import os
import shutil
import sys
import traceback
from pathlib import Path

from bottle import Bottle
from checks import check, judge, tally
from engines import Broken, Docker, Podman
from images import all_images
from world import World

REPOSITORY = Path("/work/bottlec")


def main():
    place = REPOSITORY / sys.argv[1]
    shutil.copyfile(REPOSITORY / "tests/containers/smolvm.py", "/usr/local/bin/smolvm")
    Path("/usr/local/bin/smolvm").chmod(0o755)
    world = World()
    scripts = [REPOSITORY / "src/lower" / name for name in ("git_gate/gate.py", "supervise/server.py")]
    all_images(place, scripts, "/run/images.tar")
    only = os.environ.get("CONTAINERS_ENGINE")
    for kind in (Docker, Podman):
        if only not in (None, kind.program):
            continue
        engine = kind(place)
        try:
            engine.start()
            print(f"with {engine.about()}", flush=True)
        except (Broken, OSError) as reason:
            print(f"SKIPPED, NOT JUDGED: {kind.program} does not run here: {reason}", flush=True)
            engine.stop()
            continue
        bottle = Bottle(engine, world)
        try:
            engine.load("/run/images.tar", bottle.stages_with_every_image())
            judge(bottle)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            check(f"{kind.program}: the judge came to its end", False)
        finally:
            engine.clear()
            engine.stop()
    passed, failed = tally()
    print(f"containers: {passed} checks passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
