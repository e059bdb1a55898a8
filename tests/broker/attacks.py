"""What an agent could send to get more than the list."""

import time

from judging import check

# The credential of the tries, whose list is in the judge's spec.
PREFIX = "/api"


def request(
    token, method="GET", target="/api/v1/models/m", fields=(), body=b"", version="HTTP/1.1", host="192.168.1.2:8900"
):
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    if token is not None:
        lines.append(f"X-Api-Key: {token}")
    lines += [f"{name}: {value}" for name, value in fields]
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in fields):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Tries:
    """Each is sent as it is; what is refused must not reach the upstream, and what passes must reach it as it was."""

    def __init__(self, broker, upstream, token, secret):
        self.broker, self.upstream, self.token, self.secret = broker, upstream, token, secret
        self.count = 0

    def refused(self, what, data, *statuses, word=None, answers=1):
        self.count += 1
        before, since = len(self.upstream.requests), self.broker.logged()
        got = self.broker.raw(data, answers=answers)
        check(f"{what}: {'/'.join(map(str, statuses))}", got[0].status in statuses, got)
        check(
            f"{what}: nothing goes upstream",
            len(self.upstream.requests) == before,
            [it.head for it in self.upstream.requests[before:]],
        )
        if word is not None:
            self.worded(what, word, since)
        return got[0]

    def worded(self, what, word, since):
        """The access log has the word since then."""
        for _ in range(100):
            words = [line.get("refused") for line in self.broker.access(since)]
            if word in words:
                break
            time.sleep(0.01)
        check(f"{what}: the log says `{word}`", word in words, words)

    def passes(self, what, data, line=None, status=200):
        self.count += 1
        before = len(self.upstream.requests)
        got = self.broker.raw(data)[0]
        came = self.upstream.requests[before:]
        check(f"{what}: it passes", got.status == status and len(came) == 1, (got, [it.head for it in came]))
        if not came:
            return None
        if line is None:
            line = data.split(b"\r\n", 1)[0].decode("latin-1").replace(f" {PREFIX}/", " /", 1)
        check(f"{what}: the upstream sees what was matched", came[0].line == line, (came[0].line, line))
        return came[0]


def tokens(tries):
    """Without the launch's token nothing else is looked at."""
    token = tries.token
    path = "/api/v1/models/m"
    for what, data in {
        "no token": request(None),
        "an empty token": request("", fields=[("Authorization", "Bearer")]),
        "an empty bearer": request(None, fields=[("Authorization", "Bearer ")]),
        "another token": request("0" * len(token)),
        "a token and more": request(token + "0"),
        "a part of the token": request(token[:-1]),
        "the token in upper case": request(token.upper()),
        "two tokens": request(token, fields=[("X-Api-Key", token)]),
        "two tokens in one field": request(f"{token},{token}"),
        "the token where no key goes": request(None, fields=[("X-Token", token)]),
        "the token in a cookie": request(None, fields=[("Cookie", f"x-api-key={token}")]),
        "the token in the query": request(None, target=f"{path}?x-api-key={token}"),
        "the token as another scheme": request(None, fields=[("Authorization", f"Token {token}")]),
        "the token with a name in _": request(None, fields=[("X_Api_Key", token)]),
        "a placeholder for a token": request("{http.vars.broker.token}"),
        "a file for a token": request("{file./run/broker/token}"),
        "a wildcard for a token": request("*"),
        "a pattern for a token": request(".*"),
        "the token only in a trailer": request(
            None,
            "POST",
            "/api/v1/messages",
            [("Transfer-Encoding", "chunked"), ("Trailer", "X-Api-Key")],
            b"0\r\nX-Api-Key: " + token.encode() + b"\r\n\r\n",
        ),
        "another path without a token": request(None, target="/api/admin"),
    }.items():
        tries.refused(what, data, 401, word="token")
    tries.passes("the token as the key", request(token))
    tries.passes("the token as a bearer", request(None, fields=[("Authorization", f"Bearer {token}")]))


