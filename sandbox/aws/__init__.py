"""Doubles of the AWS calls that the pipeline makes, in one process: for simulations, tests and `adweir.local`.

They answer as AWS does, refusals included; `tests/simulation/test_doubles_*.py` runs the same cases against them, in
memory and in a folder, and against moto.
"""
