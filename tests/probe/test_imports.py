import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from audioloss_cli.probe.errors import UsageError
from audioloss_cli.probe.imports import call_factory, import_factory


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a module into the current directory and gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", sys.modules)

    def write(text: str) -> str:
        name = f"users_{abs(hash(tmp_path))}"
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def refusal(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        import_factory(text, "--data")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_function_of_the_current_directory(module: Callable[[str], str]) -> None:
    name = module("def make(size=1):\n    return [size]\n")
    assert call_factory(import_factory(f"{name}:make", "--data"), {"size": 3}, "x", "--data") == [3]


def test_a_dotted_attribute(module: Callable[[str], str]) -> None:
    name = module("class Data:\n    @classmethod\n    def make(cls):\n        return cls.__name__\n")
    assert import_factory(f"{name}:Data.make", "--data")() == "Data"


@pytest.mark.parametrize("text", ["package.module", ":make", "module:", "", ":"])
def test_another_form(text: str) -> None:
    assert refusal(text) == f"--data {text!r} is no import string; it must look like 'package.module:factory'"


@pytest.mark.parametrize("name", ["no_such_module", "no_such_package.module", "json.no_such_module"])
def test_no_such_module(name: str) -> None:
    assert refusal(f"{name}:make") == f"--data '{name}:make': there is no module {name!r} here or among the packages"


@pytest.mark.parametrize("attribute", ["no_such_name", "dumps.no_such_name"])
def test_no_such_attribute(attribute: str) -> None:
    assert refusal(f"json:{attribute}") == f"--data 'json:{attribute}': module 'json' has no attribute {attribute!r}"


def test_what_cannot_be_called() -> None:
    assert refusal("sys:path") == "--data 'sys:path' is a list, which cannot be called"


def test_a_package_that_the_module_needs(module: Callable[[str], str]) -> None:
    name = module("import no_such_package\n")
    assert refusal(f"{name}:make").endswith(f"importing {name!r} needs 'no_such_package', which is missing")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("raise ValueError('two\\n  lines')\n", "ValueError: two lines"),
        ("raise AssertionError\n", "AssertionError"),
        ("def make(:\n", "SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
    ],
)
def test_a_module_that_fails(text: str, told: str, module: Callable[[str], str]) -> None:
    name = module(text)
    assert refusal(f"{name}:make").startswith(f"--data '{name}:make': importing {name!r} failed: {told}")


def test_a_lazy_module_that_fails(module: Callable[[str], str]) -> None:
    name = module("def __getattr__(name):\n    raise RuntimeError('needs\\nsoxr')\n")
    assert refusal(f"{name}:make") == f"--data '{name}:make': getting 'make' failed: RuntimeError: needs soxr"


@pytest.mark.parametrize("error", [ValueError("two\nlines"), SystemExit("two\nlines")])
def test_a_factory_that_fails(error: BaseException) -> None:
    def make() -> None:
        raise error

    with pytest.raises(UsageError) as caught:
        call_factory(make, {}, "a:make", "--model")
    assert str(caught.value) == f"--model 'a:make' failed: {type(error).__name__}: two lines"


def test_an_argument_that_the_factory_does_not_take() -> None:
    with pytest.raises(UsageError, match=r"^--data 'a:b' failed: TypeError: .* unexpected keyword argument 'depth'"):
        call_factory(lambda size: SimpleNamespace(size=size), {"depth": 1}, "a:b", "--data")


def test_ctrl_c_is_not_swallowed() -> None:
    def make() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_factory(make, {}, "a:make", "--data")
