import pytest

from tests.fakes.world import Stage
from tutor.probes.base import Absent, Seen
from tutor.probes.functions import shows
from tutor.probes.sources import shell

SPEC = shell.Spec.model_validate(
    {"command": {"program": "kubectl", "has": ("get", "service|services|svc", "web")}}
)
SHOWN = "NAME   TYPE        CLUSTER-IP\nweb    ClusterIP   10.96.1.2\n"

COUNT = [
    "kubectl get service web",
    "kubectl get svc/web -o yaml",
    "kubectl get services,endpoints web",
    "  KUBECONFIG=x.yaml /usr/local/bin/kubectl -n demo get svc web",
    "k get svc web",
    "kubectl get SERVICE web | grep web",
    "kubectl get svc web -o jsonpath='{.spec.clusterIP}' ; echo",
    "kubectl get svc web -o jsonpath='{.spec.clusterIP}' && echo",
    "kubectl get svc \\\n  web",
    "cd . && kubectl get svc web",
    "kubectl get svc web 2>/dev/null | tee seen.txt",
    "time kubectl get svc web",
    "if true; then kubectl get svc web; fi",
]


@pytest.mark.parametrize("text", COUNT)
async def test_command_that_was_run_counts(stage: Stage, text: str) -> None:
    stage.shell.type(text, SHOWN)
    reading = await shell.read(SPEC, stage.world, {})
    assert isinstance(reading, Seen)
    assert [each["program"] in {"kubectl", "k"} for each in reading.value] == [True]
    assert shows(reading.value[0], "10.96.1.2")


DO_NOT_COUNT = {
    "echo kubectl get service web": "only prints the words",
    "echo 10.96.1.2": "you have not run",
    "echo 'kubectl get service web'": "only prints the words",
    "printf 'kubectl get svc web 10.96.1.2'": "only prints the words",
    "kubectl get svc web; echo 10.96.1.2": "prints something of its own",
    "echo 10.96.1.2; kubectl get svc web": "prints something of its own",
    "kubectl get svc web >/dev/null; echo 10.96.1.2": "prints something of its own",
    "echo $(kubectl get svc web)": "only prints the words",
    "echo 10.96.1.2 | kubectl get svc web": "prints something of its own",
    "kubectl get svc web <<< 10.96.1.2": "prints something of its own",
    "kubectl get svc web && cat <<E\n10.96.1.2\nE": "prints something of its own",
    "python3 -c 'print(\"10.96.1.2\")' && kubectl get svc web": "prints something of its own",
    "bash -c 'kubectl get svc web'": "you have not run",
    "kubectl get svc web > out.txt": "went to a file",
    "kubectl get svc web; ls": "does something after",
    "kubectl get pods": "you ran `kubectl get pods`",
    "kubectl describe svc web": "you ran `kubectl describe svc web`",
    "# kubectl get svc web": "you have not run",
    "A='kubectl get svc web'": "you have not run",
    "ls": "you have not run `kubectl get service web` in this step yet",
}


@pytest.mark.parametrize(("text", "words"), DO_NOT_COUNT.items())
async def test_command_that_only_looks_like_it_does_not_count(
    stage: Stage, text: str, words: str
) -> None:
    stage.shell.type(text, SHOWN)
    reading = await shell.read(SPEC, stage.world, {})
    assert isinstance(reading, Absent)
    assert words in reading.text


async def test_value_that_was_typed_has_not_been_shown(stage: Stage) -> None:
    stage.shell.type("kubectl get svc web -o jsonpath='10.96.1.2'", "10.96.1.2")
    reading = await shell.read(SPEC, stage.world, {})
    assert isinstance(reading, Seen)
    assert not shows(reading.value[0], "10.96.1.2")
    assert not shows(reading.value[0], "")


@pytest.mark.parametrize(
    ("text", "output", "exit_code"),
    [
        ("kubectl get svc web", 'Error from server (NotFound): services "web" not found', 1),
        ("kubectl get svc web | cat", 'Error from server (NotFound): services "web" not found', 0),
        ("kubectl get svc web; echo", "error: the server does not answer", 0),
        ("kubectl get svc web", "", None),
    ],
)
async def test_command_that_failed_counts_only_where_failure_is_wanted(
    stage: Stage, text: str, output: str, exit_code: int | None
) -> None:
    stage.shell.type(text, output, exit_code)
    assert await shell.read(SPEC, stage.world, {}) == Absent(
        "your `kubectl get service web` ended with an error"
    )
    wants_failure = SPEC.model_copy(update={"exits": "failure"})
    reading = await shell.read(wants_failure, stage.world, {})
    assert isinstance(reading, Seen)
    assert reading.value[0]["output"] == output


async def test_command_that_is_to_fail_counts_though_its_output_goes_to_a_file(
    stage: Stage,
) -> None:
    stage.shell.type("kubectl get svc web > out.txt", "Error: not found", 1)
    wants_failure = SPEC.model_copy(update={"exits": "failure"})
    reading = await shell.read(wants_failure, stage.world, {})
    assert isinstance(reading, Seen)
    assert reading.value[0]["exit"] == 1


async def test_commands_come_latest_last_and_earlier_ones_stay(stage: Stage) -> None:
    stage.shell.type("kubectl get svc web", "one")
    stage.shell.type("kubectl get pods", "two")
    stage.shell.type("kubectl get svc web", "three")
    reading = await shell.read(SPEC, stage.world, {})
    assert isinstance(reading, Seen)
    assert [each["output"] for each in reading.value] == ["one", "three"]


async def test_word_that_is_unwanted_rules_a_command_out(stage: Stage) -> None:
    spec = shell.Spec.model_validate(
        {"command": {"program": ("pinniped", "pinniped-cli"), "lacks": ("--help|-h",)}}
    )
    stage.shell.type("pinniped whoami --help", "usage")
    assert isinstance(await shell.read(spec, stage.world, {}), Absent)
    stage.shell.type("pinniped whoami", "me")
    assert isinstance(await shell.read(spec, stage.world, {}), Seen)


async def test_optional_gives_an_empty_list(stage: Stage) -> None:
    reading = await shell.read(SPEC.model_copy(update={"optional": True}), stage.world, {})
    assert isinstance(reading, Seen)
    assert reading.value == []
