"""Run the pipeline with DVC and show progress over all of its stages."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from sentiment_rnn import params
from sentiment_rnn.data.sources import mirror
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.params import HubDataset
from sentiment_rnn.progress import duration

DVC = (sys.executable, "-m", "dvc", "repro")
SECONDS = Path("work/stage_seconds.json")
PROBE_SECONDS = 4.0
STAGE = re.compile(r"(Running stage|Stage) '(?P<name>[^']+)'(?P<rest>.*)")
# lines of DVC that are not shown: the commands, and advice on git and remotes
NOISE = re.compile(
    r"\s*$|> |(Updating|Generating) lock file|Use `dvc push`|Data and pipelines are up to date|"
    r"To track the changes with git|To enable auto staging|\s+git add |\s+dvc config core\.autostage"
)


class Plan:
    """The stages of a run in DVC's order, and an estimate of how long they take.

    Args:
        stages: names of all stages.
        pending: those that will run, or may run because an earlier one does.
        seconds: duration of each stage's last run on this machine.
    """

    def __init__(self, stages: Sequence[str], pending: Sequence[str], seconds: dict[str, float]) -> None:
        self.stages = list(stages)
        self.pending = set(pending)
        self.seconds = seconds

    def estimate(self, name: str) -> float | None:
        """Seconds of a stage: its last run's, else the mean of the stages of its group (`train@*`), else of all."""
        if name in self.seconds:
            return self.seconds[name]
        group = name.split("@")[0]
        known = [value for other, value in self.seconds.items() if other.split("@")[0] == group]
        known = known or list(self.seconds.values())
        return sum(known) / len(known) if known else None

    def seconds_left(self, position: int, elapsed: float) -> float | None:
        """Seconds until the end of the run.

        Args:
            position: index of the running stage.
            elapsed: seconds since it started.

        Returns:
            None if no stage has finished on this machine yet.
        """
        current = self.estimate(self.stages[position])
        if current is None:
            return None
        later = [self.estimate(name) or 0.0 for name in self.stages[position + 1 :] if name in self.pending]
        return max(0.0, current - elapsed) + sum(later)


def check_repository(folder: Path) -> None:
    """Check that DVC will accept the folder, such as one that was unpacked from a ZIP file.

    Raises:
        UserError: it is in no git repository, and DVC is not configured to do without.
    """
    configs = [folder / ".dvc" / name for name in ("config", "config.local")]
    if any(file.is_file() and "no_scm" in file.read_text(encoding="utf-8") for file in configs):
        return
    if not any((parent / ".git").exists() for parent in (folder.resolve(), *folder.resolve().parents)):
        raise UserError(
            "this folder is in no git repository, which DVC looks for: `git init`, or `dvc config core.no_scm true`"
        )


