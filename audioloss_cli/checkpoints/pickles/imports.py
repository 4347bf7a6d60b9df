"""What a name that a pickle imports is good for: nothing that runs, or something that does."""

import re

from audioloss_cli.checkpoints.pickles.tables import DTYPES, QSCHEMES, STORAGES
from audioloss_cli.model import Severity

# Modules of which nothing belongs into a checkpoint: they run programs or code, open files or connections.
_RUNS = frozenset({
    *("os", "posix", "nt", "posixpath", "ntpath", "subprocess", "sys", "pty", "socket", "runpy", "importlib", "imp"),
    *("shutil", "ctypes", "_ctypes", "cffi", "code", "codeop", "pdb", "bdb", "cProfile", "profile", "timeit", "trace"),
    *("webbrowser", "asyncio", "multiprocessing", "threading", "_thread", "signal", "http", "urllib", "requests"),
    *("ftplib", "smtplib", "telnetlib", "poplib", "imaplib", "nntplib", "ssl", "pip", "ensurepip", "venv", "zipimport"),
    *("setuptools", "distutils", "pkg_resources", "commands", "popen2", "marshal", "dill", "cloudpickle", "joblib"),
    *("pickle", "_pickle", "cPickle", "shelve", "gc", "inspect", "linecache", "tempfile", "platform", "pydoc"),
    *("doctest", "idlelib", "lib2to3", "concurrent", "sched", "rlcompleter", "atexit", "site", "pkgutil", "zipfile"),
    *("tarfile", "sqlite3", "_sqlite3", "fileinput", "glob", "xmlrpc", "socketserver", "select", "selectors", "mmap"),
    *("resource",),
    *("_posixsubprocess", "_socket", "_io", "io", "faulthandler", "_xxsubinterpreters", "aiohttp", "httpx", "paramiko"),
    *("fabric", "invoke", "sh", "plumbum", "pexpect", "nose", "pytest", "_pytest", "IPython", "uuid", "pathlib"),
    *("logging", "test", "turtle", "tkinter", "cmd", "readline", "bz2", "gzip", "lzma", "dbm", "mailbox", "mailcap"),
})  # fmt: skip
_BUILTINS_THAT_RUN = frozenset({
    *("eval", "exec", "execfile", "compile", "__import__", "open", "file", "input", "raw_input", "breakpoint", "apply"),
    *("getattr", "setattr", "delattr", "globals", "locals", "vars", "map", "filter", "help", "reload", "exit", "quit"),
})  # fmt: skip
# Parts of a dotted name that lead out of the library that it begins with.
_LEADS_OUT = re.compile(
    r"(?:^|\.)(?:os|posix|nt|sys|subprocess|builtins|importlib|socket|pty|ctypes|shutil|runpy|pickle|marshal|urllib|requests"
    r"|system|popen|Popen|check_output|check_call|eval|exec|import_module|from_pretrained|load_from_checkpoint)(?:\.|$)"
    r"|\.__\w+__(?:\.|$)"
)
_LIBRARIES_THAT_RUN = re.compile(
    r"torch\.(hub|load|serialization\.load|compile|package|_inductor|_dynamo|_export|export|fx|jit|ops|classes|testing|contrib"
    r"|multiprocessing|distributed\.(rpc|run|launch|launcher|elastic|nn)|onnx|profiler|futures"
    r"|utils\.(cpp_extension|bottleneck|collect_env|_config_module|model_dump|model_zoo|data\.datapipes|hipify|_cpp_extension\w*"
    r"|mobile_optimizer|show_pickle|file_baton|tensorboard|viz))(\.|$)"
    r"|numpy\.(load|loadtxt|fromfile|memmap|genfromtxt|save|savez|f2py|distutils|testing|ctypeslib|lib\.npyio|core\.memmap)(\.|$)"
    r"|pandas\.(eval|read_\w+|io)(\.|$)|transformers\.(dynamic_module_utils|pipelines|utils\.hub|commands|Agent|agents)(\.|$)"
    r"|functools\.reduce$|types\.(CodeType|FunctionType|LambdaType|ModuleType|MethodType)$"
    r"|_?operator\.(attrgetter|methodcaller|\w*call\w*)$|itertools\.starmap$|codecs\.open$"
    r"|(lightning|pytorch_lightning)\.(cli|pytorch\.cli|fabric\.cli)(\.|$)|accelerate\.(launchers|commands)(\.|$)"
    r"|deepspeed\.(launcher|ops\.op_builder|runtime\.data_pipeline)(\.|$)|huggingface_hub(\.|$)|hydra\.(utils|_internal)(\.|$)"
)
_PLAIN_BUILTINS = frozenset({
    *("set", "frozenset", "list", "dict", "tuple", "int", "float", "str", "bytes", "bytearray", "complex", "bool"),
    *("object", "slice", "range", "type", "NoneType", "Ellipsis", "NotImplemented"),
})  # fmt: skip
_PLAIN = frozenset({
    *(f"collections.{kind}" for kind in ("OrderedDict", "defaultdict", "Counter", "deque")),
    *("copyreg._reconstructor", "copyreg.__newobj__", "copyreg.__newobj_ex__", "argparse.Namespace", "uuid.UUID"),
    *("types.SimpleNamespace", "types.NoneType", "types.MappingProxyType", "functools.partial", "decimal.Decimal"),
    *("fractions.Fraction", "datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta"),
    *("datetime.timezone", "random.Random", "io.BytesIO", "_io.BytesIO", "io.StringIO", "_io.StringIO"),
    *("logging.getLogger", "logging.Logger", "uuid.SafeUUID", "_codecs.encode", "re._compile"),
    *("zoneinfo.ZoneInfo._unpickle", "array.array", "array._array_reconstructor"),
    *(f"pathlib.{local}{kind}Path" for local in ("", "_local.") for kind in ("", "Pure", "Posix", "PurePosix")),
    *("pathlib.WindowsPath", "pathlib.PureWindowsPath", "pathlib._local.WindowsPath", "pathlib._local.PureWindowsPath"),
    *(f"{front}operator.{name}" for front in ("", "_") for name in ("or_", "and_", "xor", "add", "itemgetter")),
    *("deepspeed.utils.tensor_fragment.fragment_address", "transformers.optimization._get_constant_lambda"),
})  # fmt: skip
_TORCH = re.compile(
    r"torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2|torch\.serialization\._get_layout"
    r"|torch\.(cuda\.|sparse\.|cuda\.sparse\.|storage\.)*[A-Z]\w*(Storage|Tensor)|torch\.(Size|Tensor|Generator|device)"
    r"|torch\.(strided|sparse_(coo|cs[rc]|bs[rc])|jagged|contiguous_format|preserve_format|channels_last(_3d)?)"
    r"|torch\.(relu|tanh|sigmoid|sin|cos|exp|softmax|log_softmax)|torch\._C\._nn\.\w+|torch\._C\.(Generator|Size|device)"
    r"|torch\.nn\.(functional|init)\.[a-z]\w*|torch\.torch_version\.TorchVersion"
    r"|torch\.(nn|optim|amp|cuda\.amp|ao|quantization|utils\.data|random|autograd|distributed|distributions|_tensor|_subclasses"
    r"|masked|nested|types|backends|cpu|functional|version)(\.[A-Za-z_]\w*)*\.[A-Z]\w*(\.[A-Z_][A-Z0-9_]*|\.[A-Z]\w*)?"
    r"|torch\.distributed\.(checkpoint|tensor|_tensor|_shard|fsdp)(\.\w+)*\._\w+"
)
_NUMPY = re.compile(
    r"numpy\.(_?core\.(multiarray\.(_reconstruct|scalar)|numeric\._frombuffer)|dtype|ndarray|dtypes\.[A-Z]\w*"
    r"|random\.(_pickle\.__\w+_ctor|_\w+\.[A-Z]\w*|mtrand\.RandomState|bit_generator\.\w+)|ma\.core\._mareconstruct"
    r"|(u?int|float|complex|bool|str|bytes|void|object|datetime|timedelta)\w*|longlong|ulonglong|half|single|double)"
)
#: Packages that trainings are written with: their classes may stand in a checkpoint, and their functions are looked at.
_KNOWN = re.compile(
    r"(torch|torchaudio|torchvision|torchmetrics|torchao|torchtune|torchtitan|transformers|accelerate|peft|trl|datasets"
    r"|tokenizers|lightning|lightning_fabric|lightning_utilities|pytorch_lightning|deepspeed|megatron|apex|bitsandbytes"
    r"|optimum|diffusers|evaluate|unsloth|axolotl|llamafactory|omegaconf|hydra|antlr4|ml_collections|easydict|addict|box"
    r"|yacs|attr|attrs|pydantic|enum|typing|collections|dataclasses|numbers|abc|fairseq|espnet2?|nemo|speechbrain|kaldi\w*"
    r"|lhotse|k2|audiocraft|boson_multimodal|higgs_audio|encodec|dac|moshi|parler_tts|audiotools|snac|xcodec\w*|vocos|sentencepiece"
    r"|whisper|jiwer|wandb|pandas|scipy|sklearn|numpy|fsspec|timm|open_clip|xformers|flash_attn|liger_kernel|composer"
    r"|streaming|ray|composer|fvcore|iopath|detectron2|mmengine|mmcv|ignite|catalyst|fastai|einops|schedulefree|galore_torch"
    r"|adam_mini|lion_pytorch|prodigyopt|came_pytorch)\."
    r"([A-Za-z_]\w*\.)*(_*[A-Z]\w*(\._*[A-Z]\w*)?|\w*(Enum|Type|Types|Mode|Strategy|Names|Stage|Backend)\.[a-z]\w*)"
)
_SCRIPT = "__main__."
_NESTED = "torch.storage._load_from_bytes"


