"""Which adapter serves a model and a batch."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, cast

from audioloss_cli import registry
from audioloss_cli.probe.errors import UnreadableError, UsageError
from audioloss_cli.probe.model_io.adapter import Adapter, Batch, Config, Options

FOLDER = "probe.model_io.adapters"
# Keys of any language model; they tell no family from another.
COMMON = frozenset(
    {"input_ids", "attention_mask", "labels", "position_ids", "input_values", "decoder_input_ids", "codes"}
)

# What every adapter reads; those of a family name in ``OPTIONS`` what else they read, generic reads all.
_ALWAYS_READ = frozenset({"ignore_index", "shift"})
_OPTIONS = {"num_codebooks": "--codebooks"}


def choose_adapter(name: str, config: Config, options: Options, batch: Batch) -> tuple[Adapter, str]:
    """The adapter that is named; else the one that serves the configuration, unless the batch speaks for another.

    Returns:
        The adapter and its name.

    Raises:
        UsageError: no adapter of that name, none is found, or the one that is does not read an option.
        UnreadableError: the configuration has values that its family cannot have.
    """
    chosen = _chosen(name, config, options, batch)
    _refuse_unread(options, chosen[1])
    return chosen


def _chosen(name: str, config: Config, options: Options, batch: Batch) -> tuple[Adapter, str]:
    names = registry.names(FOLDER)
    if name:
        if name not in names:
            raise UsageError(f"--adapter {name!r} is not one of {', '.join(names)}")
        return _make(name, config, options), name
    served = [each for each in names if registry.load(FOLDER, each).serves(config)]
    made = dict(_made([each for each in names if each != "generic"], served, config, options))
    by_batch = sorted(made, key=lambda each: -_known(made[each], batch))
    best = by_batch[0] if by_batch and _known(made[by_batch[0]], batch) else ""
    if served and (not best or _known(made[served[0]], batch)):
        best = served[0]
    if best:
        return made[best], best
    if options.labels_key:
        return _make("generic", config, options), "generic"
    raise UsageError(_complaint(config, batch))


def _refuse_unread(options: Options, name: str) -> None:
    """An option without effect would leave the user with a wrong belief.

    Raises:
        UsageError: the adapter knows by itself what an option says.
    """
    read = {*_ALWAYS_READ, *getattr(registry.load(FOLDER, name), "OPTIONS", ())}
    unread = [
        item.name for item in fields(options) if item.name not in read and getattr(options, item.name) not in ("", None)
    ]
    if unread and name != "generic":
        names = ", ".join(_OPTIONS.get(each, f"--{each.replace('_', '-')}") for each in unread)
        raise UsageError(
            f"{names} says nothing to the adapter {name}, which knows its keys and axes: leave it out, or describe the "
            "model in full with --adapter generic"
        )


def _made(
    names: Iterable[str], served: Collection[str], config: Config, options: Options
) -> Iterator[tuple[str, Adapter]]:
    """Each adapter by its name; those that make nothing of another family's configuration are left out."""
    for name in names:
        try:
            yield name, _make(name, config, options)
        except UnreadableError:
            if name in served:
                raise


def _make(name: str, config: Config, options: Options) -> Adapter:
    try:
        return cast("Adapter", registry.load(FOLDER, name).Adapter(config, options))
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        told = " ".join(str(error).split())[:200]
        raise UnreadableError(f"the configuration is none of the family {name}: {told}; correct it") from error


def _known(adapter: Adapter, batch: Batch) -> int:
    """How many of the fields that only this family has are in the batch."""
    return sum(item.name in batch and item.name not in COMMON for item in adapter.layout.fields)


def _complaint(config: Mapping[str, Any], batch: Batch) -> str:
    kind = config.get("model_type")
    model = f"model type {str(kind)[:80]!r}" if kind else "a model without a configuration"
    return (
        f"no adapter serves {model} and a batch of {', '.join(map(str, batch)) or 'nothing'}; name one with --adapter "
        f"({', '.join(registry.names(FOLDER))}), or describe the model with --labels-key, --logits-key and --layout"
    )
