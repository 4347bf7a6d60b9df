"""Moshi of kyutai-labs/moshi: ``LMModel``, as moshi-finetune trains it.

Layout: moshi/models/lm.py there. ``codes`` are [B, 1 + n_q, T], the row of text first; the model delays them by itself,
and gives ``logits`` [B, dep_q, T, card] that stand where the codes stand, NaN where ``mask`` [B, dep_q, T] says that
the delays leave no prediction. The loss is computed outside of forward: the labels are the codes themselves, unless the
batch holds ``labels`` [B, dep_q, T].
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.checkpoints.families import audio_groups
from audioloss_cli.probe.model_io.adapter import Batch, Config, Options, field_of, tensor
from audioloss_cli.probe.model_io.adapters._described import EVERY, Described, over

OPTIONS = EVERY
_INSIDE = "_labels_inside"  # the codes, and the ignored index where the model gives no prediction


def serves(config: Config) -> bool:
    """By what its config.json has, which names no model type."""
    return {"n_q", "dep_q", "card"} <= config.keys()


class Adapter(Described):
    """Rows are the cells of [B, T]."""

    parameters = audio_groups("moshi_kyutai")

    def __init__(self, config: Config, options: Options) -> None:
        family = Options(
            labels_key="codes",
            layout="BKT",
            labels_first=1,
            logits_key="logits",
            logits_layout="BKTV",
            shift=0,
            num_codebooks=config.get("dep_q", 8),
            vocab_size=config.get("card", 2048),
            bos=config.get("card", 2048),
        )
        super().__init__(config, over(family, options), "Moshi (kyutai)")

    def labels(self, batch: Batch) -> Tensor | None:
        """Those of the batch, else the codes where the model predicts them."""
        found = next((each for name in ("labels", _INSIDE) if (each := tensor(batch, name)) is not None), None)
        counted = self._counted(batch)
        if found is None or found.ndim != len("BKT") or counted is None or found.shape[::2] != counted.shape:
            return super().labels(batch)
        return found.transpose(1, 2)[counted].long()

    def prepared(self, model: Callable[..., Any], batch: Batch) -> dict[str, Any]:
        """The batch, with labels beside it where it has none."""
        codes, books = tensor(batch, "codes"), self.layout.num_codebooks
        if codes is None or codes.ndim != len("BKT") or tensor(batch, "labels") is not None:
            return dict(batch)
        mask = field_of(model(codes=codes), "mask")
        rows = codes[:, 1 : 1 + books]
        if not isinstance(mask, Tensor) or mask.shape != rows.shape:
            return dict(batch)
        return {**batch, _INSIDE: torch.where(mask, rows, self.layout.ignore_index)}