def paths(tries):
    token = tries.token

    def get(target, *statuses, word=None, what=None):
        tries.refused(what or f"GET {target!r}", request(token, target=target), *statuses, word=word)

    for target in (
        "/api/v1/models/../messages",
        "/api/v1/models/./m",
        "/api/v1/models/m/..",
        "/api/v1/models/m/.",
        "/api//v1/models/m",
        "/api/v1/models//m",
        "/api/v1/models/m//",
        "/api/v1/models/%2e%2e/messages",
        "/api/v1/models/%2E%2E/x",
        "/api/v1/models/.%2e/x",
        "/api/v1/models/..%2fx",
        "/api/v1/models/..%2Fx",
        "/api/v1/models/%2F..%2Fx",
        "/api/v1/models/a%2F%2Fb",
        "/api/v1/models/a%2f",
        "/api/v1/models/;x/m",
        "/api/v1/models/a/;x",
        "/api/v1/models/a%2F;x",
        "/api/v1/models/..%3Bx",
        "/api/%761/models/m",
        "/api/v1/m%6Fdels/m",
        "/api/v1/models/%41",
        "/api/v1/models/a%5cb",
        "/api/v1/models/a%5Cb",
        "/api/v1/models/a\\b",
        "/api/v1/models\\m",
        "/api/v1/models/..;/x",
        "/api/v1/models/..;x=1/x",
        "/api/v1/models/.;/x",
        "/api/v1/models/%00",
        "/api/v1/models/a%00b",
        "/api/v1/models/a%0Ab",
        "/api/v1/models/a%0d%0aX-Y:z",
        "/api/v1/models/%7F",
        "/api/v1/models/a#b",
        "/api/v1/models/%C0%AE%C0%AE/x",
        "/api/v1/models/%C0%AFx",
        "/api/v1/models/%E0%80%AF",
        "/api/v1/models/%ED%A0%80",
        "/api/v1/models/%80",
        "/api/v1/models/%FF",
        "/api/v1/models/%F4%90%80%80",
        "/api/v1/models/...",
        "/api/v1/models/..%20/x",
        "/api/v1/models/%20/x",
        "/api/v1/models/%zz",
        "/api/v1/models/%2",
        "/api/v1/models/%u002e",
        '/api/v1/models/a"b',
        "/api/v1/models/a<b",
        "/api/v1/models/a|b",
        "/api/v1/models/a^b",
        "/api/v1/models/{env.HOME}",
        "/api/v1/models/{file./run/broker/token}",
        "/api/v1/models/[a]",
        "/api/v1/models/a`b",
        "/api/../api/v1/models/m",
        "/api/v1/models/\xe4",
        "/api/v1/models/\xc3\xa4",
        "/api/v1/models/m?a=1#b",
        '/api/v1/models/m?a="',
        "/api/v1/models/m?a={b}",
        "/api/v1/models/m?a=\\",
        "/api/v1/models/m?a=%zz",
        "/api/v1/models/m?a=%4",
    ):
        get(target, 403, 400)
    for target in (
        "/api/v1/Models/m",
        "/api/V1/models/m",
        "/api/v1/models",
        "/api/v1/models/",
        "/api/v1/modelsx/m",
        "/api/v1/model",
        "/api/x/v1/models/m",
        "/api/",
        "/api",
        "/api?x=1",
        "/api/v1/messages/",
        "/api/v1/messages/x",
        "/api/v1",
        "/api/admin",
        "/api/v1/models;x/m",
        "/api/v1;/models/m",
        "/api/v1/files/a/b/content",
        "/api/v1/files/a%2Fb/content",
        "/api/v1/files/a%2fb/content",
        "/api/v1/files/a%3Bb/content",
        "/api/v1/files//content",
        "/api/v1/models/a%25b",
        "/api/v1/models/%252e%252e/x",
        "/api/v1/models/a%3Fb",
        "/api/v1/models/a%23b",
        "/api/v1/models/a%3Bb",
        "/api/projects/acme/api",
        "/api/projects/acme%2fapi",
        "/api/projects/acme%252Fapi",
        "/api/projects/acme%2Fapi/x",
    ):
        get(target, 403)
    for target in (
        "/Api/v1/models/m",
        "/%61pi/v1/models/m",
        "//api/v1/models/m",
        "/./api/v1/models/m",
        "/other/v1/models/m",
        "/apix/v1/models/m",
        "/",
        "/api%2Fv1/models/m",
        "/api%2fv1/models/m",
        "/api\\v1/models/m",
        "/x/../api/v1/models/m",
    ):
        get(target, 404, 400)
    for target in (
        "/api/v1/models/m",
        "/api/v1/models/a/b/c",
        "/api/v1/models/m?beta=true",
        "/api/v1/models/m?",
        "/api/v1/models/a%20b",
        "/api/v1/models/a%2Fb",
        "/api/v1/models/a%2fb",
        "/api/v1/files/a%20b/content",
        "/api/v1/models/a/",
        "/api/v1/models/%c3%a4",
        "/api/v1/models/%C3%A4%E2%82%AC%F0%9F%98%80",
        "/api/v1/models/a:b@c;d=e,f",
        "/api/v1/models/~a_b-c.d!$&'()*+=",
        "/api/v1/files/a.b/content",
        "/api/projects/acme%2Fapi",
        "/api/v1/models/m?q=a+b&labels[]=x&u=http://h/?x%2Fy",
        "/api/v1/models/..m",
        "/api/v1/models/m..",
        "/api/v1/models/.m",
        "/api/v1/models/m?q=%2e%2e/..//",
    ):
        tries.passes(f"GET {target!r}", request(token, target=target))
    for target in (
        "http://192.168.1.2:8900/api/v1/models/m",
        "http://evil.test/api/v1/models/m",
        "https://evil.test/v1/models/m",
        "HTTP://x/api/v1/models/m",
        "api/v1/models/m",
        "*",
        "evil.test:443",
        "/api/v1/models/m HTTP/1.1 x",
    ):
        tries.refused(f"GET {target!r}", request(token, target=target), 400, 403, 404, 0)
    for what, data in {
        "OPTIONS *": request(token, "OPTIONS", "*"),
        "CONNECT": request(token, "CONNECT", "evil.test:443"),
        "CONNECT to a path": request(token, "CONNECT", "/api/v1/models/m"),
        "an absolute URI with a name and a password": request(
            token, target="http://a:b@api.broker.test/api/v1/models/m"
        ),
        "a raw NUL in the path": request(token, target="/api/v1/models/a\0b"),
        "a tab in the path": request(token, target="/api/v1/models/a\tb"),
        "a bare CR in the path": request(token, target="/api/v1/models/a\rb"),
        "a line feed in the path": request(token, target="/api/v1/models/a\nX-Y: z"),
        "two blanks in the request line": request(token).replace(b"GET /", b"GET  /"),
    }.items():
        tries.refused(what, data, 200 if what == "OPTIONS *" else 400, 400, 403, 404, 405)


