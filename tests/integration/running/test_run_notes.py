"""What a run notes for its user: vetoes that cannot fire, settings that are not used."""

from __future__ import annotations

SUMS = """
class Sums:
    def total(self):
        return {"total": 3}

    def other(self):
        return {"total": 4}
"""


def method(name, trigger):
    return {
        "class_name": "Sums",
        "method_name": name,
        "provides": name,
        "level": "N1",
        "veto_conditions": {
            "low": {"trigger": trigger, "action": "reduce_confidence", "confidence_multiplier": 0.5}
        },
    }


def test_names_in_vetoes_that_results_do_not_have_are_told_once(fleet):
    fleet.methods(SUMS)
    for number in range(3):
        calls = method("total", "coherence < 0.5 or spread > 1"), method("other", "total < 9")
        fleet.contract(f"Q{number}", *calls)
    told = [note for note in fleet.run().summary["notes"] if "veto" in note]
    assert len(told) == 1
    assert told[0].endswith(": Sums.total (coherence, spread)")


def test_a_fleet_whose_vetoes_can_all_be_judged_has_no_note(fleet):
    fleet.methods(SUMS)
    fleet.contract("Q", method("total", "total < 9"))
    ran = fleet.run()
    assert ran.summary["notes"] == []
    assert ran.told["contracts"]["Q"]["vetoes"] == ["low"]
    assert ran.told["contracts"]["Q"]["confidence"] == {"observe": {"total": 0.25}}


def test_what_the_settings_ask_for_and_is_not_used_is_told(fleet):
    fleet.methods(SUMS)
    fleet.contract("Q", "Sums.total")
    fleet.settings('methods = ["methods"]\nworkers = 4\nengine = "dask"')
    told = fleet.run().summary["notes"]
    assert any("batchwright.toml asks for 4 workers" in note for note in told)
    assert any("batchwright.toml asks for the engine 'dask'" in note for note in told)


def test_what_is_asked_for_goes_before_the_settings(fleet):
    fleet.methods(SUMS)
    fleet.contract("Q", "Sums.total")
    fleet.settings('methods = ["methods"]\nworkers = 4\nengine = "dask"')
    assert fleet.run(workers=1, engine="inline").summary["notes"] == []
