"""Objects that change: every answer is that of a plain program, one fresh object a contract."""

from __future__ import annotations

import itertools

import pytest

READER = """
    from pathlib import Path

    class Reader:
        def __init__(self):
            self.text = ""

        def load(self, source: Path):
            self.text = source.read_text()

        def words(self):
            return self.text.split()

    class Counter:
        def count(self, observe):
            return len(observe["words"])
"""


def reading(fleet, id_: str, source: str, *, words_first: bool = False) -> None:
    load = {
        "class_name": "Reader",
        "method_name": "load",
        "provides": "load",
        "args": {"source": {"$path": f"../{source}"}},
    }
    calls = ["Reader.words>before"] if words_first else []
    fleet.contract(id_, *calls, load, "Reader.words>words")


def documents(fleet) -> None:
    (fleet.folder / "a.txt").write_text("one two three")
    (fleet.folder / "b.txt").write_text("four five")


@pytest.mark.parametrize("order", list(itertools.permutations("aba")))
def test_a_loading_class_answers_for_its_own_contract_in_every_order(fleet, order):
    fleet.methods(READER)
    documents(fleet)
    for place, name in enumerate(order):
        reading(fleet, f"C{place}", f"{name}.txt", words_first=place == 1)
    words = {"a": ["one", "two", "three"], "b": ["four", "five"]}

    for ran in (fleet.run(), fleet.run(hash_seed=7)):
        for place, name in enumerate(order):
            assert ran.value(f"C{place}/observe/words") == words[name]
        assert ran.value("C1/observe/before") == []
    assert ran.computed() == []
    assert ran.summary["objects_built"] == 0


def test_a_call_after_hits_runs_on_an_object_brought_into_its_state(fleet):
    fleet.methods(READER)
    documents(fleet)
    reading(fleet, "A", "a.txt")
    fleet.run()

    fleet.methods(READER.replace("self.text.split()", "[w.upper() for w in self.text.split()]"))
    ran = fleet.run()

    assert ran.outcome("A/observe/load") == "known"
    assert ran.value("A/observe/words") == ["ONE", "TWO", "THREE"]


def test_an_edit_of_the_loading_method_alone_recomputes_what_reads_after_it(fleet):
    fleet.methods(READER)
    documents(fleet)
    reading(fleet, "A", "a.txt", words_first=True)
    fleet.run()

    fleet.methods(READER.replace("source.read_text()", "source.read_text().upper()"))
    ran = fleet.run()

    assert ran.value("A/observe/words") == ["ONE", "TWO", "THREE"]
    assert ran.computed() == ["A/observe/load", "A/observe/words"]
    assert "Reader.load" in ran.step_of["A/observe/load"]["reason"]


def test_an_edit_of_the_loaded_document_recomputes_what_reads_after_it(fleet):
    fleet.methods(READER)
    documents(fleet)
    reading(fleet, "A", "a.txt")
    reading(fleet, "B", "b.txt")
    fleet.run()

    (fleet.folder / "a.txt").write_text("six seven")
    ran = fleet.run()

    assert ran.value("A/observe/words") == ["six", "seven"]
    assert ran.computed() == ["A/observe/load", "A/observe/words"]


HIDDEN = """
    import operator

    class Register:
        def __init__(self):
            self.seen = []

        def add(self, name):
            operator.methodcaller("append", name)(getattr(self, "se" + "en"))
            return len(self.seen)

        def all(self):
            return list(self.seen)
"""


def hidden(fleet, count: int = 3) -> None:
    fleet.methods(HIDDEN)
    for place in range(count):
        add = [
            {
                "class_name": "Register",
                "method_name": "add",
                "provides": f"add{i}",
                "args": {"name": f"{place}-{i}"},
            }
            for i in range(2)
        ]
        fleet.contract(f"C{place}", *add, "Register.all>all")


def test_a_change_that_the_code_does_not_show_is_seen_and_put_right(fleet):
    hidden(fleet)

    ran = fleet.run()

    for place in range(3):
        assert ran.value(f"C{place}/observe/add0") == 1
        assert ran.value(f"C{place}/observe/add1") == 2
        assert ran.value(f"C{place}/observe/all") == [f"{place}-0", f"{place}-1"]
    assert any("Register.seen" in note for note in ran.summary["notes"])
    assert fleet.run(hash_seed=3).computed() == []


