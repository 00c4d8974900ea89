"""The objects that are built of message texts: what `json.loads` makes of the same text, whatever its spelling."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

import spanmap
from builders import request, span

Json = Any

SHORT_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\", "/": "\\/"}
# Of every width that Python knows, and around the eight bytes at which short strings end for the parser.
PLAIN = [
    "",
    "a",
    "é",
    "role",
    "content",
    "seven..",
    "eight...",
    "nine.....",
    "漢字",
    "😀",
    "x" * 31,
    "é" * 40,
    "a😀" * 70,
]
SPACES = st.sampled_from(["", "", "", " ", "\n", "\r\n\t "])


@st.composite
def spelled_strings(draw: st.DrawFn) -> str:
    """A JSON string in which any character may stand as an escape, also one that no text can hold."""
    text = draw(st.sampled_from(PLAIN) | st.text(st.characters(exclude_categories=()), max_size=12))
    if draw(st.booleans()):
        text = draw(st.text(max_size=2)) + text * draw(st.integers(1, 8)) + draw(st.text(max_size=2))
    spelled = []
    for character in text:
        units = [character.encode("utf-16-be", "surrogatepass")[at : at + 2].hex() for at in range(0, 4, 2)]
        as_units = "".join(f"\\u{unit}" for unit in units if unit)
        must = character in '"\\' or character < " " or "\ud800" <= character <= "\udfff"
        way = draw(st.sampled_from(["plain", "plain", "short", "units", "UNITS"]))
        if way in ("plain", "short") and character in SHORT_ESCAPES and (must or way == "short"):
            spelled.append(SHORT_ESCAPES[character])
        elif must or way in ("units", "UNITS"):
            spelled.append(as_units if way == "units" else as_units.upper().replace("\\U", "\\u"))
        else:
            spelled.append(character)
    return '"' + "".join(spelled) + '"'


NUMBERS = st.one_of(
    st.integers().map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    st.sampled_from(
        ["-0", "-0.0", "0e5", "1E+2", "1.5e-400", "9223372036854775808", "-9223372036854775809", "1" * 400]
    ),
)
SCALARS = st.one_of(st.sampled_from(["null", "true", "false"]), NUMBERS, spelled_strings())


@st.composite
def containers(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    space = draw(SPACES)
    if draw(st.booleans()):
        items = draw(st.lists(inner, max_size=5))
        return f"[{space}" + f"{space},".join(items) + f"{space}]"
    members = draw(st.lists(st.tuples(spelled_strings(), inner), max_size=5))
    return f"{{{space}" + f",{space}".join(f"{name}{space}:{space}{text}" for name, text in members) + "}"


MESSAGES = st.recursive(SCALARS, containers, max_leaves=12)


def content_of(*texts: str) -> list[Json]:
    """What a mapper makes of message texts, one to a span."""
    spans = (span(number, {"gen_ai.input.messages": text}) for number, text in enumerate(texts, 1))
    return [event["properties"]["$ai_input"] for event in spanmap.map_traces(request(*spans), compat="posthog")]


def with_replacement(value: Json) -> Json:
    """The value with U+FFFD for each surrogate that stands alone: UTF-8 cannot carry those."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [with_replacement(item) for item in value]
    if isinstance(value, dict):
        return {with_replacement(name): with_replacement(item) for name, item in value.items()}
    return value


@given(st.lists(MESSAGES.filter(lambda text: text[0] in "[{"), min_size=1, max_size=4))
def test_message_texts_become_what_json_loads_makes_of_them(texts: list[str]) -> None:
    note(texts)
    # As text: repr knows 1 from 1.0 and from True, and the order of members.
    assert repr(content_of(*texts)) == repr([with_replacement(json.loads(text)) for text in texts])


@given(st.lists(MESSAGES, min_size=1, max_size=4))
def test_objects_are_what_json_loads_makes_of_the_json(texts: list[str]) -> None:
    spans = (span(number, {"gen_ai.input.messages": text, "x": text}) for number, text in enumerate(texts, 1))
    body = request(*spans)
    for compat in ("posthog", "best"):
        mapper = spanmap.Mapper(compat=compat)
        assert repr(mapper.map_traces(body)) == repr(json.loads(mapper.map_traces_json(body)))


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 23, 24, 25, 63, 64, 200])
@pytest.mark.parametrize("end", ["", "\\n", "é", "\\u00e9", "😀", "\\ud83d\\ude00", "\\\\"])
def test_strings_that_differ_in_one_place_stay_apart(length: int, end: str) -> None:
    texts = [f'["{"a" * at}b{"a" * (length - at - 1)}{end}"]' for at in range(length)]
    assert content_of(*texts, *texts) == [json.loads(text) for text in texts] * 2


@pytest.mark.parametrize("length", [0, 30, 31, 32, 33, 40, 100])
def test_strings_that_begin_alike_stay_apart(length: int) -> None:
    ends = ["", "a", "b", "a" * 40, '\\"', '\\"a', "\\\\", '\\\\\\"', "é", '","', "\\u0022", "\\/"]
    texts = [f'["{"x" * length}{end}"]' for end in ends]
    assert content_of(*texts, *reversed(texts)) == [json.loads(text) for text in [*texts, *reversed(texts)]]


def test_a_text_with_escapes_is_not_taken_for_its_spelling() -> None:
    assert content_of('["back\\\\nslash", "back\\nslash"]') == [["back\\nslash", "back\nslash"]]


def walk(value: Json) -> Iterator[Json]:
    yield value
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from walk(item)


def test_no_two_events_share_a_list_or_a_dict() -> None:
    text = '[{"role": "user", "parts": [{"type": "text", "content": "the same words"}], "empty": [{}, []]}]'
    first, second = content_of(text, text)
    assert first == second
    containers = [id(value) for value in walk([first, second]) if isinstance(value, list | dict)]
    assert len(containers) == len(set(containers)) == 15


def test_an_integer_that_python_refuses_to_read_stays_text() -> None:
    digits = "1" * 5000
    with pytest.raises(ValueError, match="digits"):
        json.loads(digits)
    assert content_of(f"[{digits}, 1]") == [[digits, 1]]
