"""The small yq. Source: recorded from mikefarah's yq v4.44.3."""

import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shim_world import Outcome, Run

from tutor.sandbox.shims.yq import cli
from tutor.sandbox.shims.yq.expression import compiled
from tutor.sandbox.shims.yq.operators import ExpressionError, scalar

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBD
    server: https://impersonation-proxy-mtls.local
  name: kind-pinniped
users:
- name: u
  user:
    exec:
      args: [login, "static"]
      env: []
      f: 1.50
      nul: null
      empty:
      q: "quoted str"
      lit: |
        line1
        line2
      date: 2023-01-02
      oct: 0o17
      old: on
"""
CLUSTER = """\
cluster:
  certificate-authority-data: LS0tLS1CRUdJTiBD
  server: https://impersonation-proxy-mtls.local
name: kind-pinniped
"""


@pytest.fixture
def yq(capsys: pytest.CaptureFixture[str], home: Path) -> Run:
    """Run yq in this process, beside a kubeconfig `k` and a file of two documents `m`."""
    (home / "k").write_text(KUBECONFIG)
    (home / "m").write_text("a: 1\n---\na: 2\nb: [x, y]\n")

    def run(*arguments: str) -> Outcome:
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


def test_yq_for_the_posts_command_prints_the_bare_string(
    yq: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(KUBECONFIG))
    outcome = yq(".clusters[0].cluster.certificate-authority-data")
    assert outcome == (0, "LS0tLS1CRUdJTiBD\n", "")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (".clusters[0]", CLUSTER),
        ('.clusters[0].cluster."certificate-authority-data"', "LS0tLS1CRUdJTiBD\n"),
        ('.["clusters"][0]["name"]', "kind-pinniped\n"),
        (".clusters.[0].name", "kind-pinniped\n"),
        (".clusters[-1].name", "kind-pinniped\n"),
        (".users.0.name", "u\n"),
        (".clusters[5]", "null\n"),
        (".nope.x", "null\n"),
        (".kind.x", ""),
        (".clusters[].name, .kind", "kind-pinniped\nConfig\n"),
        ("keys", "- apiVersion\n- kind\n- clusters\n- users\n"),
        (".clusters | keys", "- 0\n"),
        (".clusters | length", "1\n"),
        (".kind | length", "6\n"),
        (".clusters | map(.name)", "- kind-pinniped\n"),
        ('.clusters[] | select(.name == "kind-pinniped")', CLUSTER),
        ('.clusters[] | select(.name == "x")', ""),
        ('(.clusters[] | select(.name == "kind-*")).name', "kind-pinniped\n"),
        ('.clusters | select(.[].name == "kind-pinniped") | length', "1\n"),
        (
            '.clusters[] | select(.name != "a" and .cluster.server == "*local") | .name',
            "kind-pinniped\n",
        ),
        ('.kind == "Config"', "true\n"),
        ('.kind != "Config" or false', "false\n"),
        (".nope == null", "true\n"),
        (".kind | not", "false\n"),
        ('.nope // "x"', "x\n"),
        ('has("kind")', "true\n"),
        (".clusters[0].cluster.*", "LS0tLS1CRUdJTiBD\nhttps://impersonation-proxy-mtls.local\n"),
        (".clusters[0].cluster.certificate-authority-data | @base64d", "-----BEGIN C\n"),
        (".kind | @base64", "Q29uZmln\n"),
        (".clusters | type", "!!seq\n"),
        (".users[0].user.exec.args", '[login, "static"]\n'),
        (".users[0].user.exec.args[]", "login\nstatic\n"),
        (".users[0].user.exec.lit", "line1\nline2\n\n"),
        (".users[0].user.exec.empty", "\n"),
        (".users[0].user.exec.f", "1.50\n"),
        ('.. | select(tag == "!!float")', "1.50\n"),
    ],
)
def test_yq_expression_gives_what_the_whole_one_gives(
    expression: str, expected: str, yq: Run
) -> None:
    assert yq(expression, "k") == (0, expected, "")


def test_yq_prints_yaml_with_its_styles_and_deeper_sequences(yq: Run) -> None:
    assert yq(".users", "k").out == (
        """\
- name: u
  user:
    exec:
      args: [login, "static"]
      env: []
      f: 1.50
      nul: null
      empty:
      q: "quoted str"
      lit: |
        line1
        line2
      date: 2023-01-02
      oct: 0o17
      old: on
