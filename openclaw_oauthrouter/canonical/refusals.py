"""Whose fault a refusal is: one table of what vendors say, for every dialect. The words decide; the status only where they are silent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from openclaw_oauthrouter.errors import (
    UpstreamAuthenticationError,
    UpstreamBillingError,
    UpstreamContextError,
    UpstreamEndpointError,
    UpstreamError,
    UpstreamModelError,
    UpstreamOverloadedError,
    UpstreamRateLimitError,
    UpstreamStatusError,
    UpstreamTimeout,
)

Blame = Literal[
    "request",  # the request's content: nobody else would take it either
    "ability",  # the model cannot do what the request asks; another may
    "context",  # the prompt is too long for the model
    "key",  # the credential is wrong, expired or revoked
    "account",  # the account is closed, unverified, in the wrong country …
    "access",  # the account may not use this model
    "quota",  # money or a plan's usage is used up
    "rate",  # too many requests a minute
    "model",  # the provider does not know the model, or has retired it
    "capacity",  # busy, loading, crashed: passes
    "endpoint",  # the address does not serve this: a wrong or moved path, a web page, a proxy
    "time",
    "unsaid",  # a refusal without a word that tells
]

MOST_QUOTED = 2000
"""Characters of a provider's words that are kept."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What an upstream said when it refused, whoever's shape it had.

    :ivar status: the HTTP status; ``None`` for an error within a stream that names none
    :ivar page: the body was a web page, or no JSON at all
    :ivar bare: the body said nothing in words
    """

    status: int | None
    message: str
    type: str | None = None
    code: str | None = None
    param: str | None = None
    page: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of reason. Rows are asked in order, by code first, then by words.

    :ivar codes: the vendor's ``code``, ``type`` or ``status`` word, lower case
    :ivar words: a pattern somewhere in the message
    :ivar unless: a pattern that says the words mean something else
    """

    blame: Blame
    codes: frozenset[str] = frozenset()
    words: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None

    def says(self, message: str) -> bool:
        """Whether the words are these."""
        return (
            self.words is not None
            and self.words.search(message) is not None
            and (self.unless is None or self.unless.search(message) is None)
        )


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL)


_KEY = r"(?:api|access|auth\w*|secret|bearer|subscription|client|service|session|oauth|refresh|id|security|iam)[ _-]?(?:keys?|tokens?|credentials?|secret)"
_BAD = r"(?:invalid|incorrect|wrong|bad|unknown|malformed|missing|expired|revoked|disabled|deactivated|inactive|unrecogni[sz]ed|blocked|illegal|unauthori[sz]ed|no)"
_IS_BAD = (
    r"(?:is|are|was|were|has|have|been|not|does|could|cannot|can't)?.{0,40}?"
    r"\b(?:not (?:valid|exist|found|active|authori[sz]ed|recogni[sz]ed|accepted|provided)|invalid|incorrect|expired|revoked|disabled|"
    r"deactivated|missing|required|suspended|leaked|deleted|blocked|malformed|wrong|banned)"
)
_ACCOUNT = r"(?:organi[sz]ations?|accounts?|workspaces?|projects?|teams?|tenants?|subscriptions?|users?|consumers?|customers?)"
_CLOSED = (
    r"(?:disabled|suspended|deactivated|blocked|banned|closed|terminated|restricted|frozen|locked|on hold|not active|inactive|"
    r"archived|deleted|under review|not (?:been )?(?:activated|approved|verified|allowed|authori[sz]ed|permitted|eligible|enabled)|violat\w+)"
)
_LIMIT = r"(?:usage|spend(?:ing)?|credit|budget|quota|plan|monthly|weekly|daily|hard|soft|cost)"
_GONE = (
    r"(?:not[ _-]found|(?:does|do|did)(?: not|n't) exist|not exist|no longer (?:available|supported|exists?|served|offered)|"
    r"(?:not|un)[ _-]?(?:currently |yet )?(?:available|supported|deployed|served|recogni[sz]ed|known|installed|registered|configured|enabled|hosted)|"
    r"deprecated|decommissioned|retired|discontinued|removed|withdrawn|shut ?down|sunset|end[ -]of[ -]life|not (?:a )?valid|invalid|missing)"
)
_TROUBLE = r"(?:crash\w*|loading|not (?:yet )?(?:loaded|ready)|unloaded|failed to load|warming up|cold start\w*|starting up|being (?:loaded|started))"

