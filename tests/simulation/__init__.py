"""A deterministic simulation of the whole pipeline: one process, one seed, every AWS and platform call a turn."""

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from sandbox.aws.expressions import forbid

forbid(ReservedKeywords.get_reserved_keywords())
