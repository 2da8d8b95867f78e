"""Refusals of many vendors, relays and home servers: whose fault each is, whatever status it has and whatever is wrapped around it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from openclaw_oauthrouter.canonical.events import PartDelta, ResponseFailed
from openclaw_oauthrouter.dialects.anthropic_messages import AnthropicMessages
from openclaw_oauthrouter.dialects.gemini_generate_content import GeminiGenerateContent
from openclaw_oauthrouter.dialects.openai_chat_completions import ChatCompletions
from openclaw_oauthrouter.dialects.openai_responses import OpenAIResponses
from openclaw_oauthrouter.errors import UpstreamError
from openclaw_oauthrouter.health.failures import classify_failure
from tests.support.other_refusals import OTHER_REFUSALS
from tests.support.vendor_refusals import VENDOR_REFUSALS

NOW = 1_764_000_000.0
ALL_REFUSALS = (*VENDOR_REFUSALS, *OTHER_REFUSALS)
DIALECTS: dict[str, Any] = {
    "chat": ChatCompletions(lambda: NOW),
    "messages": AnthropicMessages(lambda: NOW),
    "gemini": GeminiGenerateContent(lambda: NOW),
    "responses": OpenAIResponses(lambda: NOW, lambda: "id"),
}
ODD_STATUSES = (400, 406, 412, 418, 422, 424)
BLAMELESS = ("unsaid", "endpoint", "context", "ability", "request")


def decode(dialect: str, status: int, body: str) -> UpstreamError:
    error: UpstreamError = DIALECTS[dialect].decode_error(status, {}, body.encode())
    return error


def goes_on(error: UpstreamError) -> bool:
    return bool({"next_candidate", "larger_candidate"} & set(classify_failure(error).actions))


@pytest.mark.parametrize(("dialect", "status", "blame", "body"), ALL_REFUSALS)
def test_refusal_blames_whom_it_speaks_of(dialect: str, status: int, blame: str, body: str) -> None:
    error = decode(dialect, status, body)
    assert error.blame == blame, error.message
    assert goes_on(error) == (blame != "request")


NAMED_BY_THEIR_STATUS = (
    "access to this endpoint is forbidden",
    "blocked for repeatedly",
    "sufficient permissions",
    "Model disabled",
    "No models match",
    "CSRF",
    "too large for",
)


@pytest.mark.parametrize("status", ODD_STATUSES)
def test_refusal_of_key_account_or_model_is_so_under_any_status(status: int) -> None:
    wrong = []
    for dialect, _, blame, body in ALL_REFUSALS:
        if blame in BLAMELESS or len(body) < 4 or body.startswith("<") or any(words in body for words in NAMED_BY_THEIR_STATUS):
            continue
        error = decode(dialect, status, body)
        if not goes_on(error) or classify_failure(error).cooldown is None:
            wrong.append((body, error.blame))
    assert wrong == []


@pytest.mark.parametrize("status", [400, 403, 406, 422])
def test_refusal_of_the_request_stays_one_under_other_statuses(status: int) -> None:
    wordings = [
        ("chat", '{"error":{"message":"Your prompt was flagged by the content filter"}}'),
        ("chat", '{"error":{"message":"系统检测到输入内容可能包含敏感内容","code":"1301"}}'),
        ("chat", '{"error":"Content violates usage guidelines.","code":"permission"}'),
        ("responses", '{"error":{"message":"This input was flagged for biology","code":"invalid_prompt"}}'),
        (
            "messages",
            '{"type":"error","error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}',
        ),
    ]
    assert [body for dialect, body in wordings if decode(dialect, status, body).blame != "request"] == []


CLIENTS_WORDS = (
    "your api key has expired",
    "insufficient balance",
    "your account has been suspended",
    "model overloaded",
    "rate limit exceeded",
)
QUOTING = (
    "Invalid value: '{}'. Supported values are: 'user' and 'system'.",
    "Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `{}`, expected one of `system`, `user`",
    "Invalid schema for function 'x': '{}' is not valid under any of the given schemas.",
    "Additional properties are not allowed ('{}' was unexpected) - 'messages.0'",
    'Invalid value at tools[0].function_declarations[0].parameters.type, "{}"',
    "Failed to download the image from https://images.example/{}.png",
    '[{{"type":"string_type","loc":["body","messages",0],"msg":"Input should be a valid string","input":"{}"}}]',
)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("words", CLIENTS_WORDS)
def test_refusal_that_quotes_the_client_puts_nothing_out_of_order(dialect: str, words: str) -> None:
    """Otherwise whoever may ask could have everybody's key left alone."""
    for form in QUOTING:
        message = form.format(words.replace(" ", "-") if "https" in form else words)
        error = decode(dialect, 400, json.dumps({"error": {"message": message, "type": "invalid_request_error"}}))
        assert classify_failure(error).cooldown is None, (message, error.blame)


