"""A stand-in for public Higgs trainers: a wrapper whose forward takes **kwargs, outputs with loss and llm_loss alone.

The model is one of this project's own: an embedding, a head for each codebook, text beside it. How the total is made
can be chosen, and what is lost on the way to it.
"""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Dataset

from tests.probe import tiny
from tests.training import loops

BOOKS, IDS = 8, 1026
_CONFIG = {
    "model_type": "higgs_audio",
    "audio_num_codebooks": BOOKS,
    "audio_codebook_size": 1024,
    "audio_out_token_idx": tiny.AUDIO,
    "use_delay_pattern": True,
}


class Inner(nn.Module):
    """Each column sees itself and the one before."""

    def __init__(self, how: str = "", size: int = 24, checkpointed: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.how, self.checkpointed = how, checkpointed
        self.config = SimpleNamespace(to_dict=lambda: dict(_CONFIG), **_CONFIG)
        self.audio_codebook_embeddings = nn.Embedding(BOOKS * IDS, size)
        self.mixer, self.text = nn.Linear(2 * size, size), nn.Embedding(128, size)
        self.text_lm_head, self.audio_lm_head = nn.Linear(size, 128), nn.Linear(size, BOOKS * IDS)

    def body(self, codes: Tensor) -> Tensor:
        places = codes + IDS * torch.arange(BOOKS)[:, None]
        seen = self.audio_codebook_embeddings(places).sum(0)
        before = torch.cat([torch.zeros_like(seen[:1]), seen[:-1]])
        return torch.tanh(self.mixer(torch.cat([seen, before], -1)))

    def forward(self, input_ids: Tensor, audio_out_ids: Tensor, **rest: Any) -> dict[str, Tensor]:
        if self.checkpointed:
            hidden = torch.utils.checkpoint.checkpoint(self.body, audio_out_ids, use_reentrant=False)
        else:
            hidden = self.body(audio_out_ids)
        logits = self.audio_lm_head(hidden).reshape(-1, BOOKS, IDS)
        written = self.text_lm_head(self.text(input_ids))
        text = cross_entropy(
            written[:, :-1].flatten(0, 1).float(), rest["label_ids"][:, 1:].flatten(), ignore_index=-100
        )
        labels = rest.get("label_audio_ids")
        audio = torch.zeros(()) if labels is None else self.audio_loss(logits.float(), labels)
        totals = {"not-added": text, "detached": text + audio.detach(), "constant": 0.004 + 0.0 * text}
        return {"loss": totals.get(self.how, text + audio), "llm_loss": text, "logits": written, "audio_logits": logits}

    def audio_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        shift = {"unshifted": 0, "twice": 2}.get(self.how, 1)
        logits, labels = logits[: len(logits) - shift], labels[:, shift:]
        return torch.stack([cross_entropy(logits[:, k], labels[k], ignore_index=-100) for k in range(BOOKS)]).mean()


class Wrapper(nn.Module):
    """As the trainers have it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.config = model, model.config

    def forward(self, **kwargs: Any) -> Any:
        return self.model(**kwargs)


class Batch:
    """An object with keys and items, no mapping."""

    def __init__(self, fields: dict[str, Tensor]) -> None:
        vars(self).update(fields)

    def keys(self) -> Any:
        return vars(self).keys()

    def __contains__(self, name: str) -> bool:
        return name in vars(self)

    def __iter__(self) -> Any:
        return iter(vars(self))

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def sample(index: int) -> dict[str, Tensor]:
    return tiny.original_batch(((9, 7), (8,)), seed=index % 40, distinct=8)


class Samples(Dataset[dict[str, Tensor]]):
    """Each one is a batch; from ``start`` on something is done to it."""

    def __init__(self, count: int, change: Any = None, start: int = 0) -> None:
        self.count, self.change, self.start = count, change, start

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        batch = sample(index)
        if self.change is not None and index >= self.start:
            self.change(batch)
        return batch


class Trainer(loops.InOrder):
    """Picks what it knows from the batch, as an object, and returns the model's own loss."""

    lost = ()

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        given = {name: inputs[name] for name in inputs.keys() if name not in self.lost}  # noqa: SIM118  # no mapping
        outputs = model(**given)
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]

    def _prepare_inputs(self, inputs: Any) -> Any:
        return inputs


def train(
    directory: Any, steps: int, *callbacks: Any, model: Any = None, kind: Any = Trainer, data: Any = None, **more: Any
):
    """A Trainer on batches that are objects; what it is given is returned."""
    settings = {"learning_rate": 1e-2, "remove_unused_columns": False, "logging_steps": 10, **more}
    made = kind(
        model=Wrapper(model or Inner()),
        args=loops.arguments(directory, steps, **settings),
        train_dataset=data or Samples(steps * settings.get("gradient_accumulation_steps", 1)),
        data_collator=lambda rows: Batch(rows[0]),
        callbacks=[*callbacks],
    )
    made.train(resume_from_checkpoint=more.get("resume_from_checkpoint"))
    return made
