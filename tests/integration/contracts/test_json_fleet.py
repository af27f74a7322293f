"""A good fleet of JSON contracts becomes the step graph that it writes down."""

import io
import json

from batchwright.contracts.graph import FileInput, Outputs, StepOptions


def bound(step):
    return {b.name: b.argument.template for b in step.arguments}


def named(graph):
    return {str(step.address): step for step in graph.steps}


def test_phases_run_in_the_order_of_their_dependencies(fleet):
    fleet.contract()
    (contract,) = fleet.load().contracts
    assert [phase.name for phase in contract.phases] == ["observe", "infer", "audit"]
    assert [phase.target for phase in contract.phases] == ["raw_facts", "inferences", "audits"]
    assert [phase.level for phase in contract.phases] == ["N1", "N2", "N3-AUD"]


def test_steps_are_numbered_in_written_order_and_read_only_earlier_ones(fleet):
    fleet.contract("Q1")
    fleet.contract("Q2")
    graph = fleet.load()
    assert [step.id for step in graph.steps] == list(range(8))
    assert all(read < step.id for step in graph.steps for read in step.reads)
    assert [str(step.address) for step in graph.steps[:4]] == [
        "Q1/observe/words", "Q1/observe/tokens", "Q1/infer/compare", "Q1/audit/audit.judge"
    ]  # fmt: skip


def test_each_method_gets_what_its_signature_names_and_nothing_else(fleet):
    fleet.contract()
    steps = named(fleet.load())
    assert bound(steps["Q1/observe/words"]) == {"text": "a plan\n", "sector_id": "PA01"}
    assert bound(steps["Q1/observe/tokens"]) == {
        "document": FileInput(fleet.path / "plan.bin", "path")
    }
    compare = bound(steps["Q1/infer/compare"])
    assert compare == {"raw_facts": Outputs((("tokens", 1), ("words", 0))), "weight": 0.5}
    assert set(bound(steps["Q1/audit/audit.judge"])) == {"raw_facts", "inferences"}


def test_levels_confidence_and_labels_stand_in_the_steps(fleet):
    fleet.contract()
    steps = named(fleet.load())
    assert steps["Q1/infer/compare"].confidence == 0.8
    assert steps["Q1/observe/words"].confidence == 0.5
    assert steps["Q1/observe/words"].level == "N1-EMP"
    assert steps["Q1/infer/compare"].label == "Miner.compare"


def test_one_instance_of_a_class_is_shared_by_all_steps(fleet):
    fleet.contract("Q1")
    fleet.contract("Q2")
    steps = named(fleet.load())
    miner = steps["Q1/observe/words"].instance
    assert bound(miner) == {"language": "es"}
    assert all(s.instance is miner for s in steps.values() if s.label.startswith("Miner."))


def test_equal_arguments_are_one_object_for_the_whole_fleet(fleet):
    fleet.contract("Q1")
    fleet.contract("Q2")
    steps = named(fleet.load())
    for address, name in [("observe/words", "text"), ("observe/words", "sector_id"),
                          ("observe/tokens", "document"), ("infer/compare", "weight")]:  # fmt: skip
        first, second = (
            {b.name: b.argument for b in steps[f"{q}/{address}"].arguments}[name]
            for q in ("Q1", "Q2")
        )
        assert first is second, name


def test_static_methods_need_no_object(fleet):
    fleet.contract()
    fleet.one_method("Q2", class_name="Auditor", method_name="sum_up", args={"inferences": 1})
    step = named(fleet.load())["Q2/observe/sum_up"]
    assert step.instance is None
    assert step.label == "Auditor.sum_up"
    assert step.function.load()(inferences=1, x=2) == {"x": 2}


def test_a_method_without_a_class_is_a_function(fleet):
    fleet.one_method(method_name="count", provides="n", args={"text": "abc"})
    (step,) = fleet.load().steps
    assert step.function.qualname == "count"
    assert step.function.load()("abc") == 3


def test_a_path_argument_is_relative_to_its_contract(fleet):
    fleet.write("deep/data.csv", "1")
    binding = {"execution_phases": {"observe": {"methods": [
        {"class_name": "Auditor", "method_name": "sum_up",
         "args": {"inferences": [{"$path": "data.csv"}], "n": 2}}]}}}  # fmt: skip
    fleet.contract("Q1", file="deep/q.json", method_binding=binding)
    (step,) = fleet.load().steps
    assert bound(step)["inferences"] == [FileInput(fleet.path / "deep" / "data.csv")]
    assert bound(step)["options"] == {"n": 2}
    assert step.arguments[0].argument.files