ROWS: tuple[Row, ...] = (
    Row(
        "context",
        _codes("context_length_exceeded context_window_exceeded exceed_context_size_error string_above_max_length_context"),
        _words(
            r"context[ _-]?(?:length|window|size|limit)",
            r"prompt is too long|prompt (?:is )?too large|prompt exceeds|maximum prompt length|reduce the length of the (?:messages|prompt|input)",
            r"(?:input|prompt|messages?|request|text)\b.{0,30}\btoo (?:long|many tokens)",
            r"input token count.{0,40}exceeds|exceeds? the max\w*(?: number of)? (?:input |allowed )?tokens|"
            r"range of input length|exceeds? (?:the )?context",
        ),
        unless=_words(r"long context beta", r"tokens? per (?:minute|day|hour)", r"\b(?:tpm|tpd)\b"),
    ),
    Row(
        "key",
        _codes(
            "invalid_api_key token_expired api_key_invalid expired_api_key missing_api_key no_api_key unrecognizedclientexception "
            "expiredtokenexception invalidapikey api_key_expired api_key_not_found incorrect_api_key_error token_invalidated token_revoked "
            "refresh_token_reused invalid_grant not_authenticated"
        ),
        _words(
            rf"\b{_BAD}\b.{{0,40}}?\b{_KEY}\b",
            rf"\b{_KEY}\b.{{0,40}}?{_IS_BAD}",
            r"\b(?:jwt|token)\b (?:is |has |was |seems )?(?:been )?(?:expired|revoked|invalid(?:ated)?)\b|令牌|无效的.{0,6}(?:key|密钥)|"
            r"\binvalid token\b(?! (?:at|in|near|count|limit|type|index|id)\b)",
            r"could not validate credentials|(?:invalid|bad|no auth\w*|missing) credentials?|authentication (?:failed|required|error|fail)|"
            r"auth(?:entication)? fails?\b|unauthenticated|not (?:authenticated|logged in|signed in)|(?:log|sign) in again|login fail|"
            r"please (?:log|sign)[ -]?in|re-?authenticate|signature we calculated|carry the api secret key",
        ),
    ),
    Row(
        "quota",
        _codes(
            "insufficient_quota billing_hard_limit_reached billing_not_active insufficient_balance insufficient_credits usage_not_included "
            "billing_error arrearage payment_required insufficient_user_quota quota_exceeded credit_exhausted exceeded_current_quota_error "
            "accountoverdueerror spend_limit_exceeded usage_limit_exceeded credits_exhausted free_tier_exhausted invalid_subscription"
        ),
        _words(
            r"credit balance|insufficient[ _-]?(?:account )?(?:balance|credits?|funds|quota)|余额不足|欠费|额度",
            r"\b(?:out of|no|not enough|exhausted|ran out of|depleted|used up|spent)\b.{0,25}?\b(?:credits?|balance|quota|extra usage|funds)\b",
            r"\b(?:credits?|balance|quota|funds)\b.{0,25}?\b(?:exhausted|depleted|used up|has run out|too low|insufficient|exceeded|overdrawn)\b",
            r"\b(?:billing|payment)\b.{0,60}?\b(?:required|not active|inactive|disabled|failed|overdue|past due|issue|limit|method|enabled?|"
            r"declined|details|set ?up)\b|(?:enable|set up|check|update) (?:your )?(?:billing|payment)|unpaid|past due",
            r"top[ -]?up|recharge|(?:add|purchase|buy) (?:more |some |extra )?(?:credits?|funds|balance)|arrear|overdue|in good standing",
            rf"\b{_LIMIT} ?limits?\b.{{0,60}}?\b(?:reached|exceeded|hit|used up)",
            rf"\b(?:reached|exceeded|hit|over)\b.{{0,60}}?\b{_LIMIT}\b.{{0,20}}?\b(?:limits?|cap|quota|allowance)\b",
            r"key limit exceeded|extra usage|spend(?:ing)? cap|free (?:tier|trial|quota|plan).{0,40}?(?:exhausted|expired|ended|over|used|exceeded|only)",
            r"\b(?:trial|subscription|plan|membership|package)\b.{0,30}?\b(?:expired|ended|lapsed|required|cancel\w*|over)\b",
            r"upgrade (?:your |to ).{0,40}?\b(?:plan|tier|account|pro|max|plus)\b|(?:not included in|not cover(?:ed)? by) your (?:current )?plan|"
            r"requires? an? (?:paid|pro|max|plus|active) (?:plan|subscription|account|membership)",
        ),
        unless=_words(
            r"\b(?:max_)?tokens? limit\b",
            r"tokens? per minute|requests? per minute",
            r"\b(?:tpm|rpm)\b",
            r"exceeded your current quota",
        ),
    ),
    Row(
        "rate",
        _codes(
            "usage_limit_reached rate_limit_exceeded ratelimitexceeded too_many_requests throttlingexception throttling ratelimited "
            "tokens_limit_reached"
        ),
        _words(
            r"rate[ _-]?limit(?!ed to)|too many (?:requests|concurrent)|throttl|(?:requests|tokens) per (?:minute|day|hour|second)|slow down"
        ),
    ),
    Row(
        "account",
        _codes(
            "unsupported_country_region_territory organization_deactivated account_deactivated account_disabled service_disabled "
            "ip_not_authorized permission_denied_region request_forbidden_region account_suspended organization_disabled "
            "user_location_not_supported consumer_suspended billing_disabled access_terminated access_terminated_error"
        ),
        _words(
            rf"\b{_ACCOUNT}\b.{{0,60}}?\b{_CLOSED}",
            r"must be verified|(?:verify|confirm) (?:your |the )?(?:organi[sz]ation|account|identity|age|e-?mail|phone|number)|"
            r"(?:account|identity|e-?mail|phone|organi[sz]ation|age|real-name)\b.{0,30}?\bverif",
            r"\b(?:country|countries|region|territory|location|geograph\w*|jurisdiction)\b.{0,80}?\b(?:not|un|isn't|is restricted|blocked|restricted)"
            r"|not (?:yet )?(?:supported|available|offered|permitted|allowed) (?:in|for|from|to) (?:your|this|the) (?:country|region|location|territory|area|current)"
            r"|sanction|export control",
            r"\bip(?: address)?\b.{0,40}?\b(?:not (?:allowed|authori[sz]ed|whitelisted|allowlisted|permitted)|blocked|banned)|allow-?list",
            r"has not been used in project|api (?:is |has )?(?:not (?:been )?(?:enabled|activated)|disabled)|service disabled|access (?:is )?terminated",
            r"only authorized for use with claude code|oauth authentication is (?:currently )?not|does not have (?:the )?(?:required )?permission|"
            r"(?:missing|insufficient) (?:permissions?|scopes?)|permission denied|violat\w+ (?:of )?(?:our|the) (?:terms|usage polic|acceptable)",
            r"accept\w* .{0,40}?\b(?:consumer |usage )?terms (?:of|and|update)|updated? .{0,20}?terms",
        ),
        unless=_words(
            r"\bmodel\b.{0,40}(?:not|un)", r"\b(?:messages?|tools?|prompts?|inputs?|outputs?|contents?)\b.{0,60}(?:violat|user)"
        ),
    ),
    Row(
        "access",
        _codes("model_terms_required model_not_permitted model_permission_blocked_org model_permission_blocked_project"),
        _words(
            r"(?:no|not have|without|n't have|lacks?) (?:the )?(?:access|permission)s?\b.{0,60}?\bmodels?\b",
            r"\bmodels?\b.{0,80}?(?:no|not have|without|n't have|requires?|needs?|lacks?)(?: \w+){0,3} (?:access|permission|terms|approval|verif\w+)",
            r"\bmodels?\b.{0,80}?\b(?:not (?:allowed|permitted|authori[sz]ed|accessible|included|enabled))|(?:not|n't) (?:allowed|permitted|authori[sz]ed|entitled) to "
            r"(?:use|access|call|sample)\b.{0,60}?\bmodel",
            r"terms (?:acceptance|required)|accept\w*.{0,40}?\bterms|gated (?:model|repo)|request access|long context beta|"
            r"beta is not (?:yet )?available|early access|wait-?list|blocked at the (?:organi[sz]ation|project) level",
        ),
    ),
    Row(
        "capacity",
        _codes(
            "overloaded overloaded_error engine_overloaded_error server_is_overloaded slow_down model_loading model_not_loaded model_crashed "
            "capacity_exceeded flex_tier_capacity_exceeded service_unavailable modelnotreadyexception unavailable modelerrorexception "
            "server_overloaded model_overloaded no_capacity"
        ),
        _words(
            rf"\bmodels?\b.{{0,60}}?\b{_TROUBLE}|{_TROUBLE}.{{0,30}}?\bmodel|no models? (?:is |are )?(?:currently )?loaded|load a model",
            r"overload|(?:at|over|exceeded|insufficient|no|out of) (?:available )?capacity|capacity (?:exceeded|reached|constraints?)|(?:server|engine|service|system) "
            r"(?:is )?(?:currently )?(?:too )?busy|high (?:demand|load|traffic)|temporarily (?:unavailable|down|limited|rate)|under maintenance|maintenance mode",
            r"out of memory|insufficient (?:vram|memory|gpu)|requires? more (?:system )?memory|(?:runner|worker|backend|engine|llama-server|process) (?:process )?has "
            r"(?:terminated|crashed|stopped|died|exited)|exit code|channel error|failed to allocate|cuda error",
        ),
    ),
    Row("endpoint", _codes("loop_detected")),
    Row("time", _codes("timeout_error deadline_exceeded gateway_timeout")),
    Row(
        "ability",
        _codes("unsupported_tool unsupported_feature"),
        _words(
            r"(?:does not|doesn't|do not|cannot|can't|not able to|unable to) (?:currently |yet )?(?:support|accept|process|handle|use|see|read|take)\b(?! the model)",
            r"(?:is|are) (?:not|un)[ -]?supported (?:with|by|for|on|in) (?:this|the|that) (?:model|endpoint|provider|deployment|api)",
            r"(?:unsupported|unknown|unrecogni[sz]ed|unexpected) (?:parameter|argument|value|field|request argument)|not a multimodal|"
            r"image input is not|tool use is not|tools? (?:is|are) not supported|only supports? text|images? (?:is|are) not supported|"
            r"(?:vision|tool calling|function calling|structured outputs?|json mode|reasoning) (?:is |are )?not (?:supported|available|enabled)",
        ),
    ),
    Row(
        "model",
        _codes(
            "model_not_found model_decommissioned deploymentnotfound invalid_model unknown_model model_not_supported unsupported_model "
            "model_deprecated model_not_available modelnotfound model_unavailable no_available_channel model_invalid "
            "unknown_model_error deployment_not_found model_not_exist invalid_model_error modelnotopen"
        ),
        _words(
            rf"\bmodels?\b.{{0,160}}?{_GONE}",
            rf"{_GONE}.{{0,40}}?\bmodels?\b",
            r"\b(?:no such|unknown|unsupported|unrecogni[sz]ed|non-?existent|wrong|which) (?:\w+ ){0,2}?models?\b|not a (?:known|valid|chat) model|"
            r"\bmodels?[:=] ?\S+$|no (?:such )?deployments?|deployment\b.{0,60}?(?:not exist|n't exist|not found)",
            r"no (?:endpoints?|allowed providers?|available (?:channels?|providers?|endpoints?|deployments?|accounts?|distributors?|instances?|backends?)|healthy "
            r"(?:deployments?|upstreams?|backends?)|providers? (?:is |are )?available)|无可用渠道|模型不存在|not a (?:chat|completion)s? model|try pulling it|ollama pull",
        ),
        unless=_words(
            r"\b(?:file|item|response|conversation|container|batch|thread|vector store|image|tool|call|run|assistant)\b.{0,60}?not found"
        ),
    ),
)
"""What vendors' refusals mean. New words go into the row of their kind; nothing else needs to know."""

