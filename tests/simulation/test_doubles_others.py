"""The queues, the bucket, the bus and the secrets that simulations run on: the same cases on moto, where moto does."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.botocore_calls import services
from sandbox.aws.clients import OwnClient
from sandbox.aws.sqs import DEAD, Sqs
from simulation.sides import BUCKET, BUS, Side, differs
from support.clock import FrozenClock


def refused(code: str, call: Any, **params: Any) -> int:
    """The status of the refusal."""
    with pytest.raises(ClientError) as error:
        call(**params)
    assert error.value.response["Error"]["Code"].rpartition(".")[2] == code
    return int(error.value.response["ResponseMetadata"]["HTTPStatusCode"])


# --- SQS


def send(side: Side, body: str = "a", **params: Any) -> Any:
    return side.sqs.send_message(QueueUrl=side.queue, MessageBody=body, **params)


def received(side: Side, **params: Any) -> list[Any]:
    found: list[Any] = side.sqs.receive_message(QueueUrl=side.queue, MaxNumberOfMessages=10, **params).get(
        "Messages", []
    )
    return found


def test_a_message_is_hidden_from_its_receipt_until_its_visibility_ends(side: Side) -> None:
    send(side)
    (first,) = received(side, VisibilityTimeout=30)
    assert received(side) == []

    hide(side, first, 0)
    (second,) = received(side)

    assert (first["Body"], second["Body"]) == ("a", "a")
    assert first["ReceiptHandle"] != second["ReceiptHandle"]


def hide(side: Side, message: Any, seconds: int) -> None:
    side.sqs.change_message_visibility(
        QueueUrl=side.queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
    )


def test_a_deleted_message_is_gone_and_may_be_deleted_again(side: Side) -> None:
    send(side)
    (message,) = received(side)
    for _ in range(2):
        side.sqs.delete_message(QueueUrl=side.queue, ReceiptHandle=message["ReceiptHandle"])

    assert received(side) == []


def test_a_delayed_message_waits(side: Side) -> None:
    send(side, DelaySeconds=900)
    assert received(side) == []
    assert refused("InvalidParameterValue", side.sqs.send_message, **about(side), DelaySeconds=901) == 400


def about(side: Side, body: str = "a") -> dict[str, Any]:
    return {"QueueUrl": side.queue, "MessageBody": body}


@differs("moto 5.2 hides a message again that is not in flight")
def test_what_is_not_in_flight_cannot_be_hidden(side: Side) -> None:
    send(side)
    (message,) = received(side)
    hide(side, message, 0)

    handle = {"QueueUrl": side.queue, "ReceiptHandle": message["ReceiptHandle"]}
    refused("MessageNotInflight", side.sqs.change_message_visibility, **handle, VisibilityTimeout=30)


def test_an_unknown_handle_is_refused(side: Side) -> None:
    handle = {"QueueUrl": side.queue, "ReceiptHandle": "none"}
    refused("ReceiptHandleIsInvalid", side.sqs.change_message_visibility, **handle, VisibilityTimeout=1)


def batch(side: Side, *entries: dict[str, Any]) -> Any:
    return side.sqs.send_message_batch(QueueUrl=side.queue, Entries=list(entries))


def entry(number: int, **more: Any) -> dict[str, Any]:
    return {"Id": str(number), "MessageBody": f"body {number}"} | more


def test_a_batch_is_sent_whole(side: Side) -> None:
    answer = batch(side, *(entry(n) for n in range(10)))

    assert [sent["Id"] for sent in answer["Successful"]] == [str(n) for n in range(10)]
    assert not answer.get("Failed")
    assert sorted(message["Body"] for message in received(side)) == [f"body {n}" for n in range(10)]


def test_a_batch_that_makes_no_sense_is_refused(side: Side) -> None:
    for code, entries in {
        "EmptyBatchRequest": [],
        "TooManyEntriesInBatchRequest": [entry(n) for n in range(11)],
        "BatchEntryIdsNotDistinct": [entry(1), entry(1)],
        "InvalidBatchEntryId": [entry(1, Id="not an id")],
    }.items():
        refused(code, side.sqs.send_message_batch, QueueUrl=side.queue, Entries=entries)
    assert received(side) == []


def test_a_queue_takes_a_megabyte_in_a_message_or_batch(side: Side) -> None:
    send(side, "x" * (1 << 20))
    refused("InvalidParameterValue", side.sqs.send_message, **about(side, "x" * ((1 << 20) + 1)))
    halves = [entry(n, MessageBody="x" * ((1 << 19) + n)) for n in range(2)]
    refused("BatchRequestTooLong", side.sqs.send_message_batch, QueueUrl=side.queue, Entries=halves)


def test_a_message_may_have_a_group(side: Side) -> None:
    send(side, MessageGroupId="meta_ads#1")
    assert len(received(side)) == 1


@differs("moto 5.2 looks at no group of a standard queue; SQS takes 1 to 128 printable characters")
def test_a_group_that_is_no_group_is_refused(side: Side) -> None:
    refused("InvalidParameterValue", side.sqs.send_message, **about(side), MessageGroupId="a b")


@differs("moto 5.2 takes any text; SQS takes the characters of XML")
def test_a_character_that_is_none_of_xml_is_refused(side: Side) -> None:
    send(side, "\t\n\r \ud7ff\ue000\ufffd\U00010000\U0010ffff")
    for body in ("a\0", "a\x1f", "a\ufffe", "a\uffff"):
        refused("InvalidMessageContents", side.sqs.send_message, **about(side, body))
        (fault,) = batch(side, entry(1, MessageBody=body))["Failed"]
        assert (fault["Code"], fault["SenderFault"]) == ("InvalidMessageContents", True)
    assert len(received(side)) == 1


def test_an_unknown_queue_is_refused(side: Side) -> None:
    refused("NonExistentQueue", side.sqs.send_message, QueueUrl=side.queue + "x", MessageBody="a")


# --- S3


def store(side: Side, key: str = "k", body: Any = b"body", **params: Any) -> Any:
    return side.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **params)


def test_an_object_is_read_as_it_was_put(side: Side) -> None:
    store(side, body=io.BytesIO(b"body"), Metadata={"As-Of": "now"}, ContentType="text/plain")

    head = side.s3.head_object(Bucket=BUCKET, Key="k")
    found = side.s3.get_object(Bucket=BUCKET, Key="k")

    assert found["Body"].read() == b"body"
    for answer in (head, found):
        assert (answer["ContentLength"], answer["Metadata"]) == (4, {"as-of": "now"})
        assert answer["LastModified"].tzinfo is not None


def test_an_object_that_is_there_is_not_put_again_where_it_must_not(side: Side) -> None:
    store(side, IfNoneMatch="*")
    about = {"Bucket": BUCKET, "Key": "k", "Body": b"other"}

    assert refused("PreconditionFailed", side.s3.put_object, **about, IfNoneMatch="*") == 412
    assert side.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"body"
    store(side, body=b"other")
    assert side.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"other"


def test_an_object_is_replaced_only_while_it_is_the_one_that_was_read(side: Side) -> None:
    store(side)
    read = side.s3.get_object(Bucket=BUCKET, Key="k")["ETag"]
    about = {"Bucket": BUCKET, "Key": "k"}
    side.s3.put_object(**about, Body=b"second", IfMatch=read)

    assert refused("PreconditionFailed", side.s3.put_object, **about, Body=b"third", IfMatch=read) == 412
    assert refused("NoSuchKey", side.s3.put_object, Bucket=BUCKET, Key="none", Body=b"", IfMatch=read) == 404
    assert side.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"second"


def test_a_missing_object_or_bucket_is_refused(side: Side) -> None:
    assert refused("NoSuchKey", side.s3.get_object, Bucket=BUCKET, Key="none") == 404
    assert refused("404", side.s3.head_object, Bucket=BUCKET, Key="none") == 404
    refused("NoSuchBucket", side.s3.put_object, Bucket="none", Key="k", Body=b"")


def test_bytes_that_arrive_whole_are_taken(side: Side) -> None:
    digest = base64.b64encode(hashlib.sha256(b"body").digest()).decode()
    store(side, ChecksumSHA256=digest)
    assert side.s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"body"


@differs("moto 5.2 does not compare a checksum with the bytes")
def test_bytes_that_were_altered_on_the_way_are_refused(side: Side) -> None:
    digest = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    refused("BadDigest", side.s3.put_object, Bucket=BUCKET, Key="k", Body=b"body", ChecksumSHA256=digest)


def listed(side: Side, **params: Any) -> list[list[str]]:
    pages = side.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, **params)
    return [[found["Key"] for found in page.get("Contents", [])] for page in pages]


def test_objects_are_listed_in_the_order_of_their_keys(side: Side) -> None:
    for name in ("a/2", "b/1", "a/1", "a/é", "a/Z"):
        store(side, name)

    assert listed(side, Prefix="a/", StartAfter="") == [["a/1", "a/2", "a/Z", "a/é"]]
    assert listed(side, Prefix="a/", StartAfter="a/1") == [["a/2", "a/Z", "a/é"]]
    assert listed(side, Prefix="a/", PaginationConfig={"PageSize": 3}) == [["a/1", "a/2", "a/Z"], ["a/é"]]
    assert listed(side, Prefix="none") == [[]]


def test_a_folder_is_listed_as_one_name_whatever_lies_in_it(side: Side) -> None:
    for key in ("a/1/x", "a/1/y", "a/2", "a/3/z", "a/3/zz", "b/1/x"):
        side.s3.put_object(Bucket=BUCKET, Key=key, Body=b"")

    pages = side.s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="a/", Delimiter="/", PaginationConfig={"PageSize": 1}
    )

    found = [
        (
            [item["Key"] for item in page.get("Contents", [])],
            [item["Prefix"] for item in page.get("CommonPrefixes", [])],
        )
        for page in pages
    ]
    assert found == [([], ["a/1/"]), (["a/2"], []), ([], ["a/3/"])]


@differs("moto 5.2 takes any metadata; S3 takes 2 kB")
def test_too_much_metadata_is_refused(side: Side) -> None:
    refused("MetadataTooLarge", side.s3.put_object, Bucket=BUCKET, Key="k", Body=b"", Metadata={"a": "x" * 2048})


# --- EventBridge


def event(detail: str = "{}") -> dict[str, str]:
    return {"EventBusName": BUS, "Source": "adweir", "DetailType": "Changed", "Detail": detail}


def test_events_are_taken_one_by_one(side: Side) -> None:
    answer = side.events.put_events(Entries=[event(), event("{"), event()])

    assert answer["FailedEntryCount"] == 1
    assert [found.get("ErrorCode") for found in answer["Entries"]] == [None, "MalformedDetail", None]


def test_eleven_events_are_refused(side: Side) -> None:
    side.events.put_events(Entries=[event()] * 10)
    refused("ValidationException", side.events.put_events, Entries=[event()] * 11)


# --- Secrets Manager


def secret(side: Side, stage: str = "AWSCURRENT") -> Any:
    return side.secretsmanager.get_secret_value(SecretId="s", VersionStage=stage)["SecretString"]


def test_a_secret_has_its_current_value_and_the_one_before(side: Side) -> None:
    missing = {"SecretId": "s", "VersionStage": "AWSPREVIOUS"}
    refused("ResourceNotFoundException", side.secretsmanager.get_secret_value, SecretId="s")
    side.secretsmanager.create_secret(Name="s", SecretString="1")
    refused("ResourceNotFoundException", side.secretsmanager.get_secret_value, **missing)
    refused("ResourceExistsException", side.secretsmanager.create_secret, Name="s", SecretString="x")
    refused("ResourceNotFoundException", side.secretsmanager.describe_secret, SecretId="other")
    assert side.secretsmanager.describe_secret(SecretId="s")["Name"] == "s"
    side.secretsmanager.put_secret_value(SecretId="s", SecretString="2")

    assert (secret(side), secret(side, "AWSPREVIOUS")) == ("2", "1")


def test_a_deleted_secret_cannot_be_read_until_it_is_restored(side: Side) -> None:
    manager, named = side.secretsmanager, {"SecretId": "s"}
    refused("ResourceNotFoundException", manager.delete_secret, **named)
    refused("ResourceNotFoundException", manager.restore_secret, **named)
    manager.create_secret(Name="s", SecretString="1")
    refused("InvalidParameterException", manager.delete_secret, **named, RecoveryWindowInDays=6)
    refused("InvalidParameterException", manager.delete_secret, **named, RecoveryWindowInDays=31)
    assert "DeletedDate" not in manager.describe_secret(**named)

    gone_at = manager.delete_secret(**named, RecoveryWindowInDays=7)["DeletionDate"]

    assert timedelta(days=6, hours=23) < gone_at - datetime.now(UTC) <= timedelta(days=7)
    assert "DeletedDate" in manager.describe_secret(**named)
    refused("InvalidRequestException", manager.get_secret_value, **named)
    refused("InvalidRequestException", manager.delete_secret, **named)
    manager.restore_secret(**named)
    assert (secret(side), "DeletedDate" in manager.describe_secret(**named)) == ("1", False)


@differs("moto 5.2 writes to a deleted secret, and says of its name only that it is taken")
def test_a_deleted_secret_cannot_be_written_or_made_anew(side: Side) -> None:
    side.secretsmanager.create_secret(Name="s", SecretString="1")
    side.secretsmanager.delete_secret(SecretId="s")

    refused("InvalidRequestException", side.secretsmanager.put_secret_value, SecretId="s", SecretString="2")
    refused("InvalidRequestException", side.secretsmanager.create_secret, Name="s", SecretString="2")


# --- what only a system in one process asks


def test_deleted_objects_are_gone_and_may_be_deleted_again(side: Side) -> None:
    for key in ("a", "a/b", "c"):
        side.s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    for _ in range(2):
        answer = side.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}, {"Key": "c"}], "Quiet": True})

    assert "Errors" not in answer
    assert [found["Key"] for found in side.s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["a/b"]


def test_the_depth_of_a_queue_tells_waiting_delayed_and_received_messages_apart(side: Side) -> None:
    for delay in (0, 0, 900):
        send(side, DelaySeconds=delay)
    side.sqs.receive_message(QueueUrl=side.queue, MaxNumberOfMessages=1)

    names = [f"ApproximateNumberOfMessages{part}" for part in ("", "NotVisible", "Delayed")]
    found = side.sqs.get_queue_attributes(QueueUrl=side.queue, AttributeNames=names)["Attributes"]

    assert [found[name] for name in names] == ["1", "1", "1"]


def test_a_queue_tells_what_it_was_asked_for(side: Side) -> None:
    name = "ApproximateNumberOfMessages"

    assert side.sqs.get_queue_attributes(QueueUrl=side.queue, AttributeNames=[name])["Attributes"] == {name: "0"}
    assert "Attributes" not in side.sqs.get_queue_attributes(QueueUrl=side.queue)


def test_a_message_comes_with_the_attributes_that_were_asked_for(side: Side) -> None:
    begun = int(datetime.now(UTC).timestamp() * 1000)
    send(side, MessageGroupId="g")

    (bare,) = received(side)
    hide(side, bare, 0)
    (some,) = received(side, MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"])
    hide(side, some, 0)
    (whole,) = received(side, MessageSystemAttributeNames=["All"])

    assert "Attributes" not in bare
    assert some["Attributes"].keys() == {"SentTimestamp", "ApproximateReceiveCount"}
    assert begun - 1 <= int(some["Attributes"]["SentTimestamp"]) <= datetime.now(UTC).timestamp() * 1000 + 1
    assert some["Attributes"]["ApproximateReceiveCount"] == "2"
    assert whole["Attributes"].items() >= {"ApproximateReceiveCount": "3", "MessageGroupId": "g"}.items()


def change(message: Any, name: str = "a", seconds: int = 0, **other: Any) -> dict[str, Any]:
    """An entry of a batch of visibilities."""
    return {"Id": name, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds} | other


def test_of_a_batch_of_visibilities_each_entry_is_answered_for_itself(side: Side) -> None:
    send(side)
    (message,) = received(side)
    entries = [
        change(message, "handle", ReceiptHandle="none"),
        change(message, "long", 43_201),
        change(message, "good"),
    ]

    answer = side.sqs.change_message_visibility_batch(QueueUrl=side.queue, Entries=entries)

    assert [each["Id"] for each in answer["Successful"]] == ["good"]
    assert [(each["Id"], each["Code"], each["SenderFault"]) for each in answer["Failed"]] == [
        ("handle", "ReceiptHandleIsInvalid", True),
        ("long", "InvalidParameterValue", True),
    ]
    assert len(received(side)) == 1


@differs("moto 5.2 looks at no batch of visibilities as a whole")
def test_a_batch_of_visibilities_that_makes_no_sense_is_refused(side: Side) -> None:
    send(side)
    (message,) = received(side)

    for code, entries in {
        "EmptyBatchRequest": [],
        "TooManyEntriesInBatchRequest": [change(message, str(n)) for n in range(11)],
        "BatchEntryIdsNotDistinct": [change(message), change(message)],
        "InvalidBatchEntryId": [change(message, "not an id")],
    }.items():
        refused(code, side.sqs.change_message_visibility_batch, QueueUrl=side.queue, Entries=entries)
    assert received(side) == []


def test_a_message_is_hidden_for_twelve_hours_from_its_receipt_at_most() -> None:
    clock = FrozenClock()
    sqs = OwnClient("sqs", services(sqs=Sqs(("work",), lambda: clock.now().timestamp())))
    sqs.send_message(QueueUrl="work", MessageBody="a")
    (message,) = sqs.receive_message(QueueUrl="work", VisibilityTimeout=7200)["Messages"]
    about = {"QueueUrl": "work", "ReceiptHandle": message["ReceiptHandle"]}
    clock.advance(3600)

    refused("InvalidParameterValue", sqs.change_message_visibility, **about, VisibilityTimeout=11 * 3600 + 1)
    sqs.change_message_visibility(**about, VisibilityTimeout=11 * 3600)

    clock.advance(11 * 3600 - 1)
    assert sqs.receive_message(QueueUrl="work") == {}


def test_a_dead_letter_is_read_and_hidden_and_deleted_where_dead_letters_are() -> None:
    clock = FrozenClock()
    own = Sqs(("work",), lambda: clock.now().timestamp())
    sqs = OwnClient("sqs", services(sqs=own))
    sqs.send_message(QueueUrl="work", MessageBody="a")
    own.bury("work", own.queues["work"].messages[0])
    clock.advance(60)

    (letter,) = sqs.receive_message(QueueUrl=f"{DEAD}work", MessageSystemAttributeNames=["All"])["Messages"]

    assert clock.now().timestamp() - int(letter["Attributes"]["SentTimestamp"]) / 1000 == 60
    about = {"QueueUrl": f"{DEAD}work", "ReceiptHandle": letter["ReceiptHandle"]}
    sqs.change_message_visibility_batch(QueueUrl=f"{DEAD}work", Entries=[change(letter, seconds=9)])
    assert sqs.receive_message(QueueUrl="work") == sqs.receive_message(QueueUrl=f"{DEAD}work") == {}
    sqs.delete_message(**about)
    clock.advance(9)
    assert sqs.receive_message(QueueUrl=f"{DEAD}work") == {}
