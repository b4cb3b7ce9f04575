from hypothesis import given
from hypothesis import strategies as st

from dianjin_ext.questions.tables import markdown_tables, to_markdown

PIECES = st.sampled_from(["a", "|", "\\", "<br>", "\n", " ", "--- ", "$%", "（3）", "\\|", ""])
CELLS = st.lists(PIECES, max_size=5).map("".join)
TABLES = st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=4)


@given(TABLES)
def test_every_cell_is_read_back(table):
    text = f"before | x |\n\n{to_markdown(table)}\n\nafter"
    assert list(markdown_tables(text)) == [table]


def test_it_is_the_markdown_that_people_write():
    table = [["", "2019", "2018"], ["Fixed | price", "$  1,452.4", "(3.1)"]]
    assert to_markdown(table) == (
        "|  | 2019 | 2018 |\n| --- | --- | --- |\n| Fixed \\| price | $  1,452.4 | (3.1) |"
    )
    assert to_markdown([]) == to_markdown([[]]) == ""


def test_two_tables_and_what_is_no_table():
    first, second = [["a"], ["1"]], [["b", "c"], ["2"]]
    text = f"{to_markdown(first)}\n\n| not a table\n\n{to_markdown(second)}"
    assert list(markdown_tables(text)) == [first, second]
