from __future__ import annotations

from auditor.report.html.charts import WIDTH, Chart, grouped, stacked

ROWS = {"open": (50_000, 1), "not_applicable": (0, 12)}


def inside(chart: Chart) -> bool:
    return all(bar.x >= 0 and bar.x + bar.width <= WIDTH and bar.y + bar.height <= chart.height for bar in chart.bars)


def test_bars_keep_to_scale_and_stay_inside() -> None:
    chart = grouped("c", "Title", ("all", "few"), {"a": (100, 50), "b": (25, 0)})
    whole, half, quarter, nothing = chart.bars
    assert (half.width, quarter.width, nothing.width) == (round(whole.width / 2, 1), round(whole.width / 4, 1), 0.0)
    assert inside(chart)
    assert [number.text for number in chart.numbers] == ["100", "50", "25", "0"]


def test_a_small_number_beside_a_large_one_is_still_to_be_seen() -> None:
    _, one, _, twelve = grouped("c", "Title", ("all", "few"), ROWS).bars
    assert one.width >= 2
    assert twelve.width >= 2


def test_stacked_pieces_follow_each_other_and_the_sum_stands_at_the_end() -> None:
    chart = stacked("c", "Title", ("fail", "unknown", "waived"), {"high": (3, 0, 1), "low": (0, 0, 0)})
    first, last = chart.bars
    assert last.x == round(first.x + first.width, 1)
    assert [number.text for number in chart.numbers] == ["4", "0"]
    assert inside(chart)


def test_the_description_holds_every_number() -> None:
    text = grouped("c", "Title", ("all", "few"), ROWS).description
    assert text == "open: 50,000 all, 1 few; not applicable: 0 all, 12 few."


def test_nothing_to_show_is_no_error() -> None:
    assert stacked("c", "Title", (), {}).bars == []
    assert grouped("c", "Title", ("all",), {"a": (0,)}).bars[0].width == 0
