"""What is asked before a deployment is built: each refusal is one line that says what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ops import preflight
from ops.preflight import NotReadyError, check_parameters, main, parameters
from support.stub_http import Answer, StubServer
from support.template import ROOT, template

KNOWN = template().written["Parameters"]
IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::123456789012:assumed-role/deployer/kim</Arn><UserId>u</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
EXPIRED = b"""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error>
</ErrorResponse>"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: StubServer) -> pytest.MonkeyPatch:
    """A machine with a region and credentials whose STS is the stub; nothing of the real machine's configuration."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", stub.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    stub.route = lambda _: Answer(200, IDENTITY)
    return monkeypatch


def said(capsys: pytest.CaptureFixture[str], *words: str, root: Path = ROOT) -> str:
    """The one line on stderr of a refusal."""
    assert main(list(words), root) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("cannot deploy: ")
    assert shown.err.count("\n") == 1
    return shown.err


def test_a_machine_that_may_deploy_is_told_who_deploys_where(
    machine: pytest.MonkeyPatch, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["TimeZone=Europe/Berlin"]) == 0

    assert capsys.readouterr().out == (
        "deploys to account 123456789012 in eu-central-1 as arn:aws:sts::123456789012:assumed-role/deployer/kim\n"
    )
    assert len(stub.calls) == 1


def test_without_a_region_nobody_is_asked(
    machine: pytest.MonkeyPatch, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.delenv("AWS_DEFAULT_REGION")

    assert "export AWS_DEFAULT_REGION" in said(capsys)
    assert stub.calls == []


def test_the_region_of_a_guided_deployment_counts(
    machine: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    machine.delenv("AWS_DEFAULT_REGION")
    (tmp_path / "template.yaml").write_text("Parameters: {}\n")
    (tmp_path / "samconfig.toml").write_text('[default.deploy.parameters]\nregion = "us-west-2"\n')

    assert main([], tmp_path) == 0
    assert "in us-west-2" in capsys.readouterr().out


def test_without_credentials_nobody_is_asked(
    machine: pytest.MonkeyPatch, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.delenv("AWS_ACCESS_KEY_ID")
    machine.delenv("AWS_SECRET_ACCESS_KEY")

    assert "no AWS credentials: log in" in said(capsys)
    assert stub.calls == []


def test_a_profile_that_does_not_exist_is_named(
    machine: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.setenv("AWS_PROFILE", "nobody")

    assert "nobody" in said(capsys)


def test_expired_credentials_are_told_as_aws_tells_them(
    machine: pytest.MonkeyPatch, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.script = [Answer(403, EXPIRED)]

    line = said(capsys)

    assert "ExpiredToken: The security token included in the request is expired" in line
    assert "aws sso login" in line
    assert len(stub.calls) == 1, "asked once"


def test_an_aws_that_does_not_answer_is_not_waited_for(
    machine: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given an endpoint that takes connections and says nothing."""
    machine.setattr(preflight, "_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        machine.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")

        assert "AWS does not answer in eu-central-1" in said(capsys)


def test_a_wrong_parameter_is_refused_before_anybody_is_asked(
    machine: pytest.MonkeyPatch, stub: StubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no parameter TimeZome" in said(capsys, "TimeZome=UTC")
    assert stub.calls == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["LogLevel=LOUD"], "LogLevel is 'LOUD', not one of DEBUG, INFO, WARNING, ERROR"),
        (["HeartbeatHours=many"], "HeartbeatHours is 'many', not a number"),
        (["HeartbeatHours=0"], "HeartbeatHours is 0, but at least 1"),
        (["HeartbeatHours=200"], "HeartbeatHours is 200, but at most 168"),
        (["DailyAt=cron(0 6 * * ? *)"], "DailyAt has blanks: put it into a file"),
        (["--guided"], "'--guided' is neither Key=Value nor file://"),
        (["file:///nowhere.yaml"], "/nowhere.yaml cannot be read: No such file"),
    ],
)
def test_what_would_not_be_deployed_as_it_is_meant_is_refused(words: list[str], why: str) -> None:
    with pytest.raises(NotReadyError) as refused:
        check_parameters(parameters(words), KNOWN)

    assert str(refused.value).startswith(why)


def test_parameters_come_from_words_and_from_files_in_turn(tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").write_text(
        "TimeZone: Europe/Berlin\nDailyAt: cron(0 6 * * ? *)\nSubnetIds: [subnet-1, subnet-2]\nAlarmEmail:\n"
    )
    (tmp_path / "prod.toml").write_text("HistoryDays = 90\n")

    found = parameters(
        [f"file://{tmp_path}/prod.yaml", "TimeZone=UTC", f"file://{tmp_path}/prod.toml", 'WeeklyAt="cron(0 8 ? * * *)"']
    )

    assert found == {
        "TimeZone": "UTC",
        "DailyAt": "cron(0 6 * * ? *)",
        "SubnetIds": "subnet-1,subnet-2",
        "AlarmEmail": "",
        "HistoryDays": "90",
        "WeeklyAt": "cron(0 8 ? * * *)",
    }
    check_parameters(found, KNOWN)


@pytest.mark.parametrize("text", ["just words", "- a\n- list", "{unclosed"])
def test_a_file_without_parameters_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "prod.yaml").write_text(text)

    with pytest.raises(NotReadyError, match=r"prod\.yaml"):
        parameters([f"file://{tmp_path}/prod.yaml"])
