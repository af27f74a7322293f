"""Each mistake in a fleet is a clear message: what, where, and the nearest name."""

import io
import json

import pytest

from batchwright import errors as e


def says(error, kind, *parts):
    assert type(error) is kind, str(error)
    for part in parts:
        assert part in error.message, f"{part!r} is not in {error.message!r}"


# --- the source ----------------------------------------------------------------------------


def test_no_such_folder_names_the_nearest_sibling(fleet):
    says(fleet.error(fleet.path.parent / "flete"), e.SourceNotFound, "flete", "'fleet'")


def test_no_such_parent_names_the_part_that_is_missing(fleet):
    missing = fleet.path.parent / "flet" / "sub" / "x"
    says(fleet.error(missing), e.SourceNotFound, f"no folder {missing.parent.parent}", "'fleet'")


def test_an_empty_folder(fleet):
    says(fleet.error(), e.EmptyFleet, "no contracts", "*.json")


def test_a_folder_with_data_only_says_why_it_is_no_fleet(fleet):
    fleet.write("data.json", "{}")
    says(fleet.error(), e.EmptyFleet, "'identity'", "data.json")


def test_empty_lines_and_empty_standard_input(fleet):
    says(fleet.error(fleet.write("a.jsonl", "\n\n")), e.EmptyFleet, "a.jsonl")
    says(fleet.error("-", stdin=io.BytesIO(b"")), e.BrokenDocument, "<stdin>")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('{\n  "identity": {"contract_id": "ä" 3},\n}', ("line 2, column 35", "delimiter")),
        ('{"identity": ', ("line 1, column 14", "expecting value")),
        ('{\n"identity": nul }', ("line 2, column 13",)),
        ('{"identity": NaN}', ("invalid character",)),
        ('{"identity": {}} x', ("line 1, column 18",)),
        ("[" * 200_000, ("nested too deeply",)),
    ],
)
def test_broken_json_names_file_line_and_column(fleet, text, parts):
    path = fleet.write("q.json", text)
    says(fleet.error(), e.BrokenDocument, str(path), *parts)


def test_broken_json_in_lines_names_the_line(fleet):
    path = fleet.write("q.jsonl", json.dumps(fleet.document()) + '\n\n{"a": }\n')
    says(fleet.error(path), e.BrokenDocument, f"{path}:3", "line 3, column 7")


def test_broken_json_on_standard_input(fleet):
    says(fleet.error("-", stdin=io.BytesIO(b'{"a": \n }')), e.BrokenDocument, "<stdin>", "line 2")


def test_a_file_that_is_not_utf8(fleet):
    path = fleet.write("q.json", json.dumps(fleet.document()).encode("utf-16"))
    says(fleet.error(), e.BrokenDocument, str(path), "not UTF-8")


def test_a_byte_order_mark_is_no_trouble(fleet):
    fleet.write("q.json", b"\xef\xbb\xbf" + json.dumps(fleet.document()).encode())
    assert len(fleet.load().contracts) == 1


def test_a_file_that_cannot_be_opened(fleet):
    fleet.contract()
    (fleet.path / "link.json").symlink_to(fleet.path / "gone.json")
    says(fleet.error(), e.UnreadableSource, "link.json", "cannot be read", "No such file")


def test_links_in_a_circle_are_followed_once(fleet):
    fleet.contract(file="sub/q.json")
    (fleet.path / "sub" / "again").symlink_to(fleet.path)
    assert len(fleet.load().contracts) == 1


def test_hidden_folders_are_passed_over(fleet):
    fleet.contract()
    fleet.write(".batchwright/reports/17.json", "{broken")
    assert len(fleet.load().contracts) == 1


def test_two_contracts_with_one_id_name_both_places(fleet):
    first = fleet.contract("Q1", file="a.json")
    second = fleet.contract("Q1", file="b.json")
    says(fleet.error(), e.DuplicateContract, "'Q1'", str(first), str(second))


def test_a_pattern_that_matches_nothing(fleet):
    fleet.contract("Q001")
    says(fleet.error(only="Q01"), e.NothingSelected, "'Q01'", "'Q001'")