_CONTENT = _words(
    r"content[ _-]?(?:filter|policy|management|moderation|restriction|violation|exists? risk)|safety|flagged|moderat|inappropriate|sensitive|"
    r"(?:prompt|input|output|request) (?:was |is |has been )?(?:blocked|rejected|filtered)|recitation|prohibited content|usage polic|guardrail",
    r"\b(?:messages?|contents?|tools?|functions?|tool_\w+|roles?|images?|files?|documents?|audio|schemas?|response_format|json|temperature|top_[pk]|"
    r"max(?:_\w+)?_tokens|stop|input|parameters?|arguments?|fields?|bod(?:y|ies)|propert(?:y|ies)|prompts?|system|thinking|reasoning|"
    r"items?|conversation|response with id|metadata|validation|must be (?:a|an|of|at|less|greater|one)|expected (?:a|an|string|object|array)|"
    r"payload|encrypted_content|signature|cache_control|budget_tokens|url|base64|media|data uri|pdf|pixels?|dimensions?)\b",
    r"too large|syntax|parse|pars(?:ed|ing)|decode|malformed request|invalid_request_body",
)
"""What a request holds: a refusal that speaks of it, and of nothing above, is the request's own fault."""

_PATH = re.compile(
    r"""^(?:invalid |missing |unknown |unexpected |unsupported |required )?(?:value|type|parameter|required parameter|argument)?(?: for)?:? ?['"`]?"""
    r"""(?:messages|input|tools|tool_choice|system|contents|generation_config|generationConfig|response_format|text|metadata|body|prompt|stop)"""
    r"""(?:['"`]|[.\[]|: )""",
    re.IGNORECASE,
)
"""A message that begins with the place of the fault quotes the request behind it: whatever words follow are the client's."""

