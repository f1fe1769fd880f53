"""Where and how stages are computed: what the command line says about engines."""

from __future__ import annotations

from dataclasses import dataclass

from builder.errors import UsageProblem

LOCAL, RAY, HERE = "local", "ray", "here"


@dataclass(frozen=True)
class EngineOptions:
    """Attributes:
    name: `local` (a child process) or `ray`; `here`, in this process, is for programs that call us
        with stages of their own, and survives no row that kills.
    tries: how often a row may kill the process it is computed in before it is quarantined.
    patience: seconds without a sign of life after which a stage hangs; None: the stage's own.
    address: of a Ray cluster; None: the one of RAY_ADDRESS, or else this machine.
    workers: fewest and most Ray actors of a stage; None: from 1 to what the cluster holds.
    cpus: cores of an actor, which are its threads.
    gpus: GPUs of an actor whose stage runs on one, may be a fraction; None: 1 where there are any.
    """

    name: str = LOCAL
    tries: int = 2
    patience: float | None = None
    address: str | None = None
    workers: tuple[int, int] | None = None
    cpus: float = 1.0
    gpus: float | None = None


def workers_of(text: str | None) -> tuple[int, int] | None:
    """Fewest and most workers, as written on the command line: `4`, or `1:8`.

    Raises:
        UsageProblem: it is neither.
    """
    if text is None:
        return None
    numbers = text.split(":")
    if not all(number.isdecimal() for number in numbers) or len(numbers) > 2:
        raise UsageProblem("--workers wants a number such as 4, or a range such as 1:8")
    least, most = int(numbers[0]), int(numbers[-1])
    if not 1 <= least <= most:
        raise UsageProblem(f"--workers {text} is no range: the first is at least 1, and not above")
    return least, most
