#!/usr/bin/env python3
"""What judge.py runs in its own Debian: the world beyond the bundle, and an engine.

    inside.py PLACE ENGINE        where what was downloaded lies in the repository; `docker` or `podman`
"""

import shutil
import sys
import traceback
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from bottle import Bottle
from checks import judge
from engines import Broken, Docker, Podman
from images import all_images
from judging import check, skipped, verdict
from world import World

REPOSITORY = Path("/work/bottlec")


def main():
    place = REPOSITORY / sys.argv[1]
    shutil.copyfile(REPOSITORY / "tests/containers/smolvm.py", "/usr/local/bin/smolvm")
    Path("/usr/local/bin/smolvm").chmod(0o755)
    world = World()
    scripts = [REPOSITORY / "src/lower" / name for name in ("git_gate/gate.py", "supervise/server.py")]
    all_images(place, scripts, "/run/images.tar")
    engine = {"docker": Docker, "podman": Podman}[sys.argv[2]](place)
    try:
        engine.start()
        print(f"with {engine.about()}", flush=True)
    except (Broken, OSError) as reason:
        skipped(f"{engine.program} does not run here", reason)
        engine.stop()
        return 0
    bottle = Bottle(engine, world)
    try:
        engine.load("/run/images.tar", bottle.stages_with_every_image())
        judge(bottle)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        check(f"{engine.program}: the judge came to its end", False)
    finally:
        engine.clear()
        engine.stop()
    return verdict(engine.program)


if __name__ == "__main__":
    sys.exit(main())
