"""An answer compared with the recorded shape of one: keys, types and formats, not values."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

SHAPES = Path(__file__).parent / "shapes"
FORMATS = {
    "issuer": r"https://[^/]+/",
    "url": r"https://[^/]+/.+",
    "opaque": r"[\x21-\x7e]{20,}",
    "jwt": r"[\w-]+\.[\w-]+\.[\w-]+",
    "base64url": r"[\w-]+",
    "code": r"[a-z_]+",
    "jti": r"[A-Za-z0-9_-]{16,}",
    "hex": r"[0-9a-f]{24}",
    "grant": r"cgr_[A-Za-z0-9]+",
}


def differences(found: Any, name: str) -> list[str]:
    """In what `found` is not of the shape `name`, a sentence each; empty when it fits."""
    shape = json.loads((SHAPES / f"{name}.json").read_text("utf-8"))
    return _compared(found, shape["sample"], "", shape)


def _compared(found: Any, sample: Any, path: str, shape: dict[str, Any]) -> list[str]:
    where = path or "the answer"
    if sample is None:
        return []
    if _kind(found) != _kind(sample):
        return [f"{where} is {_kind(found)}, not {_kind(sample)}"]
    if isinstance(sample, list):
        return [
            said
            for one in found
            for said in (_compared(one, sample[0], path, shape) if sample else [])
        ]
    if isinstance(sample, dict):
        return _members(found, sample, path, shape)
    said = []
    wanted = shape.get("values", {}).get(path)
    if wanted is not None and found != wanted:
        said.append(f"{where} is {found!r}, not {wanted!r}")
    kind = shape.get("formats", {}).get(path)
    if kind is not None and not _has_format(found, kind):
        said.append(f"{where} is no {kind}: {found[:40]!r}")
    return said


def _members(found: Any, sample: Any, path: str, shape: dict[str, Any]) -> list[str]:
    said = []
    for key, one in sample.items():
        at = f"{path}.{key}" if path else key
        if key in found:
            said += _compared(found[key], one, at, shape)
        elif at not in shape.get("optional", []):
            said.append(f"{at} is missing")
    if not shape["open"] and sample:
        said += [f"{key} is not in the contract" for key in found if key not in sample]
    return said


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text"}
    more = {list: "a list", dict: "an object", type(None): "null"}
    return (names | more)[type(value)]


def _has_format(value: str, kind: str) -> bool:
    if kind != "iso":
        return re.fullmatch(FORMATS[kind], value) is not None
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
