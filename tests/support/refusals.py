"""What vendors answer when they refuse, in their own shapes; each with whose fault it is. The wordings are free renderings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Said:
    """One refusal.

    :ivar blame: what ``canonical.refusals`` shall make of it
    :ivar dialect: who says such things
    """

    name: str
    status: int
    body: bytes
    blame: str
    content_type: str = "application/json"


def _chat(name: str, status: int, blame: str, message: str, /, **fields: Any) -> Said:
    return Said(name, status, json.dumps({"error": {"message": message, **fields}}).encode(), blame)


def _google(name: str, status: int, blame: str, message: str, word: str) -> Said:
    return Said(name, status, json.dumps([{"error": {"code": status, "message": message, "status": word}}]).encode(), blame)


def _flat(name: str, status: int, blame: str, /, **fields: Any) -> Said:
    return Said(name, status, json.dumps(fields).encode(), blame)


def _page(name: str, status: int, title: str, blame: str = "endpoint") -> Said:
    body = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><p>secret-looking words</p></body></html>"
    return Said(name, status, body.encode(), blame, "text/html")


def _text(name: str, status: int, text: str, blame: str = "endpoint") -> Said:
    return Said(name, status, text.encode(), blame, "text/plain")


CHAT_REFUSALS: tuple[Said, ...] = (
    # keys
    _google("gemini bad key", 400, "key", "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT"),
    _google("gemini expired key", 400, "key", "API key expired. Please renew the API key.", "INVALID_ARGUMENT"),
    _google("gemini leaked key", 403, "key", "Your API key was reported as leaked. Please use another API key.", "PERMISSION_DENIED"),
    _google("gemini unauthenticated", 401, "key", "Request had invalid authentication credentials.", "UNAUTHENTICATED"),
    _flat("xai bad key", 400, "key", code="Client specified an invalid argument", error="Incorrect API key provided: xa***ey."),
    _flat("xai no key", 400, "key", code="x", error="No API key provided. Specify your API key in the Authorization header."),
    _chat("openai bad key", 401, "key", "Incorrect API key provided: sk-***.", type="invalid_request_error", code="invalid_api_key"),
    _chat("openai no key", 401, "key", "You didn't provide an API key. You need to provide your API key in an Authorization header."),
    _chat("relay bad key as 400", 400, "key", "Invalid token (request id: 2026)", type="new_api_error"),
    _chat("relay key as 500", 500, "key", "Incorrect API key provided", type="upstream_error"),
    _chat("deepseek", 401, "key", "Authentication Fails, Your api key: ****1234 is invalid", type="authentication_error"),
    _chat("openrouter no auth", 401, "key", "No auth credentials found", code=401),
    _chat("openrouter user", 401, "key", "User not found.", code=401),
    _chat("moonshot", 401, "key", "Invalid Authentication", type="invalid_authentication_error"),
    _flat("minimax", 400, "key", message="login fail: Please carry the API secret key in the 'Authorization' field"),
    _flat("bedrock token", 400, "key", message="The security token included in the request is expired"),
    _flat("bedrock signature", 403, "key", message="The request signature we calculated does not match the signature you provided."),
    _flat("azure key", 401, "key", statusCode=401, message="Access denied due to invalid subscription key or wrong API endpoint."),
    _flat("github token", 400, "key", message="Bad credentials"),
    _flat("oauth gone", 400, "key", error="invalid_grant", message="Refresh token expired"),
    _flat("huggingface", 400, "key", error="Authorization header is correct, but the token seems invalid"),
    _flat("plain jwt", 400, "key", detail="JWT expired at 2026-11-27"),
    _flat("cohere", 400, "key", message="invalid api token"),
    _flat("together", 400, "key", error="Your API key has been revoked"),
    _flat("cerebras", 400, "key", detail="Wrong API Key"),
    _flat("dashscope", 400, "key", code="InvalidApiKey", message="Invalid API-key provided."),
    _text("groq-like 498", 498, "token expired/invalid", "key"),
    _text("unauthorized as text", 401, "Unauthorized", "key"),
    # accounts
    _google("gemini region", 400, "account", "User location is not supported for the API use.", "FAILED_PRECONDITION"),
    _google("gemini api off", 403, "account", "Generative Language API has not been used in project 1 before or it is disabled.", "PERMISSION_DENIED"),
    _google("gemini suspended", 403, "account", "Permission denied: Consumer 'project_number:1' has been suspended.", "PERMISSION_DENIED"),
    _chat("openai region", 403, "account", "Country, region, or territory not supported", code="unsupported_country_region_territory"),
    _chat("openai verified", 400, "account", "Your organization must be verified to use the model `gpt-image-1`. Please go to settings."),
    _chat("openai verify stream", 400, "account", "Your organization must be verified to stream this model.", param="stream", code="unsupported_value"),
    _chat("openai deactivated", 401, "account", "The OpenAI account associated with this API key has been deactivated.", code="account_deactivated"),
    _chat("openai ip", 401, "account", "Your IP address 1.2.3.4 is not authorized", code="ip_not_authorized"),
    _chat("mistral inactive", 400, "account", "Your workspace has been suspended. Contact support."),
    _chat("project archived", 400, "account", "Project proj_1 has been archived", type="invalid_request_error"),
    _flat("phone", 400, "account", message="Please verify your phone number before using the API"),
    _flat("zhipu locked", 400, "account", message="Your account has been locked due to abnormal activity"),
    _flat("banned", 400, "account", error="This user has been banned"),
    _flat("not in your country", 400, "account", detail="This service is not available in your country"),
    # money and plans
    _chat("openai quota", 429, "quota", "You exceeded your current quota, please check your plan and billing details.", code="insufficient_quota"),
    _chat("openai billing", 400, "quota", "Billing hard limit has been reached", code="billing_hard_limit_reached"),
    _chat("openai inactive", 429, "quota", "Your account is not active, please check your billing details.", code="billing_not_active"),
    _chat("deepseek balance", 402, "quota", "Insufficient Balance", type="unknown_error"),
    _chat("openrouter credits", 402, "quota", "This request requires more credits, or fewer max_tokens.", code=402),
    _chat("openrouter key limit", 403, "quota", "Key limit exceeded (monthly limit). Manage it using the dashboard.", code=403),
    _flat("qwen arrearage", 400, "quota", code="Arrearage", message="Access denied, please make sure your account is in good standing."),
    _chat("qwen arrearage words", 400, "quota", "Access denied, please make sure your account is in good standing.", type="x"),
    _flat("newapi quota", 403, "quota", error={"message": "user quota is not enough", "code": "insufficient_user_quota"}),
    _chat("xai credits", 403, "quota", "Your team has either used all available credits or reached its monthly spending limit."),
    _chat("together credit", 400, "quota", "Credit limit exceeded, please add credits to your account"),
    _chat("payment", 400, "quota", "A payment method is required to use this model"),
    _chat("trial", 400, "quota", "Your free trial has expired. Upgrade your plan."),
    _chat("plan", 400, "quota", "This model requires a paid plan"),
    _chat("daily cap", 400, "quota", "You have reached your daily usage limit"),
    _chat("spend cap", 400, "quota", "Monthly spending limit exceeded for this key"),
    _flat("recharge", 400, "quota", message="Account balance is insufficient, please recharge"),
    _flat("subscription over", 400, "quota", message="Your subscription has expired"),
    _google("vertex billing", 403, "quota", "This API method requires billing to be enabled.", "PERMISSION_DENIED"),
    # rates
    _chat("limits as 400", 400, "rate", "Rate limit exceeded, please try again later"),
    _chat("too many as 403", 403, "rate", "Too many requests from this account"),
    _google("gemini rate", 429, "rate", "Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"),
    _chat("openai tpm", 429, "rate", "Rate limit reached for gpt-5.5 in organization org-1 on tokens per min (TPM). Please try again in 6m0s."),
    _chat("moonshot engine", 429, "capacity", "The engine is currently overloaded, please try again later", type="engine_overloaded_error"),
    # models
    _google("gemini model", 404, "model", "models/gemini-9 is not found for API version v1beta, or is not supported for generateContent.", "NOT_FOUND"),
    _chat("openai model", 404, "model", "The model `gpt-9` does not exist or you do not have access to it.", code="model_not_found"),
    _chat("openai retired", 404, "model", "The model `text-davinci-003` has been deprecated, learn more here", code="model_not_found"),
    _flat("mistral", 400, "model", object="error", message="Invalid model: mistral-9", type="invalid_model", code="1500"),
    _flat("mistral words", 400, "model", message="Invalid model: mistral-9", type="invalid_request_error"),
    _chat("openrouter id", 400, "model", "anthropic/claude-9 is not a valid model ID", code=400),
    _chat("openrouter tools", 404, "model", "No endpoints found that support tool use. To learn more visit the docs.", code=404),
    _chat("openrouter none", 404, "model", "No endpoints found for deepseek/deepseek-r1:free.", code=404),
    _chat("openrouter privacy", 404, "model", "No endpoints found matching your data policy.", code=404),
    _chat("openrouter providers", 404, "model", "No allowed providers are available for the selected model.", code=404),
    _chat("azure deployment", 404, "model", "The API deployment for this resource does not exist.", code="DeploymentNotFound"),
    _flat("nvidia gone", 410, "model", status=410, title="Gone", detail="The model 'x' has reached its end of life and is no longer available"),
    _flat("nvidia gone bare", 410, "endpoint", status=410, title="Gone", detail="Gone"),
    _chat("groq decommissioned", 400, "model", "The model `x` has been decommissioned and is no longer supported.", code="model_decommissioned"),
    _chat("groq terms", 400, "access", "The model `x` requires terms acceptance. Please have the org admin accept the terms.", code="model_terms_required"),
    _flat("codex plan", 400, "model", detail="The 'gpt-5.5' model is not supported when using Codex with a ChatGPT account."),
    _flat("ollama", 404, "model", error="model 'llama9' not found, try pulling it first"),
    _flat("lm studio none", 400, "capacity", error="No models loaded. Please load a model in the developer page."),
    _flat("lm studio crashed", 400, "capacity", error="The model has crashed without additional information. (Exit code: 1844674407)"),
    _flat("lm studio failed", 400, "capacity", error="Failed to load model 'x'. Error: insufficient memory"),
    _chat("llama.cpp loading", 503, "capacity", "Loading model", type="unavailable_error"),
    _flat("hf loading", 503, "capacity", error="Model x is currently loading", estimated_time=20.0),
    _flat("vllm", 404, "model", object="error", message="The model `x` does not exist.", type="NotFoundError", code=404),
    _chat("newapi channel", 503, "model", "No available channel for model x under group default", code="model_not_found"),
    _chat("relay no accounts", 500, "model", "No available accounts: no available accounts supporting the model"),
    _flat("litellm", 400, "model", error={"message": "Invalid model name passed in model=x. Call `/v1/models` to view available models"}),
    _chat("no access", 403, "access", "Project `proj_1` does not have access to model `gpt-9`", code="denied"),
    _chat("tier", 403, "access", "You are not allowed to sample from this model"),
    _chat("missing model", 400, "model", "you must provide a model parameter", param="model"),
    _flat("oom", 500, "capacity", error="llama runner process has terminated: cudaMalloc failed: out of memory"),
    _chat("groq flex", 498, "capacity", "Flex tier capacity exceeded. Please try again later.", code="capacity_exceeded"),
    # addresses
    _page("html 404", 404, "404 Not Found"),
    _page("cloudflare", 403, "Just a moment..."),
    _page("nginx 405", 405, "405 Not Allowed"),
    _page("moved", 410, "Gone"),
    _page("captive portal", 511, "Network Authentication Required", "endpoint"),
    _page("html 400", 400, "400 The plain HTTP request was sent to HTTPS port"),
    _text("go 404", 404, "404 page not found"),
    _text("empty 404", 404, ""),
    _text("proxy", 407, "Proxy Authentication Required"),
    _flat("fastapi 404", 404, "endpoint", detail="Not Found"),
    _flat("kong 404", 404, "endpoint", message="no Route matched with those values"),
    _flat("spring 404", 404, "endpoint", timestamp="2026", status=404, error="Not Found", path="/v1/chat/completions"),
    _chat("openai url", 404, "endpoint", "Invalid URL (POST /v1/v1/chat/completions)", type="invalid_request_error"),
    _flat("405 json", 405, "endpoint", detail="Method Not Allowed"),
    _flat("421", 421, "endpoint", message="Misdirected Request"),
    # nothing that tells
    _flat("bare 400", 400, "unsaid"),
    _text("nothing 400", 400, "", "unsaid"),
    _flat("bad request", 400, "unsaid", error="Bad Request"),
    _chat("provider error", 400, "unsaid", "Provider returned error"),
    _text("teapot", 418, "I'm a teapot", "unsaid"),
    # the request's own fault
    _chat("param", 400, "request", "Invalid value: 'robot'. Supported values are: 'system' and 'user'.", param="messages[0].role", code="invalid_value"),
    _chat("tool name", 400, "request", "Invalid 'tools[0].function.name': string does not match pattern. Expected no 'expired api key'.", param="tools[0].function.name"),
    _chat("azure filter", 400, "request", "The response was filtered due to the prompt triggering the content management policy.", param="prompt", code="content_filter"),
    _chat("filter words", 400, "request", "Your prompt was flagged as potentially violating our usage policy"),
    _chat("image", 400, "request", "The image data you provided does not represent a valid image.", code="invalid_base64"),
    _chat("temperature", 400, "request", "temperature must be between 0 and 2"),
    _chat("max tokens", 400, "request", "max_tokens must be at least 1"),
    _chat("role order", 400, "request", "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'"),
    _flat("pydantic", 422, "request", detail=[{"loc": ["body", "messages"], "msg": "field required"}]),
    _chat("previous", 404, "request", "Previous response with id 'resp_1' not found.", param="previous_response_id", code="previous_response_not_found"),
    _chat("file", 404, "request", "No such File object: file-1 not found"),
    _chat("json", 400, "request", "We could not parse the JSON body of your request."),
    _google("gemini args", 400, "request", "Invalid JSON payload received. Unknown name \"foo\" at 'contents[0]': Cannot find field.", "INVALID_ARGUMENT"),
    # what another model can do
    _chat("unsupported value", 400, "ability", "Unsupported value: 'temperature' does not support 0.2 with this model.", param="temperature", code="unsupported_value"),
    _chat("no images", 400, "ability", "This model does not support image input"),
    _chat("no tools", 400, "ability", "registry.ollama.ai/library/x does not support tools"),
    # prompts that are too long
    _chat("context", 400, "context", "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."),
    _chat("llama.cpp context", 500, "context", "the request exceeds the available context size, try increasing it"),
    _google("gemini context", 400, "context", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "INVALID_ARGUMENT"),
    _flat("qwen length", 400, "context", message="Range of input length should be [1, 30720]", code="InvalidParameter"),
)  # fmt: skip


def _anthropic(name: str, status: int, kind: str, blame: str, message: str) -> Said:
    return Said(name, status, json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode(), blame)


_INVALID = "invalid_request_error"
MESSAGES_REFUSALS: tuple[Said, ...] = (
    _anthropic("usage limits", 400, _INVALID, "quota", "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."),
    _anthropic("workspace limits", 400, _INVALID, "quota", "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."),
    _anthropic("credit", 400, _INVALID, "quota", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing."),
    _anthropic("extra usage", 400, _INVALID, "quota", "You're out of extra usage. Add more at claude.ai/settings/usage."),
    _anthropic("third party", 400, _INVALID, "quota", "Third-party apps now draw from your extra usage, not your plan limits. Claim it to keep going."),
    _anthropic("organization", 400, _INVALID, "account", "This organization has been disabled."),
    _anthropic("organization oauth", 403, "permission_error", "account", "OAuth authentication is currently not allowed for this organization."),
    _anthropic("oauth", 401, "authentication_error", "account", "OAuth authentication is currently not supported."),
    _anthropic("only for", 400, _INVALID, "account", "This credential is only authorized for use with Claude Code and cannot be used for other API requests."),
    _anthropic("long context", 400, _INVALID, "access", "The long context beta is not yet available for this subscription."),
    _anthropic("long context extra", 429, "rate_limit_error", "quota", "Extra usage is required for long context requests."),
    _anthropic("key", 401, "authentication_error", "key", "invalid x-api-key"),
    _anthropic("token", 401, "authentication_error", "key", "OAuth token has expired. Please obtain a new token or refresh your existing token."),
    _anthropic("revoked", 403, "permission_error", "key", "OAuth token has been revoked. Please obtain a new token."),
    _anthropic("region", 403, "forbidden", "account", "Request not allowed"),
    _anthropic("model", 404, "not_found_error", "model", "model: claude-9"),
    _anthropic("path", 404, "not_found_error", "endpoint", "Not found"),
    _anthropic("rate", 429, "rate_limit_error", "rate", "This request would exceed your organization's rate limit of 30,000 input tokens per minute."),
    _anthropic("overloaded", 529, "overloaded_error", "capacity", "Overloaded"),
    _anthropic("too long", 400, _INVALID, "context", "prompt is too long: 210000 tokens > 200000 maximum"),
    _anthropic("too long with output", 400, _INVALID, "context", "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
    _anthropic("empty", 400, _INVALID, "request", "messages.0: all messages must have non-empty content except for the optional final assistant message"),
    _anthropic("tool use", 400, _INVALID, "request", "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1."),
    _anthropic("schema", 400, _INVALID, "request", "tools.0.custom.input_schema: JSON schema is invalid. It must match draft 2020-12"),
    _anthropic("tokens", 400, _INVALID, "request", "max_tokens: 999999 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5"),
    _anthropic("thinking", 400, _INVALID, "request", "`temperature` may only be set to 1 when thinking is enabled."),
    _anthropic("image", 400, _INVALID, "request", "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes"),
    _anthropic("filter", 400, _INVALID, "request", "Output blocked by content filtering policy"),
    _page("cdn 403", 403, "Just a moment..."),
    _page("cdn 404", 404, "Page not found"),
)  # fmt: skip
