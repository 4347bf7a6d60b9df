"""One rank of a sharded training that saves itself: ``python -m tests.checkpoints.written.fsdp_ranks DIRECTORY``.

``RANK`` and ``WORLD_SIZE`` are set. Rank 0 saves the whole weights beside the checkpoint as well. The older
FullyShardedDataParallel does not run without an accelerator.
"""

import os
import sys
import warnings
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict, get_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from tests.checkpoints.written.writers import STEPS, loss_of
from tests.probe import tiny


def main(directory: Path) -> None:
    """Train some steps and save; each layer is sharded by itself, and then the rest, as people do."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    dist.init_process_group("gloo", init_method=(directory / "store").as_uri(), rank=rank, world_size=size)
    model, mesh = tiny.model(), init_device_mesh("cpu", (size,))
    for layer in (*model.model.layers, model):
        fully_shard(layer, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(STEPS):
        loss_of(model, tiny.hf_batch(((8,),), seed=2 * step + rank)).backward()
        optimizer.step()
        optimizer.zero_grad()
    weights, stepped = get_state_dict(model, optimizer)
    state = {"model": weights, "optimizer": stepped, "step": STEPS}
    dcp.save(state, checkpoint_id=str(directory / f"step-{STEPS}"))
    whole = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
    if rank == 0:
        torch.save(whole, directory / "whole.pt")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
