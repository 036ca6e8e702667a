"""The packages of sentiment_rnn import downwards only, also inside functions."""

import ast
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / "src/sentiment_rnn"
LAYERS = (  # from the bottom; those of one layer do not import each other
    {"errors", "progress"},
    {"files"},
    {"params"},
    {"data", "models"},
    {"evaluation", "tracking", "execution"},
    {"baselines"},
    {"inference"},
    {"training"},
    {"explain", "search", "studies"},
    {"serving", "run"},
    {"demo"},
    {"cli"},
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}


def imported_packages(file: Path) -> set[str]:
    """The packages and top modules of sentiment_rnn that a file imports, at any place."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{file}: a relative import"
            modules |= {f"{node.module}.{name.name}" for name in node.names}
    parts = [module.split(".") for module in modules]
    return {part[1] for part in parts if part[0] == "sentiment_rnn" and len(part) > 1 and part[1] in LAYER}


def test_the_packages_are_those_of_the_layers():
    found = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert found - {"__init__"} == set(LAYER)


def test_no_package_imports_one_of_its_own_layer_or_above():
    upwards = []
    for file in sorted(PACKAGE.rglob("*.py")):
        importer = file.relative_to(PACKAGE).with_suffix("").parts[0]
        if importer == "__init__":
            assert not imported_packages(file)
            continue
        for imported in sorted(imported_packages(file) - {importer}):
            if LAYER[imported] >= LAYER[importer]:
                upwards.append(f"{file.relative_to(PACKAGE)} imports {imported}")
    assert not upwards


def test_a_network_needs_torch_and_evaluation_takes_arrays():
    for package, allowed in (("models", set()), ("evaluation", {"data", "errors", "files"})):
        for file in (PACKAGE / package).rglob("*.py"):
            assert imported_packages(file) <= allowed | {package}, file


def test_nothing_of_the_package_imports_the_pipeline():
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text())
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "pipeline"]
