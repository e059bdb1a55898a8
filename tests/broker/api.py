"""A fake of the APIs that clients are tried with: Anthropic's Messages, and OpenAI's chat, responses and embeddings."""

import json

from upstream import Upstream, answer, chunk

TEXT = "hello from the fake"


class Api(Upstream):
    """Answers who has the key, and only him."""

    def __init__(self, certificate, keys):
        super().__init__(certificate)
        self.keys = keys

    def api(self, connection, request, path):
        [host] = request.all("host")
        name, key = self.keys[host]
        if request.all(name) != [key]:
            return refuse(connection, "401 Unauthorized", "authentication_error")
        asked = json.loads(request.body or b"{}")
        if asked.get("model") == "unknown":
            return refuse(connection, "400 Bad Request", "invalid_request_error")
        stream = asked.get("stream")
        if path == "/v1/messages":
            return events(connection, messages(asked)) if stream else reply(connection, message(asked))
        if path == "/v1/messages/count_tokens":
            return reply(connection, {"input_tokens": 3})
        if path == "/v1/chat/completions":
            return events(connection, chat(asked), done=True) if stream else reply(connection, completion(asked))
        if path == "/v1/embeddings":
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
            return reply(
                connection,
                {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}},
            )
        if path == "/v1/models":
            one = {
                "id": "m",
                "type": "model",
                "object": "model",
                "display_name": "M",
                "created": 0,
                "owned_by": "x",
                "created_at": "2026-01-01T00:00:00Z",
            }
            return reply(
                connection, {"object": "list", "data": [one], "has_more": False, "first_id": "m", "last_id": "m"}
            )
        return refuse(connection, "404 Not Found", "not_found_error")


def reply(connection, value):
    return answer(connection, json.dumps(value).encode(), Content_Type="application/json")


def refuse(connection, status, kind):
    value = {"type": "error", "error": {"type": kind, "message": "the fake refuses it", "code": kind, "param": None}}
    return answer(connection, json.dumps(value).encode(), status, Content_Type="application/json")


def events(connection, parts, done=False):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in parts:
        name = f"event: {part['type']}\n" if "type" in part else ""
        chunk(connection.sendall, f"{name}data: {json.dumps(part)}\n\n".encode())
    if done:
        chunk(connection.sendall, b"data: [DONE]\n\n")
    connection.sendall(b"0\r\n\r\n")
    return True


def message(asked, text=TEXT):
    content = [{"type": "text", "text": text}] if text else []
    end = {"stop_reason": "end_turn" if text else None, "stop_sequence": None}
    usage = {"input_tokens": 3, "output_tokens": 5}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": content,
        **end,
        "usage": usage,
    }


def messages(asked):
    yield {"type": "message_start", "message": message(asked, None)}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for word in TEXT.split(" "):
        delta = {"type": "text_delta", "text": word if word == "hello" else f" {word}"}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 5},
    }
    yield {"type": "message_stop"}


def completion(asked):
    choice = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "choices": [choice],
        "usage": usage,
    }


def chat(asked):
    for word in TEXT.split(" "):
        delta = {"role": "assistant", "content": word if word == "hello" else f" {word}"}
        yield {
            "id": "c1",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": asked["model"],
            "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        }
