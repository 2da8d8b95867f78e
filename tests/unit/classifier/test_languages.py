"""Hard work is known in every language that the lists speak: one job, said in many languages, is hard in each."""

from __future__ import annotations

import pytest

from openclaw_oauthrouter.canonical.routing import Tier
from openclaw_oauthrouter.classifier.dimensions import builtin_dimensions
from openclaw_oauthrouter.classifier.lexicon import data_names, read_data
from openclaw_oauthrouter.classifier.parameters import Parameters
from openclaw_oauthrouter.classifier.rules import Rules

from .requests import said

JOBS = {
    "event pipeline": {
        "en": "Design a multi-tenant event pipeline with exactly-once delivery; compare two storage layouts",
        "es": "Diseña una canalización de eventos multiinquilino con entrega exactamente una vez; compara dos diseños de almacenamiento",
        "de": "Entwirf eine mandantenfähige Event-Pipeline mit Exactly-once-Zustellung; vergleiche zwei Speicherlayouts",
        "fr": "Conçois un pipeline d'événements multi-locataire avec livraison exactement une fois ; compare deux organisations de stockage",
        "pt": "Projete um pipeline de eventos multilocatário com entrega exatamente uma vez; compare dois layouts de armazenamento",
        "it": "Progetta una pipeline di eventi multi-tenant con consegna esattamente una volta; confronta due layout di archiviazione",
        "zh": "设计一个多租户事件管道，保证恰好一次投递；比较两种存储布局",
        "ja": "正確に一度だけの配信を保証するマルチテナントのイベントパイプラインを設計し、2つのストレージ構成を比較してください",
        "ru": "Спроектируй мультитенантный конвейер событий с доставкой ровно один раз; сравни два варианта хранения",
        "ko": "정확히 한 번 전달을 보장하는 멀티테넌트 이벤트 파이프라인을 설계하고 두 가지 저장 구조를 비교해",
        "ar": "صمم خط أنابيب أحداث متعدد المستأجرين مع تسليم مرة واحدة بالضبط؛ وقارن بين تصميمين للتخزين",
        "hi": "ठीक एक बार डिलीवरी वाली मल्टी-टेनेंट इवेंट पाइपलाइन डिज़ाइन करो; दो स्टोरेज लेआउट की तुलना करो",
    },
    "rate limiter": {
        "en": "Implement a rate limiter for our API that works across several regions",
        "de": "Implementiere einen Ratenbegrenzer für unsere API, der über mehrere Regionen hinweg funktioniert",
        "es": "Implementa un limitador de tasa para nuestra API que funcione en varias regiones",
        "fr": "Implémente un limiteur de débit pour notre API qui fonctionne dans plusieurs régions",
        "pt": "Implemente um limitador de taxa para nossa API que funcione em várias regiões",
        "ru": "Реализуй ограничитель скорости для нашего API, работающий в нескольких регионах",
        "zh": "为我们的API实现一个跨多个区域工作的限流器",
        "ja": "複数リージョンにまたがって動作するAPIのレート制限を実装して",
        "ko": "여러 리전에서 동작하는 API 속도 제한기를 구현해줘",
    },
    "race condition": {
        "en": "Find and fix the race condition in our connection pool",
        "de": "Finde und behebe die Wettlaufsituation in unserem Verbindungspool",
        "es": "Encuentra y corrige la condición de carrera en nuestro pool de conexiones",
        "fr": "Trouve et corrige la condition de concurrence dans notre pool de connexions",
        "pt": "Encontre e corrija a condição de corrida no nosso pool de conexões",
        "ru": "Найди и исправь состояние гонки в нашем пуле соединений",
        "zh": "找出并修复我们连接池中的竞态条件",
        "ja": "コネクションプールの競合状態を見つけて修正して",
        "ko": "커넥션 풀의 경쟁 상태를 찾아서 고쳐줘",
    },
    "refactoring": {
        "en": "Refactor our monolith's payment module into a separate service without breaking existing clients",
        "de": "Refaktoriere das Zahlungsmodul unseres Monolithen in einen eigenen Dienst, ohne bestehende Clients zu brechen",
        "es": "Refactoriza el módulo de pagos de nuestro monolito en un servicio separado sin romper los clientes existentes",
        "fr": "Refactorise le module de paiement de notre monolithe en un service séparé sans casser les clients existants",
        "pt": "Refatore o módulo de pagamentos do nosso monólito em um serviço separado sem quebrar os clientes existentes",
        "ru": "Проведи рефакторинг платёжного модуля нашего монолита в отдельный сервис, не сломав существующих клиентов",
        "zh": "把我们单体应用的支付模块重构为独立服务，不破坏现有客户端",
        "ja": "モノリスの決済モジュールを既存クライアントを壊さずに別サービスへリファクタリングして",
        "ko": "모놀리스의 결제 모듈을 기존 클라이언트를 깨지 않고 별도 서비스로 리팩터링해줘",
    },
    "diagnosis": {
        "en": "Our p99 latency doubled after the last deploy; find the root cause from these metrics",
        "de": "Unsere p99-Latenz hat sich nach dem letzten Deploy verdoppelt; finde die Ursache anhand dieser Metriken",
        "es": "Nuestra latencia p99 se duplicó tras el último despliegue; encuentra la causa raíz a partir de estas métricas",
        "fr": "Notre latence p99 a doublé après le dernier déploiement ; trouve la cause racine à partir de ces métriques",
        "pt": "Nossa latência p99 dobrou após o último deploy; encontre a causa raiz a partir destas métricas",
        "ru": "Наша задержка p99 удвоилась после последнего релиза; найди первопричину по этим метрикам",
        "zh": "上次部署后我们的p99延迟翻倍了；请根据这些指标找出根本原因",
        "ja": "前回のデプロイ後にp99レイテンシが倍になった。これらのメトリクスから根本原因を突き止めて",
        "ko": "마지막 배포 후 p99 지연이 두 배가 됐어. 이 지표로 근본 원인을 찾아줘",
    },
    "algorithm": {
        "en": "Design an algorithm that finds the k shortest paths in O(m + n log n + k) and prove its complexity",
        "de": "Entwirf einen Algorithmus, der die k kürzesten Wege in O(m + n log n + k) findet, und beweise die Komplexität",
        "es": "Diseña un algoritmo que encuentre los k caminos más cortos en O(m + n log n + k) y demuestra su complejidad",
        "fr": "Conçois un algorithme qui trouve les k plus courts chemins en O(m + n log n + k) et prouve sa complexité",
        "pt": "Projete um algoritmo que encontre os k caminhos mais curtos em O(m + n log n + k) e prove sua complexidade",
        "ru": "Разработай алгоритм, находящий k кратчайших путей за O(m + n log n + k), и докажи его сложность",
        "zh": "设计一个算法，在O(m + n log n + k)内找到k条最短路径，并证明其复杂度",
        "ja": "O(m + n log n + k)でk本の最短経路を求めるアルゴリズムを設計し、その計算量を証明して",
        "ko": "O(m + n log n + k)에 k개의 최단 경로를 찾는 알고리즘을 설계하고 복잡도를 증명해",
    },
    "threat model": {
        "en": "Build a threat model for our login flow with OAuth and magic links",
        "de": "Erstelle ein Bedrohungsmodell für unseren Login mit OAuth und Magic Links",
        "es": "Elabora un modelo de amenazas para nuestro inicio de sesión con OAuth y enlaces mágicos",
        "fr": "Élabore un modèle de menaces pour notre connexion avec OAuth et liens magiques",
        "pt": "Elabore um modelo de ameaças para nosso login com OAuth e links mágicos",
        "ru": "Составь модель угроз для нашего входа через OAuth и магические ссылки",
        "zh": "为我们使用OAuth和魔法链接的登录流程建立威胁模型",
        "ja": "OAuthとマジックリンクを使うログインの脅威モデルを作成して",
        "ko": "OAuth와 매직 링크를 쓰는 로그인의 위협 모델을 만들어줘",
    },
    "migration": {
        "en": "Plan a zero-downtime migration of our 2 TB Postgres to a sharded setup",
        "de": "Plane eine unterbrechungsfreie Migration unserer 2-TB-Postgres auf ein geshardetes Setup",
        "es": "Planifica una migración sin tiempo de inactividad de nuestro Postgres de 2 TB a un entorno particionado",
        "fr": "Planifie une migration sans interruption de notre Postgres de 2 To vers une architecture partitionnée",
        "pt": "Planeje uma migração sem tempo de inatividade do nosso Postgres de 2 TB para um ambiente particionado",
        "ru": "Спланируй миграцию нашей Postgres на 2 ТБ на шардированную схему без простоя",
        "zh": "规划将我们2TB的Postgres零停机迁移到分片架构",
        "ja": "2TBのPostgresを無停止でシャーディング構成へ移行する計画を立てて",
        "ko": "2TB Postgres를 무중단으로 샤딩 구성으로 마이그레이션하는 계획을 세워줘",
    },
    "law": {
        "en": "Assess the liability risks of this cross-border data transfer clause under GDPR",
        "de": "Bewerte die Haftungsrisiken dieser Klausel zur grenzüberschreitenden Datenübermittlung nach DSGVO",
        "es": "Evalúa los riesgos de responsabilidad de esta cláusula de transferencia transfronteriza de datos según el RGPD",
        "fr": "Évalue les risques de responsabilité de cette clause de transfert transfrontalier de données au regard du RGPD",
        "pt": "Avalie os riscos de responsabilidade desta cláusula de transferência transfronteiriça de dados segundo a LGPD",
        "ru": "Оцени риски ответственности по этому пункту о трансграничной передаче данных согласно GDPR",
        "zh": "评估该跨境数据传输条款在GDPR下的责任风险",
        "ja": "GDPRに基づくこの越境データ移転条項の責任リスクを評価して",
        "ko": "GDPR에 따른 이 국경 간 데이터 이전 조항의 책임 위험을 평가해",
    },
    "expected value": {
        "en": "Compute the expected number of rolls until all six faces have appeared",
        "de": "Berechne die erwartete Anzahl an Würfen, bis alle sechs Seiten erschienen sind",
        "es": "Calcula el número esperado de tiradas hasta que hayan salido las seis caras",
        "fr": "Calcule le nombre moyen de lancers jusqu'à ce que les six faces soient apparues",
        "pt": "Calcule o número esperado de lançamentos até que todas as seis faces tenham aparecido",
        "ru": "Вычисли математическое ожидание числа бросков, пока не выпадут все шесть граней",
        "zh": "求掷骰子直到六个面都出现的期望次数",
        "ja": "六つの面がすべて出るまでの期待回数を計算して",
        "ko": "여섯 면이 모두 나올 때까지 던지는 횟수의 기댓값을 구해",
    },
}


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(builtin_dimensions(Parameters.load(learned=True).weights))


@pytest.mark.parametrize("job", JOBS)
def test_rules_hard_work_is_hard_in_every_language(rules: Rules, job: str) -> None:
    found = {language: rules.classify(said(words)).tier for language, words in JOBS[job].items()}
    assert {language: tier for language, tier in found.items() if tier.rank < Tier.COMPLEX.rank} == {}


def test_lists_have_stems_by_their_ends_only() -> None:
    lists = [
        entries
        for folder in ("keywords", "conversation")
        for name in data_names(folder)
        for entries in read_data(folder, name).values()
    ]
    for minimum in read_data("minimum_tiers.json")["minimum_tiers"]:
        lists += [entries for key in ("any", "with") if isinstance(entries := minimum.get(key), list)]
    spellings = [spelling for entries in lists for entry in entries for spelling in entry.split("|")]
    assert [spelling for spelling in spellings if "*" in spelling[:-1] or not spelling.strip()] == []
