"""An item is read as PynamoDB reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pynamodb.constants import BINARY, BOOLEAN, LIST, MAP, NUMBER, STRING, STRING_SET
from pynamodb.exceptions import AttributeDeserializationError

from adweir.store.catalog.items import Item
from adweir.store.dynamo.tables import KeyedItem
from adweir.store.ledger.rows import Row

KEYS = {"pk": {"S": "a"}, "sk": {"S": "1"}}
VALUES: dict[str, Any] = {BINARY: b"x", NUMBER: "3", STRING: '"x"', BOOLEAN: True, STRING_SET: ["x"]}
VALUES |= {LIST: [{"S": "x"}], MAP: {"x": {"S": "x"}}}


def models(of: type[KeyedItem] = KeyedItem) -> Iterator[type[KeyedItem]]:
    """Every model of an item that a room has, as far as it was imported."""
    for model in of.__subclasses__():
        if model.__module__.startswith("adweir."):
            yield model
            yield from models(model)


def read(model: type[KeyedItem], raw: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an item has by our reading and by PynamoDB's."""
    ours, pynamodbs = model.from_raw_data(raw), model._instantiate(raw)
    assert type(ours) is type(pynamodbs) is model
    assert vars(ours).keys() == vars(pynamodbs).keys()
    return ours.attribute_values, pynamodbs.attribute_values


def test_what_an_item_has_is_what_pynamodb_reads() -> None:
    assert {Row, Item} <= {*models()}
    for model in models():
        full = {each.attr_name: {each.attr_type: VALUES[each.attr_type]} for each in model.get_attributes().values()}
        nulls = KEYS | {name: {"NULL": True} for name in full.keys() - KEYS.keys()}

        for raw in (KEYS, full, nulls, full | {"new": {"S": "x"}}):
            ours, pynamodbs = read(model, raw)
            assert ours == pynamodbs


def test_no_attribute_has_a_default_which_a_reader_would_have_to_set() -> None:
    attributes = [each for model in models() for each in model.get_attributes().values()]

    assert attributes
    assert [each for each in attributes if each.default is not None or each.default_for_new is not None] == []


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(AttributeDeserializationError):
        Row.from_raw_data(KEYS | {"attempts": {"S": "3"}})
