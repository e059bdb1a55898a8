"""What the upstream answers, where the broker goes at all, and what the files say."""

import time
import urllib.parse
from itertools import pairwise

from attacks import request
from judging import check


def ask(tries, what, **asked):
    query = "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name, value in asked.items())
    return request(tries.token, target=f"/api/behave/{what}" + (f"?{query}" if query else ""))


def redirects(tries):
    broker = tries.broker
    inside = f"{broker.origin}/api"
    for to, expected in {
        "https://api.broker.test/v1/models/x?a=b#c": f"{inside}/v1/models/x?a=b#c",
        "https://api.broker.test:443/x": f"{inside}/x",
        "HTTPS://API.broker.test/x": f"{inside}/x",
        "https://api.broker.test": inside,
        "https://api.broker.test?x": f"{inside}?x",
        "//api.broker.test/x": f"{inside}/x",
        "/v1/models/x": f"{inside}/v1/models/x",
        "/": f"{inside}/",
        "next": "next",
        "?page=2": "?page=2",
        "http://api.broker.test/x": "http://api.broker.test/x",
        "https://api.broker.test:8443/x": "https://api.broker.test:8443/x",
        "https://api.broker.test.evil.test/x": "https://api.broker.test.evil.test/x",
        "https://api.broker.test@evil.test/x": "https://api.broker.test@evil.test/x",
        "https://evil.test/https://api.broker.test/x": "https://evil.test/https://api.broker.test/x",
        "https://evil.test/x": "https://evil.test/x",
        "//evil.test/x": "//evil.test/x",
        "/\\evil.test/x": "/\\evil.test/x",
        "https://apixbroker.test/x": "https://apixbroker.test/x",
    }.items():
        got = broker.raw(ask(tries, "redirect", to=to))[0]
        check(f"Location {to}: the status is handed back", got.status == 302, got)
        check(f"Location {to}", got.get("location") == expected, got.get("location"))
        check(f"Content-Location {to}", got.get("content-location") == expected, got.get("content-location"))
        if to.startswith("https://api.broker.test/"):
            link = f'<{expected}>; rel="next", <https://elsewhere.test/x>; rel="last"'
            check(f"Link {to}", got.get("link") == link, got.get("link"))
    with_base = {
        "/api/v4/x": f"{broker.origin}/forge/x",
        "https://forge.broker.test/api/v4?a": f"{broker.origin}/forge?a",
        "https://forge.broker.test/api/v44/x": "https://forge.broker.test/api/v44/x",
        "/login": "/login",
        "https://forge.broker.test/login": "https://forge.broker.test/login",
    }
    for to, expected in with_base.items():
        data = request(
            None,
            target=f"/forge/behave/redirect?to={urllib.parse.quote(to, safe='')}",
            fields=[("Authorization", f"Bearer {tries.token}")],
        )
        got = broker.raw(data)[0]
        check(f"below a base path, Location {to}", got.get("location") == expected, got)


def events(broker, data):
    """When each event came, in seconds."""
    with broker.connect() as connection:
        broker.wire.sent += data
        connection.sendall(data)
        at, came, data = time.monotonic(), [], b""
        while b"0\r\n\r\n" not in data:
            got = connection.recv(1 << 16)
            if not got:
                break
            data += got
            while len(came) < data.count(b"event: tick"):
                came.append(time.monotonic() - at)
        broker.wire.received += data
    return came


