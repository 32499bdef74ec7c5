# ruff: noqa: E501 - one fault a row
from pathlib import Path

import pytest

from tutor.course.forms import read
from tutor.course.model import Grants, Step
from tutor.course.places import Where
from tutor.course.yamltree import parse
from tutor.errors import CourseError
from tutor.probes.base import Collection, FilePath, OwnCommands, Peer
from tutor.probes.binding import bind, topics_of, try_bind

GRANTS = Grants(
    cluster=True, files=("*.txt",), hosts=("127.0.0.1",), commands=("pinniped version",)
)

HEAD = "id: s\ntitle: T\nminutes: 1\nsay: x\nsolution: do\n"


def step(body: str) -> Step:
    faults: list[CourseError] = []
    found = read(Step, Where(parse(HEAD + body, Path("s.yaml"))), faults)
    assert found is not None
    assert faults == []
    return found


def faults_of(body: str, grants: Grants = GRANTS) -> list[str]:
    _, faults = try_bind(step(body), grants=grants, environment="sandbox")
    return [f"{fault.line}:{fault.column}: {fault.message}" for fault in faults]


def fact(that: str, given: str, extra: str = "") -> str:
    return (
        f"facts:\n  - id: f\n    label: L\n    show: x\n{extra}"
        f"    given:\n      {given}\n    that: {that}\n"
    )


FILE = "word: {file: {path: a.txt}}"

FAULTY: dict[str, tuple[str, str]] = {
    "unknown name": (fact("wrd.text == 'x'", FILE), "12:11: unknown name `wrd`: did you mean `word`?"),
    "unknown function": (fact("b64(word.text) == 'x'", FILE), "12:11: unknown function `b64`: did you mean `b64d`?"),
    "unknown source": (fact("word.text == 'x'", "word: {fil: {path: a.txt}}"), "11:14: unknown source `fil`: did you mean `file`?"),
    "two sources": (fact("word.text == 'x'", "word: {file: {path: a.txt}, hosts: {name: a}}"), "11:13: `word` needs exactly one source"),
    "unknown argument": (fact("word.text == 'x'", "word: {file: {pth: a.txt}}"), "11:21: unknown key `pth`: did you mean `path`?"),
    "missing argument": (fact("word.text == 'x'", "word: {file: {}}"), "11:20: the key `path` is missing"),
    "wrong type": (fact("word.text == 'x'", "word: {file: {path: 1}}"), "11:27: `path` should be text, not the number 1"),
    "not a name": (fact("a == 1", "in: {file: {path: a.txt}}"), "11:7: `in` cannot be a name"),
    "not true or false": (fact("word.text + 'x'", FILE), "12:11: this gives a text, where true or false is needed"),
    "looks at nothing": (fact("1 == 1", FILE), "12:11: the fact `f` looks at nothing"),
    "saw is no text": (fact("word.text == 'x'", FILE, "    saw: 1 + 1\n"), "10:10: this gives a number, where a text is needed"),
    "no grant for a file": (fact("word.text == 'x'", "word: {file: {path: a.yaml}}"), "11:20: the lesson has no grant for the file a.yaml"),
    "file outside": (fact("word.text == 'x'", "word: {file: {path: ../a.txt}}"), "11:20: the lesson has no grant for the file ../a.txt"),
    "no grant for a host": (fact("s.verified", "s: {tls: {address: '10.0.0.1:1', name: a}}"), "11:16: the lesson has no grant to connect to 10.0.0.1:1"),
    "no grant for a url": (fact("s.status == 200", "s: {http: {url: 'https://example.com/'}}"), "11:17: the lesson has no grant to connect to example.com:443"),
    "not a url": (fact("s.status == 200", "s: {http: {url: 'file:///etc/passwd'}}"), "11:23: `url` cannot be the text"),
    "no grant for a command": (fact("c.exit == 0", "c: {command: {run: [rm, '-rf', x]}}"), "11:20: the lesson has no grant for the command `rm -rf x`"),
    "circle": (fact("a.subject == 'x'", "a: {x509: {from: b.pem}}\n      b: {x509: {from: a.pem}}"), "11:17: these need each other: a, b"),
    "bad argument": (fact("a.subject == 'x'", "a: {x509: {from: zork.pem}}"), "11:24: unknown name `zork`"),
    "command without edge": (fact("c.exists(x, true)", "c: {shell: {command: {program: ls}}}"), "7:5: the fact `f` is about a command"),
    "given twice": (
        "given: {word: {file: {path: b.txt}}}\n" + fact("word.text == 'x'", FILE),
        "12:7: `word` is given twice in this step, and not the same",
    ),
    "place in folded text": (fact(">-\n      word.text ==\n      wurd.text", FILE), "14:7: unknown name `wurd`"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "told"), FAULTY.values(), ids=FAULTY)
def test_fact_that_cannot_be_judged_is_refused_at_its_place(body: str, told: str) -> None:
    assert any(fault.startswith(told) for fault in faults_of(body)), faults_of(body)


def test_all_faults_of_a_step_come_out_together() -> None:
    two = fact("wrd.text == ''", FILE) + (
        "mistakes:\n  - {id: m, when: nope, say: x, try: [{run: x}]}\n"
    )
    assert len(faults_of(two)) == 2
    with pytest.raises(CourseError, match="unknown name `wrd`"):
        bind(step(two), grants=GRANTS, environment="sandbox")


def test_names_are_shared_by_a_step_and_ordered_by_need() -> None:
    body = (
        "given:\n"
        "  cert: {x509: {from: 'secret.data.crt'}}\n"
        "  served: {tls: {address: '127.0.0.1:1', name: a, ca: cert.pem}}\n"
        "  secret: {object: {apiVersion: v1, kind: Secret, namespace: n, name: s}}\n"
        + fact("served.verified && word.text == 'x'", FILE)
        + "mistakes:\n  - {id: m, when: word.text == cert.subject, say: x, try: [{run: x}]}\n"
    )
    bound = bind(step(body), grants=GRANTS, environment="sandbox")
    order = [given.name for given in bound.givens]
    assert order.index("secret") < order.index("cert") < order.index("served")
    assert bound.facts[0].names == {"secret", "cert", "served", "word"}
    assert bound.mistakes[0].names == {"secret", "cert", "word"}
    assert set(topics_of(bound)) == {
        Collection("v1", "Secret", "n"),
        Peer("127.0.0.1:1"),
        FilePath("a.txt"),
    }


def test_facts_of_another_environment_are_left_out() -> None:
    body = fact("word.text == ''", FILE) + (
        "  - {id: k, label: L, show: x, edge: true, only: [kind], that: 'c.size() > 0',\n"
        "     given: {c: {shell: {command: {program: ls}}}}}\n"
    )
    sandbox = bind(step(body), grants=GRANTS, environment="sandbox")
    kind = bind(step(body), grants=GRANTS, environment="kind")
    assert [each.fact.id for each in sandbox.facts] == ["f"]
    assert [each.fact.id for each in kind.facts] == ["f", "k"]
    assert OwnCommands() in set(topics_of(kind))
