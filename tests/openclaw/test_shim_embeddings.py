"""Embeddings of OpenClaw's memory search: what the shim asks the gateway for, and what it makes of the answer."""

from __future__ import annotations

import json
import subprocess

import pytest

from openclaw_oauthrouter.openclaw.manifest import SHIM, host_manifest
from tests.support.real_programs import program

SCRIPT = """
import { embeddingProvider } from "%s";
const asked = [];
const ask = async (path, body) => {
  asked.push([path, body]);
  return { data: body.input.map((text, index) => ({ index, embedding: [text.length] })).reverse() };
};
const adapter = embeddingProvider("oauthrouter", ask);
const { provider } = await adapter.create({ model: "oauthrouter/house/embed-1" });
console.log(JSON.stringify({
  asked,
  one: await provider.embed({ text: "four" }),
  many: await provider.embedBatch(["a", { text: "bb" }, "ccc"]),
  model: provider.model,
  usual: (await adapter.create({ model: "" })).provider.model,
}));
"""


@pytest.mark.e2e
def test_embeddings_come_in_the_order_of_their_texts() -> None:
    script = SCRIPT % (SHIM / "embeddings.js").as_uri()
    node = program("OAUTHROUTER_E2E_NODE")
    done = subprocess.run([node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True, timeout=60)
    said = json.loads(done.stdout)
    assert (said["one"], said["many"]) == ([4], [[1], [2], [3]])
    assert (said["model"], said["usual"]) == ("house/embed-1", "openai/text-embedding-3-small")
    path, body = said["asked"][0]
    assert (path, body) == ("/v1/embeddings", {"model": "house/embed-1", "input": ["four"], "encoding_format": "float"})


def test_the_manifest_tells_of_embeddings() -> None:
    assert host_manifest()["contracts"]["embeddingProviders"] == ["oauthrouter"]
