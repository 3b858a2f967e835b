"""The steps of a breach as commands for a shell, to be pasted or to make a script of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mockserver.core.curl import Parts, Variable, request
from mockserver.verify.events import Breach
from mockserver.verify.replay.jq import at
from mockserver.verify.replay.playing import Part, Ref, ReplayStep
from mockserver.verify.replay.steps import steps_of
from mockserver.verify.transport.placeholders import PLACEHOLDER

BASE = Variable("BASE_URL")


def parts_of(text: str) -> list[str | Variable]:
    """Redacted text with the placeholders of secrets as variables, and all else as it was sent."""
    parts: list[str | Variable] = []
    end = 0
    for found in PLACEHOLDER.finditer(text):
        dollars, name = found[1], found[2] or found[3]
        literal = text[end : found.start()] + dollars[: len(dollars) // 2]
        end = found.end()
        if len(dollars) % 2:
            parts += [literal, Variable(name)]
        else:
            parts.append(literal + found[0][len(dollars) :])
    return [part for part in (*parts, text[end:]) if part]


def variable(ref: Ref) -> Variable:
    """`charge_1` for the id of the charge in the first answer."""
    names = [step for step in ref.path if isinstance(step, str)]
    name = names[-2] if names[-1:] == ["id"] and len(names) > 1 else names[-1] if names else "value"
    name = f"{re.sub('[^A-Za-z0-9]+', '_', name)}_{ref.answer + 1}"
    if ref.cut is not None:
        name += f"_from_{ref.cut[0]}_to_{ref.cut[1]}"
    if ref.days is not None:
        name = f"day_{ref.answer + 1}" + (f"_{'plus' if ref.days > 0 else 'minus'}_{abs(ref.days)}" if ref.days else "")
    return Variable(name)


def taken(ref: Ref) -> str:
    """The filter of jq that takes it from an answer."""
    if ref.cut is not None:
        return f"{at(ref.path)} | .[{ref.cut[0]}:{ref.cut[1]}]"
    if ref.days is not None:
        return f'{at(ref.path)} | .[0:10] + "T00:00:00Z" | fromdate + {ref.days * 86400} | strftime("%Y-%m-%d")'
    return at(ref.path)


def refs_to(steps: Sequence[ReplayStep], place: int) -> list[Ref]:
    """What later steps take from the answer to this one."""
    parts = [part for step in steps for part in (*step.url, *(() if isinstance(step.body, bytes) else step.body))]
    return list(dict.fromkeys(part for part in parts if isinstance(part, Ref) and part.answer == place))


def words(
    step: ReplayStep, *, base: str | Variable = BASE, separator: str = " ", limit: int | None = None
) -> tuple[str, str]:
    """What stands before `curl`, and its options, as `request` has them; the address begins with `base`."""
    url = _shown(step.url)
    if not (url and isinstance(url[0], str) and url[0].startswith(("http:", "https:"))):
        url = [*(parts_of(base) if isinstance(base, str) else [base]), *url]
    headers = [(name, parts_of(value)) for name, value in step.headers]
    return request(step.method, url, headers, _body(step), separator=separator, limit=limit)


def commands(breach: Breach, base: str, *, separator: str = " ", limit: int | None = None) -> tuple[str, ...]:
    """The commands for each request of a breach, which together run by themselves once the tokens are set.

    What later ones need is taken from the answers of the earlier ones; those of a race run at the same time.
    """
    steps = steps_of(breach, base)
    told = [words(step, base=base, separator=separator, limit=limit) for step in steps]
    return tuple("\n".join(_lines(steps, place, told[place])) for place in range(len(steps)))


def _lines(steps: Sequence[ReplayStep], place: int, told: tuple[str, str]) -> Iterator[str]:
    step = steps[place]
    before, given = told
    wanted = refs_to(steps, place)
    rivals = [number for number, one in enumerate(steps) if step.race and one.race == step.race]
    if rivals:
        kept = any(refs_to(steps, rival) for rival in rivals)
        to = f" > answer_{place + 1}.json" if kept else ""
        yield f"{before}curl -{'sS' if kept else 'i'} {given}{to} &"
        if place == rivals[-1]:
            yield "wait"
            files = " ".join(f"answer_{rival + 1}.json" for rival in rivals)
            for ref in dict.fromkeys(ref for rival in rivals for ref in refs_to(steps, rival)):
                yield f"{variable(ref).name}=$(cat {files} | jq -r '({taken(ref)}) // empty' | head -n 1)"
    elif len(wanted) == 1:
        piped = f"tee /dev/stderr | jq -r '{taken(wanted[0])}'"
        yield f"{variable(wanted[0]).name}=$({before}curl -sS {given} | {piped})"
    elif wanted:
        yield f"answer_{place + 1}=$({before}curl -sS {given} | tee /dev/stderr)"
        for ref in wanted:
            yield f"{variable(ref).name}=$(printf '%s' \"$answer_{place + 1}\" | jq -r '{taken(ref)}')"
    else:
        yield f"{before}curl -i {given}"


def _body(step: ReplayStep) -> Parts:
    return parts_of(step.body.decode("utf-8", "surrogateescape")) if isinstance(step.body, bytes) else _shown(step.body)


def _shown(parts: Sequence[Part]) -> list[str | Variable]:
    return [one for part in parts for one in ([variable(part)] if isinstance(part, Ref) else parts_of(part))]
