"""The file as text: YAML, read with the line of each value, and written.

Plain words are read as YAML 1.2 has them, so that `no`, `12:30`, `010` and `2026-11-01` are texts; YAML 1.1, which the
parser follows elsewhere, would make a boolean, two numbers and a date of them.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from adweir.model import limits

Place = tuple[str | int, ...]
"""Where in the file: `("accounts", 0, "company_name")`."""
_TAG = "tag:yaml.org,2002:"
_PLAIN = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"-?(?:0|[1-9][0-9]{0,99})", list("-0123456789")),
    "float": (r"-?[0-9]+\.[0-9]+(?:[eE][-+][0-9]+)?", list("-0123456789")),
}
_BREAKS = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029]")
_QUOTED = re.compile(r"'\w[^']*'")
"""What the parser quotes from the file, which may be a secret that somebody wrote without quotes."""


class FileFault(NamedTuple):
    """What is wrong with the file, and in which line."""

    line: int
    where: str
    message: str

    @property
    def text(self) -> str:
        return f"line {self.line}: {self.where}{': ' if self.where else ''}{self.message}"


class Parsed(NamedTuple):
    """A file's value, the line of each place in it, and what is wrong with it as YAML."""

    value: Any
    lines: dict[Place, int]
    faults: list[FileFault]


_Loader: Any = type("_Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {"yaml_implicit_resolvers": {}})
for _name, (_form, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_form})$"), _first)


def parsed(content: bytes) -> Parsed:
    """A file as Python's values. Whatever is wrong with it is in `faults`; none of them repeats a value."""
    if len(content) > limits.MAX_APPLIED_BYTES:
        return _refused(1, f"the file has more than {limits.MAX_APPLIED_BYTES:,} bytes")
    try:
        root = yaml.compose(content.decode("utf-8-sig"), Loader=_Loader)
        reading = _Reading()
        value = None if root is None else reading.value(root, ())
    except UnicodeDecodeError:
        return _refused(1, "is not UTF-8")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return _refused(line, f"is not YAML: {_QUOTED.sub('', str(error.problem)).strip()}")
    except yaml.YAMLError:
        return _refused(1, "is not YAML: it has a character that no text has")
    except RecursionError:
        return _refused(1, "is nested too deeply")
    return Parsed(value, reading.lines, reading.faults)


def shown(place: Place) -> str:
    """`accounts.0.company_name`"""
    return ".".join(map(str, place))


def written(value: Any) -> str:
    """YAML that `parsed` reads back."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _refused(line: int, message: str) -> Parsed:
    return Parsed(None, {}, [FileFault(line, "", message)])


class _Reading:
    """Makes values of YAML's nodes. Aliases may repeat a node, but not without end."""

    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.faults: list[FileFault] = []
        self._left = limits.MAX_APPLIED_VALUES
        self._open: set[int] = set()

    def value(self, node: Node, place: Place) -> Any:
        self.lines[place] = line = node.start_mark.line + 1
        self._left -= 1
        if self._left < 0:
            if self._left == -1:
                most = limits.MAX_APPLIED_VALUES
                self.faults.append(FileFault(line, shown(place), f"is one of more than {most:,} values"))
            return None
        if id(node) in self._open:
            self.faults.append(FileFault(line, shown(place), "stands within itself"))
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode) and node.tag == _TAG + "map":
                return self._mapping(node, place)
            if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
                return [self.value(each, (*place, number)) for number, each in enumerate(node.value)]
            if isinstance(node, ScalarNode):
                return self._scalar(node, place)
        finally:
            self._open.discard(id(node))
        return self._not_read(node, place)

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self.faults.append(FileFault(line, shown(place), "has a key that is no text"))
            elif key.value in found:
                first = self.lines[(*place, key.value)]
                self.faults.append(
                    FileFault(line, shown((*place, key.value)), f"is there twice: line {first} has it, too")
                )
            else:
                found[key.value] = self.value(value, (*place, key.value))
                self.lines[(*place, key.value)] = line
        return found

    def _scalar(self, node: ScalarNode, place: Place) -> Any:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" if re.fullmatch(_PLAIN["int"][0], text):
                return int(text)
            case "float" if re.fullmatch(_PLAIN["float"][0], text):
                return float(text)
        return self._not_read(node, place)

    def _not_read(self, node: Node, place: Place) -> None:
        message = "has a tag (! and a word), which is not read: put a text that begins with ! into quotes"
        self.faults.append(FileFault(node.start_mark.line + 1, shown(place), message))


class _Dumper(yaml.SafeDumper):
    """Short lists and names of variables on one line; nothing by reference."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _list(dumper: yaml.SafeDumper, given: list[Any]) -> SequenceNode:
    plain = not any(isinstance(each, (dict, list)) for each in given)
    return dumper.represent_sequence(_TAG + "seq", given, flow_style=plain)


def _mapping(dumper: yaml.SafeDumper, given: dict[str, Any]) -> MappingNode:
    return dumper.represent_mapping(_TAG + "map", given.items(), flow_style=not given or list(given) == ["env"])


def _str(dumper: yaml.SafeDumper, given: str) -> ScalarNode:
    """The emitter folds further line breaks of Unicode away where no double quotes are around them."""
    style = '"' if _BREAKS.search(given) else None
    return dumper.represent_scalar(_TAG + "str", given, style=style)


_Dumper.add_representer(str, _str)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(dict, _mapping)