def methods(tries):
    token = tries.token
    for method in (
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "HEAD",
        "OPTIONS",
        "TRACE",
        "get",
        "Get",
        "GETS",
        "GE T",
        "PROPFIND",
        "COPY",
        "MOVE",
        "LINK",
        "PURGE",
        "TRACK",
        "DEBUG",
        "M-SEARCH",
        "PRI",
        "G" * 33,
        "G" * 5000,
    ):
        tries.refused(f"{method[:40]} where GET is allowed", request(token, method), 403, 400, 405, 404)
    tries.refused("GET where POST is allowed", request(token, "GET", "/api/v1/messages"), 403, word="allow")
    tries.refused("a method in G\xe9T", request(token, "G\xe9T"), 400)
    tries.passes("POST", request(token, "POST", "/api/v1/messages", body=b"{}"))
    tries.passes("a method of the path", request(token, "POST", "/api/v1beta/models/m-1:generateContent", body=b"{}"))
    tries.refused(
        "another method of the path", request(token, "POST", "/api/v1beta/models/m-1:deleteModel", body=b"{}"), 403
    )
    dropped = [
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-HTTP-Method", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-Original-URL", "/admin"),
        ("X-Rewrite-URL", "/admin"),
        ("X-Original-Method", "DELETE"),
        ("X-Original-Host", "evil"),
        ("X_HTTP_Method_Override", "DELETE"),
        ("X.HTTP.Method.Override", "DELETE"),
    ]
    came = tries.passes("overriding fields", request(token, fields=dropped))
    if came:
        left = [field for field in dropped if came.get(field[0])]
        check(
            "overriding fields: none arrives",
            not left and b"DELETE" not in came.head and b"/admin" not in came.head,
            came.head,
        )


