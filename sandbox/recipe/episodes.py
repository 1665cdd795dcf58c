"""Few-shot episodes as they are asked for: '5-way 1-shot, 20-way 5-shot'."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.errors import SandboxError
from sandbox.wording import printable

COUNT, QUERIES = 1000, 15
"""Episodes, and queries of each class in one, where nothing else is asked for."""
MOST = 1000
"""Ways, shots and queries at most."""

_WAYS, _SHOTS = r"(?P<ways>[0-9]{1,9})[\s_-]*w(ays?)?", r"(?P<shots>[0-9]{1,9})[\s_-]*s(hots?)?"
_FORMS = [
    re.compile(rf"\s*{one}[\s_-]*{other}\s*", re.ASCII | re.IGNORECASE)
    for one, other in ((_WAYS, _SHOTS), (_SHOTS, _WAYS))
]


@dataclass(frozen=True, order=True)
class Task:
    """What is asked in an episode: which of N classes an image is of, of each of which K images are known."""

    ways: int
    """N, 2 or more."""
    shots: int
    """K, 1 or more."""

    def __str__(self) -> str:
        return f"{self.ways}-way {self.shots}-shot"

    @property
    def key(self) -> str:
        """Its report key: ``fewshot/accuracy@5-way-1-shot``."""
        return f"fewshot/accuracy@{self.ways}-way-{self.shots}-shot"


@dataclass(frozen=True)
class Episodes:
    """Tasks, and how often and how long each is asked."""

    tasks: tuple[Task, ...] = ()
    """In order, each once; none where no episodes are asked for."""
    count: int = COUNT
    """Episodes of each task."""
    queries: int = QUERIES
    """Images of each class that are asked for in an episode."""

    @classmethod
    def of(cls, text: str, count: int, queries: int, setting: str = "evaluate.episodes") -> Episodes:
        """What settings ask for; see `parse_tasks`."""
        return cls(parse_tasks(text, setting), count, queries)


def parse_tasks(text: str, setting: str = "evaluate.episodes") -> tuple[Task, ...]:
    """The tasks that a text names, in order; none for the empty text.

    >>> parse_tasks("20w5s, 5-way-1-shot")
    (Task(ways=5, shots=1), Task(ways=20, shots=5))

    Args:
        text: tasks with commas between; '5-way 1-shot', '5-way-1-shot', '5w1s' and '1-shot 5-way' are one.
        setting: that it is of, for the error.

    Raises:
        SandboxError: a part names no task, one of fewer than 2 classes or no images, or one that was there before.
    """
    given = f"{setting} is '{printable(text[:60])}'"
    tasks: list[Task] = []
    for part in re.split("[,;]", text) if text else ():
        if not part.strip() and text.strip():
            raise SandboxError(f"{given}, which has nothing before or after a comma; leave that comma out")
        found = next((match for form in _FORMS if (match := form.fullmatch(part))), None)
        if found is None:
            raise SandboxError(f"{given}, but names ways and shots, such as '5-way 1-shot, 20-way 5-shot'")
        task = Task(int(found["ways"]), int(found["shots"]))
        if not 2 <= task.ways <= MOST or not 1 <= task.shots <= MOST:
            raise SandboxError(f"{given}, but there are 2 to {MOST:,} ways and 1 to {MOST:,} shots")
        if task in tasks:
            raise SandboxError(f"{given}, which names {task} twice")
        tasks.append(task)
    return tuple(sorted(tasks))


def spell_tasks(text: str) -> str:
    """The one spelling of a text of tasks, by which two recipes that ask for the same have one name."""
    return ", ".join(map(str, parse_tasks(text)))


def check_episodes(text: str, count: int, queries: int) -> None:
    """Refuse episodes that are none, and counts that change nothing.

    Raises:
        SandboxError: says which, and what it may be.
    """
    if parse_tasks(text):
        return
    for name, value, plain in (("episode_count", count, COUNT), ("episode_queries", queries, QUERIES)):
        if value != plain:
            raise SandboxError(
                f"evaluate.{name} is {value}, but changes nothing without episodes: give evaluate.episodes too, such "
                "as '5-way 1-shot'"
            )
