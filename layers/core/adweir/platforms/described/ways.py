"""How requests are authenticated, and how an answer goes on: the parts of a spec that are one of several kinds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from adweir.model import limits
from adweir.platforms.described.parts import CredentialField, Header, HeaderText, SpecPart, Text, ValuePath

Https = Annotated[str, StringConstraints(max_length=limits.MAX_SPEC_TEXT_CHARS, pattern=r"^https?://[^\s{}#?]+$")]
BUCKET = "s3://"
HttpsOrBucket = Annotated[
    str,
    StringConstraints(
        max_length=limits.MAX_SPEC_TEXT_CHARS,
        pattern=r"^(?:https?://[^\s{}#?]+|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[^\s{}]*)?)$",
    ),
]


class HeaderKey(SpecPart):
    """A value of the credential in a header: `<scheme> <value>`."""

    type: Literal["header"]
    header: Header = "Authorization"
    scheme: HeaderText = ""
    value: CredentialField = "token"

    @property
    def needs(self) -> tuple[str, ...]:
        """The fields that it needs of the credential."""
        return (self.value,)


class Bearer(SpecPart):
    """A token of the credential as RFC 6750 has it."""

    type: Literal["bearer"]
    value: CredentialField = "token"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.value,)


class QueryKey(SpecPart):
    """A value of the credential as a parameter of the query."""

    type: Literal["query"]
    parameter: Text = Field(min_length=1)
    value: CredentialField = "token"

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.value,)


class BasicAuth(SpecPart):
    """User and password (RFC 7617)."""

    type: Literal["basic"]
    username: CredentialField = "username"
    password: CredentialField = "password"  # noqa: S105  the name of a field

    @property
    def needs(self) -> tuple[str, ...]:
        return self.username, self.password


class OAuth2(SpecPart):
    """Access tokens by a refresh token or the client's own credentials (RFC 6749, sections 6 and 4.4)."""

    type: Literal["oauth2"]
    grant: Literal["refresh_token", "client_credentials"]
    token_url: Https
    client: Literal["body", "basic"] = "body"
    parameters: dict[Text, Text] = Field(default={}, max_length=20)
    header: Header = "Authorization"
    scheme: HeaderText = "Bearer"
    client_id: CredentialField = "client_id"
    client_secret: CredentialField = "client_secret"  # noqa: S105  the name of a field
    refresh_token: CredentialField = "refresh_token"  # noqa: S105  the name of a field

    @property
    def needs(self) -> tuple[str, ...]:
        renewed = (self.refresh_token,) if self.grant == "refresh_token" else ()
        return self.client_id, self.client_secret, *renewed


class LoginForToken(SpecPart):
    """An access token for user and password: by HTTP Basic, or as JSON under `username_in` and `password_in`.

    `token` is where the answer has it; it is used for `seconds`.
    """

    type: Literal["login"]
    login_url: Https
    method: Literal["GET", "POST"] = "POST"
    client: Literal["basic", "json"] = "basic"
    username_in: Text = "username"
    password_in: Text = "password"  # noqa: S105  the name of a member
    token: ValuePath
    seconds: int = Field(default=3600, ge=60, le=2_592_000)
    header: Header = "Authorization"
    scheme: HeaderText = "Bearer"
    username: CredentialField = "username"
    password: CredentialField = "password"  # noqa: S105  the name of a field

    @property
    def needs(self) -> tuple[str, ...]:
        return self.username, self.password


Auth = Annotated[HeaderKey | Bearer | QueryKey | BasicAuth | OAuth2 | LoginForToken, Field(discriminator="type")]


class _Parameter(SpecPart):
    """A parameter that says where to go on: in the query, or by a dotted path in the JSON body."""

    parameter: Text = Field(min_length=1)
    place: Literal["query", "body"] = Field(default="query", alias="in")
    size_parameter: Text = ""
    size: int = Field(default=100, ge=1, le=100_000)


class PageNumbers(_Parameter):
    """Pages by number. The last one is that which `last_page` names; without it an empty one."""

    type: Literal["page"]
    first: int = Field(default=1, ge=0, le=1)
    last_page: ValuePath | None = None


class Offsets(_Parameter):
    """Pages by the number of records before them. The last one reaches `total`; without it it is an empty one."""

    type: Literal["offset"]
    first: int = Field(default=0, ge=0, le=1)
    total: ValuePath | None = None


class Cursors(_Parameter):
    """Pages by a cursor that each answer names for the next one; the last one names none."""

    type: Literal["cursor"]
    cursor: ValuePath


class NextLink(SpecPart):
    """Each answer has the URL of the next one, whole or from the host on; the last one has none."""

    type: Literal["next_link"]
    link: ValuePath


class LinkHeader(SpecPart):
    """The header `Link` has the URL of the next answer as rel="next" (RFC 8288)."""

    type: Literal["link_header"]


Paging = Annotated[PageNumbers | Offsets | Cursors | NextLink | LinkHeader, Field(discriminator="type")]
