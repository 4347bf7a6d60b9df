"""As little as a Typer command line can be: the floor for ours."""

import typer

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


def _version(asked: bool) -> None:
    if asked:
        print("0")
        raise typer.Exit


@app.callback()
def _callback(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True)) -> None:
    pass


@app.command()
def one(path: str) -> None:
    """Do something."""


@app.command()
def two(path: str) -> None:
    """Do something else."""


if __name__ == "__main__":
    app()
