"""What `sam local invoke` needs to work on a running sandbox."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from sandbox.ministack import client_factory
from sandbox.template_file import read_template

_HERE = re.compile(r"//(localhost|127\.0\.0\.1):")


def environment_file(description: dict[str, Any], template: Path, host: str) -> str:
    """The JSON that `--env-vars` reads: per function of the template the variables of the deployed one.

    Containers reach this machine as `host`, so URLs are rewritten; the sandbox must listen there (`adweir up --bind`).
    Credentials are not among them: sam takes those from its own environment.
    """
    functions = client_factory(description["aws_endpoint_url"])("lambda")
    found: dict[str, dict[str, str]] = {}
    for logical, resource in read_template(template)["Resources"].items():
        if isinstance(resource, dict) and resource["Type"] == "AWS::Serverless::Function":  # a list is a Fn::ForEach
            folder = resource["Properties"]["CodeUri"].rstrip("/").rpartition("/")[2]
            name = f"{description['stack']['SecretPrefix']}-{folder.replace('_', '-')}"
            variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            found[logical] = {key: _HERE.sub(f"//{host}:", value) for key, value in variables.items()}
    return json.dumps(found, indent=2)
