"""Code that a configuration or a chat template asks for is told; ordinary ones are silent."""

import json
from pathlib import Path

import pytest

from audioloss_cli import Severity
from audioloss_cli.checkpoints.checks import code_in_config
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.stored import Checkpoint

LLAMA = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + "
    "message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}"
    "{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
)
QWEN = (
    "{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}{%- for message "
    "in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}{%- if ns.multi_step_tool and "
    'message.role == "user" and not(message.content.startswith(\'<t>\') and message.content.endswith("</x>")) %}'
    "{%- set ns.multi_step_tool = false %}{%- endif %}{%- endfor %}{%- for tool in tools %}{{ tool | tojson }}"
    "{% endfor %}{{- '<think>' + message.content.split('</think>')[-1].lstrip('\\n') }}"
    "{{ tools|map(attribute='name')|join(', ') }}"
    "{%- if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% else %}{% endif %}"
)  # fmt: skip
HIGGS = (
    "{% for message in messages %}{% if message['role'] == 'system' %}{{ '<|scene_desc_start|>' ~ message['content'] }}"
    "{% elif message['content']|selectattr('type', 'equalto', 'audio') %}{{ '<|AUDIO_OUT|>' }}{% endif %}{% endfor %}"
    "{% generation %}{{ x }}{% endgeneration %} plain text with __class__ and os.system() in it"
)


def told(directory: Path) -> list[tuple[Severity, str]]:
    seen = CheckpointEvidence(Checkpoint(directory, "directory"))
    problems = [(problem.severity, problem.message) for problem in code_in_config.check(seen)]
    assert not (code_in_config.passed(seen) and any(severity is not Severity.INFO for severity, _ in problems))
    return problems


def write(directory: Path, name: str, content: object) -> Path:
    text = content if isinstance(content, str) else json.dumps(content)
    (directory / name).parent.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text, encoding="utf-8")
    return directory


@pytest.mark.parametrize("template", [LLAMA, QWEN, HIGGS])
def test_ordinary_templates_are_silent(template, tmp_path):
    write(tmp_path, "chat_template.jinja", template)
    write(tmp_path, "tokenizer_config.json", {"chat_template": [{"name": "default", "template": template}]})
    write(tmp_path, "chat_template.json", {"chat_template": template})
    assert told(write(tmp_path, "config.json", {"model_type": "llama"})) == []
    seen = CheckpointEvidence(Checkpoint(tmp_path, "directory"))
    assert code_in_config.passed(seen).startswith("no code stands in config.json, tokenizer_config.json")


@pytest.mark.parametrize(
    ("template", "severity"),
    [
        ("{{ cycler.__init__.__globals__.os.popen('id').read() }}", Severity.CRITICAL),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", Severity.CRITICAL),
        ("{% set x = messages['__class__'] %}", Severity.CRITICAL),
        ("{{ messages['\\x5f\\x5fclass\\x5f\\x5f'] }}", Severity.CRITICAL),
        ("{{ self._TemplateReference }}", Severity.CRITICAL),
        ("{{ x }}{{ unclosed.__class__", Severity.CRITICAL),
        ("{{ messages|attr(name) }}", Severity.WARNING),
        ("{{ lipsum.x }}", Severity.WARNING),
        ("{%- import 'x' as y %}", Severity.WARNING),
        ("{% include name %}", Severity.WARNING),
    ],
)
def test_templates_that_reach_out_are_told(template, severity, tmp_path):
    ((found, message),) = told(write(tmp_path, "tokenizer_config.json", {"chat_template": template}))[:1]
    assert found is severity
    assert message.startswith("tokenizer_config.json: its template")


@pytest.mark.parametrize("name", ["additional_chat_templates/tool.jinja", "chat_template_2.jinja"])
def test_all_templates_are_looked_at(name, tmp_path):
    assert [severity for severity, _ in told(write(tmp_path, name, "{{ a.__class__ }}"))] == [Severity.CRITICAL]


@pytest.mark.parametrize(
    ("name", "content", "severity", "words"),
    [
        ("config.json", {"auto_map": {"AutoModel": "modeling_x.Model"}}, Severity.INFO, "modeling_x.Model"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["a.B", None]}}, Severity.INFO, "a.B"),
        ("config.json", {"a": [{"_target_": "torch.nn.Linear"}]}, Severity.INFO, "torch.nn.Linear"),
        ("config.json", {"a": [{"_target_": "os.system"}]}, Severity.CRITICAL, "os.system"),
        ("config.json", {"trust_remote_code": True}, Severity.INFO, "trust_remote_code"),
        ("hparams.yaml", "model:\n  class_path: my.Net\n", Severity.INFO, "my.Net"),
        ("hparams.yaml", "model:\n  - _target_: 'subprocess.Popen'\n", Severity.CRITICAL, "subprocess.Popen"),
        ("hparams.yaml", "a: !!python/object/apply:os.system ['x']\n", Severity.CRITICAL, "os.system"),
        ("hparams.yaml", "a: !!python/object:argparse.Namespace {}\n", Severity.INFO, "argparse.Namespace"),
        ("hparams.yaml", "a: !!python/name:my.thing\n", Severity.WARNING, "my.thing"),
    ],
)
def test_named_code_is_told(name, content, severity, words, tmp_path):
    ((found, message),) = told(write(tmp_path, name, content))
    assert found is severity
    assert message.startswith(f"{name}: ")
    assert words in message


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{", "{{" * 100_000, '{"a": "\ud83d"}'.encode("utf-8", "surrogatepass")]
)
def test_what_is_damaged_or_endless_is_passed_over(text, tmp_path):
    for name in ("config.json", "tokenizer_config.json", "hparams.yaml", "chat_template.jinja"):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert told(tmp_path) == []


def test_only_files_are_read(tmp_path):
    import os

    os.mkfifo(tmp_path / "config.json")
    (tmp_path / "tokenizer_config.json").symlink_to("/dev/zero")
    assert told(tmp_path) == []
    assert told(tmp_path / "is not there") == []
