"""What vendors' refusals mean, as data: codes, words and statuses, each with whose fault it is; ``refusals`` goes by it."""

from __future__ import annotations

import re
from typing import Literal

from openclaw_oauthrouter.canonical.patterns import lazily
from openclaw_oauthrouter.canonical.value import value

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


@value(frozen=True, slots=True)
class Row:
    """One kind of reason. Rows are asked in order, by code first, then by words.

    :ivar codes: the vendor's ``code``, ``type`` or ``status`` word, in its ``spelling``
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


def spelling(code: str) -> str:
    """A vendor's word without what spellings differ in: ``InvalidApiKey``, ``invalid_api_key`` and ``INVALID-API-KEY`` are one."""
    return _APART.sub("", code.lower())


_APART = lazily(r"[^a-z0-9]")


def _codes(text: str) -> frozenset[str]:
    return frozenset(map(spelling, text.split()))


def _words(*alternatives: str) -> re.Pattern[str]:
    return lazily("|".join(alternatives), re.IGNORECASE | re.DOTALL)


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
    r"(?:not[ _-]found|(?:not|n't) (?:currently |yet )?offered|(?:does|do|did)(?: not|n't) exist|(?:is|are)n't (?:a |an )?(?:\w+ )?(?:available|supported|known|served|model)|not exist|no longer (?:available|supported|exists?|served|offered)|"
    r"(?:not|un)[ _-]?(?:currently |yet )?(?:available|supported|deployed|served|recogni[sz]ed|known|installed|registered|configured|enabled|hosted)|"
    r"deprecated|decommissioned|retired|discontinued|removed|withdrawn|shut ?down|sunset|end[ -]of[ -]life|not (?:a )?valid|invalid|missing)"
)
_TROUBLE = r"(?:crash\w*|loading|not (?:yet )?(?:loaded|ready)|unloaded|failed to load|warming up|cold start\w*|starting up|being (?:loaded|started))"

_KEY_ABROAD = (
    r"(?:(?:cl[ée]|clave|chave|chiave)s? (?:d'|de |da |del? )?(?:l')?api|api[ -]?(?:schl(?:ü|ue)ssels?|キー|키|密钥|key)|"
    r"jeton|токен\w*|(?:api|апи)[ -]?ключ\w*|ключ\w* api|トークン|토큰|인증 ?키)"
)
_BAD_ABROAD = (
    r"invalid[eoa]s?\b|inválid[oa]s?|non valid[eo]|expir[ée]e?s?\b|expirad[oa]s?|caducad[oa]s?|incorrect[eoa]s?\b|révoqué\w*|revocad[oa]|scadut[oa]|"
    r"ungültig\w*|abgelaufen\w*|falsch\w*|widerrufen|недействит\w*|неверн\w*|ист[её]к\w*|просроч\w*|отозван\w*|"
    r"無効|不正|期限切れ|間違|유효하지|잘못된|만료"
)