def queries(tries):
    token = tries.token
    path = "/api/v1/models/m"
    for query in (
        "key=K",
        "KEY=K",
        "Key=K",
        "%6Bey=K",
        "k%65y=K",
        "%6b%65%79=K",
        "%256Bey=K",
        "key",
        "key=",
        "a=1&key=K",
        "a=1;key=K",
        "key=1&key=2",
        "a=b?key=K",
        "key%00=K",
        "key%20=K",
        "%20key=K",
        "+key=K",
        "key+=K",
        "key[]=K",
        "key%5B%5D=K",
        "u[private_token]=K",
        "u%5Bprivate_token%5D=K",
        "private_token=K",
        "private-token=K",
        "private.token=K",
        "private+token=K",
        "private%5Ftoken=K",
        "PRIVATE_TOKEN=K",
        "job_token=K",
        "access_token=K",
        "access%5ftoken=K",
        "accessToken=K",
        "api_key=K",
        "api-key=K",
        "apikey=K",
        "apiKey=K",
        "token=K",
        "auth_token=K",
        "sig=K",
        "signature=K",
        "client_secret=K",
        "password=K",
        "oauth_token=K",
        "X-Amz-Signature=K",
        "X-Amz-Credential=K",
        "x-amz-security-token=K",
        "X-Goog-Signature=K",
        "AWSAccessKeyId=K",
        "x-api-key=K",
        "x_api_key=K",
        "X%2DApi%2DKey=K",
        "sudo=root",
        "&key=K",
        ";key=K",
        "&&key=K",
        "a&key=K",
        "subscription-key=K",
        "%00key=K",
        "%09key=K",
        "jwt=K",
        "authorization=Bearer%20K",
        "bearer_token=K",
        "id_token=K",
        "_method=DELETE",
        "_Method=DELETE",
        "%5Fmethod=DELETE",
        "_metho%64=DELETE",
        "_method[]=DELETE",
        "a=1;_method=DELETE",
        "$httpMethod=DELETE",
        "%24httpMethod=DELETE",
        "$httpmethod=DELETE",
        "$httpHeaders=x",
        "X-HTTP-Method-Override=DELETE",
        "x_http_method_override=DELETE",
        "$req=x",
    ):
        tries.refused(f"?{query}", request(token, target=f"{path}?{query}"), 403, word="query")
    for query in (
        "monkey=1",
        "keys=1",
        "keyword=1",
        "q=key",
        "q=token:1",
        "q=a%3Dkey",
        "page_token_count=2",
        "tokens=1",
        "max_tokens=5",
        "method=GET",
        "author=x",
        "q=%6Bey",
        "fields=id,name&page=2&per_page=100",
        "filter%5Bname%5D=x",
        "pageToken=x",
        "page_token=x",
        "next_token=x",
        "passwords=0",
        "sort=signature",
    ):
        tries.passes(f"?{query}", request(token, target=f"{path}?{query}"))


DROPPED = [
    ("Authorization", "Bearer stolen"),
    ("Proxy-Authorization", "Basic stolen"),
    ("Cookie", "session=stolen"),
    ("Cookie2", "stolen"),
    ("Api-Key", "stolen"),
    ("ApiKey", "stolen"),
    ("X-Goog-Api-Key", "stolen"),
    ("Private-Token", "stolen"),
    ("Job-Token", "stolen"),
    ("Deploy-Token", "stolen"),
    ("X-Auth-Token", "stolen"),
    ("X-Auth-Key", "stolen"),
    ("X-Access-Token", "stolen"),
    ("X-Amz-Security-Token", "stolen"),
    ("X-Gitlab-Token", "stolen"),
    ("Ocp-Apim-Subscription-Key", "stolen"),
    ("X-Functions-Key", "stolen"),
    ("Sudo", "stolen"),
    ("Impersonate-User", "stolen"),
    ("Proxy-Connection", "stolen"),
    ("Forwarded", "for=stolen"),
    ("X-Forwarded-For", "stolen"),
    ("X-Forwarded-Host", "stolen"),
    ("X-Forwarded-Proto", "stolen"),
    ("X-Forwarded-User", "stolen"),
    ("X-Forwarded-Prefix", "/stolen"),
    ("X-Real-Ip", "stolen"),
    ("Via", "1.1 stolen"),
    ("True-Client-IP", "stolen"),
    ("CF-Connecting-IP", "stolen"),
    ("X-Client-IP", "stolen"),
    ("X-Host", "stolen"),
    ("X_Api_Key", "stolen"),
    ("x_forwarded_for", "stolen"),
    ("X.Api.Key", "stolen"),
    ("Keep-Alive", "stolen"),
    ("TE", "trailers, stolen"),
    ("DPoP", "stolen"),
    ("Signature", "stolen"),
    ("X-Vault-Token", "stolen"),
    ("X-Secret", "stolen"),
    ("X-Password", "stolen"),
    ("PRIVATE-TOKEN", "stolen"),
    ("X-Jwt-Assertion", "stolen"),
    ("Host", ""),
]


