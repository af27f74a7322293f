"""Failures are results: each stands where it happened, and everything else goes on."""

from __future__ import annotations

import pytest

WORK = """
    class Source:
        def read(self, contract_id):
            if contract_id == "BAD":
                raise ValueError("no table on page 3")
            return {"rows": len(contract_id)}

        def size(self):
            return 3

    class Judge:
        def weigh(self, observe):
            return {"names": sorted(observe), "rows": observe.get("read", {}).get("rows")}

        def fails(self, observe, contract_id):
            if contract_id == "BAD":
                raise KeyError("rows")
            return 1

    class Audit:
        def review(self, observe, infer):
            return {"observed": sorted(observe), "inferred": sorted(infer)}

        def fails(self, infer, contract_id):
            if contract_id == "BAD":
                raise RuntimeError("audit")
            return 1
"""


def infer(method: str) -> dict:
    return {"phase": "infer", "class_name": "Judge", "method_name": method, "provides": method}


def audit(method: str) -> dict:
    return {"phase": "audit", "class_name": "Audit", "method_name": method, "provides": method}


def three_phases(fleet, *failing: dict | str, on_failure: str = "continue") -> None:
    fleet.methods(WORK)
    for id_ in ("BAD", "GOOD"):
        fleet.contract(
            id_,
            "Source.size",
            *[call for call in failing if isinstance(call, str)],
            infer("weigh"),
            *[call for call in failing if isinstance(call, dict) and call["phase"] == "infer"],
            audit("review"),
            *[call for call in failing if isinstance(call, dict) and call["phase"] == "audit"],
            on_failure=on_failure,
        )


@pytest.mark.parametrize(
    ("failing", "address"),
    [
        ("Source.read", "BAD/observe/read"),
        (infer("fails"), "BAD/infer/fails"),
        (audit("fails"), "BAD/audit/fails"),
    ],
)
def test_under_continue_a_failure_in_any_phase_makes_its_contract_partial_alone(
    fleet, failing, address
):
    three_phases(fleet, failing)

    first = fleet.run()
    again = fleet.run(hash_seed=1)

    for ran in (first, again):
        assert ran.status("BAD") == "partial"
        assert ran.status("GOOD") == "ok"
        assert ran.outcome(address) == "failed"
        assert ran.outcome("BAD/audit/review") in ("computed", "known")
    assert again.computed() == [address]
    assert "it failed when last run" in again.step_of[address]["reason"]


def test_a_failed_method_stands_in_the_mapping_and_its_consumers_run(fleet):
    three_phases(fleet, "Source.read")
    ran = fleet.run()
    assert ran.value("BAD/infer/weigh") == {"names": ["_error_read", "size"], "rows": None}
    assert ran.value("GOOD/infer/weigh") == {"names": ["read", "size"], "rows": 4}
    failure = ran.step_of["BAD/observe/read"]["failure"]
    assert (failure["type"], failure["message"]) == ("ValueError", "no table on page 3")
    assert "methods.py" in failure["traceback"]
    assert "batchwright" not in failure["traceback"]


@pytest.mark.parametrize(
    ("failing", "address"),
    [
        ("Source.read", "BAD/observe/read"),
        (infer("fails"), "BAD/infer/fails"),
        (audit("fails"), "BAD/audit/fails"),
    ],
)
def test_under_raise_a_failure_ends_its_contract_and_no_other(fleet, failing, address):
    three_phases(fleet, failing, on_failure="raise")

    for ran in (fleet.run(), fleet.run()):
        assert ran.status("BAD") == "failed"
        assert ran.status("GOOD") == "ok"
        assert ran.outcome(address) == "failed"
    reached = [address for address in ran.step_of if address.startswith("BAD/audit")]
    assert (reached == []) == ("audit" not in address)


