"""The source tree as the house rules see it: modules, what each imports, and what its names stand for.

Nothing is imported or run: everything is read from syntax trees.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

PACKAGE = "offhook"
COMPUTED = "a computed name"


class Broken(NamedTuple):
    """A rule that a line breaks. Printed as `carrier/events.py:12: what is wrong`."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


class Imported(NamedTuple):
    """One imported name, in full (`offhook.carrier.events.Track`), with where and how it is imported."""

    name: str
    line: int
    function: str
    """The function it stands in, "" for the module's own level."""
    for_types_only: bool


@dataclass
class Module:
    """One source file."""

    path: str
    name: str
    tree: ast.Module
    lines: int
    imports: list[Imported] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Local name -> what it stands for, in full: {"np": "numpy", "now": "datetime.datetime.now"}."""

    @property
    def room(self) -> str:
        return self.path.split("/")[0].removesuffix(".py")

    def inside(self, places: tuple[str, ...] | dict[str, str]) -> bool:
        """Whether this file is one of `places`, or lies in one that ends with a slash."""
        return any(self.path == place or (place.endswith("/") and self.path.startswith(place)) for place in places)

    def broken(self, node: ast.AST | Imported, rule: str) -> Broken:
        return Broken(self.path, node.line if isinstance(node, Imported) else getattr(node, "lineno", 1), rule)

    def full_name(self, node: ast.AST) -> str:
        """The full dotted name of an expression like `np.random.default_rng`, "" where it is none."""
        match node:
            case ast.Name(id=name):
                return self.names.get(name, name)
            case ast.Attribute(value=value, attr=attr):
                base = self.full_name(value)
                return f"{base}.{attr}" if base else ""
        return ""


class House:
    """All modules under a folder that holds the package's files."""

    def __init__(self, source: Path) -> None:
        self.modules: dict[str, Module] = {}
        for file in sorted(source.rglob("*.py")):
            path = file.relative_to(source).as_posix()
            name = ".".join([PACKAGE, *path.removesuffix(".py").split("/")]).removesuffix(".__init__")
            text = file.read_text(encoding="utf-8")
            self.modules[name] = Module(path, name, ast.parse(text, path), len(text.splitlines()))
        for module in self.modules.values():
            _collect(module, module.tree, function="", for_types_only=False)
        self.named = {name: self._named_by(module) for name, module in self.modules.items()}
        """Module -> our modules that it names, late imports included. The front page, which names all, is left out."""
        self.loaded = {
            name: {part for other in others for part in self._around(other)} - {name}
            for name, others in self.named.items()
        }
        """`named`, with the packages around each: importing `a.b.c` runs `a.b` too."""

    def __iter__(self) -> Iterator[Module]:
        return iter(self.modules.values())

    def module_of(self, name: str) -> str:
        """The module of ours that an imported name lies in: the longest prefix that is one; "" for other people's."""
        parts = name.split(".")
        prefixes = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
        return next((prefix for prefix in prefixes if prefix in self.modules), "") if parts[0] == PACKAGE else ""

    def _named_by(self, module: Module) -> set[str]:
        return {self.module_of(found.name) for found in module.imports} - {"", module.name, PACKAGE}

    def _around(self, name: str) -> set[str]:
        """A module with the packages that it lies in, the front page left out."""
        parts = name.split(".")
        return {".".join(parts[:end]) for end in range(2, len(parts) + 1)} & self.modules.keys()


def _collect(module: Module, node: ast.AST, function: str, for_types_only: bool) -> None:
    """Fill `module.imports` and `module.names` from a syntax tree."""
    for child in ast.iter_child_nodes(node):
        inner, types_only = function, for_types_only
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                inner = function or getattr(child, "name", "lambda")
            case ast.If(test=test) if module.full_name(test).endswith("TYPE_CHECKING"):
                types_only = True
            case ast.Import(names=aliases):
                for alias in aliases:
                    module.imports.append(Imported(alias.name, child.lineno, function, for_types_only))
                    module.names[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            case ast.ImportFrom(names=aliases):
                origin = _origin(module, child)
                for alias in aliases:
                    module.imports.append(Imported(f"{origin}.{alias.name}", child.lineno, function, for_types_only))
                    module.names[alias.asname or alias.name] = f"{origin}.{alias.name}"
            case ast.Call(func=func, args=[name, *_]) if _imports(module, func):
                called = name.value if isinstance(name, ast.Constant) else COMPUTED
                module.imports.append(Imported(str(called), child.lineno, function, for_types_only))
        _collect(module, child, inner, types_only)


def _imports(module: Module, function: ast.expr) -> bool:
    return module.full_name(function) in {"importlib.import_module", "__import__"}


def _origin(module: Module, node: ast.ImportFrom) -> str:
    """The module that `from … import` names, with leading dots resolved."""
    if not node.level:
        return node.module or ""
    package = module.name.split(".") if module.path.endswith("__init__.py") else module.name.split(".")[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def chain_of_imports(
    house: House, start: Module, ends: Callable[[Module], bool], following: dict[str, set[str]]
) -> list[str]:
    """The shortest chain of imports from `start` to a module where `ends` holds; [] where there is none."""
    chains: dict[str, list[str]] = {start.name: [start.name]}
    queue = [start.name]
    for name in queue:
        if ends(house.modules[name]):
            return chains[name]
        for other in sorted(following[name] - chains.keys()):
            chains[other] = [*chains[name], other]
            queue.append(other)
    return []


def functions(node: ast.AST, around: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        name = around
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{around}.{child.name}" if around else child.name
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, child
        yield from functions(child, name)


def length_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, docstring not counted."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length