def fields(tries):
    token, secret = tries.token, tries.secret
    for name, value in DROPPED[:-1]:
        came = tries.passes(f"{name}", request(token, fields=[(name, value)]))
        if came:
            check(f"{name}: it does not arrive", b"stolen" not in came.head, came.head)
            check(f"{name}: the key arrives once", came.all("x-api-key") == [secret], came.head)
    came = tries.passes(
        "fields that pass",
        request(
            token,
            fields=[
                ("Anthropic-Version", "2023-06-01"),
                ("X-Stainless-Lang", "js"),
                ("Idempotency-Key", "k"),
                ("Accept-Encoding", "br"),
            ],
        ),
    )
    if came:
        kept = [
            came.get(name) for name in ("anthropic-version", "x-stainless-lang", "idempotency-key", "accept-encoding")
        ]
        check("fields that pass: they arrive", kept == ["2023-06-01", "js", "k", "br"], came.head)
        check("the host is the upstream's", came.all("host") == ["api.broker.test"], came.head)
        ours = {
            "host",
            "user-agent",
            "x-api-key",
            "anthropic-version",
            "x-stainless-lang",
            "idempotency-key",
            "accept-encoding",
        }
        check("nothing is added", {name.lower() for name, _ in came.fields} <= ours, came.head)
        check("the token does not arrive", token.encode() not in came.head, came.head)
    for name in (
        "x-api-key",
        "X-Api-Key, close",
        "authorization",
        "host",
        "close, x-api-key, host",
        "content-length",
        "user-agent, x-api-key",
    ):
        came = tries.passes(f"Connection: {name}", request(token, fields=[("Connection", name)]))
        if came:
            check(f"Connection: {name}: the key arrives", came.all("x-api-key") == [secret], came.head)
            check(f"Connection: {name}: the host arrives", came.all("host") == ["api.broker.test"], came.head)
    for host in ("evil.test", "127.0.0.1", "169.254.169.254", "api.broker.test", "x" * 300):
        came = tries.passes(f"Host: {host[:30]}", request(token, host=host))
        if came:
            check(f"Host: {host[:30]}: the upstream's arrives", came.all("host") == ["api.broker.test"], came.head)
    came = tries.passes(
        "trailers",
        request(
            token,
            "POST",
            "/api/v1/messages",
            [("Transfer-Encoding", "chunked"), ("Trailer", "X-Api-Key, Authorization")],
            b"2\r\n{}\r\n0\r\nX-Api-Key: stolen\r\nAuthorization: stolen\r\nX-Other: stolen\r\n\r\n",
        ),
    )
    if came:
        check(
            "trailers: nothing of them arrives", b"stolen" not in came.trailers + came.head, (came.head, came.trailers)
        )
        check("trailers: the key arrives once", came.all("x-api-key") == [secret], came.head)
    came = tries.passes(
        "trailers that are not announced",
        request(
            token,
            "POST",
            "/api/v1/messages",
            [("Transfer-Encoding", "chunked")],
            b"2\r\n{}\r\n0\r\nAuthorization: stolen\r\n\r\n",
        ),
    )
    if came:
        check("trailers that are not announced: they do not arrive", b"stolen" not in came.trailers, came.trailers)


