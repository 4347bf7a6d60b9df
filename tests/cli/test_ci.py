"""What runs the gate elsewhere: the action for GitHub, the hooks for pre-commit, the job for GitLab."""

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parent.parent.parent
ACTION = ROOT / ".github" / "actions" / "audioloss" / "action.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
PAGE = (ROOT / "audioloss_cli" / "cli" / "README.md").read_text(encoding="utf-8")
WORKFLOW, PRE_COMMIT, GITLAB = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
BAD, GOOD = ROOT / "sample_logs" / "collapse-tensorboard", ROOT / "sample_logs" / "healthy"


def tool(name: str) -> str:
    """Where a tool lies, beside the interpreter or on the path; without it the test is skipped, and says so."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


OURS = f'exec {shlex.quote(sys.executable)} -m audioloss_cli "$@"'


class Step:
    """A step of the action, run as the runner would: its variables from the inputs, its script by bash."""

    def __init__(self, number: int, inputs: dict[str, str], home: Path) -> None:
        self.step = yaml.safe_load(ACTION.read_text())["runs"]["steps"][number]
        known = {name: given.get("default", "") for name, given in yaml.safe_load(ACTION.read_text())["inputs"].items()}
        self.inputs, self.home = {**known, **inputs}, home

    def run(self) -> subprocess.CompletedProcess[str]:
        own = {
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: self.inputs[found[1]], text)
            for name, text in self.step["env"].items()
        }
        places = {
            "RUNNER_TEMP": str(self.home),
            "GITHUB_OUTPUT": str(self.home / "output"),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary.md"),
            "GITHUB_ACTION_PATH": str(ACTION.parent),
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", self.step["run"]],
            env={**os.environ, "PYTHONPATH": str(ROOT), **places, **own},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.home / "output").read_text().splitlines())


@pytest.mark.parametrize(
    ("paths", "arguments", "code"),
    [
        (f"{BAD}\n", "", 1),
        (f"\n{GOOD}\n  \n{BAD}", "--fail-on=never\n--allow-defects", 0),
        ("no such\npath", "", 3),
        (str(GOOD), "--nope", 2),
        (f"{GOOD}\n--help", "", 3),
    ],
)
def test_the_action_scans_and_fails_by_the_exit_code(paths, arguments, code, tmp_path):
    script(tmp_path / "audioloss" / "bin" / "audioloss", OURS)
    step = Step(1, {"paths": paths, "arguments": arguments}, tmp_path)
    done = step.run()
    assert (done.returncode, step.outputs["exit-code"]) == (code, str(code)), done.stderr
    if code != 2:
        report = json.loads(Path(step.outputs["report"]).read_text())
        assert report["exit_code"] == code
        assert json.loads(Path(step.outputs["sarif"]).read_text())["version"] == "2.1.0"
    if code == 1:
        assert done.stdout.startswith("::error ")
        assert "critical-loss" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("source", "installed"), [("", f"{ACTION.parent}/../../.."), ("audioloss @ x", "audioloss @ x")]
)
def test_the_action_installs_its_own_checkout_unless_another_is_named(source, installed, tmp_path):
    script(tmp_path / "python", 'mkdir -p "$3/bin"; cp "$(dirname "$0")/pip" "$3/bin/pip"')
    script(tmp_path / "pip", f'printf "%s\\n" "$@" >{tmp_path}/given')
    done = Step(0, {"source": source, "python": str(tmp_path / "python")}, tmp_path).run()
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "given").read_text().splitlines() == ["install", "--quiet", installed]
    assert (ACTION.parent / "../../../pyproject.toml").exists()


def test_no_input_reaches_a_script_but_through_its_environment():
    for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_scripts_of_the_action_pass_shellcheck(tmp_path):
    for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"]:
        text = script(tmp_path / "step.sh", step["run"])
        subprocess.run([tool("shellcheck"), "-s", "bash", str(text)], check=True)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ("vendor.github-actions", ACTION.read_text()),
        ("vendor.github-workflows", WORKFLOW),
        ("vendor.gitlab-ci", GITLAB),
    ],
    ids=["action", "workflow", "gitlab"],
)
def test_each_is_what_its_service_takes(schema, text, tmp_path):
    (tmp_path / "file.yml").write_text(text)
    subprocess.run([tool("check-jsonschema"), "--builtin-schema", schema, str(tmp_path / "file.yml")], check=True)


def test_the_workflow_passes_actionlint(tmp_path):
    (tmp_path / "audit.yml").write_text(WORKFLOW)
    subprocess.run([tool("actionlint"), str(tmp_path / "audit.yml")], check=True)


def test_the_workflow_uses_the_action_and_what_it_gives():
    (used,) = [step for step in yaml.safe_load(WORKFLOW)["jobs"]["audit"]["steps"] if step.get("id") == "audioloss"]
    action = yaml.safe_load(ACTION.read_text())
    assert used["uses"].partition("/audioloss/")[2] == ".github/actions/audioloss@main"
    assert set(used["with"]) <= set(action["inputs"])
    assert set(re.findall(r"steps\.audioloss\.outputs\.([\w-]+)", WORKFLOW)) <= set(action["outputs"])


@pytest.mark.parametrize("hook", yaml.safe_load(HOOKS.read_text()), ids=lambda hook: hook["id"])
def test_a_hook_is_a_command_of_ours_with_options_that_it_has(hook, audioloss):
    program, command, *options = shlex.split(hook["entry"])
    assert program == "audioloss"
    text = audioloss("help", command).out
    assert [option for option in options if option.startswith("--") and option not in text] == []


@pytest.mark.parametrize(
    ("hook", "taken", "left"),
    [
        (
            "audioloss-scan",
            ["a/events.out.tfevents.1.host", "checkpoint-5/trainer_state.json", "metrics.csv", "x/train_log.jsonl"],
            ["data.jsonl", "config.json", "a.csv"],
        ),
        ("audioloss-config", ["audioloss.toml", "a/pyproject.toml"], ["x.toml"]),
        ("audioloss-test", ["audioloss_test.toml", "tests/audioloss-collapse-test.toml"], ["audioloss.toml"]),
    ],
)
def test_a_hook_takes_its_files(hook, taken, left):
    (pattern,) = [each["files"] for each in yaml.safe_load(HOOKS.read_text()) if each["id"] == hook]
    assert [name for name in [*taken, *left] if re.search(pattern, name)] == taken


def test_the_hooks_and_their_example_are_what_pre_commit_takes(tmp_path):
    program = tool("pre-commit")
    subprocess.run([program, "validate-manifest", str(HOOKS)], check=True)
    (tmp_path / "config.yaml").write_text(PRE_COMMIT)
    subprocess.run([program, "validate-config", str(tmp_path / "config.yaml")], check=True)
    named = {hook["id"] for repo in yaml.safe_load(PRE_COMMIT)["repos"] for hook in repo["hooks"]}
    assert named <= {hook["id"] for hook in yaml.safe_load(HOOKS.read_text())}


@pytest.mark.exhaustive
def test_pre_commit_installs_and_runs_the_hooks(tmp_path):
    """As a user would: the package is built and installed from a repository."""
    program, git = tool("pre-commit"), tool("git")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ignored = shutil.ignore_patterns(".venv*", ".git", "__pycache__", "tests", ".*_cache")
    shutil.copytree(ROOT, ours, ignore=ignored)
    theirs.mkdir()
    (theirs / "audioloss.toml").write_text("window = 30\n")
    (theirs / "audioloss_test.toml").write_text("windw = 3\n")
    shutil.copytree(BAD, theirs / "run")
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for place in (ours, theirs):
        for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "all"]):
            subprocess.run([git, *command], cwd=place, check=True)
    done = subprocess.run(
        [program, "try-repo", str(ours), "--all-files", "--color", "never"],
        cwd=theirs,
        env={**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    verdicts = dict(re.findall(r"^(audioloss \w+)\.+(Passed|Failed)$", done.stdout, flags=re.MULTILINE))
    assert verdicts == {"audioloss scan": "Failed", "audioloss config": "Passed", "audioloss test": "Failed"}
    assert "critical-loss" in done.stdout
    assert "unknown key 'windw'" in done.stdout


def test_the_job_for_gitlab_writes_what_it_hands_over(tmp_path):
    job = yaml.safe_load(GITLAB)["audioloss"]
    (scan,) = [line for line in job["script"] if line.startswith("audioloss ")]
    script(tmp_path / "bin" / "audioloss", OURS)
    shutil.copytree(BAD, tmp_path / "runs")
    done = subprocess.run(
        ["bash", "-c", scan],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    for file in job["artifacts"]["reports"].values():
        assert (tmp_path / file).stat().st_size > 100
    (found, *_) = json.loads((tmp_path / job["artifacts"]["reports"]["codequality"]).read_text())
    assert {"description", "check_name", "fingerprint", "severity", "location"} <= set(found)