# --- the shape of a contract ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            {"identity": {"contract_id": 3}},
            "$.identity.contract_id",
            "expected a string, got a number",
        ),
        ({"identity": {}}, "$.identity", "'contract_id' is missing"),
        ({"identity": None}, "$.identity", "expected an object, got null"),
        ({"method_binding": {}}, "$.method_binding", "'execution_phases' is missing"),
        ({"question_context": [1]}, "$.question_context", "expected an object, got an array"),
        ({"depends_on": ["a", 1]}, "$.depends_on[1]", "expected a string, got a number"),
        (
            {"error_handling": {"on_method_failure": "stop"}},
            "$.error_handling.on_method_failure",
            "expected 'continue' or 'raise', got 'stop'",
        ),
    ],
)
def test_a_wrong_type_names_the_json_path(fleet, change, path, message):
    file = fleet.contract("Q1", **change)
    says(fleet.error(), e.InvalidContract, f"{file}: {path}: ", message)


def test_all_wrong_types_of_a_contract_are_told_with_exact_paths(fleet):
    binding = {"execution_phases": {"observe": {"methods": [
        {"class_name": "Miner"},
        {"method_name": "words", "cache": "no", "confidence_score": 2},
        {"method_name": "words", "veto_conditions": {"low": {"trigger": 3}}}]}}}  # fmt: skip
    fleet.contract("Q1", method_binding=binding)
    base = "$.method_binding.execution_phases.observe.methods"
    told = "\n".join(error.message for error in fleet.errors())
    for part in [f"{base}[0]: the field 'method_name' is missing", f"{base}[1].cache: ",
                 f"{base}[1].confidence_score: ", f"{base}[2].veto_conditions.low.trigger: ",
                 f"{base}[2].veto_conditions.low: the field 'action' is missing"]:  # fmt: skip
        assert part in told


def test_an_entry_of_a_list_is_named_by_its_index(fleet):
    path = fleet.write("list.json", json.dumps([fleet.document("Q1"), {"identity": 1}]))
    error = fleet.errors(path)[0]
    says(error, e.InvalidContract, f"{path}[1]: $.identity", "expected an object, got a number")


def test_a_single_file_that_is_no_contract_is_an_error(fleet):
    says(fleet.errors(fleet.write("x.json", "{}"))[0], e.InvalidContract, "'identity' is missing")


# --- names ---------------------------------------------------------------------------------


def test_an_unknown_class_method_and_function_name_the_nearest(fleet):
    fleet.one_method("Q1", class_name="Minr", method_name="words")
    fleet.one_method("Q2", class_name="Miner", method_name="word")
    fleet.one_method("Q3", method_name="counts")
    first, second, third = fleet.errors()
    says(first, e.UnknownClass, "Q1.json", "contract 'Q1', phase 'observe', Minr.words",
         "no class 'Minr' in fleet_methods", "'Miner'")  # fmt: skip
    says(second, e.UnknownMethod, "Miner has no method 'word'", "'words'")
    says(third, e.UnknownMethod, "no function 'counts'", "'count'")


def test_an_unknown_class_without_settings_says_what_to_write(fleet):
    (fleet.path / "batchwright.toml").unlink()
    fleet.one_method(class_name="Miner", method_name="words")
    says(fleet.error(), e.UnknownClass, "methods = [", str(fleet.path / "batchwright.toml"))


def test_one_mistake_in_many_contracts_is_told_once(fleet):
    for number in range(5):
        fleet.one_method(f"Q{number}", class_name="Minr", method_name="words")
    says(fleet.error(), e.UnknownClass, "Q0.json", "and at 4 more places")


def test_a_property_a_nested_class_and_a_coroutine_are_no_methods(fleet):
    fleet.write("fleet_methods.py", """
        class Miner:
            class Inner: pass
            @property
            def size(self): return 1
            async def fetch(self): return 1
    """)  # fmt: skip
    fleet.write("batchwright.toml", 'methods = ["fleet_methods"]')
    for name in ("size", "Inner", "fetch", "mro"):
        fleet.one_method(name, class_name="Miner", method_name=name)
    told = {error.message.split("contract '")[1].split("'")[0]: error for error in fleet.errors()}
    says(told["size"], e.UnknownMethod, "Miner.size is a property")
    says(told["Inner"], e.UnknownMethod, "Miner.Inner is not a method")
    says(told["fetch"], e.UnknownMethod, "Miner.fetch is a coroutine function")
    says(told["mro"], e.UnknownMethod, "Miner has no method 'mro'")