def answers(tries):
    broker = tries.broker
    got = broker.raw(ask(tries, "fields"))[0]
    for name in ("alt-svc", "set-cookie", "server", "via"):
        check(f"the answer's {name} is dropped", not got.get(name), got)
    check("what else the answer says is kept", got.get("x-kept") == "kept", got)
    check("a key that comes back in a field is struck out", tries.secret not in got.get("x-echo"), got)
    got = broker.raw(ask(tries, "hints"))[0]
    check("early hints, and the answer", got.status == 200 and got.body == b"after", got)
    joined = b"\n".join(got.heads).lower()
    check("nothing of a cookie in early hints", b"set-cookie" not in joined and b"alt-svc" not in joined, got.heads)
    got = broker.raw(ask(tries, "trailers"))[0]
    check("an answer with a trailer", got.status == 200 and b"body" in got.body, got)

    came = events(broker, ask(tries, "events", gap="0.4"))
    gaps = [after - before for before, after in pairwise(came)]
    check("events come one by one", len(came) == 3 and min(gaps) > 0.25 and came[0] < 0.3, came)

    before = broker.memory()
    with broker.connect(30) as connection:
        connection.sendall(ask(tries, "big", mb="200"))
        head, size = b"", 0
        while b"\r\n\r\n" not in head:
            head += connection.recv(1 << 16)
        size = len(head.split(b"\r\n\r\n", 1)[1])
        buffer = bytearray(1 << 20)
        while size < 200 << 20:
            got = connection.recv_into(buffer)
            if not got:
                break
            size += got
    check("200 MB come", size == 200 << 20, size)
    check("200 MB are not held in memory", broker.memory() - before < 32, (before, broker.memory()))

    count = len(tries.upstream.requests)
    with broker.connect(30) as connection:
        connection.sendall(request(tries.token, "POST", "/api/v1/messages", [("Content-Length", str(200 << 20))]))
        block = b"y" * (1 << 20)
        for _ in range(200):
            connection.sendall(block)
        got = broker.answer(connection)
    check("200 MB go", got.status == 200 and tries.upstream.requests[count].length == 200 << 20, got)
    check("200 MB that go are not held in memory", broker.memory() - before < 32, (before, broker.memory()))
    got = broker.raw(request(tries.token, "POST", "/api/behave/early", body=b"x" * 100_000))[0]
    check("an answer before the body has gone", got.status in (413, 502), got)

    for what, asked in [
        ("die", {}),
        *[("garbage", {"kind": kind}) for kind in ("status", "version", "field", "line", "length", "coding")],
    ]:
        since = broker.logged()
        got = broker.raw(ask(tries, what, **asked))[0]
        name = f"{what} {asked.get('kind', '')}"
        check(
            f"{name}: 502, in our words",
            got.status == 502 and b"the upstream of credential api (bottle.kdl:" in got.body,
            got,
        )
        tries.worded(name, "upstream", since)
    got = broker.raw(ask(tries, "half"))[0]
    check("an answer that ends half way is not whole", got.status == 200 and not got.whole, got)
    got = broker.raw(ask(tries, "garbage", kind="chunk"))[0]
    check("a broken chunk ends the answer", not got.whole, got)
    got = broker.raw(request(tries.token))[0]
    check("and then all is well again", got.status == 200, got)


def destinations(tries, upstreams):
    """Nothing of a credential goes to who cannot prove the upstream's name."""
    broker = tries.broker
    for name in ("wrong-name", "expired", "other-ca", "plain", "dead"):
        upstream = upstreams.get(name)
        data = request(None, target=f"/{name}/x", fields=[("Authorization", f"Bearer {tries.token}")])
        got = broker.raw(data)[0]
        check(
            f"{name}: 502",
            got.status == 502 and f"the upstream of credential {name} (bottle.kdl:".encode() in got.body,
            got,
        )
        if upstream is not None:
            check(f"{name}: no request goes there", not upstream.requests, [it.head for it in upstream.requests])
            check(f"{name}: it was tried", upstream.connections > 0)


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(text)