BAD_KEY = {"error": {"message": "Incorrect API key provided: sk-***", "code": "invalid_api_key"}}
WRAPPERS: dict[str, Callable[[object], str]] = {
    "as it is": json.dumps,
    "list": lambda fault: json.dumps([fault]),
    "text": lambda fault: json.dumps(json.dumps(fault)),
    "text in message": lambda fault: json.dumps({"message": json.dumps(fault)}),
    "text in error": lambda fault: json.dumps({"error": json.dumps(fault)}),
    "text in error.message": lambda fault: json.dumps(
        {"error": {"message": json.dumps(fault, indent=2), "type": "upstream_error"}}
    ),
    "openrouter": lambda fault: json.dumps(
        {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": json.dumps(fault)}}}
    ),
    "relay of openrouter": lambda fault: json.dumps(
        {"error": {"message": json.dumps({"error": {"message": "x", "metadata": {"raw": json.dumps(fault)}}})}}
    ),
    "errors": lambda fault: json.dumps({"errors": [fault], "success": False}),
    "detail": lambda fault: json.dumps({"detail": fault}),
    "event": lambda fault: f"event: error\ndata: {json.dumps(fault)}\n\n",
    "event without blank": lambda fault: f"data:{json.dumps(fault)}\r\n\r\ndata: [DONE]\r\n\r\n",
    "response": lambda fault: json.dumps({"Response": {"Error": {"Code": "Failure", "Message": json.dumps(fault)}}}),
    "base_resp": lambda fault: json.dumps({"base_resp": {"status_code": 2049, "status_msg": json.dumps(fault)}}),
    "exception": lambda fault: json.dumps(
        {"error": {"message": f"litellm.AuthenticationError: XException - {json.dumps(fault)}"}}
    ),
    "exception of python": lambda fault: json.dumps({"error": {"message": f"Error code: 400 - {fault}", "param": "None"}}),
    "python": lambda fault: json.dumps({"detail": str(fault)}),
    "status before": lambda fault: json.dumps(
        {"error": {"message": f'POST "https://x.example": 401 Unauthorized {json.dumps(fault)}'}}
    ),
    "failure": lambda fault: json.dumps({"failure": fault}),
    "error in error": lambda fault: json.dumps({"error": fault}),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_innermost_words_count(dialect: str, wrapper: str) -> None:
    error = decode(dialect, 400, WRAPPERS[wrapper](BAD_KEY))
    assert error.blame == "key"
    assert error.message.startswith("Incorrect API key provided")


SPELLINGS = ("invalid_api_key", "InvalidApiKey", "INVALID_API_KEY", "invalid-api-key", "Invalid.ApiKey", "invalidApiKey")


@pytest.mark.parametrize("code", SPELLINGS)
def test_code_is_the_same_however_it_is_spelt(code: str) -> None:
    for body in (
        {"error": {"message": "No.", "code": code}},
        {"code": code, "message": "No."},
        {"error": code, "message": "No."},
    ):
        assert decode("chat", 400, json.dumps(body)).blame == "key"


@pytest.mark.parametrize(("told", "blame"), [(401, "key"), (402, "quota"), (403, "account"), (429, "rate"), (503, "capacity")])
@pytest.mark.parametrize("name", ["code", "status", "statusCode", "status_code"])
def test_status_in_the_body_counts_where_words_are_silent(told: int, blame: str, name: str) -> None:
    assert decode("chat", 400, json.dumps({"error": {"message": "Failed.", name: told}})).blame == blame
    assert decode("chat", 400, json.dumps({"error": {"message": "messages: at least one", name: told}})).blame == "request"


@pytest.mark.parametrize("nothing", ["None", "null", "", "undefined"])
def test_parameter_that_is_none_in_words_is_none(nothing: str) -> None:
    said = {"message": "Invalid model name passed in model=x", "type": nothing, "param": nothing, "code": nothing}
    assert decode("chat", 400, json.dumps({"error": said})).blame == "model"


@pytest.mark.parametrize(
    ("body", "blame"),
    [
        ({"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}, "choices": None}, "quota"),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail: please carry the API secret key"}}, "key"),
        ({"code": 1305, "msg": "该模型当前访问量过大，请您稍后再试", "success": False}, "capacity"),
        ({"code": 401, "message": "token expired or incorrect"}, "key"),
        ({"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}, "model"),
        ({"success": False, "errors": [{"message": "You have exceeded your monthly included credits"}]}, "quota"),
        ({"error": {"message": "User location is not supported for the API use."}}, "account"),
    ],
)
def test_refusal_that_comes_with_200_is_one(body: dict[str, Any], blame: str) -> None:
    chat = DIALECTS["chat"]
    with pytest.raises(UpstreamError) as whole:
        chat.decode_response(body)
    frame = chat.stream_decoder().receive(f"data: {json.dumps(body)}\n\n".encode())
    failed = [event.error for event in frame.events if isinstance(event, ResponseFailed)]
    assert [error.blame for error in (whole.value, *failed)] == [blame, blame]


def test_answer_that_says_all_is_well_is_no_refusal() -> None:
    answer = {
        "id": "x",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}],
        "base_resp": {"status_code": 0, "status_msg": ""},
    }
    assert any(isinstance(event, PartDelta) for event in DIALECTS["chat"].decode_response(answer))
