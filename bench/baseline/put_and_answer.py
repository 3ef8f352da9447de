"""The function that bench/webhooks.py compares with: puts the body of a request to S3 and answers."""

from __future__ import annotations

import base64
import os
import uuid
from typing import Any

import boto3

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """HTTP API event (payload 2.0) → answer."""
    body = event["body"]
    content = base64.b64decode(body) if event["isBase64Encoded"] else body.encode()
    s3.put_object(Bucket=os.environ["BUCKET"], Key=f"{os.environ['PREFIX']}{uuid.uuid4()}", Body=content)
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": '{"status": "stored"}'}
