"""A JSON object that nobody changes once it is made, so that what was found out about it stays true."""

from __future__ import annotations

from typing import Any, NoReturn


class Frozen(dict[str, Any]):
    """An object whose values are scalars; every change raises `TypeError`, and a copy is a plain `dict`."""

    __slots__ = ("judged_by",)

    judged_by: object
    """Whatever has found it valid last; None before."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.judged_by = None

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("this object is shown to several requests and can't be changed: change a copy")

    __setitem__ = __delitem__ = update = setdefault = pop = popitem = clear = __ior__ = _refuse

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, _: dict[int, Any]) -> dict[str, Any]:
        return dict(self)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)