def test_an_ambiguous_class_names_both(fleet):
    fleet.write("other_methods.py", "class Miner:\n    pass\n")
    fleet.write("batchwright.toml", 'methods = ["fleet_methods", "other_methods"]')
    fleet.one_method(class_name="Miner", method_name="words")
    says(fleet.error(), e.AmbiguousClass, "fleet_methods.Miner", "other_methods.Miner")


# --- phases --------------------------------------------------------------------------------


def observe(**changes):
    return {"methods": [], "output_target": "raw_facts"} | changes


def with_phases(fleet, **phases):
    fleet.contract("Q1", method_binding={"execution_phases": phases})


def test_an_unknown_phase_names_the_nearest(fleet):
    with_phases(fleet, observe=observe(), infer={"dependencies": ["obsrve"]})
    says(fleet.error(), e.UnknownPhase, "contract 'Q1', phase 'infer'", "'obsrve'", "'observe'")


def test_an_unknown_required_output_names_those_there_are(fleet):
    with_phases(fleet, observe=observe(methods=[
        {"method_name": "count", "requires": ["raw_fact"], "args": {"text": ""}}]))  # fmt: skip
    says(fleet.error(), e.UnknownOutput, "phase 'observe', count", "'raw_fact'", "'raw_facts'")


def test_a_cycle_of_phases_is_named_whole(fleet):
    with_phases(fleet, a={"dependencies": ["b"]}, b={"dependencies": ["c"]},
                c={"dependencies": ["a"]})  # fmt: skip
    says(fleet.error(), e.DependencyCycle, "contract 'Q1'", "a -> b -> c -> a")


def test_a_cycle_through_requires_is_found(fleet):
    method = {"method_name": "count", "requires": ["y"], "args": {"text": ""}}
    with_phases(fleet, a={"methods": [method], "output_target": "x"},
                b={"dependencies": ["a"], "output_target": "y"})  # fmt: skip
    says(fleet.error(), e.DependencyCycle, "a -> b -> a")


def test_two_phases_with_one_target_and_two_results_with_one_name(fleet):
    method = {"method_name": "count", "provides": "n", "args": {"text": ""}}
    with_phases(fleet, a=observe(methods=[method, method]), b=observe())
    target, provided = fleet.errors()
    says(target, e.DuplicateOutput, "phase 'b'", "'raw_facts' is taken by phase 'a'")
    says(provided, e.DuplicateOutput, "phase 'a'", "both provide 'n'")


def test_an_unknown_contract_and_a_cycle_of_contracts(fleet):
    fleet.contract("a", depends_on=["b"])
    fleet.contract("b", depends_on=["a"])
    fleet.contract("c", depends_on=["bb"])
    cycle, unknown = fleet.errors()
    says(cycle, e.DependencyCycle, "a.json", "a -> b -> a")
    says(unknown, e.UnknownContract, "c.json", "no contract 'bb'", "'b'")


# --- arguments -----------------------------------------------------------------------------


def test_a_missing_argument_names_what_there_is_and_the_nearest(fleet):
    fleet.write("batchwright.toml", """
        methods = ["fleet_methods"]
        [inputs]
        txt = "@plan.txt"
        [instances.Miner]
        language = "es"
    """)  # fmt: skip
    fleet.one_method(class_name="Miner", method_name="words", args={"sector_id": "x"})
    says(fleet.error(), e.MissingArgument, "contract 'Q1', phase 'observe', Miner.words",
         "nothing gives the argument 'text'", "did you mean 'txt'?", "args: sector_id",
         "contract: contract_id, contract_type, question_context, sector_id",
         "inputs: txt")  # fmt: skip


def test_an_output_that_is_not_finished_says_what_to_depend_on(fleet):
    compare = {"class_name": "Miner", "method_name": "compare"}
    with_phases(fleet, observe=observe(), infer={"methods": [compare]})
    says(fleet.error(), e.MissingArgument, "nothing gives the argument 'raw_facts' yet",
         "add 'observe' to the dependencies of 'infer'")  # fmt: skip


