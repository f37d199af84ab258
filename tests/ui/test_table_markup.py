"""Tables of a few rows as plain HTML: what they say is what the table's component says."""

from __future__ import annotations

import re

from ui.components.table.markup import table_markup
from ui.components.table.table import Cell, Column

COLUMNS = (
    Column("what <x>", named=False),
    Column("share", help='of "all"', share=3.0, number=True),
    Column("note", narrow=False),
)


def test_names_and_values_are_text_and_heads_say_what_they_are() -> None:
    made = table_markup(COLUMNS, [["<img src=x>", "1", Cell("<b>", tone='red;x:url(y)"')]], "A & B")
    assert "<img" not in made
    assert "<b>" not in made
    assert 'aria-label="A &amp; B"' in made
    assert "what &lt;x&gt;</th>" in made
    assert made.count('title="of &quot;all&quot;"') == 1
    assert re.findall(r"width:([\d.]+)%", made) == ["20.0", "60.0", "20.0"]


def test_a_phone_names_each_value_but_those_that_need_no_name() -> None:
    made = table_markup(COLUMNS, [["a", "1", "b"]], "x")
    assert re.findall('data-name="([^"]*)"', made) == ["share", "note"]
    assert "us-num" in made.split("<td")[2]
    assert "us-roomy" in made.split("<td")[3]


def test_a_bar_is_as_long_as_its_value_and_crossed_where_the_cut_is() -> None:
    rows = [["a", Cell("0.2", length=0.25, tone="#123456"), "b"], ["c", Cell("2", length=1.5), "d"]]
    first, second = table_markup(COLUMNS, rows, "x", 0.4).split("<tr")[2:]
    assert "--tone:#123456;--length:25.0%" in first
    assert "left:40.0%" in first
    assert "--length:100.0%" in second
    assert "--tone" not in second
    assert "cut-off" not in table_markup(COLUMNS, rows, "x")
