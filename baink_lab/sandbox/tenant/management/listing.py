"""Lists as the Management API prints them: pages, totals, checkpoints, chosen fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from baink_lab.sandbox.tenant.management.payload import Query
from baink_lab.sandbox.tenant.wire import answer

PER_PAGE = 50
MAX_PER_PAGE = 100
_MAX_PAGE = 1_000_000


class Fields(Query):
    """Which properties of an object to print."""

    fields: Annotated[str, Field(max_length=1024)] | None = None
    include_fields: bool = True

    def cut(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with the chosen properties only."""
        if self.fields is None:
            return dict(document)
        chosen = {name.strip() for name in self.fields.split(",")}
        return {
            name: value
            for name, value in document.items()
            if (name in chosen) == self.include_fields
        }


class Paging(Query):
    """Which part of a list to print (contract section 5.3)."""

    page: Annotated[int, Field(ge=0, le=_MAX_PAGE)] = 0
    per_page: Annotated[int, Field(ge=0, le=MAX_PER_PAGE)] = PER_PAGE
    include_totals: bool = False
    from_: Annotated[str, Field(max_length=1024)] | None = Field(None, alias="from")
    take: Annotated[int, Field(ge=1, le=MAX_PER_PAGE)] | None = None

    @property
    def by_checkpoint(self) -> bool:
        """True when the caller pages with `from` and `take`."""
        return self.from_ is not None or self.take is not None

    def answer(self, name: str, documents: Sequence[Any]) -> Response:
        """One page: a bare array, or an object when totals are wanted.

        Args:
            name: what the array is called inside the object.
            documents: the whole list.
        """
        start = self.page * self.per_page
        part = list(documents[start : start + self.per_page])
        if not self.include_totals:
            return answer(part)
        numbers = {"start": start, "limit": self.per_page, "length": len(part)}
        return answer({**numbers, "total": len(documents), name: part})


class FieldsPaging(Fields, Paging):
    """Both: which part of the list, and which properties of its objects."""


def list_documents(
    query: Paging, name: str, documents: Mapping[str, Mapping[str, Any]]
) -> Response:
    """Print documents in the order of their keys, by page or by checkpoint.

    Args:
        query: which part.
        name: what the array is called.
        documents: by key; a checkpoint is the key of the last one printed.
    """
    keys = sorted(documents)
    cut = query.cut if isinstance(query, Fields) else dict
    if not query.by_checkpoint:
        return query.answer(name, [cut(documents[key]) for key in keys])
    later = [key for key in keys if query.from_ is None or key > query.from_]
    take = query.take or PER_PAGE
    body: dict[str, Any] = {name: [cut(documents[key]) for key in later[:take]]}
    if len(later) > take:
        body["next"] = later[take - 1]
    return answer(body)
