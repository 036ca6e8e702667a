"""The page to type a review into: one HTML file with its style and its script, and no access to other servers."""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from mlflow.entities.model_registry import ModelVersion


class Page(NamedTuple):
    """The HTML, and the headers to send with it."""

    html: str
    headers: dict[str, str]


def render(version: ModelVersion) -> Page:
    """The page about a registered version.

    Args:
        version: its description is shown, and the tags that the stage evaluate sets.
    """
    environment = Environment(
        loader=PackageLoader("sentiment_rnn.serving", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("page.html.j2").render(
        name=version.name,
        version=version.version,
        aliases=version.aliases,
        registered=f"{datetime.fromtimestamp(version.creation_timestamp / 1000, UTC):%-d %B %Y}",
        summary=(version.description or "").split("\n\n")[0],
        test=_test(version.tags),
    )
    policy = {
        "default-src": "'none'",
        "script-src": _hash(html, "script"),
        "style-src": _hash(html, "style"),
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return Page(html, {"Content-Security-Policy": "; ".join(f"{key} {value}" for key, value in policy.items())})


def _test(tags: Mapping[str, str]) -> str:
    """The accuracy on test, with its interval and the number of reviews if the tags have them."""
    if "test.accuracy" not in tags:
        return "not evaluated"
    accuracy = f"{100 * float(tags['test.accuracy']):.2f}%"
    if "test.accuracy_interval" not in tags:
        return accuracy
    low, high = (f"{100 * float(bound):.2f}" for bound in tags["test.accuracy_interval"].split(" to "))
    return f"{accuracy} of {int(tags['test.n']):,} reviews (95% interval {low} to {high})"


def _hash(html: str, element: str) -> str:
    """The content security policy's source for the page's only `element`: its hash, so that nothing else runs."""
    (content,) = re.findall(f"<{element}>(.*?)</{element}>", html, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
