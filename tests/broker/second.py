"""An upstream that speaks HTTP/2, as those of the large APIs do: Node's, which writes down what it was asked."""

import json
import shutil
import subprocess
from itertools import pairwise

import answers
from attacks import request
from judging import check

SERVER = """
import http2 from "node:http2";
import fs from "node:fs";
const pem = fs.readFileSync(process.argv[2]);
const server = http2.createSecureServer({ key: pem, cert: pem, allowHTTP1: true });
server.on("request", (request, response) => {
    let size = 0;
    request.on("data", (data) => { size += data.length; });
    request.on("end", async () => {
        const asked = new URL(request.url, "https://x").searchParams;
        if (request.url.includes("/behave/redirect")) {
            response.writeHead(302, { location: asked.get("to"), "alt-svc": 'h3=":443"', "set-cookie": "a=b" }).end();
        } else if (request.url.includes("/behave/events")) {
            response.writeHead(200, { "content-type": "text/event-stream" });
            for (let number = 0; number < 3; number++) {
                response.write(`event: tick\\ndata: ${number}\\n\\n`);
                await new Promise((done) => setTimeout(done, 400));
            }
            response.end();
        } else if (request.url.includes("/behave/die")) {
            request.stream ? request.stream.session.destroy() : request.socket.destroy();
        } else {
            response.writeHead(200, { "content-type": "application/json" });
            response.end(JSON.stringify({
                version: request.httpVersion, method: request.method, path: request.url, size,
                fields: Object.entries(request.headers), trailers: request.trailers,
            }).replaceAll(process.argv[3], "THE SECRET"));
        }
    });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


class Node:
    """The server, as long as it is needed."""

    def __init__(self, directory, certificate, secret):
        script = directory / "second.mjs"
        script.write_text(SERVER)
        self.process = subprocess.Popen(["node", script, certificate, secret], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def is_there():
    return shutil.which("node") is not None


def over_http2(broker, launch):
    token = launch.token

    def seen(data):
        got = broker.raw(data)[0]
        return (json.loads(got.body) if got.status == 200 else {}), got

    for target in ("/v1/models/m", "/v1/models/a%2fb?x=%2e&y[]=/..", "/v1/models/%C3%A4:b;c=d/~e"):
        said, got = seen(
            request(token, target=f"/api{target}", fields=[("Authorization", "stolen"), ("Connection", "x-api-key")])
        )
        fields = dict(said.get("fields", []))
        check(f"HTTP/2, {target}: it is what it speaks", said.get("version") == "2.0", got)
        check(
            f"HTTP/2, {target}: the upstream sees what was matched",
            said.get("path") == fields.get(":path") == target,
            got,
        )
        check(
            f"HTTP/2, {target}: its name, and the key",
            (fields.get(":authority"), fields.get("x-api-key")) == ("api.broker.test", "THE SECRET"),
            got,
        )
        names = {":authority", ":method", ":path", ":scheme", "x-api-key"}
        check(f"HTTP/2, {target}: nothing else", set(fields) == names and token not in str(said), got)
    said, got = seen(request(token, "POST", "/api/v1/messages", body=b"x" * 5_000_000))
    check("HTTP/2: a body of 5 MB goes", said.get("size") == 5_000_000 and said.get("method") == "POST", got)
    chunked = [("Transfer-Encoding", "chunked"), ("Trailer", "X-Api-Key")]
    said, got = seen(request(token, "POST", "/api/v1/messages", chunked, b"2\r\n{}\r\n0\r\nX-Api-Key: stolen\r\n\r\n"))
    check("HTTP/2: a chunked body, without its trailer", said.get("size") == 2 and "stolen" not in str(said), got)
    got = broker.raw(request(token, target="/api/behave/redirect?to=https%3A%2F%2Fapi.broker.test%2Fv1%2Fx"))[0]
    check(
        "HTTP/2: a redirect",
        got.get("location") == f"{broker.origin}/api/v1/x" and not got.get("alt-svc") and not got.get("set-cookie"),
        got,
    )
    came = answers.events(broker, request(token, target="/api/behave/events"))
    check("HTTP/2: events come one by one", len(came) == 3 and min(b - a for a, b in pairwise(came)) > 0.25, came)
    for _ in range(3):
        got = broker.raw(request(token, target="/api/behave/die"))[0]
        check("HTTP/2: an upstream that goes away", got.status == 502, got)
    said, got = seen(request(token))
    check("HTTP/2: and comes back", said.get("version") == "2.0", got)
