"""Is a history of calls what one copy of the data, one call at a time, could have answered?

The search is that of Wing and Gong (1993) with Lowe's memory of what was tried, as in Porcupine
(Athalye, 2017): try every call that began before any other has ended as the next one; remember which
sets of calls left which state. Services do not touch each other, so each is checked by itself.

A call whose outcome is unknown may have taken effect at any time after it began, or never.
"""

import math
from dataclasses import dataclass
from typing import Any

FOREVER = math.inf


@dataclass
class Call:
    """One call of one client. `end` is FOREVER when its outcome is unknown."""

    service: str
    kind: str          # create, write, remove or read
    value: Any         # written; unique among the values of a service
    start: float
    end: float = FOREVER
    # Of a call that ended. A read: the value, or None when there is no such service. Others: True, or
    # False when it was refused because the service was there already or was not.
    result: Any = None
    version: int = 0   # that a read saw with the value; 0: it did not look
    client: str = ""

    @property
    def is_known(self):
        return self.end != FOREVER

    def __str__(self):
        outcome = "unknown" if not self.is_known else self.result
        version = f" at version {self.version}" if self.version else ""
        return (f"{self.start:10.4f} .. {self.end:10.4f}  {self.client:8} {self.service} {self.kind}"
                f" {self.value if self.kind != 'read' else ''} -> {outcome}{version}")


class ServiceRegister:
    """A service as a register with versions: each change gives it a higher one than any before."""

    # value (None: there is none) and the least version that it can have
    INITIAL = (None, 0)

    @staticmethod
    def step(state, call):
        """The state after the call, or None when it could not have answered what it did there."""
        value, version = state
        if call.kind == "read":
            if call.result != value:
                return None
            if value is None:
                return state
            if call.version == 0:
                return state
            return (value, call.version) if call.version >= version else None
        exists = value is not None
        possible = not exists if call.kind == "create" else exists
        if call.is_known and call.result != possible:
            return None
        if not possible:
            return state  # refused, or unknown and without effect
        return (None if call.kind == "remove" else call.value, version + 1)


class Violation(AssertionError):
    """No order of the calls explains what they answered."""


def check(calls, model=ServiceRegister):
    """Raises Violation naming the service and the calls around the one that does not fit."""
    services = {}
    for call in calls:
        services.setdefault(call.service, []).append(call)
    for name, history in sorted(services.items()):
        stuck = find_stuck(prepare(history), model)
        if stuck is not None:
            raise Violation(explain(name, history, stuck))


def prepare(history):
    """Without what cannot matter, and with ends as early as they can be known.

    A call with an unknown outcome whose value nobody read may have come last of all: it is left out.
    (Creating and removing can be seen without a value, so they stay.) One whose value was read took
    effect before the first such read ended.
    """
    seen = {}
    for call in history:
        if call.kind == "read" and call.result is not None:
            seen[call.result] = min(seen.get(call.result, FOREVER), call.end)
    prepared = []
    for call in history:
        if call.kind == "read" and not call.is_known:
            continue
        if call.kind == "write" and not call.is_known and call.value not in seen:
            continue
        end = call.end
        if not call.is_known and call.kind in ("create", "write") and call.value in seen:
            end = seen[call.value]
        prepared.append((call, end))
    return prepared


def find_stuck(history, model):
    """None when there is an order; otherwise the calls that were open where the search got furthest.

    An unknown call that the search never picks had no effect, so it is done when all known ones are.
    """
    order = sorted(range(len(history)), key=lambda i: history[i][0].start)
    calls = [history[i][0] for i in order]
    ends = [history[i][1] for i in order]
    known = sum(1 << i for i, call in enumerate(calls) if call.is_known)
    tried = set()
    stack = [(0, model.INITIAL)]
    furthest, stuck = -1, []
    while stack:
        done, state = stack.pop()
        if done & known == known:
            return None
        candidates = minimal(calls, ends, done)
        progress = bin(done & known).count("1")
        if progress > furthest:
            furthest, stuck = progress, [calls[i] for i in candidates]
        for i in reversed(candidates):
            after = model.step(state, calls[i])
            if after is not None and (done | 1 << i, after) not in tried:
                tried.add((done | 1 << i, after))
                stack.append((done | 1 << i, after))
    return stuck


def minimal(calls, ends, done):
    """The calls that may be next: not done, and begun before any other that is not done has ended."""
    first_end, found = FOREVER, []
    for i, call in enumerate(calls):
        if call.start > first_end:
            break
        if not done >> i & 1:
            found.append(i)
            first_end = min(first_end, ends[i])
    return [i for i in found if calls[i].start <= first_end]


def explain(name, history, stuck):
    """The calls around the place, by time."""
    begin = min((call.start for call in stuck), default=0)
    end = max((call.end for call in stuck if call.is_known), default=begin)
    near = [call for call in history if call.end >= begin - 1 and call.start <= end]
    lines = "\n".join(f"{'>' if call in stuck else ' '} {call}"
                      for call in sorted(near, key=lambda call: call.start))
    return f"the calls to service {name} have no order; one of those marked cannot be explained:\n{lines}"
