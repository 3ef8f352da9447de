"""What `make deploy` asks before it builds: are the parameters right, is there a region, do the credentials work?

`python -m ops.preflight Key=Value file://prod.yaml ...` takes parameters as `sam deploy --parameter-overrides` does. It
prints who deploys to where; or it exits with 1 and one line that says what to do, at most ten seconds later.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, HTTPClientError

from sandbox.template_file import read_template

ROOT = Path(__file__).resolve().parent.parent
_SECONDS: Final = 4
"""How long the connection to STS may take, and its answer."""
_LOG_IN: Final = "log in (aws sso login), or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
_NO_REGION: Final = "there is no region: export AWS_DEFAULT_REGION, e.g. AWS_DEFAULT_REGION=eu-central-1"


class NotReadyError(Exception):
    """A deployment would fail; the message says why and what to do."""


def main(words: list[str], root: Path = ROOT) -> int:
    """Check and say who deploys where; returns the exit code."""
    try:
        template = read_template(root / "template.yaml")
        check_parameters(parameters(words), template["Parameters"])
        print(caller(_saved(root)))
    except NotReadyError as error:
        print(f"cannot deploy: {error}", file=sys.stderr)
        return 1
    return 0


def parameters(words: Iterable[str]) -> dict[str, str]:
    """The parameters by name. Raises NotReadyError for what the SAM CLI would not read as it is meant."""
    found: dict[str, str] = {}
    for word in words:
        if word.startswith("file://"):
            found |= _of_file(Path(word.removeprefix("file://")))
            continue
        name, equals, value = word.partition("=")
        if not equals or not name.isalnum():
            raise NotReadyError(f"{word!r} is neither Key=Value nor file://<parameters>.yaml")
        if " " in value and not re.fullmatch(r'".*"', value):
            raise NotReadyError(f"{name} has blanks: put it into a file, PARAMS=file://prod.yaml (docs/operations.md)")
        found[name] = value.strip('"')
    return found


def check_parameters(given: Mapping[str, str], known: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises NotReadyError for a name or a value that the template does not take."""
    for name, value in given.items():
        about = known.get(name)
        if about is None:
            raise NotReadyError(f"template.yaml has no parameter {name} (docs/settings.md lists them)")
        allowed = [str(item) for item in about.get("AllowedValues", ())]
        if allowed and value not in allowed:
            raise NotReadyError(f"{name} is {value!r}, not one of {', '.join(allowed)}")
        if about["Type"] == "Number":
            _check_number(name, value, about)


def caller(saved: Mapping[str, str]) -> str:
    """`deploys to <account> in <region> as <arn>`. Raises NotReadyError without a region or valid credentials.

    `saved`: what samconfig.toml says of `sam deploy`; its region and profile count.
    """
    try:
        session = boto3.Session(profile_name=saved.get("profile"), region_name=saved.get("region"))
        if session.region_name is None:
            raise NotReadyError(_NO_REGION)
        if session.get_credentials() is None:
            raise NotReadyError(f"there are no AWS credentials: {_LOG_IN}")
        once = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1})
        with closing(session.client("sts", config=once)) as sts:
            identity = sts.get_caller_identity()
    except ClientError as error:
        about = error.response["Error"]
        raise NotReadyError(f"AWS refuses the credentials ({about['Code']}: {about['Message']}): {_LOG_IN}") from error
    except (EndpointConnectionError, HTTPClientError) as error:
        raise NotReadyError(f"AWS does not answer in {session.region_name}: {error}") from error
    except BotoCoreError as error:
        raise NotReadyError(f"the AWS credentials cannot be used ({error}): {_LOG_IN}") from error
    return f"deploys to account {identity['Account']} in {session.region_name} as {identity['Arn']}"


def _of_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text()
        found = tomllib.loads(text) if path.suffix == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise NotReadyError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        raise NotReadyError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise NotReadyError(f"{path} is not a list of lines such as TimeZone: Europe/Berlin")
    return {str(name): _text(value) for name, value in found.items() if name != "$include"}


def _text(value: Any) -> str:
    """A value of a file as the SAM CLI hands it on."""
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return "" if value is None else str(value)


def _check_number(name: str, value: str, about: Mapping[str, Any]) -> None:
    if not value.isdigit():
        raise NotReadyError(f"{name} is {value!r}, not a number")
    if int(value) < about.get("MinValue", 0):
        raise NotReadyError(f"{name} is {value}, but at least {about['MinValue']}")
    if int(value) > about.get("MaxValue", int(value)):
        raise NotReadyError(f"{name} is {value}, but at most {about['MaxValue']}")


def _saved(root: Path) -> dict[str, str]:
    path = root / "samconfig.toml"
    deploy = tomllib.loads(path.read_text()).get("default", {}).get("deploy", {}) if path.exists() else {}
    return {name: str(value) for name, value in deploy.get("parameters", {}).items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