"""
    )
    assert yq(".", "k").out.startswith("apiVersion: v1\nkind: Config\nclusters:\n  - cluster:\n")


def test_yq_pretty_prints_without_flow_and_quotes(yq: Run) -> None:
    out = yq("-P", ".users[0].user.exec", "k").out
    assert out.startswith("args:\n  - login\n  - static\nenv: []\n")
    assert "\nq: quoted str\n" in out


def test_yq_prints_json_with_types(yq: Run) -> None:
    assert yq("-o", "json", ".users[0].user.exec", "k").out == (
        """\
{
  "args": [
    "login",
    "static"
  ],
  "env": [],
  "f": 1.5,
  "nul": null,
  "empty": null,
  "q": "quoted str",
  "lit": "line1\\nline2\\n",
  "date": "2023-01-02",
  "oct": 15,
  "old": "on"
}
"""
    )
    assert yq("-o=json", "-I0", ".clusters[].name", "k").out == '"kind-pinniped"\n'
    assert yq("-r", "-o=j", ".kind", "k").out == "Config\n"


def test_yq_keeps_json_as_json_and_turns_it_into_yaml(yq: Run, home: Path) -> None:
    (home / "j.json").write_text('{"a": {"b": [1, "x"]}, "c": "<&>é"}')
    assert yq(".c", "j.json").out == '"<&>é"\n'
    assert yq("-o", "yaml", ".", "j.json").out == "a:\n  b:\n    - 1\n    - x\nc: <&>é\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([".a", "m"], "1\n---\n2\n"),
        ([".b", "m"], "null\n---\n[x, y]\n"),
        ([".", "m"], "a: 1\n---\na: 2\nb: [x, y]\n"),
        (["-N", ".a", "m"], "1\n2\n"),
        ([".a", "m", "m"], "1\n---\n2\n---\n1\n---\n2\n"),
        (["-o", "json", "-I0", ".", "m"], '{"a":1}\n{"a":2,"b":["x","y"]}\n'),
        (["e", ".a", "m"], "1\n---\n2\n"),
        (["eval", ".a", "m"], "1\n---\n2\n"),
        (["m"], "a: 1\n---\na: 2\nb: [x, y]\n"),
        (["-n", "1"], "1\n"),
    ],
)
def test_yq_separates_documents(arguments: list[str], expected: str, yq: Run) -> None:
    assert yq(*arguments) == (0, expected, "")


def test_yq_reads_empty_and_marked_documents(yq: Run, home: Path) -> None:
    (home / "e").write_text("")
    (home / "d").write_text("---\na: b\n")
    assert yq(".a", "e").out == "null\n"
    assert yq(".", "e").out == "\n"
    assert yq(".", "d").out == "---\na: b\n"
    assert yq(".a", "d").out == "b\n"


def test_yq_follows_anchors_and_merges(yq: Run, home: Path) -> None:
    (home / "a").write_text("a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: f\n")
    assert yq(".c.b", "a").out == "1\n"
    assert yq(".d.b", "a").out == "1\n"
    assert yq("-o", "json", "-I0", ".d", "a").out == '{"b":1,"e":"f"}\n'


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([".", "none"], "open none: no such file or directory"),
        ([".a", "broken"], "bad file 'broken': yaml: line 1: did not find expected node content"),
        ([".["], "bad expression, could not find matching `]`"),
        (["(.a"], "bad expression - probably missing close bracket on ("),
        ([".a)"], "bad expression, got close brackets without matching opening bracket"),
        ([".a =="], "'==' expects 2 args but there is 1"),
        (["| .a"], "'|' expects 2 args but there is 1"),
        ([".a |"], "'|' expects 2 args but there is 1"),
        ([".a ; .b", "m"], '1:4: invalid input text "; .b"'),
        ([".a .b", "m"], "1:4: `.b` stands alone: put `|` before it"),
        (
            [".b.x", "m"],
            "cannot index array with 'x' (strconv.ParseInt: parsing \"x\": invalid syntax)",
        ),
        ([".clusters[-9]", "k"], "index [-9] out of range, array size is 1"),
        ([".kind | keys", "k"], "Cannot get keys of !!str, keys only works for maps and arrays"),
        (["--nope"], "unknown flag: --nope"),
    ],
)
def test_yq_that_is_wrong_says_what_the_whole_one_says(
    arguments: list[str], text: str, yq: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "broken").write_text("a: [")
    monkeypatch.setattr("sys.stdin", io.StringIO("a: 1"))
    outcome = yq(*arguments)
    assert outcome.code == 1
    assert outcome.err == f"Error: {text}\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-i", ".a", "m"], "(-i)"),
        (["ea", ".", "m"], "not ea"),
        (["-o", "xml", ".", "m"], "unknown format 'xml'"),
        ([".a = 5", "m"], "`=`"),
        ([".a |= 5", "m"], "`|=`"),
        (["to_entries", "m"], "`to_entries`"),
        (["{a: .b}", "m"], "`{`"),
        (["[.a]", "m"], "`[`"),
        ([".a[1:2]", "m"], "`[1…]`"),
    ],
)
def test_yq_that_is_beyond_it_names_the_whole_one(
    arguments: list[str], named: str, yq: Run, home: Path
) -> None:
    before = (home / "m").read_text()
    outcome = yq(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert named in outcome.err
    assert "https://github.com/mikefarah/yq" in outcome.err
    assert (home / "m").read_text() == before


def test_yq_exit_status_is_1_when_nothing_true_was_found(yq: Run) -> None:
    assert yq("-e", ".kind", "k").code == 0
    assert yq("-e", ".nope", "k") == (1, "null\n", "Error: no matches found\n")


def test_yq_says_what_it_is(yq: Run) -> None:
    for flag in ("-V", "--version"):
        out = yq(flag).out
        assert "https://github.com/mikefarah/yq/" in out
        assert out.endswith("version v4.44.3\n")
    assert yq("--help").out.startswith("A small yq after https://github.com/mikefarah/yq (v4)")


@given(st.text(alphabet='.ab"[]()0-|,=!*/ selctkyn@', max_size=25))
def test_yq_expression_of_any_text_is_compiled_or_refused(text: str) -> None:
    with suppress(ExpressionError):
        compiled(text)([scalar("x", "!!str")])
