"""What schemathesis cannot know of the OpenAPI document: its own formats, and a bound between two fields."""

import hashlib
import re

import hypothesis
import schemathesis
from hypothesis import strategies as st

# To lean toward what the service accepts, hypothesis minimises each request on the way: minutes of
# work that ask nothing new.
hypothesis.target = lambda *_, **__: None

FORMATS = {
    "cursor": [""],  # the others are handed out by the service, and it checks them
    "crawl-pattern": ["*", "/shop/*", "*.pdf", "https://*.example.com/*", "re:^/[a-z]+$", "?page=*"],
    "css-selector": [":scope", "a", ".price", "#a > b", "li:nth-child(2)", "a[href^='/']:not(.b)", "h1, h2"],
    "json-ld-path": ["name", "Product.offers.price", "images[0]", "offers[1].price", "@type"],
    "meta-name": ["description", "og:title", "twitter:card"],
    "cron-pattern": ["0 0 * * *", "*/15 9-17 * * MON-FRI", "@daily", "30 2 1,15 * *"],
    "time-zone": ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"],
    "rust-regex": ["a", "[0-9]+", "(?i)price", r"\$(?P<price>\d+)", "^.*$"],
}
for name, examples in FORMATS.items():
    schemathesis.openapi.format(name, st.sampled_from(examples))


MOST_REACHED = 10_000


def without_groups(value):
    """A copy without `group`: no schema can say that the pattern beside it must have it."""
    if isinstance(value, dict):
        return {key: without_groups(item) for key, item in value.items() if key != "group"}
    return value


# The one address that the service under test may reach; nobody listens there.
HOOK = "http://127.0.0.1:9/hook"


def is_web(url):
    return isinstance(url, str) and re.match(r"https?://[^/?#@\\]{1,259}([/?#]|$)", url) is not None


def with_hook(body, is_webhook):
    """A copy whose webhooks lead there: no schema can say which addresses this service may reach."""
    if not isinstance(body, dict):
        return body
    changed = {key: with_hook(item, False) if key == "options" else item for key, item in body.items()}
    webhook = body.get("webhook")
    if isinstance(webhook, dict) and is_web(webhook.get("url")):
        changed["webhook"] = {**webhook, "url": HOOK}
    if is_webhook and is_web(body.get("url")):
        # Of somebody who has no jobs: else each event of all jobs would be posted twenty times.
        changed = {**changed, "url": HOOK, "customerId": "listener"}
    return changed


@schemathesis.hook
def before_call(context, case, kwargs):
    """In every phase, those of the examples too."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        body = with_hook(case.body, case.path == "/api/webhooks")
        if body != case.body:
            case.body = body


@schemathesis.hook
def map_case(context, case):
    """Bends requests that are meant to be right; leaves what is to be refused as it is."""
    if not (case.meta and case.meta.generation.mode.is_positive):
        return case
    body, query = case.body, case.query
    if isinstance(body, dict) and isinstance(body.get("config"), dict):
        case.body = body = {**body, "config": without_groups(body["config"])}
    # Nor that a plan ends after its start, and fires in between.
    if isinstance(body, dict) and "cronPattern" in body:
        case.body = body = {key: item for key, item in body.items() if key not in ("startDate", "endDate")}
    # Nor that the last job of a batch starts in time.
    if isinstance(body, dict) and body.get("staggerDelay"):
        case.body = {**case.body, "delay": 0, "staggerDelay": body["staggerDelay"] % 1_000_000}
    if isinstance(body, dict) and isinstance(body.get("options"), dict):
        options = body["options"]
        if isinstance(options.get("config"), dict):
            case.body = {**case.body, "options": {**options, "config": without_groups(options["config"])}}
    # Nor that a file is everything, and has neither a limit nor a place to begin at.
    if query and "download" in query:
        for name in ("limit", "cursor", "format"):
            query.pop(name, None)
    # A key stands for one request: another body under it is refused, and should be.
    if case.headers and "Idempotency-Key" in case.headers:
        request = repr((case.path, body)).encode()
        case.headers["Idempotency-Key"] = hashlib.sha256(request).hexdigest()
    # Nor that the product of two parameters is bounded.
    if query and int(query.get("page", 1)) * int(query.get("limit", 10)) > MOST_REACHED:
        query["page"] = 1
    return case