def judge(name: str) -> Severity | None:
    """Tell how bad it is that loading a pickle imports something.

    Args:
        name: module and name, with a dot between them.

    Returns:
        CRITICAL for what runs code or programs, or touches files; WARNING for what nothing is known of; INFO for what
        only the program has that wrote the file (``__main__``); None for what is harmless.
    """
    if _is_plain(name):
        return None
    module, _, last = name.partition(".")
    if module in ("builtins", "__builtin__"):
        return Severity.CRITICAL if last.partition(".")[0] in _BUILTINS_THAT_RUN or "." in last else Severity.WARNING
    if module in _RUNS or _LEADS_OUT.search(name) or _LIBRARIES_THAT_RUN.match(name) or name == "(computed).(computed)":
        return Severity.CRITICAL
    if name.startswith(_SCRIPT):
        return Severity.INFO
    return None if _KNOWN.fullmatch(name) else Severity.WARNING


def is_of_torch(name: str) -> bool:
    """Tell whether it is one of the names that files of ``torch.save`` ask for by themselves."""
    return name == "collections.OrderedDict" or (name.startswith(("torch.", "_codecs.")) and _is_plain(name))


def _is_plain(name: str) -> bool:
    module, _, last = name.partition(".")
    if module == "builtins":
        return last in _PLAIN_BUILTINS or (last.isidentifier() and last.endswith(("Error", "Exception", "Warning")))
    if name in _PLAIN:
        return True
    if module == "torch" and (last in DTYPES or last in QSCHEMES or last in STORAGES):
        return True
    if _LEADS_OUT.search(name) or _LIBRARIES_THAT_RUN.match(name) or name == _NESTED:
        return False
    return bool(_TORCH.fullmatch(name) or _NUMPY.fullmatch(name))
