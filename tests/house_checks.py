"""The house rules, checked: each rule takes a house and yields every line that breaks it."""

import ast
from collections.abc import Callable, Iterator

import house_rules as rules
from house import COMPUTED, PACKAGE, Broken, House, Imported, Module, chain_of_imports, functions, length_of


def unknown_rooms(house: House) -> Iterator[Broken]:
    for module in house:
        if module.room not in rules.MAY_IMPORT:
            yield module.broken(module.tree, f"the room {module.room!r} is not in the table of who may import whom")


def imports_between_rooms(house: House) -> Iterator[Broken]:
    for module in house:
        allowed = rules.MAY_IMPORT.get(module.room, set()) | rules.FOUNDATION | {module.room}
        for found in module.imports:
            parts = found.name.split(".")
            if parts[0] != PACKAGE or (module.path == "__init__.py" and (found.function or found.for_types_only)):
                continue
            room = next((part for part in parts[1:2] if part in rules.MAY_IMPORT), "__init__")
            if room not in allowed:
                yield module.broken(found, f"{module.room} may not import {room} ({found.name})")


def imports_for_types_only(house: House) -> Iterator[Broken]:
    for module in house:
        for found in module.imports:
            if found.for_types_only and module.path != "__init__.py":
                yield module.broken(found, f"{found.name} is imported under TYPE_CHECKING, which hides a knot")


def late_imports(house: House) -> Iterator[Broken]:
    for module in house:
        for found in module.imports:
            ours = found.name.split(".")[0] == PACKAGE
            if found.name == COMPUTED:
                if not module.inside(rules.COMPUTED_IMPORTS):
                    yield module.broken(found, "nobody can see what is imported here")
            elif not found.function:
                if found.name.split(".")[0] in rules.HEAVY_PACKAGES:
                    yield module.broken(found, f"{found.name} is heavy: import it inside the function that needs it")
            elif ours and f"{module.path}::{found.function}" not in rules.LATE_OWN_IMPORTS:
                if not module.inside(rules.LATE_OWN_IMPORTS):
                    yield module.broken(found, f"{found.name} is imported inside {found.function}(): only cli/ may")
            elif not ours and not module.inside(rules.LATE_IMPORTS):
                yield module.broken(found, f"{found.name} is imported inside {found.function}()")


def cycles(house: House) -> Iterator[Broken]:
    """Each module from which a chain of imports leads back to itself, with the shortest such chain."""
    for module in house:
        if chain := _way_back(house, module):
            yield module.broken(module.tree, "imports itself: " + " -> ".join([*chain, module.name]))


def _way_back(house: House, module: Module) -> list[str]:
    return chain_of_imports(house, module, lambda other: module.name in house.named[other.name], house.named)


def reach_of_pure_rooms(house: House) -> Iterator[Broken]:
    """No chain of imports, however long, leads from a room without effects to one with, or to an effect."""
    for module in house:
        if module.room not in rules.WITHOUT_EFFECTS:
            continue
        chain = chain_of_imports(house, module, lambda other: other.room not in rules.WITHOUT_EFFECTS, house.loaded)
        if chain:
            yield module.broken(module.tree, "reaches a room with effects: " + " -> ".join(chain))
        chain = chain_of_imports(house, module, lambda other: any(_impure_imports(other)), house.loaded)
        if len(chain) > 1:
            culprit = next(_impure_imports(house.modules[chain[-1]])).name
            yield module.broken(module.tree, "reaches an effect: " + " -> ".join([*chain, culprit]))


def _impure_imports(module: Module) -> Iterator[Imported]:
    packages = {name for place, names in rules.PURE_PACKAGES.items() if module.path.startswith(place) for name in names}
    for found in module.imports:
        parts = found.name.split(".")
        if parts[0] != PACKAGE and not {parts[0], ".".join(parts[:2])} & (rules.PURE_STDLIB | packages):
            yield found


def purity(house: House) -> Iterator[Broken]:
    for module in house:
        if module.room not in rules.WITHOUT_EFFECTS:
            continue
        for found in _impure_imports(module):
            yield module.broken(found, f"{found.name} is not on the list of what a room without effects may import")
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=func) if module.full_name(func) in rules.EFFECTFUL_CALLS:
                    yield module.broken(node, f"{module.full_name(func)}() in a room without effects")
                case ast.Attribute() | ast.Name() if module.full_name(node).startswith(rules.EFFECTFUL_NAMES):
                    yield module.broken(node, f"{module.full_name(node)} in a room without effects")
                case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                    yield module.broken(node, "async in a room without effects")
                case ast.Global():
                    yield module.broken(node, "global state in a room without effects")