def smuggling(tries):
    token = tries.token
    hidden = request(token, "DELETE", "/api/v1/models/hidden")
    post = lambda fields, body: request(token, "POST", "/api/v1/messages", fields, body)
    for what, data in {
        "two lengths": post([("Content-Length", "2"), ("Content-Length", "40")], b"{}" + hidden),
        "two lengths in one field": post([("Content-Length", "2, 40")], b"{}" + hidden),
        "a length with a sign": post([("Content-Length", "+2")], b"{}" + hidden),
        "a length in hexadecimal": post([("Content-Length", "0x2")], b"{}" + hidden),
        "a negative length": post([("Content-Length", "-1")], hidden),
        "a huge length": post([("Content-Length", "99999999999999999999")], b"{}"),
        "a coding with a blank before the colon": request(token, "POST", "/api/v1/messages", body=b"").replace(
            b"\r\n\r\n", b"\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"
        )
        + hidden,
        "a coding in other letters": post([("Transfer-Encoding", "xchunked")], b"0\r\n\r\n" + hidden),
        "a coding with a tab": post([("Transfer-Encoding", "chunked\x0b")], b"0\r\n\r\n" + hidden),
        "two codings": post(
            [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")], b"0\r\n\r\n" + hidden
        ),
        "gzip, chunked": post([("Transfer-Encoding", "gzip, chunked")], b"0\r\n\r\n" + hidden),
        "a field without a colon": request(token).replace(b"\r\n\r\n", b"\r\nX-A\r\n\r\n"),
        "a field that begins with a blank": request(token).replace(b"\r\nHost", b"\r\n Host", 1),
        "a field with a NUL": request(token, fields=[("X-A", "a\0b")]),
        "a field with a bare CR": request(token, fields=[("X-A", "a\rX-B: c")]),
        "a name with a blank": request(token, fields=[("X A", "b")]),
        "an empty name": request(token, fields=[("", "b")]),
        "two hosts": request(token, fields=[("Host", "evil.test")]),
        "no host": request(token, host=None),
        "a bad host": request(token, host="a b"),
        "HTTP/0.9": b"GET /api/v1/models/m\r\n",
        "HTTP/2.0 in clear": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
        "HTTP/3.0": request(token, version="HTTP/3.0"),
        "http/1.1": request(token, version="http/1.1"),
        "TLS": bytes.fromhex("16030100c8010000c40303") + b"x" * 190,
        "a head that is too long": request(token, fields=[("X-A", "a" * (1 << 20))]),
    }.items():
        before = len(tries.upstream.requests)
        tries.count += 1
        got = tries.broker.raw(data, timeout=1)[0]
        came = tries.upstream.requests[before:]
        check(
            f"{what}: refused",
            got.status in (0, 400, 403, 404, 431, 501, 505) and not came,
            (got, [it.head for it in came]),
        )
    # A body that was no request must not become one, neither here nor there.
    for what, data, status in (
        (
            "a folded coding",
            post([("Transfer-Encoding", "\r\n chunked")], b"0\r\n\r\n" + hidden.replace(b"DELETE", b"GET")),
            (200, 400),
        ),
        (
            "a length and a coding",
            post([("Content-Length", "6"), ("Transfer-Encoding", "chunked")], b"0\r\n\r\n" + hidden),
            (200, 400),
        ),
        ("a refused request with a body", request(token, "DELETE", "/api/v1/models/m", body=hidden), (403,)),
        (
            "a refused request with a chunked body",
            request(
                token,
                "DELETE",
                "/api/v1/models/m",
                [("Transfer-Encoding", "chunked")],
                b"%x\r\n" % len(hidden) + hidden + b"\r\n0\r\n\r\n",
            ),
            (403,),
        ),
        ("a request without a token, with a body", request(None, "POST", "/api/v1/messages", body=hidden), (401,)),
        ("a GET with a body", request(token, body=hidden), (200,)),
        ("a bad chunk size", post([("Transfer-Encoding", "chunked")], b"zz\r\n" + hidden), (400, 502, 0)),
        (
            "a chunk size with an extension",
            post([("Transfer-Encoding", "chunked")], b'2;a="\r\n"\r\n{}\r\n0\r\n\r\n'),
            (200, 400, 502, 0),
        ),
        (
            "a chunk longer than its size",
            post([("Transfer-Encoding", "chunked")], b"1\r\n{}\r\n0\r\n\r\n"),
            (400, 502, 0),
        ),
        (
            "a huge chunk size",
            post([("Transfer-Encoding", "chunked")], b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
            (400, 502, 0),
        ),
    ):
        before = len(tries.upstream.requests)
        tries.count += 1
        got = tries.broker.raw(data, timeout=0.5, answers=2)
        came = tries.upstream.requests[before:]
        check(f"{what}: as expected", got[0].status in status, got)
        check(
            f"{what}: no hidden request goes upstream",
            not [it for it in came if it.method == "DELETE"],
            [it.head for it in came],
        )
    # Several requests at once are answered each by itself.
    three = request(token) + request(token, "DELETE", body=b"xx") + request(token, target="/api/v1/models/last")
    got = tries.broker.raw(three, answers=3)
    tries.count += 1
    check("three requests at once, the middle one refused", [it.status for it in got] == [200, 403, 200], got)
    came = tries.passes(
        "a folded field", request(token).replace(b"\r\n\r\n", b"\r\nX-A: b\r\n x-api-key: stolen\r\n\r\n")
    )
    if came:
        check(
            "a folded field: it comes as one",
            came.all("x-a") == ["b x-api-key: stolen"] and came.all("x-api-key") == [tries.secret],
            came.head,
        )
    tries.passes("HTTP/1.2", request(token, version="HTTP/1.2"), line="GET /v1/models/m HTTP/1.1")
    came = tries.passes("HTTP/1.0", request(token, version="HTTP/1.0"), line="GET /v1/models/m HTTP/1.1")
    if came:
        check("HTTP/1.0: the key arrives", came.all("x-api-key") == [tries.secret], came.head)
    tries.passes(
        "HTTP/1.0 without a host", request(token, version="HTTP/1.0", host=None), line="GET /v1/models/m HTTP/1.1"
    )
    before = len(tries.upstream.requests)
    got = tries.broker.raw(
        request(token, "POST", "/api/v1/messages", [("Expect", "100-continue"), ("Content-Length", "2")]), timeout=0.5
    )[0]
    check("Expect: 100-continue is answered before the body comes", got.heads[:1] and b" 100 " in got.heads[0], got)


def upgrades(tries):
    token = tries.token
    key = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    version = ("Sec-WebSocket-Version", "13")

    def upgrade(value, target="/api/v1/models/m", method="GET", *more):
        return request(token, method, target, [("Connection", "Upgrade"), ("Upgrade", value), key, version, *more])

    tries.refused("an upgrade where none is allowed", upgrade("websocket"), 403, word="upgrade")
    tries.refused(
        "an upgrade with a key, where none is allowed", upgrade("WebSocket", "/api/behave/x"), 403, word="upgrade"
    )
    for value in ("h2c", "h2c, websocket", "websocket, h2c", "TLS/1.0", "websocketx", "spdy/3.1", "HTTP/2.0", ""):
        tries.refused(f"an upgrade to {value!r}", upgrade(value, "/api/ws/a"), 403, 400)
    tries.refused("two upgrades", upgrade("h2c", "/api/ws/a", "GET", ("Upgrade", "websocket")), 403)
    tries.refused("two upgrades, the other way", upgrade("websocket", "/api/ws/a", "GET", ("Upgrade", "h2c")), 403)
    tries.refused("an upgrade by POST", upgrade("websocket", "/api/ws/a", "POST"), 403)
    tries.refused(
        "an upgrade with a credential among its protocols",
        upgrade("websocket", "/api/ws/a", "GET", ("Sec-WebSocket-Protocol", "realtime, openai-insecure-api-key.K")),
        403,
    )
    tries.refused(
        "HTTP2-Settings",
        request(
            token,
            "GET",
            "/api/ws/a",
            [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")],
        ),
        403,
    )
    tries.passes("the same path without an upgrade", request(token, target="/api/ws/a"))

    data = upgrade("websocket", "/api/ws/a", "GET", ("Sec-WebSocket-Protocol", "chat"))
    before = len(tries.upstream.requests)
    with tries.broker.connect() as connection:
        tries.broker.wire.sent += data
        connection.sendall(data)
        got = tries.broker.answer(connection)
        check("an upgrade where it is allowed", got.status == 101, got)
        mask = b"\1\2\3\4"
        for text in (b"hello", b"GET / HTTP/1.1"):
            connection.sendall(
                bytes([0x81, 0x80 | len(text)]) + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(text))
            )
            echo = connection.recv(100)
            tries.broker.wire.received += echo
            check("the frame comes back", echo == bytes([0x81, len(text)]) + text, echo)
    [came] = tries.upstream.requests[before:] or [None]
    if came:
        check("an upgrade: the key arrives, once", came.all("x-api-key") == [tries.secret], came.head)
        check("an upgrade: its path", came.line == "GET /ws/a HTTP/1.1", came.head)
    got = tries.broker.raw(request(token, target="/api/behave/switch"))[0]
    check("a switch of protocols that nobody asked for", got.status != 101 and b"raw bytes" not in got.body, got)