def test_a_phase_with_nothing_but_errors_spares_its_consumers_and_says_so(fleet):
    fleet.methods(WORK)
    fleet.contract("BAD", "Source.read", infer("weigh"))
    ran = fleet.run()
    assert ran.outcome("BAD/infer/weigh") == "skipped"
    assert "all of whose results failed" in ran.step_of["BAD/infer/weigh"]["reason"]


def test_a_failure_in_a_shared_step_runs_once_and_counts_for_every_contract(fleet):
    fleet.methods("""
        class Shared:
            def __init__(self):
                self.calls = []

            def fails(self):
                with open("calls.txt", "a") as file:
                    file.write("x")
                raise OSError("no such host")

            def works(self):
                return 1
    """)
    for id_ in ("A", "B", "C"):
        fleet.contract(id_, "Shared.fails", "Shared.works")
    ran = fleet.run()
    assert [ran.status(id_) for id_ in "ABC"] == ["partial"] * 3
    assert (fleet.folder / "calls.txt").read_text() == "x"
    assert ran.summary["failed"] == 1
    assert ran.summary["causes"][0]["contracts"] == ["A", "B", "C"]


def test_a_failing_constructor_fails_every_method_of_its_class_and_is_tried_once(fleet):
    fleet.methods("""
        class Broken:
            def __init__(self):
                with open("built.txt", "a") as file:
                    file.write("x")
                raise ConnectionError("no index")

            def one(self):
                return 1

            def two(self):
                return 2

        class Sound:
            def one(self):
                return 1
    """)
    fleet.contract("A", "Broken.one>b1", "Broken.two>b2", "Sound.one>s1")
    ran = fleet.run()
    assert ran.status("A") == "partial"
    assert ran.step_of["A/observe/b1"]["failure"]["message"] == "no index"
    assert ran.outcome("A/observe/b2") == "failed"
    assert ran.value("A/observe/s1") == 1
    assert (fleet.folder / "built.txt").read_text() == "x"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("raise SystemExit(3)", "SystemExit"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise type('Stop', (BaseException,), {})('now')", "Stop"),
        ("return self.f()", "RecursionError"),
        ("yield 1; raise ValueError('late')", "ValueError"),
        ("import nowhere_at_all", "ModuleNotFoundError"),
        ("return (lambda n: n).missing", "AttributeError"),
    ],
)
def test_whatever_a_step_raises_the_run_goes_on(fleet, body, kind):
    fleet.methods(f"""
        class Work:
            def f(self):
                {body}

            def g(self):
                return 2
    """)
    fleet.contract("A", "Work.f", "Work.g")
    ran = fleet.run()
    assert ran.step_of["A/observe/f"]["failure"]["type"] == kind
    assert ran.value("A/observe/g") == 2
    assert ran.status("A") == "partial"


def test_an_exception_that_cannot_be_shown_is_a_failure_all_the_same(fleet):
    fleet.methods("""
        class Mean(Exception):
            def __str__(self):
                raise ValueError("no words")

        class Work:
            def f(self):
                raise Mean
    """)
    fleet.contract("A", "Work.f")
    assert fleet.run().step_of["A/observe/f"]["failure"]["type"] == "Mean"


def test_a_generator_gives_a_list_and_is_kept(fleet):
    fleet.methods("""
        class Work:
            def numbers(self):
                yield from range(3)

        class Total:
            def total(self, observe):
                return sum(observe["numbers"]) + sum(observe["numbers"])
    """)
    fleet.contract(
        "A", "Work.numbers",
        {"phase": "infer", "class_name": "Total", "method_name": "total", "provides": "total"},
    )  # fmt: skip
    ran = fleet.run()
    assert ran.value("A/observe/numbers") == [0, 1, 2]
    assert ran.value("A/infer/total") == 6
    assert fleet.run().computed() == []