def test_an_argument_that_the_method_does_not_take(fleet):
    fleet.one_method(method_name="count", args={"text": "a", "texd": 1})
    says(fleet.error(), e.UnknownArgument, "count", "no argument 'texd'", "'text'")


def test_a_missing_constructor_argument_names_its_table(fleet):
    fleet.write("batchwright.toml", 'methods = ["fleet_methods"]\n[instances.Miner]\nlang = "es"')
    fleet.one_method(class_name="Miner", method_name="words", args={"text": "", "sector_id": ""})
    missing, unknown = fleet.errors()
    says(missing, e.MissingArgument, "Miner cannot be made", "'language'", "[instances.Miner]")
    says(unknown, e.UnknownArgument, "no argument 'lang'", "'language'", "batchwright.toml")


def test_a_missing_path_names_its_argument(fleet):
    fleet.one_method(method_name="count", args={"text": {"$path": "gone.txt"}})
    says(fleet.error(), e.MissingPath, "count", "argument 'text'", str(fleet.path / "gone.txt"))


def test_a_malformed_path(fleet):
    fleet.one_method(method_name="count", args={"text": {"$path": "a", "b": 1}})
    says(fleet.error(), e.InvalidContract, "argument 'text'", '{"$path": "file"}')


def test_inputs_that_cannot_be_read_are_told_once_each_with_their_place(fleet):
    fleet.write("batchwright.toml", """
        methods = ["fleet_methods"]
        [inputs]
        text = "@latin.txt"
        document = "gone.bin"
        [instances.Miner]
        language = "es"
    """)  # fmt: skip
    fleet.write("latin.txt", "año".encode("latin-1"))
    fleet.contract("Q1")
    fleet.contract("Q2")
    first, second, third = fleet.errors(inputs={"extra": "gone.txt"})
    says(first, e.UnreadableInput, "[inputs] text", "latin.txt is not UTF-8 text (byte 1)")
    says(second, e.MissingPath, "[inputs] document", str(fleet.path / "gone.bin"))
    says(third, e.MissingPath, "--input extra", "gone.txt")


def test_a_callable_without_a_signature(fleet):
    fleet.write("fleet_methods.py", "from builtins import iter as each\n__all__ = ['each']\n")
    fleet.write("batchwright.toml", 'methods = ["fleet_methods"]')
    fleet.one_method(method_name="each")
    says(fleet.error(), e.NoSignature, "iter", "wrap it")


# --- vetoes --------------------------------------------------------------------------------


def veto(fleet, level="N1-EMP", **changes):
    condition = {"trigger": "count < 5", "action": "invalidate_graph", "scope": "raw_facts"}
    fleet.one_method(class_name="Miner", method_name="tokens", level=level,
                     veto_conditions={"low": condition | changes})  # fmt: skip


def test_a_trigger_that_does_not_parse_names_the_column(fleet):
    veto(fleet, trigger="count < ")
    says(fleet.error(), e.InvalidVeto, "Miner.tokens, veto 'low'", "'count < '", "column 9")


def test_an_unknown_action_and_scope_name_the_nearest(fleet):
    veto(fleet, action="reduce_confidense")
    says(fleet.error(), e.InvalidVeto, "'reduce_confidence'")
    veto(fleet, scope="raw_fact")
    says(fleet.error(), e.InvalidVeto, "veto 'low'", "'raw_fact'", "'raw_facts'")


def test_reduce_confidence_says_by_how_much(fleet):
    veto(fleet, action="reduce_confidence")
    says(fleet.error(), e.InvalidVeto, "confidence_multiplier")


def test_a_veto_against_a_higher_level_is_refused(fleet):
    low = {"trigger": "count < 5", "action": "invalidate_graph", "scope": "inferences"}
    with_phases(
        fleet,
        observe=observe(methods=[{"class_name": "Miner", "method_name": "tokens",
                                  "level": "N1-EMP", "veto_conditions": {"low": low}}]),
        infer={"level": "N2", "dependencies": ["observe"], "output_target": "inferences",
               "methods": [{"class_name": "Miner", "method_name": "compare"}]},
    )  # fmt: skip
    says(fleet.error(), e.InvalidVeto, "N1-EMP may not veto 'inferences'", "N2")


# --- settings and modules ------------------------------------------------------------------