_GENERAL_CODES: dict[str, Blame] = {
    "authentication_error": "key",
    "authenticationerror": "key",
    "invalid_authentication": "key",
    "invalid_authentication_error": "key",
    "invalid_token": "key",
    "unauthenticated": "key",
    "unauthorized": "key",
    "permission_error": "account",
    "permission_denied": "account",
    "access_denied": "account",
    "accessdenied": "account",
    "accessdeniedexception": "account",
    "forbidden": "account",
    "rate_limit_error": "rate",
    "resource_exhausted": "rate",
    "unsupported_parameter": "ability",
    "unsupported_value": "ability",
}
"""Vendors' words that several reasons share; the message may make them more exact."""

_CONTENT_CODES = _codes(
    "content_filter content_policy_violation responsibleaipolicyviolation data_inspection_failed invalid_prompt invalid_image invalid_image_url "
    "image_parse_error previous_response_not_found invalid_base64 invalid_encrypted_content missing_required_parameter invalid_type "
    "string_above_max_length array_above_max_length integer_below_min_value invalid_function_parameters invalid_json json_validate_failed "
    "tool_use_failed datainspectionfailed invalid_value"
)
_OURS = frozenset(("model", "api_key", "apikey", "api-key", "key", "authorization", "x-api-key", "token", "auth"))
"""Parameters that a refusal may name and that are not the request's content."""

