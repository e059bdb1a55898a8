"""The protocol as it is on the wire: each revision, and the headers of the newer kind."""

import base64

from judging import check
from running import LEGACY, META, MODERN


def code(answer):
    return answer.get("error", {}).get("code")


def versions(running):
    def message(method, id=7, **params):
        return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}

    for version in LEGACY:
        _, answer = running.post(message("initialize", protocolVersion=version, capabilities={}, clientInfo={}))
        check(f"{version} is agreed on", answer["result"]["protocolVersion"] == version, answer)
        status, answer = running.post(message("ping"), MCP_Protocol_Version=version)
        check(f"{version}: ping", (status, answer) == (200, {"jsonrpc": "2.0", "id": 7, "result": {}}), answer)
    _, answer = running.post(message("initialize", protocolVersion="1999-01-01"))
    check("of an unknown version the newest is offered", answer["result"]["protocolVersion"] == LEGACY[0], answer)
    status, answer = running.post(message("tools/list"), MCP_Protocol_Version="1999-01-01")
    check("an unknown version is refused", (status, code(answer)) == (400, -32022), answer)
    check("with what is spoken", MODERN in answer["error"]["data"]["supported"], answer)

    meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}

    def modern(method, name=None, meta=meta, **changed):
        params = {"_meta": meta, **({} if name is None else {"name": name, "arguments": {}})}
        headers = {"MCP_Protocol_Version": MODERN, "Mcp_Method": method, "Mcp_Name": name, **changed}
        return running.post(message(method, **params), **headers)

    status, answer = modern("server/discover")
    result = answer["result"]
    check("the newer kind is discovered", status == 200 and result["supportedVersions"] == [MODERN, *LEGACY], answer)
    for key in ("resultType", "ttlMs", "cacheScope", "capabilities", "_meta"):
        check(f"with {key}", key in result, answer)
    check("a tool is called by its name in the header", modern("tools/call", "proposals")[0] == 200)
    wrapped = "=?base64?" + base64.b64encode(b"proposals").decode() + "?="
    check("or in base64", modern("tools/call", "proposals", Mcp_Name=wrapped)[0] == 200)
    for what, changed in {
        "another method": {"Mcp_Method": "tools/list"},
        "no method": {"Mcp_Method": None},
        "another name": {"Mcp_Name": "propose"},
        "no name": {"Mcp_Name": None},
        "an older version": {"MCP_Protocol_Version": LEGACY[0]},
        "no version": {"MCP_Protocol_Version": None},
    }.items():
        status, answer = modern("tools/call", "proposals", **changed)
        check(f"a header that names {what} is refused", (status, code(answer)) == (400, -32020), answer)
    status, answer = modern("tools/list", meta={})
    check("what names no version in itself is refused", (status, code(answer)) == (400, -32602), answer)
    status, answer = modern("ping")
    check("there is no ping in the newer kind", (status, code(answer)) == (404, -32601), answer)
    status, answer = running.post(message("nonsense"))
    check("an unknown method", (status, code(answer)) == (200, -32601), answer)
    status, answer = running.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
    check("a notification is accepted and not answered", (status, answer) == (202, None), answer)
    status, answer = running.post([message("ping", id=1), message("ping", id="b")])
    check("a batch, as one revision has it", status == 200 and [a["id"] for a in answer] == [1, "b"], answer)
    status, _ = running.post([message("ping")], MCP_Protocol_Version="2025-06-18")
    check("no batch in a later revision", status == 400)