def test_a_methods_module_that_is_not_there(fleet):
    fleet.write("batchwright.toml", 'methods = ["fleet_method"]')
    fleet.contract()
    says(fleet.error(), e.MethodsImportError, "batchwright.toml", "no module 'fleet_method'",
         "'fleet_methods'")  # fmt: skip


def test_a_methods_module_that_raises_names_its_line(fleet):
    fleet.write("fleet_methods.py", "import os\n\nvalue = 1 / 0\n")
    fleet.contract()
    says(fleet.error(), e.MethodsImportError, "ZeroDivisionError: division by zero",
         f"{fleet.path / 'fleet_methods.py'}:3")  # fmt: skip


def test_a_methods_module_that_imports_what_is_not_there(fleet):
    fleet.write("fleet_methods.py", "\nimport no_such_module_at_all\n")
    fleet.contract()
    says(fleet.error(), e.MethodsImportError, "importing 'fleet_methods' failed",
         "no_such_module_at_all", "fleet_methods.py:2")  # fmt: skip


def test_a_methods_module_with_a_syntax_error_or_an_exit(fleet):
    fleet.contract()
    fleet.write("fleet_methods.py", "x = 1\ndef broken(:\n")
    says(fleet.error(), e.MethodsImportError, "SyntaxError", "fleet_methods.py, line 2")
    fleet.write("fleet_methods.py", "import sys\nsys.exit(3)  # longer than before\n")
    says(fleet.error(), e.MethodsImportError, "SystemExit", "fleet_methods.py:2")


def test_a_module_of_another_fleet_is_not_taken_for_this_one(fleet, tmp_path):
    fleet.contract()
    fleet.load()
    other = type(fleet)(tmp_path / "other")
    other.contract()
    says(other.error(), e.MethodsImportError, "'fleet_methods'", str(fleet.path), str(other.path))


def test_names_in_the_settings_that_are_no_classes(fleet):
    fleet.write("batchwright.toml", """
        methods = ["fleet_methods"]
        stateful = ["Auditer"]
        [instances.Minr]
        language = "es"
    """)  # fmt: skip
    fleet.one_method(method_name="count", args={"text": ""})
    first, second = fleet.errors()
    says(first, e.UnknownClass, "batchwright.toml: instances.Minr", "'Miner'")
    says(second, e.UnknownClass, "batchwright.toml: stateful: Auditer", "'Auditor'")


@pytest.mark.parametrize(
    ("factory", "parts"),
    [
        ('"miner"', ("'module:function'", "'miner'")),
        ("3", ("'module:function'", "3")),
        ('"fleet_methods:mine"', ("fleet_methods has no 'mine'", "'Miner'")),
        ('"fleet_methods:Path.sep"', ("has no 'Path.sep'",)),
        ('"fleet_methods:annotations"', ("not a function",)),
    ],
)
def test_a_factory_that_cannot_be_used(fleet, factory, parts):
    fleet.write("batchwright.toml",
                f'methods = ["fleet_methods"]\n[instances.Miner]\nfactory = {factory}')  # fmt: skip
    fleet.one_method(class_name="Miner", method_name="words", args={"text": "", "sector_id": ""})
    says(fleet.error(), e.InvalidFactory, "[instances.Miner]", *parts)


def test_all_errors_come_at_once_in_file_order(fleet):
    fleet.one_method("a", class_name="Minr", method_name="words")
    fleet.write("b.json", "{")
    fleet.one_method("c", method_name="count")
    fleet.write("batchwright.toml", 'methods = ["fleet_methods"]\n[inputs]\nd = "gone"')
    kinds = [type(error) for error in fleet.errors()]
    assert kinds == [e.MissingPath, e.UnknownClass, e.BrokenDocument, e.MissingArgument]


@pytest.mark.parametrize("value", ["1e999", r'"\ud800"', r'"\q"', "[" * 5000 + "]" * 5000])
def test_an_argument_that_is_no_json_value(fleet, value):
    file = fleet.one_method(method_name="count", args={"text": "HERE"})
    file.write_text(file.read_text().replace('"HERE"', value))
    error = fleet.error()
    assert isinstance(error, e.InvalidContract | e.BrokenDocument)
    assert "Q1.json" in error.message
