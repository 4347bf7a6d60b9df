"""Checkpoints of every layout, as the real libraries write them; DeepSpeed's, which does not install, by hand."""

import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.probe import tiny

STEPS = 2
Batch = dict[str, Tensor]


class Samples(torch.utils.data.Dataset):
    """Two samples of audio and text."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Batch:
        return {key: value[0] for key, value in tiny.hf_batch(((8,),), seed=index).items()}


def loss_of(model: nn.Module, batch: Batch) -> Tensor:
    logits = model(**{key: value for key, value in batch.items() if key != "audio_labels"}).logits
    return logits.float().square().mean()


def trainer(directory: Path, model: Any = None, *, steps: int = STEPS, **more: Any) -> Path:
    """Train with transformers' Trainer; return the last checkpoint."""
    import transformers

    class Trainer(transformers.Trainer):
        def compute_loss(self, model: nn.Module, inputs: Batch, *_: Any, **__: Any) -> Tensor:
            return loss_of(model, inputs)

    arguments = transformers.TrainingArguments(
        output_dir=str(directory),
        max_steps=steps,
        save_steps=1,
        per_device_train_batch_size=1,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=True,
        **more,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Trainer(model=model or tiny.model(), args=arguments, train_dataset=Samples()).train()
    return directory / f"checkpoint-{steps}"


def lora() -> Any:
    """A model with LoRA on its attention."""
    import peft

    config = peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj"], modules_to_save=["audio_lm_head"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft asks transformers by a name that is going to be removed
        return peft.get_peft_model(tiny.model(), config)


def lightning(directory: Path) -> Path:
    """Train with Lightning; return the directory with a whole file and one of weights alone."""
    import lightning.pytorch as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = tiny.model()

        def training_step(self, batch: Batch, _: int) -> Tensor:
            return loss_of(self.model, batch)

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(self.parameters())
            return [optimizer], [torch.optim.lr_scheduler.LinearLR(optimizer)]

    quiet = {
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        training = pl.Trainer(max_steps=STEPS, accelerator="cpu", default_root_dir=str(directory), **quiet)
        training.fit(Module(), torch.utils.data.DataLoader(Samples(), batch_size=1))
        training.save_checkpoint(directory / "epoch=0-step=2.ckpt")
        training.save_checkpoint(directory / "weights.ckpt", weights_only=True)
    return directory


def accelerate(directory: Path) -> Path:
    """Save with accelerate what it prepared."""
    from accelerate import Accelerator

    accelerator, model = Accelerator(cpu=True), tiny.model()
    optimizer = torch.optim.AdamW(model.parameters())
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer)
    model, optimizer, scheduler = accelerator.prepare(model, optimizer, scheduler)
    accelerator.backward(loss_of(model, tiny.hf_batch(((8,),))))
    optimizer.step()
    accelerator.save_state(str(directory))
    return directory


def distributed(directory: Path, *, optimizer: bool = True) -> Path:
    """Save with torch.distributed.checkpoint, in one process."""
    import torch.distributed.checkpoint as dcp

    model = tiny.model()
    state: dict[str, Any] = {"model": model.state_dict()}
    if optimizer:
        stepped = torch.optim.AdamW(model.parameters())
        loss_of(model, tiny.hf_batch(((8,),))).backward()
        stepped.step()
        state |= {"optimizer": stepped.state_dict(), "step": STEPS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dcp.save(state, checkpoint_id=str(directory))
    return directory


def in_chunks(directory: Path, tensors: dict[str, Tensor], cuts: dict[str, tuple[int, int]]) -> Path:
    """What a sharded training saves: each tensor cut in two, along an axis and at a place, a file a rank."""
    import pickle

    from torch.distributed.checkpoint import metadata as described
    from torch.distributed.checkpoint.filesystem import _StorageInfo

    directory.mkdir()
    about, places, files = {}, {}, [b"", b""]
    for name, tensor in tensors.items():
        axis, place = cuts.get(name, (0, tensor.shape[0] // 2))
        chunks = []
        for rank, part in enumerate(tensor.split([place, tensor.shape[axis] - place], axis)):
            offsets = torch.Size([place if other == axis and rank else 0 for other in range(tensor.ndim)])
            data = _saved(part.contiguous())
            info = _StorageInfo(f"__{rank}_0.distcp", len(files[rank]), len(data))
            places[described.MetadataIndex(name, offsets, rank)] = info
            chunks.append(described.ChunkStorageMetadata(offsets, part.shape))
            files[rank] += data
        properties = described.TensorProperties(dtype=tensor.dtype)
        about[name] = described.TensorStorageMetadata(properties, tensor.shape, chunks)
    for rank, data in enumerate(files):
        (directory / f"__{rank}_0.distcp").write_bytes(data)
    whole = described.Metadata(about, {name: (name,) for name in tensors}, places)
    (directory / ".metadata").write_bytes(pickle.dumps(whole))
    return directory


def _saved(tensor: Tensor) -> bytes:
    import io

    stream = io.BytesIO()
    torch.save(tensor, stream)
    return stream.getvalue()


def zero(
    directory: Path, stage: int, *, world: int = 2, model: nn.Module | None = None, frozen: Iterable[str] = ()
) -> Path:
    """Save as DeepSpeed's ZeRO does (deepspeed/runtime/engine.py); return the directory of the step."""
    model = model or tiny.model()
    place = directory / f"global_step{STEPS}"
    place.mkdir(parents=True)
    (directory / "latest").write_text(place.name, encoding="utf-8")
    weights = {name: weight.detach() for name, weight in model.named_parameters()}
    trained = {name: weight for name, weight in weights.items() if name not in set(frozen)}
    shards = {name: _parts(weight.float(), world) for name, weight in weights.items()}
    for rank in range(world):
        states = {
            "module": {name: weight if stage < 3 else torch.empty(0) for name, weight in weights.items()},
            "buffer_names": [],
            "optimizer": None,
            "param_shapes": [{name: weight.shape for name, weight in trained.items()}],
            "frozen_param_shapes": {name: weights[name].shape for name in frozen},
            "frozen_param_fragments": {name: shards[name][rank] for name in frozen},
            "shared_params": {},
            "lr_scheduler": {"last_batch_iteration": STEPS - 1},
            "global_steps": STEPS,
            "dp_world_size": world,
            "mp_world_size": 1,
            "ds_config": {"zero_optimization": {"stage": stage}},
            "ds_version": "0.16.4",
        }
        flat = torch.cat([shards[name][rank] for name in trained])
        optimizer: dict[str, Any] = {"zero_stage": stage, "partition_count": world if stage == 3 else [world]}
        optimizer |= (
            {"fp32_flat_groups": list(flat.split([40, len(flat) - 40]))}
            if stage == 3
            else {"single_partition_of_fp32_groups": [flat]}
        )
        optimizer |= {"base_optimizer_state": {"state": {0: {"step": STEPS, "exp_avg": flat * 0}}}}
        name = f"zero_pp_rank_{rank}_mp_rank_00"
        torch.save({"optimizer_state_dict": optimizer, "ds_version": "0.16.4"}, place / f"{name}_optim_states.pt")
        if stage == 3 or not rank:
            torch.save(states, place / f"{name if stage == 3 else 'mp_rank_00'}_model_states.pt")
    return place


def _parts(weight: Tensor, world: int) -> list[Tensor]:
    """A flat part for each rank, the last one padded."""
    size = math.ceil(weight.numel() / world)
    return list(nn.functional.pad(weight.flatten(), (0, size * world - weight.numel())).split(size))