def test_a_result_that_cannot_be_stored_stays_with_its_consumers_and_is_not_kept(fleet):
    fleet.methods("""
        class Files:
            def open(self):
                return open("data.txt")

            def name(self):
                return "data"

        class Lines:
            def count(self, observe):
                return len(observe["open"].readlines())
    """)
    (fleet.folder / "data.txt").write_text("a\nb\n")
    fleet.contract(
        "A", "Files.open", "Files.name",
        {"phase": "infer", "class_name": "Lines", "method_name": "count", "provides": "count"},
    )  # fmt: skip
    for ran in (fleet.run(), fleet.run()):
        assert ran.value("A/infer/count") == 2
        assert ran.status("A") == "ok"
        assert ran.outcome("A/observe/open") == "computed"
        assert "cannot be kept" in ran.step_of["A/observe/open"]["bypass"]
        assert ran.summary["bypassed"] == 2
    assert ran.outcome("A/observe/name") == "known"


def test_an_opaque_result_is_kept_and_its_consumers_are_known(fleet):
    fleet.methods("""
        class Model:
            def __init__(self, weight):
                self.weight = weight

        class Trainer:
            def fit(self):
                return Model(4)

        class Scorer:
            def score(self, observe):
                return observe["fit"].weight * 2
    """)
    fleet.contract(
        "A", "Trainer.fit",
        {"phase": "infer", "class_name": "Scorer", "method_name": "score", "provides": "score"},
    )  # fmt: skip
    assert fleet.run().value("A/infer/score") == 8
    ran = fleet.run(hash_seed=9)
    assert ran.computed() == []
    assert ran.value("A/infer/score") == 8


def test_a_failed_predecessor_skips_the_contract_that_depends_on_it(fleet):
    fleet.methods(WORK)
    fleet.contract("BAD", "Source.read", on_failure="raise")
    fleet.contract("LATER", "Source.read", depends_on=["BAD"])
    fleet.contract("LAST", "Source.size", depends_on=["LATER"])
    fleet.contract("OTHER", "Source.size")
    ran = fleet.run()
    assert [ran.status(id_) for id_ in ("BAD", "LATER", "LAST", "OTHER")] == [
        "failed", "failed", "failed", "ok",
    ]  # fmt: skip
    assert "BAD" in ran.told["contracts"]["LATER"]["problems"][0]


def test_what_failed_before_is_forgotten_once_it_works(fleet):
    fleet.methods(WORK)
    fleet.contract("BAD", "Source.read")
    assert fleet.run().summary["failed"] == 1
    fleet.methods(WORK.replace('== "BAD"', '== "WORSE"'))
    ran = fleet.run()
    assert ran.status("BAD") == "ok"
    assert fleet.run().summary["failed_before"] == 0


def test_what_is_known_provided_a_failure_repeats_runs_when_it_does_not(fleet):
    fleet.methods("""
        from pathlib import Path

        class Flaky:
            def read(self):
                if not Path("up.txt").exists():
                    raise ConnectionError("down")
                return 7

            def size(self):
                return 3

        class Judge:
            def weigh(self, observe):
                return sorted(observe)

        class Audit:
            def review(self, infer):
                return infer["weigh"]
    """)
    audit_of_infer = {
        "phase": "audit", "class_name": "Audit", "method_name": "review", "provides": "review",
    }  # fmt: skip
    fleet.contract("A", "Flaky.read", "Flaky.size", infer("weigh"), audit_of_infer)
    assert fleet.run().value("A/audit/review") == ["_error_read", "size"]

    again = fleet.run()
    assert (again.summary["known_before"], again.summary["failed_before"]) == (3, 1)
    assert again.computed() == ["A/observe/read"]

    (fleet.folder / "up.txt").touch()
    assert fleet.run().value("A/audit/review") == ["read", "size"]


def test_an_object_of_another_class_without_the_method_fails_the_step_alone(fleet):
    fleet.methods("""
        class Work:
            def __new__(cls):
                return None

            def go(self):
                return 1

        class Other:
            def go(self):
                return 2
    """)
    fleet.contract("A", "Work.go>work", "Other.go>other")
    ran = fleet.run()
    assert ran.value("A/observe/other") == 2
    assert ran.outcome("A/observe/work") == "failed"
