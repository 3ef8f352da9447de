"""In-memory doubles of the AWS calls that the pipeline makes, beneath boto3 and PynamoDB.

They answer as AWS does, refusals included; `test_simulation_doubles.py` runs the same cases against them and moto.
"""