def test_a_change_after_many_clean_calls_is_found_before_the_run_ends(fleet):
    fleet.methods("""
        class Turnstile:
            def __init__(self):
                self.count = {"passed": 0}

            def turn(self, n):
                counted = vars(self)["cou" + "nt"]
                if n >= 8:
                    counted.__setitem__("passed", n)
                return counted["passed"]
    """)
    for n in range(12):
        call = {
            "class_name": "Turnstile",
            "method_name": "turn",
            "provides": "turn",
            "args": {"n": n},
        }
        fleet.contract(f"C{n:02}", call)

    ran = fleet.run()

    for n in range(12):
        assert ran.value(f"C{n:02}/observe/turn") == (n if n >= 8 else 0)


def test_a_lazy_memo_gives_right_answers_and_can_be_said_to_be_stateless(fleet):
    source = """
        import batchwright

        class Squares:
            def __init__(self):
                self.memo = {}

            def of(self, n):
                if n not in self.memo:
                    self.memo[n] = n * n
                return self.memo[n]
    """

    def fill() -> None:
        for n in range(4):
            entries = [
                {"class_name": "Squares", "method_name": "of", "provides": f"of{k}",
                 "args": {"n": k}}
                for k in (n, n + 1)
            ]  # fmt: skip
            fleet.contract(f"C{n}", *entries)

    fleet.methods(source)
    fill()
    ran = fleet.run()
    assert [ran.value(f"C{n}/observe/of{n}") for n in range(4)] == [0, 1, 4, 9]
    chained = len(ran.computed())

    fleet.methods(source.replace("class Squares", "@batchwright.stateless\n        class Squares"))
    ran = fleet.run()
    assert [ran.value(f"C{n}/observe/of{n + 1}") for n in range(4)] == [1, 4, 9, 16]
    assert ran.summary["distinct_steps"] == 5 < chained
    assert ran.summary["objects_built"] == 1


def test_a_method_that_changes_its_arguments_works_on_its_own_copy_and_is_named(fleet):
    fleet.methods("""
        class Lists:
            def make(self):
                return [3, 1, 2]

        class Sorter:
            def ordered(self, observe):
                observe["make"].sort()
                return observe["make"]

            def as_given(self, observe):
                return observe["make"]
    """)
    for id_ in ("A", "B"):
        fleet.contract(
            id_,
            "Lists.make",
            {"phase": "infer", "class_name": "Sorter", "method_name": "ordered",
             "provides": "ordered"},
            {"phase": "infer", "class_name": "Sorter", "method_name": "as_given",
             "provides": "as_given"},
        )  # fmt: skip

    first, second = fleet.run(), fleet.run()

    for ran in (first, second):
        assert ran.value("A/observe/make") == [3, 1, 2]
        assert ran.value("A/infer/ordered") == [1, 2, 3]
        assert ran.value("B/infer/as_given") == [3, 1, 2]
    changes = "Sorter.ordered changes its argument 'observe'"
    assert any(changes in note for note in first.summary["notes"])


def test_a_live_object_that_is_handed_out_and_changed_later_is_kept_as_it_was_given(fleet):
    fleet.methods("""
        class Journal:
            def __init__(self):
                self.lines = []

            def begin(self):
                self.lines = self.lines + ["begun"]
                return self.lines

            def more(self):
                self.lines.append("more")
                return self.lines

        class Reader:
            def read(self, observe):
                return {name: list(value) for name, value in observe.items()}
    """)
    for id_ in ("A", "B"):
        fleet.contract(
            id_, "Journal.begin", "Journal.more",
            {"phase": "infer", "class_name": "Reader", "method_name": "read", "provides": "read"},
        )  # fmt: skip

    for ran in (fleet.run(), fleet.run(hash_seed=5)):
        assert ran.value("A/observe/begin") == ["begun"]
        assert ran.value("A/observe/more") == ["begun", "more"]
        assert ran.value("B/infer/read") == {"begin": ["begun"], "more": ["begun", "more"]}
    assert ran.computed() == []


def test_objects_with_equal_arguments_are_shared_and_with_others_are_not(fleet):
    fleet.settings('methods = ["methods"]\n[instances.Greeter]\nword = "hola"')
    fleet.methods("""
        class Greeter:
            def __init__(self, word):
                self.word = word

            def greet(self, contract_id):
                return f"{self.word} {contract_id}"
    """)
    for id_ in ("A", "B", "C"):
        fleet.contract(id_, "Greeter.greet")
    ran = fleet.run()
    assert ran.value("B/observe/greet") == "hola B"
    assert ran.summary["objects_built"] == 1

    fleet.settings('methods = ["methods"]\n[instances.Greeter]\nword = "hello"')
    ran = fleet.run()
    assert ran.value("B/observe/greet") == "hello B"
    assert "constructor argument 'word' changed" in ran.step_of["B/observe/greet"]["reason"]