_BY_STATUS: dict[int, Blame] = {
    401: "key",
    402: "quota",
    403: "account",
    405: "endpoint",
    407: "endpoint",
    408: "time",
    410: "endpoint",
    419: "key",
    420: "rate",
    421: "endpoint",
    423: "account",
    426: "endpoint",
    429: "rate",
    440: "key",
    451: "account",
    495: "key",
    496: "key",
    498: "key",
    503: "capacity",
    504: "time",
    511: "endpoint",
    529: "capacity",
}

_CLASS_OF: dict[Blame, type[UpstreamError]] = {
    "context": UpstreamContextError,
    "key": UpstreamAuthenticationError,
    "account": UpstreamAuthenticationError,
    "access": UpstreamAuthenticationError,
    "quota": UpstreamBillingError,
    "rate": UpstreamRateLimitError,
    "model": UpstreamModelError,
    "capacity": UpstreamOverloadedError,
    "endpoint": UpstreamEndpointError,
    "time": UpstreamTimeout,
}
_PERMISSION = "upstream_permission"


def blame_of(refusal: Statement) -> Blame:
    """Whose fault a refusal is: its code, its parameter, its words decide, and its status only where they are silent."""
    status = refusal.status or 0
    exact, general = _by_code(refusal, status)
    known = general or _BY_STATUS.get(status)
    if exact is not None:
        return exact
    if status == 407 or (refusal.page and status < 500 and status not in _OWN_PAGES):
        return "endpoint"
    if refusal.bare or refusal.page:
        return known or ("endpoint" if status == 404 else "unsaid")
    if status < 500 and known in (None, "ability"):
        at_fault = _content(refusal)
        if at_fault is not None:
            return at_fault
    return _by_words(refusal.message, status, known)


