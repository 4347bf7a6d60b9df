"""rustboard (tensorboard-data-server): the server that TensorBoard starts with ``--load_fast``, every scalar kept.

The clock runs from the start of the server to the line in which it says that its load is done, and for ``read`` on
until all points have come over gRPC as packed columns; nothing is converted. Without ``--checksum``, its default, it
verifies nothing. It loads in threads, one a run, and its memory is that of the server and its client together.
"""

import re
import subprocess
from pathlib import Path

import grpc
import tensorboard_data_server
from tensorboard.data.proto import data_provider_pb2, data_provider_pb2_grpc

_servers: list[subprocess.Popen[str]] = []
_EVERYTHING = 2**31 - 1


def load(path: Path) -> None:
    """Load alone; it does not say how many points it holds."""
    _load(path)


def read(path: Path) -> int:
    """Load, then read every scalar."""
    return _points(_load(path))


def read_checked(path: Path) -> int:
    """The same with ``--checksum``."""
    return _points(_load(path, "--checksum"))


def close() -> None:
    """End the server, so that its CPU time and memory can be seen."""
    for server in _servers:
        server.communicate()


def _load(path: Path, *flags: str) -> str:
    """Returns the port once everything is loaded."""
    directory = path if path.is_dir() else path.parent
    options = ["--reload=once", "--samples-per-plugin=scalars=all", "--port=0", "--die-after-stdin", "--verbose"]
    command = [tensorboard_data_server.server_binary(), f"--logdir={directory}", *options, *flags]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _servers.append(server)
    assert server.stderr is not None
    said = ""
    for line in server.stderr:
        said += line
        if "Finished load cycle" in line:
            return re.findall(r"listening on \S*?:(\d+)", said)[0]
    raise RuntimeError(said)


def _points(port: str) -> int:
    channel = grpc.insecure_channel(f"localhost:{port}", [("grpc.max_receive_message_length", _EVERYTHING)])
    request = data_provider_pb2.ReadScalarsRequest(experiment_id="")
    request.plugin_filter.plugin_name = "scalars"
    request.downsample.num_points = _EVERYTHING
    answer = data_provider_pb2_grpc.TensorBoardDataProviderStub(channel).ReadScalars(request)
    return sum(len(tag.data.value) for run in answer.runs for tag in run.tags)
