"""What the tests' botocore remembers changes no answer."""

from __future__ import annotations

from typing import Any

from botocore import hooks


def test_an_event_has_the_name_that_botocore_gives_it() -> None:
    aliases = dict(hooks.EVENT_ALIASES)
    ours = hooks.EventAliaser(hooks.HierarchicalEmitter())
    botocores = hooks.EventAliaser(
        hooks.HierarchicalEmitter(), aliases
    )  # with aliases of its own, nothing is remembered
    events = [f"before-call.{name}.Anything" for name in aliases] + list(aliases)

    for event in events * 2:
        assert ours._alias_event_name(event) == botocores._alias_event_name(event)  # type: ignore[attr-defined]


def test_a_handler_is_asked_whether_it_takes_every_argument() -> None:
    def takes(**every: Any) -> None: ...
    def refuses(one: int) -> None: ...

    assert [bool(hooks.accepts_kwargs(handler)) for handler in (takes, refuses) * 2] == [True, False] * 2
    assert bool(hooks.accepts_kwargs(hooks.HierarchicalEmitter().emit))
    assert not hooks.accepts_kwargs(hooks.HierarchicalEmitter().unregister)