def _content(refusal: Statement) -> Blame | None:
    """Whether a refusal points at a place of the request: what it says behind that may quote the client."""
    said = _said(refusal.message)
    if _PATH.match(refusal.message):
        return "ability" if said == "ability" else "request"
    root = re.split(r"[.\[]", refusal.param or "", maxsplit=1)[0].strip().lower()
    if root == "model":
        return said if said in ("access", "account", "quota", "capacity") else "model"
    if not root or root in _OURS:
        return None
    return said if said in ("account", "access", "quota", "ability", "context") else "request"


def _said(message: str) -> Blame | None:
    return next((row.blame for row in ROWS if row.says(message)), None)


def _by_words(message: str, status: int, known: Blame | None) -> Blame:
    said = _said(message)
    if status == 403 and said not in ("key", "quota", "rate", "capacity") and _A_MODEL.search(message):
        return "access"
    if known is not None:
        # Words make more exact what a status or code says in general, if they can go with it.
        if known == "rate" and said == "quota" and not _MONEY.search(message):
            return known
        return said if said is not None and (known == "endpoint" or said in _MORE_EXACT.get(known, ())) else known
    if status >= 500:
        return said if said is not None and (said not in ("model", "ability") or _NOBODY.search(message)) else "unsaid"
    if status == 404:
        return _not_found(message, said)
    if said is not None:
        return said
    return "request" if _CONTENT.search(message) else "unsaid"


def _not_found(message: str, said: Blame | None) -> Blame:
    if _MISSING.search(message):
        return "request"
    if said is not None:
        return said
    return "model" if _A_MODEL.search(message) else "endpoint"


_OWN_PAGES = (401, 402, 413, 429)
"""Statuses that mean what they say even on a web page."""

_MONEY = re.compile(r"extra usage|insufficient|credits?\b|top[ -]?up|recharge|payment|balance|funds", re.IGNORECASE)
"""What tells a plan that is used up from a limit a minute, both of them a 429."""

_A_MODEL = re.compile(r"\bmodels?\b", re.IGNORECASE)
_NOBODY = re.compile(r"no (?:available|healthy|such)|not (?:found|exist)|n't exist|无可用", re.IGNORECASE)
_MISSING = re.compile(
    r"\b(?:file|item|response|conversation|container|batch|thread|vector store|message|assistant|image|run|call)s?\b.{0,80}?"
    r"\b(?:not found|not exist|n't exist|expired)",
    re.IGNORECASE,
)

