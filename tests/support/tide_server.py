"""A small MCP server on standard input and output, for clients under test: one tool without arguments, one with; run as a program."""

import json
import sys

TOOLS = [
    {"name": "now", "description": "The tide now", "inputSchema": {"type": "object"}},
    {
        "name": "at",
        "description": "The tide at a place",
        "inputSchema": {
            "type": "object",
            "properties": {"place": {"type": "string"}, "days": {"type": "array"}},
            "required": ["place"],
        },
    },
]


def answer(method: str, params: dict[str, object]) -> dict[str, object]:
    """The result of one request."""
    if method == "initialize":
        server = {"name": "tide", "version": "1"}
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": server}
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": f"TIDE {params['name']} {json.dumps(params.get('arguments') or {})}"}]}
    return {}


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        if "id" in asked:
            result = answer(asked["method"], asked.get("params") or {})
            print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
