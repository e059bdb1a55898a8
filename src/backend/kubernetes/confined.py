"""Lets the agent's Pod go on when its bundle answers and everything else is kept from it.

It runs in the Pod's network before the agent does. A cluster whose network enforces no policy lets it reach the API
server, which no policy of the namespace allows: the Pod then never starts, and its log says why.
"""

import os
import socket
import sys
import time

PATIENCE = 300  # seconds, for the bundle to be ready and for the policies to apply
QUIET = 3  # refusals in a row: policies may apply to some of a node's traffic before they do to the rest


def connects(address, port):
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def main(bundle, port):
    server = os.environ.get("KUBERNETES_SERVICE_HOST")
    if not server:
        return "this Pod is not told where the API server is: whether a policy keeps it away cannot be seen"
    server_port = int(os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
    end = time.monotonic() + PATIENCE
    while not connects(bundle, int(port)):
        if time.monotonic() > end:
            return f"the bundle does not answer at {bundle}:{port}"
        time.sleep(1)
    refused = 0
    while refused < QUIET:
        if not connects(server, server_port):
            refused += 1
        elif time.monotonic() > end:
            return f"the API server can be reached at {server}:{server_port}: this cluster's network enforces no policy"
        else:
            refused = 0
            time.sleep(1)
    return None


if __name__ == "__main__":
    why = main(*sys.argv[1:])
    if why:
        sys.exit(f"not confined: {why}")
    print("confined: the bundle answers, and the API server is kept away")