_MORE_EXACT: dict[Blame, tuple[Blame, ...]] = {
    "key": ("quota", "access", "capacity", "account", "model"),
    "account": ("key", "quota", "access", "rate", "model", "capacity"),
    "rate": ("capacity", "quota"),
    "ability": ("account", "access", "quota", "model"),
    "capacity": ("key", "quota", "model", "context", "account"),
}


def _by_code(refusal: Statement, status: int) -> tuple[Blame | None, Blame | None]:
    """What the vendor's own word says: for certain, and in general."""
    general: Blame | None = None
    for code in (refusal.code, refusal.type):
        if not code:
            continue
        word = code.lower()
        if word in _CONTENT_CODES and status < 500:
            return "request", None
        for row in ROWS:
            if word in row.codes:
                return row.blame, None
        general = general or _GENERAL_CODES.get(word)
    return None, general


def refusal_error(
    refusal: Statement,
    *,
    now: float,
    retry_after: float | None = None,
    request_id: str | None = None,
    kind: type[UpstreamError] | None = None,
    code: str | None = None,
    otherwise_status: int = 502,
) -> UpstreamError:
    """The error of our tree that a refusal is.

    :param now: Unix seconds, for a day that the words name
    :param kind: what the dialect knows better than the table
    :param code: what the client's ``code`` shall be; the class's own when absent
    :param otherwise_status: of a refusal that names no status
    """
    blame = blame_of(refusal)
    found = kind or _CLASS_OF.get(blame, UpstreamStatusError)
    if kind is not None and _CLASS_OF.get(blame) is not kind:
        blame = next((each for each, cls in _CLASS_OF.items() if cls is kind), blame)
    if retry_after is None and blame in ("quota", "rate", "capacity"):
        retry_after = told_day(refusal.message, now)
    if found is UpstreamStatusError:
        status = refusal.status or otherwise_status
        error: UpstreamError = UpstreamStatusError(refusal.message, status_code=status, code=code or refusal.code)
    else:
        permission = _PERMISSION if blame in ("account", "access") else None
        error = found(refusal.message, code=code or permission, upstream_status=refusal.status)
    error.retry_after = error.retry_after if retry_after is None else retry_after
    error.param, error.upstream_type, error.request_id = refusal.param, refusal.type or refusal.code, request_id
    error.blame = blame
    return error


_REGAIN = re.compile(
    r"(?:regain access|resets?|available again|try again|resume|renews?|until)\D{0,30}?(\d{4}-\d{2}-\d{2})(?:[T ]+(?:at )?(\d{2}:\d{2}))?",
    re.IGNORECASE,
)
_LONGEST_WAIT = 40 * 86_400.0


def told_day(message: str, now: float) -> float | None:
    """Seconds until the day that a refusal's words name, in UTC; ``None`` when they name none, or one out of all reason.

    Anthropic: "You will regain access on 2026-12-01 at 00:00 UTC". Waits such as "in 20s" are read by ``wire.retry_after``.
    """
    found = _REGAIN.search(message)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00'}").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return moment - now if 0 <= moment - now <= _LONGEST_WAIT else None


_TITLE = re.compile(r"<title[^>]*>\s*([^<]{1,200}?)\s*</title>", re.IGNORECASE)
_PAGE = re.compile(r"^\s*(?:<!doctype|<html|<\?xml|<head|<body|<h1|<center|<!--|<)", re.IGNORECASE)


def words_of_page(status: int, body: bytes) -> tuple[str, bool, bool]:
    """What to say of a body that is no JSON: message, whether it is a web page or stray text, whether it says nothing.

    A page is titled, never quoted: it is not for the client, and may hold anything.
    """
    text = body[: 1 << 16].decode("utf-8", "replace").strip()
    if not text:
        return f"the provider answered {status} and gave no reason", False, True
    if _PAGE.match(text):
        title = _TITLE.search(text)
        named = f" titled {' '.join(title[1].split())!r}" if title else ""
        return f"the provider answered {status} with a web page{named} instead of an answer of its API", True, False
    return text[:MOST_QUOTED], False, False