def clock_reads(house: House) -> Iterator[Broken]:
    for module in house:
        if module.inside(rules.CLOCK_READERS):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute | ast.Name) and module.full_name(node) in rules.CLOCKS:
                yield module.broken(node, f"{module.full_name(node)} reads a clock")
            if isinstance(node, ast.Attribute) and node.attr == "time" and "loop" in ast.unparse(node.value):
                yield module.broken(node, f"{ast.unparse(node)} reads the event loop's clock")


def environment_reads(house: House) -> Iterator[Broken]:
    for module in house:
        if module.inside(rules.ENVIRONMENT_READERS):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute | ast.Name) and module.full_name(node) in rules.ENVIRONMENT:
                yield module.broken(node, f"{module.full_name(node)}: only settings.py reads the environment")
            if isinstance(node, ast.keyword) and node.arg == "envvar":
                yield module.broken(node.value, "envvar=: only settings.py reads the environment")


def broad_excepts(house: House) -> Iterator[Broken]:
    broad = {"Exception", "BaseException"}
    for module in house:
        if module.inside(rules.BROAD_EXCEPTS):
            continue
        for node in ast.walk(module.tree):
            match node:
                case ast.ExceptHandler(type=None):
                    caught = broad
                case ast.ExceptHandler(type=ast.expr() as kinds, body=[*_, last]) if not _raises_again(last):
                    caught = {name.id for name in ast.walk(kinds) if isinstance(name, ast.Name)}
                case ast.Call(func=func, args=kinds) if module.full_name(func) == "contextlib.suppress":
                    caught = {name.id for name in kinds if isinstance(name, ast.Name)}
                case _:
                    continue
            if caught & broad:
                yield module.broken(node, "everything is caught, which only runtime/ may")


def _raises_again(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Raise) and statement.exc is None


def first_lines(house: House) -> Iterator[Broken]:
    for module in house:
        if module.lines and (not ast.get_docstring(module.tree) or module.tree.body[0].lineno != 1):
            yield module.broken(module.tree, "the first line does not say what the module is")


def file_lengths(house: House) -> Iterator[Broken]:
    for module in house:
        limit = rules.FILE_LINES_OF.get(module.path, rules.FILE_LINES)
        if module.lines > limit and module.path not in rules.LONG_FILES:
            yield Broken(module.path, module.lines, f"{module.lines} lines, {limit} at most: is a room missing?")


def function_lengths(house: House) -> Iterator[Broken]:
    for module in house:
        for name, node in functions(module.tree):
            length = length_of(node)
            if length > rules.FUNCTION_LINES and f"{module.path}::{name}" not in rules.LONG_FUNCTIONS:
                yield module.broken(node, f"{name}() has {length} lines, {rules.FUNCTION_LINES} at most")


def needless_exceptions(house: House) -> Iterator[Broken]:
    """Exceptions outlive their reason unless somebody looks."""
    files = {module.path: module for module in house}
    for path in rules.LONG_FILES:
        if path not in files or files[path].lines <= rules.FILE_LINES_OF.get(path, rules.FILE_LINES):
            yield Broken(path, 1, "is listed in LONG_FILES, but is not long")
    for long in rules.LONG_FUNCTIONS:
        path, name = long.split("::")
        lengths = (
            [length_of(node) for found, node in functions(files[path].tree) if found == name] if path in files else []
        )
        if max(lengths, default=0) <= rules.FUNCTION_LINES:
            yield Broken(path, 1, f"{name} is listed in LONG_FUNCTIONS, but is not long")


Rule = Callable[[House], Iterator[Broken]]
RULES: tuple[Rule, ...] = (
    unknown_rooms,
    imports_between_rooms,
    imports_for_types_only,
    late_imports,
    cycles,
    reach_of_pure_rooms,
    purity,
    clock_reads,
    environment_reads,
    broad_excepts,
    first_lines,
    file_lengths,
    function_lengths,
    needless_exceptions,
)
