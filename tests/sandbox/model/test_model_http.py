"""The scripted model's protocol: OpenAI's client, streams, errors, and no 500."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.model.model_world import BOOK, TOOLS, http, openai

HELLO = [{"role": "user", "content": "hello"}]
ORDER = [{"role": "user", "content": "send $5 from checking to Mia"}]


async def test_openai_client_both_modes_say_the_same():
    async with http() as client:
        ai = openai(client)
        whole = await ai.chat.completions.create(model="echo", messages=HELLO, tools=TOOLS)
        stream = await ai.chat.completions.create(
            model="echo",
            messages=HELLO,
            tools=TOOLS,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole.choices[0].message.content
    assert whole.model == chunks[0].model == "echo"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason == "stop"
    assert chunks[-1].usage == whole.usage


async def test_streamed_tool_calls():
    async with http() as client:
        stream = await openai(client).chat.completions.create(
            model="m", messages=ORDER, tools=TOOLS, stream=True
        )
        chunks = [chunk async for chunk in stream]
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert calls[0].id
    assert calls[0].function.name == "get_accounts"
    assert "".join(call.function.arguments for call in calls) == "{}"
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


UNANSWERED = {
    "role": "assistant",
    "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "get_accounts", "arguments": "{}"}}
    ],
}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"[" * 100_000,
        {},
        {"model": "m"},
        {"model": 1, "messages": HELLO},
        {"model": "m", "messages": []},
        {"model": "m", "messages": "hi"},
        {"model": "m", "messages": [{"role": "user", "content": 5}]},
        {"model": "m", "messages": [*HELLO, UNANSWERED]},
        {"model": "m", "messages": [*HELLO, UNANSWERED, *HELLO]},
        {"model": "m", "messages": [{"role": "tool", "tool_call_id": "c", "content": "x"}]},
        {"model": "m", "messages": HELLO, "tools": [{"type": "function"}]},
    ],
)
async def test_garbage_is_400(body):
    how = {"content": body} if isinstance(body, bytes) else {"json": body}
    async with http() as client:
        response = await client.post("/v1/chat/completions", **how)
    assert response.status_code == 400
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


async def test_paths_and_methods():
    async with http() as client:
        assert (await client.get("/nothing")).status_code == 404
        assert (await client.get("/v1/chat/completions")).status_code == 405
        assert (await client.get("/v1/models")).json()["object"] == "list"
        big = await client.post("/v1/chat/completions", content=b" " * (3 * 1024 * 1024))
        assert big.status_code == 413


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
VOCABULARY = (
    "send move pay don't $5 25 Mia Ben to from checking savings and yes no , . ? again "
    "continue transfer because dispute half twenty if \" ' $1e9 balance history"
)
WORDS = st.lists(st.sampled_from(VOCABULARY.split()) | st.text(max_size=5), max_size=25).map(
    " ".join
)
ASKED = {"role": "assistant", "content": "ok?"}
SAID = WORDS.map(lambda text: {"role": "user", "content": text})
ANSWERED = JSON.map(lambda value: {"role": "tool", "tool_call_id": "c", "content": str(value)})
TALK = st.builds(
    lambda first, answer, more: [first, UNANSWERED, answer, ASKED, *more],
    SAID,
    ANSWERED | st.just({"role": "tool", "tool_call_id": "c", "content": str(BOOK)}),
    st.lists(SAID, min_size=1, max_size=3),
)
BODY = st.fixed_dictionaries(
    {"model": st.just("m") | JSON, "messages": TALK | JSON},
    optional={"tools": st.just(TOOLS) | JSON, "stream": st.booleans() | JSON, "tool_choice": JSON},
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODY | JSON)
async def test_nothing_is_a_500(body):
    async with http() as client:
        response = await client.post("/v1/chat/completions", json=body)
    assert response.status_code < 500
