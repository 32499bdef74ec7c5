import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutor.probes.commandline import parse_line

LINES: dict[str, list[list[list[str]]]] = {
    "kubectl get pods": [[["kubectl", "get", "pods"]]],
    "kubectl get 'my pods' \"a b\"": [[["kubectl", "get", "my pods", "a b"]]],
    "/usr/bin/kubectl get x": [[["kubectl", "get", "x"]]],
    "KUBECONFIG=a.yaml B='x y' kubectl get x": [[["kubectl", "get", "x"]]],
    "env -i A=b kubectl get x": [[["kubectl", "get", "x"]]],
    "time command kubectl get x": [[["kubectl", "get", "x"]]],
    "timeout 5 kubectl get x": [[["kubectl", "get", "x"]]],
    "kubectl get x \\\n  -o yaml": [[["kubectl", "get", "x", "-o", "yaml"]]],
    "kubectl get x | grep y | tee z": [[["kubectl", "get", "x"], ["grep", "y"], ["tee", "z"]]],
    "a && b || c; d & e": [[["a"]], [["b"]], [["c"]], [["d"]], [["e"]]],
    "kubectl get x  # echo y": [[["kubectl", "get", "x"]]],
    "kubectl get x > out.txt 2>&1": [[["kubectl", "get", "x"]]],
    "kubectl get x 2>/dev/null": [[["kubectl", "get", "x"]]],
    "echo 'kubectl get x; kubectl get y'": [[["echo", "kubectl get x; kubectl get y"]]],
    'echo "$(kubectl get "x")" done': [[["echo", '$(kubectl get "x")', "done"]]],
    "echo `kubectl get x`": [[["echo", "`kubectl get x`"]]],
    "cat <<EOF > f\nkubectl get x\nEOF\nls": [[["cat"]], [["ls"]]],
    "cat <<-'EOF' | kubectl apply -f -\n\ta\n\tEOF\n": [[["cat"], ["kubectl", "apply", "-f", "-"]]],
    "for i in 1 2; do kubectl get x; done": [[["kubectl", "get", "x"]]],
    "until kubectl get x; do sleep 1; done": [[["kubectl", "get", "x"]], [["sleep", "1"]]],
    "if ! kubectl get x; then echo y; fi": [[["kubectl", "get", "x"]], [["echo", "y"]]],
    "(cd a && kubectl get x)": [[["cd", "a"]], [["kubectl", "get", "x"]]],
    "A=b": [],
    "": [],
    "# nothing": [],
    "kubectl get x -o jsonpath='{.data.ca\\.crt}'": [
        [["kubectl", "get", "x", "-o", "jsonpath={.data.ca\\.crt}"]]
    ],
    'kubectl get x -o jsonpath="{.data.ca\\.crt}"': [
        [["kubectl", "get", "x", "-o", "jsonpath={.data.ca\\.crt}"]]
    ],
}  # fmt: skip


@pytest.mark.parametrize(("line", "runs"), LINES.items())
def test_line_tells_what_it_runs(line: str, runs: list[list[list[str]]]) -> None:
    parsed = [[[each.program, *each.args] for each in pipeline] for pipeline in parse_line(line)]
    assert parsed == runs


def test_assignments_in_front_are_kept() -> None:
    command = parse_line("A=b env KUBECONFIG='x y' kubectl get x=y")[0][0]
    assert command.assigned == ("b", "x y")
    assert command.args == ("get", "x=y")


def test_redirections_are_told_apart() -> None:
    assert parse_line("a > f")[0][0].writes_to_file
    assert not parse_line("a 2> f")[0][0].writes_to_file
    assert parse_line("cat <<< x")[0][0].has_own_input
    assert parse_line("cat <<E\nx\nE")[0][0].has_own_input
    assert not parse_line("cat < f")[0][0].has_own_input


@given(st.text(alphabet="ab |&;<>()'\"\\$`{}#\n=-", max_size=60))
def test_any_line_is_read_to_its_end(line: str) -> None:
    assert all(command.program for pipeline in parse_line(line) for command in pipeline)