ROWS: tuple[Row, ...] = (
    Row(
        "context",
        _codes("context_length_exceeded context_window_exceeded exceed_context_size_error string_above_max_length_context"),
        _words(
            r"context[ _-]?(?:length|window|size|limit)",
            r"prompt is too long|prompt (?:is )?too large|prompt exceeds|maximum prompt length|reduce the length of the (?:messages|prompt|input)",
            r"(?:input|prompt|messages?|request|text)\b.{0,30}\btoo (?:long|many tokens)",
            r"\btokens`? ?\+ ?`?max_\w*tokens`?.{0,20}must be|must have less than \d+ tokens|must be at least 1, got -\d|max\w* (?:input|prompt) (?:characters|tokens|length) (?:is|are)|"
            r"input token count.{0,40}exceeds|exceeds? the max\w*(?: number of)? (?:input |allowed )?tokens|"
            r"range of input length|exceeds? (?:the )?context|model token limit|(?:sequence|total) length|输入.{0,10}(?:过长|超长|长度)|超出.{0,10}上下文",
        ),
        unless=_words(r"long context beta", r"tokens? per (?:minute|day|hour)", r"\b(?:tpm|tpd)\b"),
    ),
    Row(
        "key",
        _codes(
            "invalid_api_key token_expired api_key_invalid expired_api_key missing_api_key no_api_key unrecognizedclientexception "
            "expiredtokenexception invalidapikey api_key_expired api_key_not_found incorrect_api_key_error token_invalidated token_revoked invalid_client unauthorized_client "
            "refresh_token_reused invalid_grant not_authenticated wrong_api_key failed_to_auth expired_key token_not_found_in_db bad_api_key authfailure "
            "authfailure.signaturefailure authfailure.invalidsecretid authfailure.tokenfailure invalid_iam_token signaturedoesnotmatch "
            "invalidsignatureexception incompletesignature invalidaccesskeyid.notfound"
        ),
        _words(
            rf"\b{_BAD}\b.{{0,40}}?\b{_KEY}\b|(?:could not|cannot|can't|unable to|failed to) (?:\w+ ){{1,3}}?{_KEY}\b",
            rf"\b{_KEY}\b.{{0,40}}?{_IS_BAD}",
            r"\b(?:jwt|token)\b (?:is |has |was |seems )?(?:been )?(?:expired|revoked|invalid(?:ated)?)\b|无效的.{0,6}(?:key|密钥|令牌)|(?:令牌|密钥|key)\D{0,8}(?:无效|过期|失效|错误|禁用|不正确|不存在|不可用|未提供)|"
            r"(?:身份|认证|鉴权|验证).{0,4}失败|未提供.{0,8}(?:令牌|密钥|认证)|"
            r"\binvalid token\b(?! (?:at|in|near|count|limit|type|index|id)\b)",
            r"could not validate credentials|credentials? (?:provided )?(?:could not|cannot|can't) be (?:validated|verified)|(?:invalid|bad|no auth\w*|missing) credentials?|auth(?:entication|orization) (?:failed|required|error|fail|header)|^unauthori[sz]ed\b|^user not found|"
            r"auth(?:entication)? fails?\b|unauthenticated|not (?:authenticated|logged in|signed in)|(?:log|sign) in again|login fail|"
            r"please (?:log|sign)[ -]?in|re-?authenticate|signature we calculated|carry the api secret key|\bhmac\b|\bsignature (?:has )?(?:expired|mismatch|does not match|not match)|"
            r"fail(?:ed)? to (?:verify|authenticate|validate)\b.{0,20}\b(?:key|token|credential|authenticate)|verify key\b|expired key|unregistered callers|jwt (?:verification|validation) fail|did not pass a valid|"
            r"key (?:is |was |has been )?disabled by",
            rf"{_KEY_ABROAD}.{{0,30}}?(?:{_BAD_ABROAD})|(?:{_BAD_ABROAD}).{{0,30}}?{_KEY_ABROAD}|non authentifié|no autenticad|ошибка (?:авторизации|аутентификации)",
        ),
    ),
    Row(
        "quota",
        _codes(
            "insufficient_quota billing_hard_limit_reached billing_not_active insufficient_balance insufficient_credits usage_not_included "
            "billing_error arrearage payment_required insufficient_user_quota quota_exceeded credit_exhausted exceeded_current_quota_error "
            "accountoverdueerror spend_limit_exceeded usage_limit_exceeded credits_exhausted free_tier_exhausted invalid_subscription budget_exceeded "
            "allocationquota.freetieronly insufficient_balance_error setlimitexceeded throttling.allocationquota credit_limit not_enough_balance "
            "blocked_api_access failedoperation.resourcepackexhausted resourceinsufficient.chargeresourceexhaust balance_not_enough credit_limit_exceeded "
            "no_credits out_of_credits deployment_disabled token_quota_exceeded premium_quota_exceeded"
        ),
        _words(
            r"credit balance|requires? (?:more |additional )?credits|can only afford|insufficient[ _-]?(?:account )?(?:balance|credits?|funds|quota)|余额不足|欠费|额度|充值|资源包|套餐.{0,16}(?:到期|过期|用尽|耗尽|用完|不支持|不包含|未包含)",
            r"\b(?:out of|no|not enough|exhausted|ran out of|depleted|used up|spent)\b.{0,25}?\b(?:credits?|balance|quota|extra usage|funds)\b",
            r"\b(?:credits?|balance|quota|funds)\b.{0,25}?\b(?:exhausted|depleted|used up|has run out|too low|insufficient|exceeded|overdrawn)\b",
            r"\b(?:billing|payment)\b.{0,60}?\b(?:required|not active|inactive|disabled|failed|overdue|past due|issue|limit|method|enabled?|"
            r"declined|details|set ?up)\b|(?:enable|set up|check|update) (?:your )?(?:billing|payment)|unpaid|past due",
            r"top[ -]?up|recharge|(?:add|purchase|buy) (?:more |some |extra )?(?:credits?|funds|balance)|arrear|overdue|in good standing",
            rf"\b{_LIMIT} ?limits?\b.{{0,60}}?\b(?:reached|exceeded|hit|used up)|\bbudgets?\b.{{0,30}}?\bexceeded|\bexceeded\b.{{0,30}}?\bbudget|exceededbudget|"
            r"\b(?:used up|exhausted|exceeded)\b.{0,30}?\b(?:allocation|allowance|included)",
            rf"\b(?:reached|exceeded|hit|over)\b.{{0,60}}?\b{_LIMIT}\b.{{0,20}}?\b(?:limits?|cap|quota|allowance)\b",
            r"key limit exceeded|extra usage|spend(?:ing)? cap|free (?:tier|trial|quota|plan).{0,40}?(?:exhausted|expired|ended|over|used|exceeded|only)",
            r"\b(?:trial|subscription|plan|membership|package)\b.{0,30}?\b(?:expired|ended|lapsed|required|cancel\w*|over|paused|not support\w*)\b|"
            r"\b(?:inactive|no active|expired|no valid|lapsed) (?:\w+ )?(?:subscription|plan|membership|trial|package)|only paid balance|(?:prepaid|remaining|current) balance|(?:hit|reached) your (?:\w+ )?limit",
            r"upgrade (?:your |to ).{0,40}?\b(?:plan|tier|account|pro|max|plus)\b|(?:not included in|not cover(?:ed)? by) your (?:current )?plan|"
            r"requires? an? (?:(?:paid|pro|max|plus|active|premium) )?(?:plan|subscription|membership|paid account)|requires? .{0,30}\btier\b|"
            r"\bplan (?:does |do )?(?:not|n't) (?:allow|include|cover|permit|have access)|(?:subscription|plan|account) (?:does not|doesn't) include|(?:not|n't) have any credits|(?:balance|credit) is (?:negative|\$?0)|当日.{0,10}限额|次数.{0,4}(?:限额|用尽|用完)|余量",
            r"(?:crédit|solde|saldo|crédito|guthaben|кредит|баланс|средств|残高|クレジット|利用枠|잔액|크레딧).{0,30}?(?:épuis|insuffis|insuficiente|agotad|esgotad|esaurit|insufficient|"
            r"aufgebraucht|erschöpft|nicht ausreichend|недостаточ|исчерпан|закончил|不足|ありません|부족|소진)|недостаточно средств|"
            r"(?:épuis|insuffisant|agotad|esgotad|insuficiente|недостаточ|исчерпан)\w*.{0,20}?(?:crédit|solde|saldo|quota|cuota|cota|средств|квот|баланс)|"
            r"(?:quota|cuota|cota|kontingent|квота|クォータ|할당량).{0,20}?(?:dépass|excedid|superad|überschritten|erschöpft|превышен|исчерпан|超過|초과)",
        ),
        unless=_words(
            r"\b(?:max_)?tokens? limit\b",
            r"tokens? per minute|requests? per minute",
            r"\b[tr]p[md]\b",
            r"exceeded your current quota",
        ),
    ),
    Row(
        "rate",
        _codes(
            "usage_limit_reached rate_limit_exceeded limit_burst_rate ratelimitexceeded too_many_requests throttlingexception throttling ratelimited "
            "tokens_limit_reached"
        ),
        _words(
            r"rate[ _-]?limit(?!ed to)|too many (?:requests|concurrent|connections)|error code: 1015|throttl|(?:requests|tokens) per (?:minute|day|hour|second)|slow down|\b(?:[rt]p[md]|concurrency|concurrent requests?) limit|"
            r"\b(?:request|qps|call|query|queries|message|tokens?)s?(?: \w+)? limit (?:is |was |has been )?(?:reached|exceeded|hit)|(?:daily|hourly|minute) (?:\w+ )?limit|"
            r"trop de requêtes|demasiadas (?:solicitudes|peticiones)|muitas (?:solicitações|requisições)|zu viele anfragen|слишком много запросов|リクエストが多すぎ|요청이 너무 많|"
            r"(?:速率|频率|频次|并发).{0,8}(?:限制|上限|超)|请求.{0,6}频繁|限流|max \w+ concurrency"
        ),
    ),
    Row(
        "account",
        _codes(
            "unsupported_country_region_territory organization_deactivated account_deactivated account_disabled service_disabled "
            "ip_not_authorized permission_denied_region request_forbidden_region account_suspended organization_disabled "
            "user_location_not_supported consumer_suspended billing_disabled access_terminated access_terminated_error deactivated_workspace "
            "invalid_workspace_selected organization_restricted readonlydisabledsubscription missing_scope insufficient_scope mtls_required incorrect_hostname "
            "api_key_http_referrer_blocked api_key_ip_address_blocked api_key_service_blocked api_key_android_app_blocked api_key_ios_app_blocked "
            "invalid_organization mismatched_organization mismatched_project failedoperation.servicestop no_permission user_banned account_banned"
        ),
        _words(
            rf"\b{_ACCOUNT}\b.{{0,60}}?\b{_CLOSED}",
            r"\b(?:kyc|complete .{0,20}?verification)\b|n't (?:yet )?(?:supported|available|offered|permitted|allowed) (?:in|for|from|to) (?:your|this|the) "
            r"(?:country|region|location|territory|area)|must be verified|(?:verify|confirm) (?:your |the )?(?:organi[sz]ation|account|identity|age|e-?mail|phone|number)|"
            r"(?:account|identity|e-?mail|phone|organi[sz]ation|age|real-name)\b.{0,30}?\bverif",
            r"\b(?:country|countries|region|territory|location|geograph\w*|jurisdiction)\b.{0,80}?\b(?:not|un|isn't|is restricted|blocked|restricted)"
            r"|not (?:yet )?(?:supported|available|offered|permitted|allowed) (?:in|for|from|to) (?:your|this|the) (?:country|region|location|territory|area|current)"
            r"|sanction|export control",
            r"\bip(?: address)?\b.{0,40}?\b(?:not (?:allowed|authori[sz]ed|whitelisted|allowlisted|permitted)|blocked|banned)|allow-?list",
            r"has not been used in project|api (?:is |has )?(?:not (?:been )?(?:enabled|activated)|disabled)|service disabled|access (?:to (?:the|this|our|your) (?:\w+ ){1,3})?(?:is |was |has been )?(?:temporarily |permanently |currently )?(?:terminated|denied|disabled|forbidden|blocked|restricted|suspended|revoked)|"
            rf"\b(?:{_ACCOUNT}|resource)\b.{{0,40}}?\b(?:flagged|temporarily blocked|(?:does|do)(?: not|n't) have access|no longer has access)|^no permission|\bdoes not have access to (?:api|operation|this (?:api|operation|service))|cannot consume this|^forbidden\W*$|^error code: 10(?:0[5-9]|10|12|20)\b|misuse|only accepts requests from|client not allowed",
            r"account only|member of an organization|no such organization|organization header",
            r"only authorized for use with claude code|oauth authentication is (?:currently )?not|does not have (?:the )?(?:required )?permission|"
            r"(?:missing|insufficient) (?:permissions?|scopes?)|permission denied|violat\w+ (?:of )?(?:our|the|\w+) (?:terms|usage polic|acceptable)",
            r"(?:账[户号]|用户|组织|企业|服务|应用).{0,12}(?:锁定|冻结|封禁|禁用|停用|停止|异常|欠费停)|实名|(?:compte|cuenta|conta|konto|аккаунт|учётная запись|アカウント|계정).{0,30}?"
            r"(?:suspend|désactiv|desactivad|bloque|bloquead|gesperrt|deaktiviert|заблокирован|停止|無効|정지|차단)|not available to new users|unusual activity|consumer terms|"
            r"accept\w* .{0,40}?\b(?:consumer |usage )?terms (?:of|and|update)|updated? .{0,20}?terms",
        ),
        unless=_words(
            r"\bmodel\b.{0,40}(?:not|un|legacy)",
            r"(?:not|n't) (?:\w+ ){0,4}(?:access|use|call|sample)\b.{0,30}\bmodels?\b",
            r"\b(?:messages?|tools?|prompts?|inputs?|outputs?|contents?)\b.{0,60}(?:violat|user)",
        ),
    ),
    Row(
        "access",
        _codes(
            "model_terms_required model_not_permitted model_permission_blocked_org model_permission_blocked_project accessdenied.unpurchased "
            "key_model_access_denied team_model_access_denied"
        ),
        _words(
            r"(?:no|not have|without|n't have|lacks?) (?:the )?(?:access|permission)s?\b.{0,60}?\bmodels?\b",
            r"\bmodels?\b.{0,80}?(?:no|not have|without|n't have|requires?|needs?|lacks?)(?: \w+){0,3} (?:access|permission|terms|approval|verif\w+)",
            r"\bmodels?\b.{0,80}?\b(?:not (?:allowed|permitted|authori[sz]ed|accessible|included|enabled))|(?:not|n't) (?:allowed|permitted|authori[sz]ed|entitled) to "
            r"(?:use|access|call|sample)\b.{0,60}?\bmodel",
            r"\bmodels? (?:is |was |has been )?disabled|access to (?:this |the )?models? (?:is |was |has been )?(?:denied|restricted|forbidden)|eligible (?:for using|to use) (?:the |this )?model|"
            r"use case details|plan (?:does |do )?not support model|无权.{0,6}模型|未开通.{0,8}模型|模型.{0,8}未开通",
            r"accept\w*.{0,30}?\blicen[cs]e|terms (?:acceptance|required)|accept\w*.{0,40}?\bterms|gated (?:model|repo)|is gated\b|authori[sz]ed list|request access|long context beta|"
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
            r"(?:backend|worker|server|service|instance|replica|pod|node)s? (?:is |are )?(?:currently |temporarily )?(?:warming up|unavailable|down|offline|starting|restarting)|"
            r"upstream connect error|disconnect/reset before headers|no healthy upstream|overload|(?:at|over|exceeded|insufficient|no|out of) (?:available |full |max(?:imum)? )?capacity|capacity (?:exceeded|reached|constraints?)|(?:server|engine|service|system) "
            r"(?:is )?(?:currently )?(?:too )?busy|high (?:demand|load|traffic)|temporarily (?:unavailable|down|limited|rate)|under maintenance|maintenance mode",
            r"(?:访问量|请求量|负载).{0,6}(?:过大|过高|饱和|高)|(?:系统|服务器?|模型).{0,6}(?:繁忙|过载|忙)",
            r"no (?:\w+ )?instances? (?:are |is )?(?:\(\w+\) )?available|no available instances?|scal(?:ing|ed) (?:up|to zero)|high traffic|(?:surcharg|sobrecargad|überlastet|перегруж)\w*|過負荷|混雑|과부하|"
            r"out of memory|insufficient (?:vram|memory|gpu|system resources)|requires? more (?:system )?memory|(?:runner|worker|backend|engine|llama-server|process) (?:process )?has "
            r"(?:terminated|crashed|stopped|died|exited)|exit code|channel error|failed to allocate|cuda error",
        ),
    ),
    Row(
        "endpoint",
        _codes("loop_detected unknown_url url.not_found route_not_found invalid_url"),
        _words(
            r"\b(?:endpoint|path|route|url|api)\b.{0,30}?\b(?:has |was |is |been )*(?:moved|deprecated|removed|retired|sunset|gone|discontinued)",
            r"\bheader fields? too large\b|http request (?:was sent )?to (?:an )?https|regional hostname|api[ -]?version \S{0,24} ?(?:is )?not (?:supported|valid|found)|"
            r"\bno \S+ header found|\bheader(?: is|:)? (?:required|missing|not found)|header: ?(?:field )?(?:is )?required|missing (?:required )?header|configure (?:the )?ai gateway",
        ),
    ),
    Row(
        "time",
        _codes("timeout_error deadline_exceeded gateway_timeout request_timeout"),
        _words(r"\btime(?:d)?[ -]?out\b|deadline exceeded"),
    ),
    Row(
        "ability",
        _codes("unsupported_tool unsupported_feature"),
        _words(
            r"(?:does not|doesn't|do not|cannot|can't|not able to|unable to) (?:currently |yet )?(?:support|accept|process|handle|use|see|read|take)\b(?! the model)",
            r"(?:arguments?|parameters?|options?|features?|modalit\w+) (?:\w+ )?(?:is |are )?not supported|extra (?:inputs?|fields?|parameters?) (?:is |are )?not (?:permitted|allowed)|"
            r"(?:supports?|accepts?|allows?) (?:at most|only|up to|a maximum)|\bmodels? only (?:works?|supports?|accepts?)|only \S+ is allowed for this model|"
            r"tool choice requires|requires (?:the )?--\w|chat template|jinja|at most \d+ (?:image|audio|video|file|document|tool)\S* (?:may|can|is|are)|enabled only for|"
            r"(?:instructions?|calling|tool use|tools|thinking|reasoning|images?|audio|json mode|search|caching|processing) (?:is|are) not (?:enabled|supported|available|allowed) (?:for|on|in|by|with)",
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
            rf"\bmodels?(?:[ _-]?(?:code|id|name|identifier))?\b.{{0,160}}?{_GONE}",
            rf"{_GONE}.{{0,40}}?\bmodels?\b",
            r"\b(?:no such|unknown|unsupported|unrecogni[sz]ed|non-?existent|wrong|which) (?:\w+ ){0,2}?models?\b|not a (?:known|valid|chat) model|"
            r"\bmodels?[:=] ?\S+$|no (?:such )?deployments?|deployment\b.{0,60}?(?:not exist|n't exist|not found)",
            r"no (?:endpoints?|allowed providers?|available (?:channels?|providers?|endpoints?|deployments?|accounts?|distributors?|backends?)|healthy "
            r"(?:deployments?|upstreams?|backends?)|providers? (?:is |are )?available)|无可用渠道|模型.{0,8}(?:不存在|不支持|下线|不可用)|"
            r"(?:未知|无此|不支持该)模型|on-demand throughput|with the specified model|(?:choose|try|use|select) (?:a )?different model|provider as legacy|is legacy\b|requires? a (?:newer|later|more recent) version|\b(?:bots?|engines?|agents?)\b.{0,20}?(?:not found|n't exist|not exist)|(?:mod[èe]le|modelo|modell|модель|モデル|모델).{0,30}?(?:introuvable|n'existe|inconnu|no existe|no encontrad|não (?:existe|encontrad)|nicht gefunden|existiert nicht|unbekannt|не найден|не существует|存在しません|見つかりません|찾을 수 없|존재하지)|"
            r"\bmodel_?id\b.{0,20}failed to satisfy|not a (?:chat|completion)s? model|try pulling it|ollama pull",
        ),
        unless=_words(
            r"\b(?:file|item|response|conversation|container|batch|thread|vector store|image|tool|call|run|assistant)\b.{0,60}?not found"
        ),
    ),
)
"""What vendors' refusals mean. New words go into the row of their kind; nothing else needs to know."""