def secrets(tries, remember):
    """What the files say counts at the next request."""
    broker, token = tries.broker, tries.token
    bearer = [("Authorization", f"Bearer {token}")]
    for name, path, data in (
        ("from the environment", "/run/broker/api", request(token)),
        ("from a file", "/run/secrets/forge", request(None, target="/forge/v", fields=bearer)),
        ("basic", "/run/broker/jira", request(None, target="/jira/v", fields=bearer)),
    ):
        at = broker.path(path)
        good = at.read_text()
        for what, text in {
            "missing": None,
            "empty": "",
            "a line end": "\n",
            "two line ends": "key\n\n",
            "two lines": "key\nkey2\n",
            "a CR inside": "key\rkey2",
            "blanks": "   ",
            "a blank at its end": "key \n",
            "a NUL": "k\0ey",
            "no ASCII": "schl\xfcssel",
            "a tab": "a\tb",
        }.items():
            put(at, text)
            got = tries.refused(f"secret {name}: {what}", data, 503, word="secret")
            check(
                f"secret {name}: {what}: it is named", b" credential " in got.body and b" (bottle.kdl:" in got.body, got
            )
        at.unlink()
        at.mkdir()
        tries.refused(f"secret {name}: a directory", data, 503, word="secret")
        at.rmdir()
        put(at, good)
        changed = remember("changed-" + good.strip()[::-1].replace("=", ""))
        put(at, changed + "\n")
        count = len(tries.upstream.requests)
        got = broker.raw(data)[0]
        came = tries.upstream.requests[count:]
        check(
            f"secret {name}: changed, it counts at once",
            got.status == 200 and changed.encode() in came[-1].head,
            (got, came and came[-1].head),
        )
        put(at, good)
        got = broker.raw(data)[0]
        check(
            f"secret {name}: changed back",
            got.status == 200 and good.strip().encode() in tries.upstream.requests[-1].head,
            got,
        )
    at = broker.path("/run/broker/api")
    good = at.read_text()
    for odd in (
        "{env.HOME}",
        "{file./etc/hostname}",
        "{http.request.header.X-A}",
        "$1",
        "a b",
        "%s",
        "\\{x\\}",
        "a,b",
        'a"b',
    ):
        put(at, odd)
        got = broker.raw(request(token, fields=[("X-A", "stolen")]))[0]
        check(
            f"a secret {odd!r} arrives as it is",
            tries.upstream.requests[-1].all("x-api-key") == [odd],
            tries.upstream.requests[-1].head,
        )
    put(at, good)

    at = broker.path("/run/broker/token")
    good = at.read_text()
    for what, text in {
        "missing": None,
        "empty": "",
        "a line end": "\n",
        "short": "ab",
        "a star": "*",
        "no hex": "z" * 64,
        "two lines": f"{good}\n{good}",
    }.items():
        put(at, text)
        # Each of what could match such a file is tried.
        for given in ("", token, (text or "").strip(), "*", "{http.vars.broker.token}"):
            if "\n" in given:
                continue
            tries.refused(f"token {what}, given {given[:10]!r}", request(given), 401)
            tries.refused(
                f"token {what}, bearer {given[:10]!r}",
                request(None, fields=[("Authorization", f"Bearer {given}")]),
                401,
            )
        tries.refused(f"token {what}, no field", request(None), 401)
    another = "0123456789abcdef" * 4
    put(at, another)
    check("a new token counts at once", broker.raw(request(another))[0].status == 200)
    tries.refused("the old token does not count any more", request(token), 401)
    put(at, good)


def basic(tries):
    broker, token = tries.broker, tries.token
    given = broker.path("/run/broker/jira.token").read_text()
    secret = broker.path("/run/broker/jira").read_text()
    for what, field in {"as the client spells it": f"Basic {given}", "as a bearer": f"Bearer {token}"}.items():
        came = tries.passes(
            f"basic, {what}",
            request(None, target="/jira/v", fields=[("Authorization", field)]),
            line="GET /jira/v HTTP/1.1",
        )
        if came:
            check(f"basic, {what}: the secret arrives", came.all("authorization") == [f"Basic {secret}"], came.head)
    for what, field in {
        "without anything": "Basic",
        "empty": "Basic ",
        "the secret itself": f"Basic {secret}",
        "a bearer of it": f"Bearer {given}",
        "more": f"Basic {given}A",
    }.items():
        tries.refused(f"basic, {what}", request(None, target="/jira/v", fields=[("Authorization", field)]), 401)
    at = broker.path("/run/broker/jira.token")
    for text in (None, "", "\n", "*"):
        put(at, text)
        for field in (f"Basic {given}", "Basic", "Basic ", "Basic *"):
            tries.refused(
                f"basic, its token's file {text!r}, {field[:8]}",
                request(None, target="/jira/v", fields=[("Authorization", field)]),
                401,
            )
        tries.passes(
            "a bearer still counts",
            request(None, target="/jira/v", fields=[("Authorization", f"Bearer {token}")]),
            line="GET /jira/v HTTP/1.1",
        )
    put(at, given)
    # A credential's token file is no other's.
    tries.refused(
        "basic where a bearer belongs",
        request(None, target="/forge/v", fields=[("Authorization", f"Basic {given}")]),
        401,
    )


