"""Every call of AWS as a turn: what it does, what goes wrong with it, how long it takes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any
from zlib import crc32

from botocore.exceptions import ReadTimeoutError

from sandbox.aws.botocore_calls import Answer
from sandbox.aws.refusals import Refused
from simulation.scheduler import Scheduler
from simulation.trace import Trace
from simulation.weather import Fault, Sky

_REFUSALS = {
    "dynamodb": ("ProvisionedThroughputExceededException", 400),
    "s3": ("SlowDown", 503),
    "sqs": ("ServiceUnavailable", 503),
    "events": ("InternalException", 500),
    "secretsmanager": ("InternalServiceError", 500),
}
_FROZEN = (10.0, 300.0)
"""Seconds that a process is frozen beyond its time-out."""


class Calls:
    """Answers a worker's calls with the doubles. Outside of workers, calls just happen."""

    def __init__(self, scheduler: Scheduler, sky: Sky, rng: random.Random, answer: Answer, trace: Trace) -> None:
        self._scheduler = scheduler
        self._sky = sky
        self._rng = rng
        self._answer = answer
        self._trace = trace
        self.count = 0
        self.fingerprint = 0
        """Of the order of all calls: equal for equal runs."""
        self._half = False

    def leave(self, entries: list[Any]) -> int:
        """How many entries of a batch a double leaves undone: hook of the doubles."""
        return self._rng.randint(1, len(entries)) if self._half else 0

    def __call__(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        scheduler, worker = self._scheduler, self._scheduler.current
        if worker is None:
            return self._answer(service, operation, params)
        scheduler.check()
        self.count += 1
        self.fingerprint = crc32(f"{worker.name} {operation} {scheduler.now:.6f}".encode(), self.fingerprint)
        fault = self._sky.fault(worker.function, operation, holding=worker.leases > 0)
        if fault is Fault.KILLED_BEFORE:
            self._trace.call(service, operation, params, fault, None)
            scheduler.kill()
        if fault is Fault.REFUSED:
            code, status = _REFUSALS[service]
            self._trace.call(service, operation, params, fault, None)
            self._wait(seconds=self._rng.uniform(1.0, 8.0))
            raise Refused(code, "the simulation refuses", status)
        self._half = fault is Fault.HALF
        answer = self._ask(service, operation, params, fault)
        self._half = False
        if fault is Fault.KILLED_AFTER:
            scheduler.kill()
        if fault in (Fault.LOST, Fault.SILENT):
            self._wait(seconds=self._rng.uniform(5.0, 12.0))
            answer = self._ask(service, operation, params, fault)
        if fault is Fault.SILENT:
            self._wait(seconds=self._rng.uniform(5.0, 12.0))
            raise ReadTimeoutError(endpoint_url=f"https://{service}.simulated.example")
        if fault is Fault.STALLED:
            worker.outlives = True
            self._wait(seconds=max(0.0, worker.deadline - scheduler.now) + self._rng.uniform(*_FROZEN))
        else:
            self._wait(seconds=self.latency())
        return answer()

    def at_platform(self) -> Fault | None:
        """What becomes of a question to a platform. Raises Killed."""
        worker = self._scheduler.current
        self._scheduler.check()
        fault = self._sky.fault(worker.function, "platform", holding=worker.leases > 0) if worker else None
        if fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            self._trace.say(f"!! {fault}")
            self._scheduler.kill()
        return fault

    def latency(self) -> float:
        """Seconds that a call takes."""
        seconds = self._rng.expovariate(100.0)
        return seconds if self._rng.random() > 0.03 else seconds + self._rng.uniform(0.1, 4.0)

    def _ask(
        self, service: str, operation: str, params: Mapping[str, Any], fault: Fault | None
    ) -> Callable[[], dict[str, Any]]:
        """Have it done; what the caller gets or sees raised in its turn."""
        try:
            done = self._answer(service, operation, params)
        except Refused as refused:
            error = refused
            self._trace.call(service, operation, params, fault, error)

            def raising() -> dict[str, Any]:
                raise error

            return raising
        self._trace.call(service, operation, params, fault, None)
        worker = self._scheduler.current
        if worker is not None and operation == "UpdateItem" and params["Key"]["pk"]["S"].startswith("lease#"):
            worker.leases += 1 if "ADD" in params["UpdateExpression"] else -1
        return lambda: done

    def _wait(self, *, seconds: float) -> None:
        self._scheduler.pause(seconds)