CONTENT = _words(
    r"content[ _-]?(?:filter|policy|management|moderation|restriction|violation|exists? risk)|safety|flagged|moderat|inappropriate|sensitive|"
    r"敏感|违规|不安全|(?:prompt|input|output|request) (?:was |is |has been )?(?:blocked|rejected|filtered)|recitation|prohibited content|usage polic|guardrail",
    r"\b(?:messages?|contents?|tools?|functions?|tool_\w+|roles?|images?|files?|documents?|audio|schemas?|response_format|json|temperature|top_[pk]|"
    r"max(?:_\w+)?_tokens|stop|input|parameters?|arguments?|fields?|bod(?:y|ies)|propert(?:y|ies)|prompts?|system (?:message|prompt|role|instruction|text|block)s?|thinking|reasoning|"
    r"items?|conversation|response with id|metadata|validation|must be (?:a|an|of|at|less|greater|one)|expected (?:a|an|string|object|array)|"
    r"payload|encrypted_content|signature|cache_control|budget_tokens|url|base64|media|data uri|pdf|pixels?|dimensions?)\b",
    r"too large|syntax|parse|pars(?:ed|ing)|decode|malformed request|invalid_request_body",
)
"""What a request holds: a refusal that speaks of it, and of nothing above, is the request's own fault."""

