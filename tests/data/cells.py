"""Runs cells of Python as a notebook does: in one namespace, each cell a source of its own.

Reads a JSON list of cells from standard input and writes a JSON list of what each printed,
the value of a last expression included.
"""

import ast
import code
import contextlib
import io
import json
import linecache
import sys
import types


def outputs_of(cells):
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    interpreter = code.InteractiveInterpreter(vars(main))
    for number, cell in enumerate(cells, 1):
        name = f"<cell {number}>"
        linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            for compiled in compiled_parts(cell, name):
                interpreter.runcode(compiled)
        yield printed.getvalue()


def compiled_parts(cell, name):
    statements = ast.parse(cell, name).body
    shown = [statements.pop()] if isinstance(statements[-1], ast.Expr) else []
    yield compile(ast.Module(statements, type_ignores=[]), name, "exec")
    yield compile(ast.Interactive(shown), name, "single")


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(list(outputs_of(given)), sys.stdout)
