"""A figure as the plain dictionaries that a browser is sent.

Plotly's own object model checks every property at every call: a third of what a page cost. Nothing is
checked here; the tests put every figure through Plotly's schema instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_AXIS = {"x": "xaxis", "y": "yaxis"}


class Figure:
    """Traces and layout, under Plotly's names.

    Attributes:
        data: traces, the first drawn first.
        layout: titles, axes, shapes, annotations.
        whose: network, data set and evidence, in its title.
    """

    def __init__(self) -> None:
        """Nothing is drawn yet."""
        self.data: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {}
        self.whose = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it, NaN aside."""
        return {"data": self.data, "layout": self.layout}

    def add_bar(self, **trace: Any) -> Figure:
        """Bars."""
        return self._trace("bar", trace)

    def add_heatmap(self, **trace: Any) -> Figure:
        """Coloured cells."""
        return self._trace("heatmap", trace)

    def add_scatter(self, **trace: Any) -> Figure:
        """Lines and points."""
        return self._trace("scatter", trace)

    def update_layout(self, **layout: Any) -> Figure:
        """Properties of the whole; dictionaries are merged."""
        _merge(self.layout, layout)
        return self

    def update_xaxes(self, **axis: Any) -> Figure:
        """Properties of the x axis."""
        return self._axis("x", axis)

    def update_yaxes(self, **axis: Any) -> Figure:
        """Properties of the y axis."""
        return self._axis("y", axis)

    def add_vline(self, x: float, **shape: Any) -> Figure:
        """An upright line over the whole height."""
        return self._line("x", x, shape)

    def add_hline(self, y: float, **shape: Any) -> Figure:
        """A level line over the whole width."""
        return self._line("y", y, shape)

    def add_annotation(self, **annotation: Any) -> Figure:
        """A text beside the marks."""
        self.layout.setdefault("annotations", []).append(annotation)
        return self

    def _trace(self, kind: str, trace: dict[str, Any]) -> Figure:
        self.data.append({"type": kind, **_plain(trace)})
        return self

    def _axis(self, name: str, axis: dict[str, Any]) -> Figure:
        if isinstance(axis.get("title"), str):
            axis = {**axis, "title": {"text": axis["title"]}}
        _merge(self.layout.setdefault(_AXIS[name], {}), axis)
        return self

    def _line(self, name: str, at: float, shape: dict[str, Any]) -> Figure:
        other = "y" if name == "x" else "x"
        ends = {f"{name}0": at, f"{name}1": at, f"{name}ref": name}
        across = {f"{other}0": 0, f"{other}1": 1, f"{other}ref": f"{other} domain"}
        self.layout.setdefault("shapes", []).append({"type": "line", **ends, **across, **shape})
        return self


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = _plain(value)


def _plain(value: Any) -> Any:
    """Arrays as lists, also within dictionaries; what is kept of a figure is not the caller's own."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value