def whole_upstream(tries):
    """No list: all of it below the base path, and nothing else."""
    bearer = [("Authorization", f"Bearer {tries.token}")]
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        tries.passes(
            f"{method} without a list",
            request(None, method, "/forge/projects/acme%2Fapi/", bearer),
            line=f"{method} /api/v4/projects/acme%2Fapi/ HTTP/1.1",
        )
    for method in ("TRACE", "PROPFIND", "CONNECT", "get"):
        tries.refused(f"{method} without a list", request(None, method, "/forge/projects", bearer), 403, 405, 400, 404)
    for target in (
        "/forge/../x",
        "/forge/..%2Fx",
        "/forge/%2e%2e/x",
        "/forge/a/../../x",
        "/forge/..;/x",
        "/forge//x",
        "/forge",
    ):
        tries.refused(f"{target} without a list", request(None, target=target, fields=bearer), 403)
    for word in ("token", "Token", "bearer"):
        came = tries.passes(
            f"the token behind `{word}`",
            request(None, target="/forge/x", fields=[("Authorization", f"{word} {tries.token}")]),
            line="GET /api/v4/x HTTP/1.1",
        )
        if came:
            check(
                f"the token behind `{word}`: the secret arrives as a bearer",
                came.get("authorization").startswith("Bearer glpat-"),
                came.head,
            )
    tries.passes("its root", request(None, target="/forge/", fields=bearer), line="GET /api/v4/ HTTP/1.1")
    # The token of one launch opens each of its credentials, and each sets its own secret only.
    came = tries.passes(
        "another credential's field",
        request(tries.token, target="/forge/x", fields=bearer),
        line="GET /api/v4/x HTTP/1.1",
    )
    if came:
        check("another credential's field does not arrive", not came.get("x-api-key"), came.head)


def slow(tries, broker):
    """On a broker whose time-outs are short."""
    with broker.connect(20) as connection:
        at = time.monotonic()
        connection.sendall(b"GET /api/v1/models/m HTTP/1.1\r\nHost: x\r\n")
        try:
            while connection.recv(1000):
                pass
        except OSError:
            pass
        check("a head that does not end is given up", time.monotonic() - at < 4, time.monotonic() - at)
    with broker.connect(20) as connection:
        at = time.monotonic()
        try:
            for byte in request(tries.token):
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
                if time.monotonic() - at > 6:
                    break
        except OSError:
            pass
        check("a head that comes byte by byte is given up", time.monotonic() - at < 5, time.monotonic() - at)
    at = time.monotonic()
    got = broker.raw(ask(tries, "hang"), timeout=20)[0]
    check(
        "an upstream that says nothing is given up",
        got.status == 504 and time.monotonic() - at < 6,
        (got, time.monotonic() - at),
    )
    # A body that stalls is not given up: Caddy 2.11.7 waits for the rest of it, whatever its time-outs for reading say (run).
    # It holds nothing but its own connections, and those as long as the agent does.
    open_ones = tries.upstream.open
    with broker.connect() as connection:
        connection.sendall(request(tries.token, "POST", "/api/v1/messages", [("Content-Length", "100")], b"abc"))
        time.sleep(0.3)
        check("beside a body that stalls others are served", broker.raw(request(tries.token))[0].status == 200)
    for _ in range(100):
        if tries.upstream.open <= open_ones + 1:
            break
        time.sleep(0.05)
    check(
        "when the agent goes, its connection to the upstream does",
        tries.upstream.open <= open_ones + 1,
        (open_ones, tries.upstream.open),
    )


def crowd(broker, token, many=2000):
    """What a connection costs, with and without a request that waits."""
    before = broker.memory()
    held = []
    try:
        for _ in range(many):
            connection = broker.connect()
            connection.sendall(b"GET / HTTP/1.1\r\n")
            held.append(connection)
        time.sleep(0.5)
        full = broker.memory()
        check("a new one is served beside them", broker.raw(request(token))[0].status == 200)
    finally:
        for connection in held:
            connection.close()
    check("a connection that is held costs little", (full - before) / many * 1024 < 40, (before, full))
    return f"{many} connections without a whole head: {before:.0f} MB, then {full:.0f} MB"
