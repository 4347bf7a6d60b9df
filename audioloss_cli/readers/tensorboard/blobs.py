"""Which records can hold no scalar, by their first bytes: images, audio and histograms are most of the bytes of a log.

The graph of a model comes once, and may be the largest record of all.

Field numbers: tensorboard/compat/proto/event.proto and summary.proto.
"""

from audioloss_cli.readers._protobuf import FIXED64, LENGTH, VARINT, WireError, varint

_EVENT_PATH, _SUMMARY_PATH = (5, LENGTH), (1, LENGTH)
_WALL_TIME, _STEP, _TAG = (1, FIXED64), (2, VARINT), (1, LENGTH)
_GRAPHS = {(4, LENGTH), (8, LENGTH), (9, LENGTH)}  # graph_def, tagged_run_metadata, meta_graph_def
_BLOBS = {(4, LENGTH), (5, LENGTH), (6, LENGTH)}  # image, histogram, audio
_FRAMING_BYTES = 16


def holds_no_scalar(head: bytes, size: int) -> bool:
    """Whether a record is one event with one value that is a blob to its very end, or one with a graph.

    Args:
        head: first bytes of the payload.
        size: of the whole record.
    """
    end = size - _FRAMING_BYTES
    try:
        kind, content = _enter(head, 0, end, before={_WALL_TIME, _STEP}, into={_EVENT_PATH} | _GRAPHS)
        if kind in _GRAPHS:
            return True
        _, value = _enter(head, content, end, before=set(), into={_SUMMARY_PATH})
        _enter(head, value, end, before={_TAG}, into=_BLOBS)
    except (WireError, IndexError):
        return False
    return True


def _enter(
    head: bytes, at: int, end: int, *, before: set[tuple[int, int]], into: set[tuple[int, int]]
) -> tuple[tuple[int, int], int]:
    """Which field of ``into`` ends where the record does, and where its content starts; fields ``before`` are skipped.

    Raises:
        WireError: another field comes first, or it ends elsewhere.
    """
    while True:
        key, at = varint(head, at, len(head))
        kind = (key >> 3, key & 7)
        if kind in into:
            length, at = varint(head, at, len(head))
            if at + length != end:
                raise WireError("not to the end")
            return kind, at
        if kind not in before:
            raise WireError("another field")
        if kind[1] == FIXED64:
            at += 8
        else:
            length, at = varint(head, at, len(head))
            at += length if kind[1] == LENGTH else 0
