"""The `kind` command tree and its dispatch. What a command needs is imported when it runs.

Source: kind v0.20.0, cmd/kind/app and pkg/cmd/kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tutor.sandbox.shims import cobra, completion, flags
from tutor.sandbox.shims.cobra import Command, Invocation, no_arguments
from tutor.sandbox.shims.kind.failure import CommandError, SandboxError
from tutor.sandbox.shims.kind.terminal import Terminal
from tutor.sandbox.shims.kind.version import VERSION, display

Work = Callable[[Invocation, Terminal], int]
_CONTEXT_NAME = "the cluster context name"
_KUBECONFIG = "sets kubeconfig path instead of $KUBECONFIG or $HOME/.kube/config"
_NOTHING_TO_LOAD = (
    "the sandbox runs no containers, so there is no image to load or build: "
    "manifests may name any image, and their pods become Ready without it"
)


def main(arguments: Sequence[str]) -> int:
    """Run one command line; the result is the exit code."""
    terminal = Terminal(quiet=any(word in ("-q", "--quiet", "--quiet=true") for word in arguments))
    root = tree(terminal)
    command, rest = cobra.find(root, arguments)
    if command is root and "--version" in rest:
        print(f"kind version {VERSION}")
        return 0
    if command is root:
        # Only the root itself knows `--version`; `kind help` does not show it.
        root.own.append(flags.switch("version", "version for kind"))
    try:
        return cobra.execute(command, rest, terminal.say)
    except flags.UsageError as error:
        terminal.fail(str(error))
    except CommandError as error:
        terminal.fail(str(error), error.output)
    except KeyboardInterrupt:
        return 130
    return 1


def _working(work: Work, terminal: Terminal) -> cobra.Run:
    """Run a command under the global flags, and tell what the sandbox refuses."""

    def run(invocation: Invocation) -> int:
        values = invocation.flags
        terminal.quiet = terminal.quiet or values.truth("quiet")
        terminal.verbosity = values.number("verbosity")
        if "loglevel" in values.changed:
            terminal.warn("--loglevel is deprecated, please switch to -v and -q!")
        try:
            return work(invocation, terminal)
        except SandboxError as error:
            raise flags.UsageError(str(error)) from None

    return run


def tree(terminal: Terminal) -> Command:
    """All commands, writing to this terminal."""
    return Command(
        "kind",
        "kind creates and manages local Kubernetes clusters using Docker container 'nodes'",
        rule=no_arguments,
        persistent=[
            flags.text("loglevel", "DEPRECATED: see -v instead"),
            flags.number(
                "verbosity",
                "info log verbosity, higher value produces more output",
                bits=32,
                signed=True,
                short="v",
            ),
            flags.switch("quiet", "silence all stderr output", short="q"),
        ],
        children=[
            _build(terminal),
            _parent(completion.command(), terminal),
            _parent(_create(terminal), terminal),
            _parent(_delete(terminal), terminal),
            _parent(_export(terminal), terminal),
            _parent(_get(terminal), terminal),
            cobra.help_command(_show_root),
            _load(terminal),
            Command(
                "version",
                "Prints the kind CLI version",
                run=_working(_version, terminal),
                rule=no_arguments,
            ),
        ],
    )


def _parent(command: Command, terminal: Terminal) -> Command:
    """A command that wants a subcommand, and says so after its help."""

    def work(invocation: Invocation, _terminal: Terminal) -> int:
        print(invocation.command.help(), end="")
        raise flags.UsageError("Subcommand is required")

    command.run = _working(work, terminal)
    command.rule = no_arguments
    return command


def _show_root(root: Command, _words: Sequence[str]) -> int:
    print(root.help(), end="")
    return 0


def _version(_invocation: Invocation, terminal: Terminal) -> int:
    print(VERSION if terminal.quiet else display())
    return 0


def _name(description: str = _CONTEXT_NAME, default: str = "kind") -> flags.Flag:
    return flags.text("name", description, short="n", default=default)


def _kubeconfig() -> flags.Flag:
    return flags.text("kubeconfig", _KUBECONFIG)


def _create(terminal: Terminal) -> Command:
    def work(invocation: Invocation, terminal: Terminal) -> int:
        from tutor.sandbox.shims.kind import create

        return create.run(invocation.flags, terminal)

    cluster = Command(
        "cluster",
        "Creates a local Kubernetes cluster",
        long="Creates a local Kubernetes cluster using Docker container 'nodes'",
        run=_working(work, terminal),
        rule=no_arguments,
        flags=[
            flags.text("config", "path to a kind config file"),
            flags.text("image", "node docker image to use for booting the cluster"),
            _kubeconfig(),
            _name("cluster name, overrides KIND_CLUSTER_NAME, config (default kind)", ""),
            flags.switch("retain", "retain nodes for debugging when cluster creation fails"),
            flags.duration("wait", "wait for control plane node to be ready (default 0s)"),
        ],
    )
    return Command(
        "create",
        "Creates one of [cluster]",
        long="Creates one of local Kubernetes cluster (cluster)",
        children=[cluster],
    )


def _delete(terminal: Terminal) -> Command:
    def one(invocation: Invocation, terminal: Terminal) -> int:
        from tutor.sandbox.shims.kind import manage

        return manage.delete_cluster(invocation.flags, terminal)

    def several(invocation: Invocation, terminal: Terminal) -> int:
        from tutor.sandbox.shims.kind import manage

        return manage.delete_clusters(invocation.flags, terminal, invocation.arguments)

    cluster = Command(
        "cluster",
        "Deletes a cluster",
        long="Deletes a resource",
        run=_working(one, terminal),
        rule=no_arguments,
        flags=[_kubeconfig(), _name("the cluster name")],
    )
    clusters = Command(
        "clusters",
        "Deletes one or more clusters",
        long="Deletes a resource",
        run=_working(several, terminal),
        flags=[flags.switch("all", "delete all clusters", short="A"), _kubeconfig()],
    )
    return Command("delete", "Deletes one of [cluster]", children=[cluster, clusters])


def _export(terminal: Terminal) -> Command:
    def kubeconfig(invocation: Invocation, terminal: Terminal) -> int:
        from tutor.sandbox.shims.kind import manage

        return manage.export_kubeconfig(invocation.flags, terminal)

    def logs(invocation: Invocation, terminal: Terminal) -> int:
        from tutor.sandbox.shims.kind import manage

        folder = invocation.arguments[0] if invocation.arguments else ""
        return manage.export_logs(invocation.flags, terminal, folder)

    children = [
        Command(
            "kubeconfig",
            "Exports cluster kubeconfig",
            run=_working(kubeconfig, terminal),
            rule=no_arguments,
            flags=[_internal(), _kubeconfig(), _name()],
        ),
        Command(
            "logs [output-dir]",
            "Exports logs to a tempdir or [output-dir] if specified",
            run=_working(logs, terminal),
            rule=cobra.at_most(1),
            flags=[_name()],
        ),
    ]
    return Command("export", "Exports one of [kubeconfig, logs]", children=children)


def _internal() -> flags.Flag:
    return flags.switch("internal", "use internal address instead of external")


def _get(terminal: Terminal) -> Command:
    def clusters(invocation: Invocation, terminal: Terminal) -> int:
        from tutor.sandbox.shims.kind import manage

        return manage.clusters(invocation.flags, terminal)

    def kubeconfig(invocation: Invocation, terminal: Terminal) -> int:
        from tutor.sandbox.shims.kind import manage

        return manage.get_kubeconfig(invocation.flags, terminal)

    def nodes(invocation: Invocation, terminal: Terminal) -> int:
        from tutor.sandbox.shims.kind import manage

        return manage.nodes(invocation.flags, terminal)

    everywhere = flags.switch("all-clusters", "list the nodes of all clusters", short="A")
    children = [
        Command(
            "clusters",
            "Lists existing kind clusters by their name",
            run=_working(clusters, terminal),
            rule=no_arguments,
        ),
        Command(
            "kubeconfig",
            "Prints cluster kubeconfig",
            run=_working(kubeconfig, terminal),
            rule=no_arguments,
            flags=[_internal(), _name()],
        ),
        Command(
            "nodes",
            "Lists existing kind nodes by their name",
            run=_working(nodes, terminal),
            rule=no_arguments,
            flags=[everywhere, _name()],
        ),
    ]
    return Command("get", "Gets one of [clusters, nodes, kubeconfig]", children=children)


def _refusing(missing: str, terminal: Terminal) -> cobra.Run:
    """What needs a container engine, after the real command's own check of its arguments."""

    def work(invocation: Invocation, _terminal: Terminal) -> int:
        if missing and not invocation.arguments:
            raise flags.UsageError(missing)
        raise flags.UsageError(_NOTHING_TO_LOAD)

    return _working(work, terminal)


def _load(terminal: Terminal) -> Command:
    nodes = flags.texts("nodes", "comma separated list of nodes to load images into")
    children = [
        Command(
            "docker-image <IMAGE> [IMAGE...]",
            "Loads docker images from host into nodes",
            run=_refusing("a list of image names is required", terminal),
            flags=[_name(), nodes],
        ),
        Command(
            "image-archive <IMAGE.tar>",
            "Loads docker image from archive into nodes",
            run=_refusing("name of image archive is required", terminal),
            flags=[_name(), nodes],
        ),
    ]
    return _parent(Command("load", "Loads images into nodes", children=children), terminal)


def _build(terminal: Terminal) -> Command:
    image = Command(
        "node-image [kubernetes-source]",
        "Build the node image",
        run=_refusing("", terminal),
        rule=cobra.at_most(1),
        flags=[
            flags.text("arch", "architecture to build for"),
            flags.text("base-image", "image to build on"),
            flags.text("image", "name of the image", default="kindest/node:latest"),
            flags.text("kube-root", "DEPRECATED: give the path as an argument"),
            flags.text("type", "build type", default="docker"),
        ],
    )
    return _parent(Command("build", "Build one of [node-image]", children=[image]), terminal)
