"""Athena: queries over the tables of `curated/`, begun, looked at, stopped, and their rows.

A query runs in the deployment's work group, which says where results go and how much a query may read. Nothing here
waits: whoever asks looks again (`adweir sql` in a bounded loop, `etl` by delayed messages).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from adweir.model.errors import AccessDenied, Throttled, Unavailable, Unprocessable

CATALOG = "AwsDataCatalog"
SUCCEEDED = "SUCCEEDED"
_GOES_ON = frozenset({"QUEUED", "RUNNING"})
_WAIT = 2.0
_PAGE = 1000
"""Athena's limit, the line with the names included."""
_BUSY = frozenset({"TooManyRequestsException", "ThrottlingException"})
_REFUSED = frozenset({"InvalidRequestException", "MetadataException", "ResourceNotFoundException"})
_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedException"})


class QueryState(NamedTuple):
    """How far a query is. `reason`: why it ended otherwise than in success. `output`: the S3 URL of its file.

    `scanned`: bytes that it read. `seconds`: from the request to its end, the wait in the queue included.
    """

    query_id: str
    state: str
    reason: str
    output: str
    scanned: int
    seconds: float

    @property
    def goes_on(self) -> bool:
        return self.state in _GOES_ON

    @property
    def is_ready(self) -> bool:
        return self.state == SUCCEEDED


class ResultColumn(NamedTuple):
    """A column of a result: its name and Athena's type."""

    name: str
    kind: str


class ResultPage(NamedTuple):
    """Columns, and some of the rows: texts as Athena writes values, None for NULL."""

    columns: tuple[ResultColumn, ...]
    rows: list[tuple[str | None, ...]]


class Athena:
    """One database, asked in one work group.

    Raises Throttled, Unprocessable (Athena refuses the statement), AccessDenied, Unavailable.
    """

    def __init__(self, client: Any, database: str, work_group: str) -> None:
        self._client = client
        self.database = database
        self._work_group = work_group

    def start(self, sql: str, token: str = "") -> str:
        """Begin a query: its id. The same `token` (32 to 128 characters) begins no second one."""
        once = {"ClientRequestToken": token} if token else {}
        with _errors():
            answer = self._client.start_query_execution(
                QueryString=sql,
                QueryExecutionContext={"Database": self.database, "Catalog": CATALOG},
                WorkGroup=self._work_group,
                **once,
            )
        return str(answer["QueryExecutionId"])

    def state(self, query_id: str) -> QueryState:
        """How far it is."""
        with _errors():
            found = self._client.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        status, numbers = found["Status"], found.get("Statistics", {})
        return QueryState(
            query_id,
            str(status["State"]),
            str(status.get("StateChangeReason", "")),
            str(found.get("ResultConfiguration", {}).get("OutputLocation", "")),
            int(numbers.get("DataScannedInBytes", 0)),
            int(numbers.get("TotalExecutionTimeInMillis", 0)) / 1000,
        )

    def stop(self, query_id: str) -> None:
        """End a query that is no longer wanted; one that has ended stays as it is."""
        with _errors():
            self._client.stop_query_execution(QueryExecutionId=query_id)

    def pages(self, query_id: str) -> Iterator[ResultPage]:
        """The result of a query that succeeded, page by page."""
        token: dict[str, str] = {}
        is_first = True
        while is_first or token:
            with _errors():
                answer = self._client.get_query_results(QueryExecutionId=query_id, MaxResults=_PAGE, **token)
            found = answer["ResultSet"]
            columns = tuple(
                ResultColumn(str(each["Name"]), str(each["Type"])) for each in found["ResultSetMetadata"]["ColumnInfo"]
            )
            rows = [tuple(datum.get("VarCharValue") for datum in row.get("Data", ())) for row in found["Rows"]]
            yield ResultPage(columns, rows[1:] if is_first else rows)
            is_first = False
            token = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}

    def tables(self) -> dict[str, dict[str, str]]:
        """Table → column → type, with the columns of partitions last."""
        found: dict[str, dict[str, str]] = {}
        token: dict[str, str] = {}
        while True:
            with _errors():
                answer = self._client.list_table_metadata(CatalogName=CATALOG, DatabaseName=self.database, **token)
            for table in answer["TableMetadataList"]:
                found[str(table["Name"])] = dict(_columns(table))
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}


def _columns(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in (*table.get("Columns", ()), *table.get("PartitionKeys", ())):
        yield str(each["Name"]), str(each.get("Type", "string"))


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code, said = str(error.response["Error"]["Code"]), str(error.response["Error"].get("Message", error))
        if code in _BUSY:
            raise Throttled(f"Athena is busy: {said}", _WAIT, guessed=True) from error
        if code in _REFUSED:
            raise Unprocessable(f"Athena refuses it: {said}") from error
        if code in _DENIED:
            raise AccessDenied(f"Athena may not be asked: {said}") from error
        raise Unavailable(f"Athena does not answer: {said}") from error
    except BotoCoreError as error:
        raise Unavailable(f"Athena does not answer: {error}") from error