def test_a_path_is_handed_over_as_text_where_the_annotation_asks_for_text(fleet):
    fleet.one_method(class_name="Miner", method_name="words", args={"text": {"$path": "plan.bin"}})
    (step,) = fleet.load().steps
    assert bound(step)["text"] == FileInput(fleet.path / "plan.bin", "str")


def test_given_inputs_go_before_those_of_the_settings_and_are_relative_to_the_current_folder(
    fleet, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.txt").write_text("another plan")
    fleet.contract()
    steps = named(fleet.load(inputs={"text": "@other.txt", "document": "other.txt"}))
    assert bound(steps["Q1/observe/words"])["text"] == "another plan"
    assert bound(steps["Q1/observe/tokens"])["document"] == FileInput(tmp_path / "other.txt")


def test_an_input_that_is_no_text_is_a_constant(fleet):
    fleet.write("batchwright.toml", 'methods = ["fleet_methods"]\n[inputs]\ntext = ["a", "b"]')
    fleet.one_method(method_name="count")
    (step,) = fleet.load().steps
    assert bound(step) == {"text": ["a", "b"]}


def test_the_context_of_the_question_is_bound_as_it_is_and_shared(fleet):
    fleet.write("fleet_methods.py", "def ask(question_context): pass\n")
    fleet.write("batchwright.toml", 'methods = ["fleet_methods"]')
    binding = {"execution_phases": {"observe": {"methods": [{"method_name": "ask"}]}}}
    context = {"question": "what?", "$path": "gone"}
    for contract in ("Q1", "Q2"):
        fleet.contract(contract, method_binding=binding, question_context=context)
    first, second = fleet.load().steps
    assert bound(first) == {"question_context": context}
    assert first.arguments[0].argument is second.arguments[0].argument
    fleet.contract("Q2", method_binding=binding, question_context=None)
    assert "nothing gives the argument 'question_context'" in fleet.error().message


def test_cache_false_and_missing_optional_fields(fleet):
    fleet.one_method(method_name="count", cache=False, provides=None, requires=None, args=None,
                     veto_conditions=None, confidence_score=None, level=None)  # fmt: skip
    (step,) = fleet.load().steps
    assert step.options == StepOptions(cache=False)
    assert step.address.provides == "count"
    assert (step.level, step.confidence) == ("", 0.5)


def test_type_failure_mode_and_source_stand_in_the_contract(fleet):
    path = fleet.contract(
        "Q1",
        identity={"contract_id": "Q1", "contract_type": "TYPE_C", "sector_id": None},
        error_handling={"on_method_failure": "raise", "other": 3},
    )
    (contract,) = fleet.load().contracts
    assert (contract.type, contract.on_failure) == ("TYPE_C", "raise")
    assert contract.source == str(path)


def test_contracts_come_after_those_they_depend_on_else_in_file_order(fleet):
    fleet.contract("a", depends_on=["c"])
    fleet.contract("b")
    fleet.contract("c")
    graph = fleet.load()
    assert [contract.id for contract in graph.contracts] == ["c", "a", "b"]
    assert graph.contracts[1].depends_on == ("c",)
    assert [step.id for step in graph.steps] == list(range(12))


def test_only_takes_a_pattern_and_drops_dependencies_on_what_is_left_out(fleet):
    fleet.contract("Q1_A", depends_on=["Q2_A"])
    fleet.contract("Q1_B", depends_on=["Q1_A"])
    fleet.contract("Q2_A")
    graph = fleet.load(only="Q1*")
    assert [(c.id, c.depends_on) for c in graph.contracts] == [("Q1_A", ()), ("Q1_B", ("Q1_A",))]


def test_one_file_a_list_lines_and_standard_input_give_the_same_graph(fleet, tmp_path, monkeypatch):
    documents = [fleet.document("Q1"), fleet.document("Q2")]
    listed = fleet.write("list.json", json.dumps(documents))
    lines = fleet.write("lines.jsonl", "\n\n".join(json.dumps(d) for d in documents))
    monkeypatch.chdir(fleet.path)
    graphs = [
        fleet.load(listed),
        fleet.load(lines),
        fleet.load("-", stdin=io.BytesIO(listed.read_bytes())),
        fleet.load("-", stdin=io.BytesIO(lines.read_bytes())),
    ]
    for graph in graphs:
        assert [contract.id for contract in graph.contracts] == ["Q1", "Q2"]
        assert [str(s.address) for s in graph.steps] == [str(s.address) for s in graphs[0].steps]
    assert [c.source for c in graphs[0].contracts] == [f"{listed}[0]", f"{listed}[1]"]
    assert [c.source for c in graphs[1].contracts] == [f"{lines}:1", f"{lines}:3"]
    assert [c.source for c in graphs[3].contracts] == ["<stdin>:1", "<stdin>:3"]


def test_a_factory_makes_the_object_with_the_other_entries_of_its_table(fleet):
    fleet.write("making.py", "def miner(language, *, text):\n    return None\n")
    fleet.write("batchwright.toml", """
        methods = ["fleet_methods"]
        [inputs]
        document = "plan.bin"
        text = "@plan.txt"
        [instances.Miner]
        factory = "making:miner"
        language = "de"
    """)  # fmt: skip
    fleet.contract()
    miner = named(fleet.load())["Q1/observe/words"].instance
    assert miner.owner.qualname == "Miner"
    assert (miner.factory.module, miner.factory.qualname) == ("making", "miner")
    assert bound(miner) == {"language": "de", "text": "a plan\n"}


def test_vetoes_are_parsed_into_the_steps(fleet):
    conditions = {"low": {"trigger": "count < 5", "action": "reduce_confidence",
                          "scope": "raw_facts", "confidence_multiplier": 0.5}}  # fmt: skip
    fleet.one_method(
        class_name="Miner", method_name="tokens", level="N1-EMP", veto_conditions=conditions
    )
    (step,) = fleet.load().steps
    (veto,) = step.vetoes
    assert (veto.name, veto.action, veto.scope, veto.multiplier, veto.source) == (
        "low", "reduce_confidence", "raw_facts", 0.5, "count < 5"
    )  # fmt: skip


def test_a_text_that_names_a_file_is_a_warning_told_once(fleet):
    for contract in ("Q1", "Q2"):
        fleet.one_method(contract, method_name="count", args={"text": "plan.bin"})
    (warning,) = [w for w in fleet.load().warnings if "plan.bin" in w]
    assert "count: argument 'text' names the file 'plan.bin' but counts as a string" in warning
    assert '{"$path": "plan.bin"}' in warning


def test_an_input_that_no_method_takes_is_a_warning_with_the_nearest_name(fleet):
    fleet.contract()
    (warning,) = fleet.load(inputs={"documnt": str(fleet.path / "plan.bin")}).warnings
    assert "--input documnt: no method takes an argument 'documnt'" in warning
    assert "did you mean 'document'?" in warning


def test_a_contract_without_methods_is_a_warning(fleet):
    fleet.contract("Q1", method_binding={"execution_phases": {"a": {"methods": []}}})
    assert "contracts without methods: Q1" in fleet.load().warnings


def test_json_files_that_are_data_are_left_out_with_a_word(fleet):
    fleet.contract()
    fleet.write("data.json", '{"rows": [1, 2]}')
    fleet.write("more.json", "[1, 2]")
    graph = fleet.load()
    assert len(graph.contracts) == 1
    (warning,) = graph.warnings
    assert "2 JSON files hold no contract" in warning
    assert "data.json" in warning


def test_a_step_function_is_called_as_the_function_it_was_made_from(fleet):
    fleet.write("fleet_methods.py", """
        from batchwright.contracts.step import step

        @step(ttl=60)
        def count(text):
            return len(text)
    """)  # fmt: skip
    fleet.write("batchwright.toml", 'methods = ["fleet_methods"]')
    fleet.one_method(method_name="count", args={"text": "abc"})
    (step,) = fleet.load().steps
    assert step.function.load()("abc") == 3
    assert step.options.ttl == 60


def test_a_fleet_of_the_v4_shape_shares_what_is_equal(fleet):
    for number in range(300):
        fleet.contract(f"Q{number:03}", identity={
            "contract_id": f"Q{number:03}", "contract_type": "TYPE_B",
            "sector_id": f"PA{number % 10:02}", "level": None, "patterns": ["ignored"] * 50,
        })  # fmt: skip
    graph = fleet.load()
    assert len(graph.contracts) == 300
    assert len(graph.steps) == 4 * 300
    assert len({id(s.instance) for s in graph.steps}) == 2
    sectors = {id(b.argument) for s in graph.steps for b in s.arguments if b.name == "sector_id"}
    assert len(sectors) == 10
    texts = {id(b.argument) for s in graph.steps for b in s.arguments if b.name == "text"}
    assert len(texts) == 1
