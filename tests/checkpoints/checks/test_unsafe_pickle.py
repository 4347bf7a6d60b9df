"""Names that run code are critical, those of nobody a warning, and those of trainings nothing at all."""

from pathlib import Path

import pytest

from audioloss_cli import Severity
from audioloss_cli.checkpoints.checks import unsafe_pickle
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.pickles.imports import is_of_torch, judge
from audioloss_cli.checkpoints.stored import Checkpoint

HARMLESS = [
    "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_parameter",
    "torch._tensor._rebuild_from_type_v2",
    "torch.FloatStorage",
    "torch.storage.UntypedStorage",
    "torch.bfloat16",
    "torch.float8_e4m3fn",
    "torch.Size",
    "torch.device",
    "torch.per_tensor_affine",
    "torch.nn.modules.linear.Linear",
    "torch.nn.functional.silu",
    "torch._C._nn.gelu",
    "torch.optim.adamw.AdamW",
    "torch.torch_version.TorchVersion",
    "torch.distributed.checkpoint.metadata.TensorStorageMetadata",
    "torch.distributed.checkpoint.metadata._MEM_FORMAT_ENCODING",
    "torch.distributed.checkpoint.filesystem._StorageInfo",
    "torch.distributed.tensor.placement_types.Shard",
    "torch.distributed.device_mesh.DeviceMesh",
    "collections.OrderedDict",
    "collections.defaultdict",
    "builtins.set",
    "builtins.ValueError",
    "_codecs.encode",
    "argparse.Namespace",
    "pathlib.PosixPath",
    "datetime.datetime",
    "uuid.UUID",
    "uuid.SafeUUID",
    "types.SimpleNamespace",
    "functools.partial",
    "typing.Any",
    "numpy._core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.float64",
    "numpy.random._pickle.__randomstate_ctor",
    "numpy.random._mt19937.MT19937",
    "numpy.dtypes.Float64DType",
    "transformers.training_args.TrainingArguments",
    "transformers.trainer_utils.IntervalStrategy",
    "transformers.trainer_utils.IntervalStrategy.NO",
    "transformers.trainer_pt_utils.AcceleratorConfig",
    "transformers.integrations.deepspeed.HfTrainerDeepSpeedConfig",
    "accelerate.state.PartialState",
    "accelerate.utils.dataclasses.DistributedType",
    "trl.trainer.sft_config.SFTConfig",
    "peft.tuners.lora.config.LoraConfig",
    "lightning.pytorch.utilities.parsing.AttributeDict",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.base.Metadata",
    "deepspeed.utils.tensor_fragment.fragment_address",
    "deepspeed.runtime.zero.config.ZeroStageEnum.weights",
    "deepspeed.runtime.fp16.loss_scaler.DynamicLossScaler",
    "megatron.core.enums.ModelType",
    "boson_multimodal.model.higgs_audio.configuration_higgs_audio.HiggsAudioConfig",
]
DANGEROUS = [
    "os.system",
    "posix.system",
    "nt.system",
    "subprocess.Popen",
    "builtins.eval",
    "builtins.exec",
    "builtins.compile",
    "builtins.getattr",
    "builtins.__import__",
    "builtins.open",
    "builtins.type.mro",
    "runpy.run_path",
    "pty.spawn",
    "socket.socket",
    "importlib.import_module",
    "pickle.loads",
    "_pickle.loads",
    "torch.hub.load",
    "torch.load",
    "torch.jit.load",
    "torch.os.system",
    "torch.serialization.os.system",
    "torch.utils._config_module.load_config",
    "torch._inductor.codecache.compile_file",
    "torch.fx.graph_module.reduce_graph_module",
    "operator.attrgetter",
    "operator.methodcaller",
    "_operator.methodcaller",
    "operator.call",
    "functools.reduce",
    "types.CodeType",
    "transformers.utils.os.system",
    "transformers.AutoModel.from_pretrained",
    "collections.OrderedDict.__init__.__globals__",
    "transformers.dynamic_module_utils.get_class_from_dynamic_module",
    "numpy.testing._private.utils.runstring",
    "io.open",
    "_io.FileIO",
    "pathlib.Path.unlink",
    "webbrowser.open",
    "shutil.rmtree",
    "sys.exit",
    "asyncio.subprocess.create_subprocess_shell",
    "__main__.os.system",
    "ctypes.CDLL",
    "marshal.loads",
    "code.InteractiveInterpreter.runcode",
    "(computed).(computed)",
]
FOREIGN = [
    "my.thing.Foo",
    "builtins.print",
    "transformers.foo",
    "copyreg.extension 7",
    "codecs.decode",
    "a b.C",
    "x\x1b.y",
]


@pytest.mark.parametrize("name", HARMLESS)
def test_what_trainings_save_is_harmless(name):
    assert judge(name) is None


@pytest.mark.parametrize("name", DANGEROUS)
def test_what_runs_code_is_critical(name):
    assert judge(name) is Severity.CRITICAL


@pytest.mark.parametrize("name", FOREIGN)
def test_what_nobody_knows_is_a_warning(name):
    assert judge(name) is Severity.WARNING


def test_what_only_the_script_has_is_a_fact():
    assert judge("__main__.MyArguments") is Severity.INFO


def test_what_torch_itself_asks_for_is_not_listed():
    assert is_of_torch("torch._utils._rebuild_tensor_v2")
    assert is_of_torch("collections.OrderedDict")
    assert not is_of_torch("argparse.Namespace")


def evidence(**imports: list[str]) -> CheckpointEvidence:
    files = {Path(f"{name}.bin"): names for name, names in imports.items()}
    return CheckpointEvidence(Checkpoint(Path("x"), "file", files=list(files), imports=files))


def test_names_are_grouped_by_severity_and_each_file_is_named():
    seen = evidence(a=["os.system", "torch.FloatStorage", "my.Net"], b=["builtins.eval", "__main__.Net"])
    assert [(problem.severity, problem.message) for problem in unsafe_pickle.check(seen)] == [
        (
            Severity.CRITICAL,
            "loading a.bin and 1 more would run code, for it imports builtins.eval, os.system",
        ),
        (Severity.WARNING, "loading a.bin imports what is of no known training library: my.Net"),
        (Severity.INFO, "loading b.bin takes the program that wrote it, for it imports __main__.Net"),
    ]
    assert unsafe_pickle.passed(seen) == ""


def test_what_is_harmless_is_ruled_out_with_a_number():
    assert (
        unsafe_pickle.passed(evidence(a=HARMLESS))
        == f"the {len(set(HARMLESS))} names that its pickles import run no code"
    )
    assert unsafe_pickle.passed(evidence(a=[])) == "its files import nothing"
    assert unsafe_pickle.passed(evidence()) == ""
