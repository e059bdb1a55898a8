"""Clients that know nothing of a broker: the SDKs of two APIs for Python and TypeScript, and Claude Code itself."""

import json
import socket
import threading

from api import TEXT
from judging import check, packages_of_node, run, skipped, virtual_environment
from running import Wire, spellings

PYTHON = ["anthropic==2.14.0", "openai==3.57.0"]
NODE = ["@anthropic-ai/sdk@1.14.0", "openai@6.49.0"]
CLAUDE = "@anthropic-ai/claude-code@2.1.332"
# What Claude Code asks for `claude -p`, and so what its preset must let through.
CLAUDE_ASKS = {"POST /v1/messages"}


class Tee:
    """Stands before the broker and hears what the agent says and is told."""

    def __init__(self, port):
        self.wire, self.target = Wire(), port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                agent, _ = self.listener.accept()
                broker = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            for source, sink, heard in ((agent, broker, self.wire.sent), (broker, agent, self.wire.received)):
                threading.Thread(target=self.pump, args=(source, sink, heard), daemon=True).start()

    def pump(self, source, sink, heard):
        try:
            while data := source.recv(1 << 16):
                heard += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


IN_PYTHON = """
import json, anthropic, openai
said = {}
client = anthropic.Anthropic(max_retries=0)
ask = dict(model="m", max_tokens=9, messages=[{"role": "user", "content": "hello"}])
said["message"] = client.messages.create(**ask).content[0].text
with client.messages.stream(**ask) as stream:
    said["stream"] = "".join(stream.text_stream)
said["tokens"] = client.messages.count_tokens(model="m", messages=ask["messages"]).input_tokens
said["models"] = [model.id for model in client.models.list()]
def error(call):
    try:
        call()
    except Exception as error:
        return [type(error).__name__, getattr(error, "status_code", None)]
said["error"] = error(lambda: client.messages.create(**{**ask, "model": "unknown"}))
said["refused"] = error(lambda: client.messages.batches.list())
said["without a token"] = error(lambda: anthropic.Anthropic(api_key="none", max_retries=0).messages.create(**ask))
client = openai.OpenAI(max_retries=0)
ask = dict(model="m", messages=ask["messages"])
said["chat"] = client.chat.completions.create(**ask).choices[0].message.content
said["chat stream"] = "".join(part.choices[0].delta.content or "" for part in client.chat.completions.create(stream=True, **ask))
said["embedding"] = client.embeddings.create(model="m", input="x", encoding_format="float").data[0].embedding
said["chat error"] = error(lambda: client.chat.completions.create(**{**ask, "model": "unknown"}))
said["chat refused"] = error(lambda: client.files.list())
print(json.dumps(said))
"""

IN_NODE = """
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
const said = {};
let client = new Anthropic({ maxRetries: 0 });
const messages = [{ role: "user", content: "hello" }];
const ask = { model: "m", max_tokens: 9, messages };
said["message"] = (await client.messages.create(ask)).content[0].text;
said["stream"] = "";
for await (const event of client.messages.stream(ask)) {
    if (event.type === "content_block_delta") said["stream"] += event.delta.text;
}
said["tokens"] = (await client.messages.countTokens({ model: "m", messages })).input_tokens;
said["models"] = [];
for await (const model of client.models.list()) said["models"].push(model.id);
const error = async (call) => {
    try { await call(); } catch (error) { return [error.constructor.name, error.status ?? null]; }
};
said["error"] = await error(() => client.messages.create({ ...ask, model: "unknown" }));
said["refused"] = await error(() => client.messages.batches.list());
said["without a token"] = await error(() => new Anthropic({ apiKey: "none", maxRetries: 0 }).messages.create(ask));
client = new OpenAI({ maxRetries: 0 });
said["chat"] = (await client.chat.completions.create({ model: "m", messages })).choices[0].message.content;
said["chat stream"] = "";
for await (const part of await client.chat.completions.create({ model: "m", messages, stream: true })) {
    said["chat stream"] += part.choices[0].delta.content ?? "";
}
said["embedding"] = (await client.embeddings.create({ model: "m", input: "x", encoding_format: "float" })).data[0].embedding;
said["chat error"] = await error(() => client.chat.completions.create({ model: "unknown", messages }));
said["chat refused"] = await error(() => client.files.list());
console.log(JSON.stringify(said));
"""

EXPECTED = {
    "message": TEXT,
    "stream": TEXT,
    "tokens": 3,
    "models": ["m"],
    "error": ["BadRequestError", 400],
    "refused": ["PermissionDeniedError", 403],
    "without a token": ["AuthenticationError", 401],
    "chat": TEXT,
    "chat stream": TEXT,
    "embedding": [0.5, 0.25],
    "chat error": ["BadRequestError", 400],
    "chat refused": ["PermissionDeniedError", 403],
}


def sdks(environment):
    packages = virtual_environment("broker/venv", *PYTHON)
    if packages is None:
        skipped("the SDKs for Python cannot be had")
    else:
        expect("the SDKs for Python", [packages / "bin/python", "-c", IN_PYTHON], environment)
    at = packages_of_node("broker/sdks", *NODE)
    if at is None:
        skipped("the SDKs for TypeScript cannot be had")
    else:
        (at / "say.mjs").write_text(IN_NODE)
        expect("the SDKs for TypeScript", ["node", at / "say.mjs"], environment)


def expect(who, command, environment):
    done = run(*command, env=environment, timeout=120)
    check(f"{who}: they run", done.returncode == 0, done.stderr[-1500:])
    said = json.loads(done.stdout) if done.returncode == 0 else {}
    for what, expected in EXPECTED.items():
        check(f"{who}: {what}", said.get(what) == expected, said.get(what))


def claude(environment, home, api, secrets):
    """Claude Code, as `exec` starts it, and then a search of all that is left of it."""
    at = packages_of_node("broker/claude", CLAUDE)
    program = at and next(iter(at.glob("node_modules/@anthropic-ai/claude-code-*/claude*")), None)
    if program is None:
        skipped("Claude Code cannot be had")
        return
    (home / "work").mkdir(parents=True)
    environment = {**environment, "HOME": str(home)}
    count = len(api.requests)
    done = run(program, "-p", "hello", env=environment, cwd=home / "work", timeout=120)
    check(
        "Claude Code answers what the API said",
        done.returncode == 0 and TEXT in done.stdout,
        (done.stdout[-500:], done.stderr[-500:]),
    )
    asked = {f"{it.method} {it.target.split('?')[0]}" for it in api.requests[count:]}
    print(f"Claude Code asks: {', '.join(sorted(asked))}")
    check("it asks for what its preset lets through", CLAUDE_ASKS <= asked, asked)
    everything = {
        "what it prints": (done.stdout + done.stderr).encode(),
        "its environment": json.dumps(environment).encode(),
    }
    everything.update({str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()})
    check("it leaves files behind, which are searched", len(everything) > 2, everything.keys())
    for secret in secrets:
        spelt = spellings(secret)
        found = [name for name, data in everything.items() if any(spelling in data for spelling in spelt)]
        check("the key is nowhere in its machine", not found, found)