def make_plan(targets: Sequence[str], folder: Path) -> Plan | int:
    """The plan of `dvc repro TARGETS`, from a dry run; DVC's exit status if that fails."""
    command = [*DVC, "--dry", "--force-downstream", *targets]
    done = subprocess.run(command, cwd=folder, env=_environment(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        return done.returncode
    found = [match for line in done.stdout.splitlines() if (match := STAGE.match(line))]
    pending = [match["name"] for match in found if match[1] == "Running stage"]
    recorded = folder / SECONDS
    return Plan([match["name"] for match in found], pending, read_json(recorded) if recorded.is_file() else {})


class Progress:
    """Progress output: one line per stage that runs; on a terminal also a status line with the current times.

    Args:
        plan: of the run; the durations of its stages are recorded.
        folder: the project.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.folder = folder
        self.console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
        self.started = time.monotonic()
        self.stage_started = self.started
        self.running: str | None = None
        self.ran = 0

    def __rich__(self) -> Text:
        name = self.running  # rich calls this from a thread of its own
        return Text(self._status(name) if name else "", style="bold", no_wrap=True, overflow="ellipsis")

    def _status(self, name: str) -> str:
        position = self.plan.stages.index(name)
        elapsed = time.monotonic() - self.stage_started
        left = self.plan.seconds_left(position, elapsed)
        times = f"{duration(time.monotonic() - self.started)} elapsed"
        if left is not None:
            times += f", about {duration(left)} left"
        return f"[{position + 1}/{len(self.plan.stages)}] {name}: {times}"

    def show(self, line: str) -> None:
        """Handle one line of DVC's output."""
        match = STAGE.match(line)
        if not match:
            if not NOISE.match(line):
                self.console.print(line.rstrip())
            return
        self.finish_stage()
        if match["name"] not in self.plan.stages:  # a file changed after the dry run
            self.plan.stages.append(match["name"])
        if match[1] == "Running stage":
            self.stage_started, self.running = time.monotonic(), match["name"]
            self.console.print(self._status(match["name"]), style="bold")
        elif "is cached" in match["rest"]:
            self.console.print(f"{match['name']}: restored from DVC's cache")

    def finish_stage(self) -> None:
        """Record the duration of the stage that has ended, if one has."""
        if self.running:
            self.plan.seconds[self.running] = round(time.monotonic() - self.stage_started, 1)
            write_json(self.folder / SECONDS, self.plan.seconds)
            self.ran += 1
        self.running = None


def run(targets: Sequence[str], folder: Path = Path()) -> int:
    """Run `dvc repro TARGETS` with progress over all its stages. SIGINT, SIGTERM and SIGHUP end it and its stages.

    Args:
        targets: stages; none: all of dvc.yaml.
        folder: the project.

    Returns:
        DVC's exit status; 130 after a signal.

    Raises:
        UserError: the folder is in no git repository.
    """
    check_repository(folder)
    plan = make_plan(targets, folder)
    if isinstance(plan, int):
        return plan
    progress = Progress(plan, folder)
    # a process group of its own: otherwise Ctrl-C would reach it twice, from the terminal and from `_forwarding`
    process = subprocess.Popen(
        [*DVC, *targets],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    assert process.stdout
    terminal = progress.console.is_terminal
    with (
        _forwarding(process) as received,
        Live(progress, console=progress.console, transient=True) if terminal else nullcontext(),
    ):
        for line in process.stdout:
            progress.show(line)
        status = process.wait()
        if status == 0:
            progress.finish_stage()
        progress.running = None
    total = duration(time.monotonic() - progress.started)
    if received:
        progress.console.print(f"stopped after {total}; the same command resumes the run")
        return 130
    unchanged = len(plan.stages) - progress.ran
    if status == 0:
        progress.console.print(f"done in {total}; stages run: {progress.ran}, up to date: {unchanged}")
    return status


def run_and_keep_champion(targets: Sequence[str], folder: Path = Path()) -> int:
    """As `run`; a trained model that the registry has lost is registered and evaluated again.

    DVC tracks files: to it the pipeline is up to date even if MLflow's store was deleted, or a version or an alias in
    MLflow's UI.
    """
    registered = (folder / "reports/registered.json").is_file()
    if (targets and "evaluate" not in targets) or not registered or _has_champion(folder):
        return run(targets, folder)
    print("The registry has no champion that can be loaded: the trained model is registered again.", flush=True)
    force = ("--single-item", "--force")
    status = run(["register"], folder) or run([*force, "register"], folder) or run(targets, folder)
    if status == 0 and not _has_champion(folder):  # the version is the same, so evaluate was up to date
        status = run([*force, "evaluate"], folder)
    return status


def _has_champion(folder: Path) -> bool:
    """Whether the champion predicts, in a process of its own: this one runs for hours and needs no model."""
    command = [sys.executable, "-m", "sentiment_rnn.cli", "predict", "A good film."]
    return subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, check=False).returncode == 0


@contextmanager
def _forwarding(process: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Forward the signals that end a program to the process group, as SIGINT; the list holds those received."""
    received: list[int] = []

    def forward(number: int, _: object) -> None:
        received.append(number)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)

    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {
        number: signal.signal(number, forward)
        for number in ending
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _environment() -> dict[str, str]:
    """The environment of the stages: `python` is this interpreter, output is not buffered, downloads draw no bars."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    bars = {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    return os.environ | bars | {"PATH": path, "PYTHONUNBUFFERED": "1"}


def require_dataset(folder: Path = Path()) -> None:
    """Check that the data set of params.yaml is downloaded or can be.

    Raises:
        UserError: it is on the hub, which cannot be reached, and no mirror is named.
    """
    chosen = params.load(folder / "params.yaml")
    source = chosen.dataset
    raw = folder / "data/raw/dataset.json"
    if not isinstance(source, HubDataset) or mirror(chosen.data.dataset, source):
        return
    if raw.is_file() and read_json(raw)["dataset"] == chosen.data.dataset:
        return
    if not _hub_responds(source.hub):
        raise UserError(f"{source.hub} cannot be downloaded: the hub does not respond, and no mirror is named")


def _hub_responds(name: str) -> bool:
    """Whether the hub has the data set, within `PROBE_SECONDS`."""
    url = f"{os.environ.get('HF_ENDPOINT') or 'https://huggingface.co'}/api/datasets/{name}"
    responded = threading.Event()

    def probe() -> None:
        with suppress(OSError, ValueError), urllib.request.urlopen(url, timeout=PROBE_SECONDS):
            responded.set()

    thread = threading.Thread(target=probe, daemon=True)  # the timeout does not cover resolving the host name
    thread.start()
    thread.join(PROBE_SECONDS)
    return responded.is_set()
