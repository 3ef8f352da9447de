"""The registry and what a platform's SPEC says: names, credentials, base URLs."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from adweir.model.errors import Unprocessable
from adweir.model.platforms import Platform
from adweir.platforms import REGISTRY, Platforms
from adweir.platforms.amazon_ads import AmazonCredential
from adweir.platforms.credentials import FieldKind
from adweir.platforms.meta import MetaCredential
from support.platforms import AMAZON_ADS, META_ADS

GOOD = {"client_id": "amzn1.x", "client_secret": "s3cret", "refresh_token": "Atzr|1"}


def refusals(values: dict[str, str]) -> dict[str, str]:
    with pytest.raises(Unprocessable) as refused:
        AmazonCredential.read(values)
    assert "s3cret" not in str(refused.value.details) + refused.value.message
    return {fault["field"]: fault["message"] for fault in refused.value.details}


@pytest.mark.parametrize("name", ["", "Meta", "meta ads", "1x", "x", "meta_ads\n", "a" * 41, "../x"])
def test_a_stored_name_is_lower_case_letters_digits_and_underscores(name: str) -> None:
    with pytest.raises(ValueError, match="not a platform's name"):
        Platform(name)


def test_every_platform_of_the_registry_says_who_it_is() -> None:
    for name, spec in zip(REGISTRY, REGISTRY.specs(), strict=True):
        assert spec.name == name
        assert all(spec.datasets[dataset].dataset is dataset for dataset in spec.datasets)
        assert {REGISTRY.parse(alias.upper()) for alias in (name, *spec.aliases)} == {name}


def test_a_platform_whose_folder_lies_elsewhere_is_one_line_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a folder with a SPEC somewhere on the path
    folder = tmp_path / "far_away"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        textwrap.dedent("""
        from adweir.model.platforms import Platform
        from adweir.platforms.base import PlatformSpec
        from adweir.platforms.credentials import CredentialFields

        SPEC = PlatformSpec(Platform("far_ads"), "Far", __name__, CredentialFields, {"api": "https://far.test"}, {})
        """)
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    # when it is registered
    platforms = REGISTRY.with_platform("far_ads", "far_away")
    # then it is one of them, and the registry that comes with adweir is as it was
    try:
        assert platforms.spec(platforms.parse("far_ads")).title == "Far"
        assert set(platforms) == {*REGISTRY, "far_ads"}
        assert platforms.webhook(Platform("far_ads")) is None
        with pytest.raises(Unprocessable, match="not connected"):
            REGISTRY.spec(Platform("far_ads"))
    finally:
        sys.modules.pop("far_away")


def test_a_credential_s_values_may_show_its_platform() -> None:
    assert REGISTRY.recognize({"client_id": "amzn1.application"}) == AMAZON_ADS
    assert REGISTRY.recognize({"client_id": "other"}) is None
    assert Platforms({}).recognize({"client_id": "amzn1.application"}) is None


def test_a_credential_has_defaults_and_reads_a_region_in_any_case() -> None:
    assert AmazonCredential.read(GOOD).route == "na"
    assert AmazonCredential.read(GOOD | {"region": "EU"}).route == "eu"
    assert (MetaCredential.read({"access_token": "t"}).route, MetaCredential.read({"access_token": "t"}).app_hash) == (
        "",
        "",
    )


def test_a_refused_credential_names_each_field_and_no_value() -> None:
    assert refusals({}) == dict.fromkeys(("client_id", "client_secret", "refresh_token"), "is required")
    assert refusals(GOOD | {"colour": "s3cret"}) == {
        "colour": "is unknown; known: client_id, client_secret, refresh_token, region"
    }
    assert refusals(GOOD | {"region": "s3cret"}) == {"region": "is one of na, eu, fe"}
    for value in ("", "with space", "tab\t", "ümlaut", "...", "x" * 4097):
        message = "is 1 to 4096 printable ASCII characters without spaces, a letter or digit among them"
        assert refusals(GOOD | {"client_secret": value}) == {"client_secret": message}


def test_a_credential_shows_no_value_and_tells_applications_apart() -> None:
    one, other = AmazonCredential.read(GOOD), AmazonCredential.read(GOOD | {"client_id": "amzn1.y"})
    assert "s3cret" not in f"{one!r} {one}"
    assert one.named(FieldKind.SECRET) == ("client_secret", "refresh_token")
    assert one.app_hash != other.app_hash
    assert one.app_hash == AmazonCredential.read(GOOD | {"refresh_token": "new"}).app_hash


def test_a_base_url_is_the_deployment_s_the_route_s_or_the_platform_s() -> None:
    amazon, meta = REGISTRY.spec(AMAZON_ADS), REGISTRY.spec(META_ADS)
    assert amazon.url("api", "eu") == "https://advertising-api-eu.amazon.com"
    assert amazon.url("api", "eu", {"api": "http://127.0.0.1:1/"}) == "http://127.0.0.1:1"
    by_region = {"api": "http://127.0.0.1:1", "api.eu": "http://127.0.0.1:1/eu"}
    assert [amazon.url("api", route, by_region) for route in ("na", "eu")] == list(by_region.values())
    assert meta.url("api", "anywhere") == "https://graph.facebook.com"
    assert amazon.url_names == {"api", "sns", "token"}
    with pytest.raises(KeyError):
        amazon.url("api", "moon")