MODERATED = lazily(
    r"\b(?:inputs?|prompts?|contents?|messages?|outputs?|images?|text)\b.{0,20}?\b(?:flagged|moderated|filtered|violates?|prohibited|sensitive|inappropriate)|"
    r"requires moderation|content (?:filter|policy|violation|exists? risk)|敏感|不安全|违规",
    re.IGNORECASE,
)
"""What says of a request's words that they are not wanted, whatever status it has."""

PATH = lazily(
    r"""^(?:invalid |missing |unknown |unexpected |unsupported |required )?(?:value|type|parameter|required parameter|argument)?(?: for)?:? ?['"`]?"""
    r"""(?:messages|input|tools|tool_choice|system|contents|generation_config|generationConfig|response_format|text|metadata|body|prompt|stop)"""
    r"""(?:['"`]|[.\[]|: )""",
    re.IGNORECASE,
)
"""A message that begins with the place of the fault quotes the request behind it: whatever words follow are the client's."""

_GENERAL: tuple[tuple[str, Blame], ...] = (
    ("authentication_error", "key"),
    ("authenticationerror", "key"),
    ("invalid_authentication", "key"),
    ("invalid_authentication_error", "key"),
    ("invalid_token", "key"),
    ("unauthenticated", "key"),
    ("unauthorized", "key"),
    ("permission_error", "account"),
    ("permission_denied", "account"),
    ("access_denied", "account"),
    ("accessdenied", "account"),
    ("accessdeniedexception", "account"),
    ("forbidden", "account"),
    ("rate_limit_error", "rate"),
    ("resource_exhausted", "rate"),
    ("unsupported_parameter", "ability"),
    ("unsupported_value", "ability"),
)
GENERAL_CODES: dict[str, Blame] = {spelling(code): blame for code, blame in _GENERAL}
"""Vendors' words that several reasons share; the message may make them more exact."""

CONTENT_CODES = _codes(
    "content_filter content_policy_violation responsibleaipolicyviolation data_inspection_failed invalid_prompt invalid_image invalid_image_url "
    "image_parse_error previous_response_not_found invalid_base64 invalid_encrypted_content missing_required_parameter invalid_type "
    "string_above_max_length array_above_max_length integer_below_min_value invalid_function_parameters invalid_json json_validate_failed "
    "tool_use_failed datainspectionfailed invalid_value"
)
CONTENT_FIELDS = frozenset(
    [
        "messages",
        "message",
        "input",
        "tools",
        "tool",
        "tool_choice",
        "functions",
        "contents",
        "content",
        "system",
        "prompt",
        "stop",
        "metadata",
        "response_format",
        "text",
        "image",
    ]
)
"""Parameters that hold the client's words; a refusal that names one may quote them."""

OURS = frozenset(("model", "api_key", "apikey", "api-key", "key", "authorization", "x-api-key", "token", "auth"))
"""Parameters that a refusal may name and that are not the request's content."""

BY_STATUS: dict[int, Blame] = {
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
    431: "endpoint",
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

OWN_PAGES = (401, 402, 413, 429)
"""Statuses that mean what they say even on a web page."""

MONEY = lazily(
    r"限额|crédit|saldo|guthaben|средств|残高|잔액|extra usage|insufficient|credits?\b|top[ -]?up|recharge|payment|balance|funds|usage limit|(?:daily|weekly|monthly) limit|(?:coding|token) plan|free (?:daily )?allocat|"
    r"budget|余额|充值|额度|套餐|欠费|资源包",
    re.IGNORECASE,
)
"""What tells a plan that is used up from a limit a minute, both of them a 429."""

A_MODEL = lazily(r"\bmodels?\b", re.IGNORECASE)
NOBODY = lazily(r"no (?:available|healthy|such)|not (?:found|exist)|n't exist|无可用", re.IGNORECASE)
LACKING = lazily(
    r"requires (?:the )?--\w|(?:does not|doesn't) support (?:tools?|images?|thinking|vision|audio)|(?:tools?|images?|image input) (?:is|are) not supported",
    re.IGNORECASE,
)
"""What a home server says with 500 of what its model cannot do, whoever asks."""

MISSING = lazily(
    r"\b(?:file|item|response|conversation|container|batch|thread|vector store|message|assistant|image|run|call)s?\b.{0,80}?"
    r"\b(?:not found|not exist|n't exist|expired)",
    re.IGNORECASE,
)

MORE_EXACT: dict[Blame, tuple[Blame, ...]] = {
    "key": ("quota", "access", "capacity", "account", "model"),
    "account": ("key", "quota", "access", "rate", "model", "capacity"),
    "rate": ("capacity", "quota"),
    "ability": ("account", "access", "quota", "model"),
    "capacity": ("key", "quota", "model", "context", "account"),
}
