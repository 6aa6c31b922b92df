"""Virtual environments with the measured systems, each installed by itself and each optional."""
import functools
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys

import systems

HERE = pathlib.Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
# What pip alone does not know: tools that a build wants, and the compiler's flags without which a library has neither threads nor vectors.
LIBMF = "-O3 -fopenmp -DUSEOMP" + (" -march=native -DUSEAVX" if platform.machine() == "x86_64" else "")
BUILDS = {
    "xlearn": {"tools": ["cmake<4", "setuptools<81", "wheel"], "options": ["--no-build-isolation"], "variables": {}},
    "libmf": {"tools": [], "options": ["--no-cache-dir"], "variables": {"CFLAGS": LIBMF, "LDFLAGS": "-fopenmp"}},
}


def pinned():
    """Versions by name."""
    lines = (line.strip() for line in REQUIREMENTS.read_text().splitlines())
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def last_line(text):
    """What is wrong, in one line: the last one that names an error or exception, else the last one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "exception" in line.lower()]
    own = [line for line in telling if "ERROR:" not in line and "subprocess" not in line and not line.startswith("note:")]
    return (own or telling or lines or ["it ended without a word"])[-1][:200]


class Environments:
    def __init__(self, folder, timeout):
        self.folder, self.timeout = folder, timeout

    def python(self, system):
        """The interpreter that runs a system: our own where it needs no package."""
        return self.folder / system.environment / "bin" / "python" if system.package else pathlib.Path(sys.executable)

    def call(self, system, task, threads):
        """A worker's answer to a task; raises RuntimeError with the reason in one line."""
        cores = sorted(os.sched_getaffinity(0))[:threads]
        variables = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}  # each as fast as it comes
        variables |= {"OMP_NUM_THREADS": str(threads), "HOGWILD_CACHE": str(self.folder / "cache"), "PYTHONWARNINGS": "ignore"}
        variables.setdefault("USER", "peers")  # xLearn ends where it has no user
        task = {**task, "system": system.name, "task": system.task, "cores": cores, "threads": threads}
        answer, errors, code = self._ended([self.python(system), HERE / "worker.py"], variables, json.dumps(task))
        if code:
            raise RuntimeError((f"ended by signal {-code}: " if code < 0 else "") + last_line(errors))
        return json.loads(answer)

    @functools.cache
    def install(self, package):
        """The version of a package, installed first where it is not there, or the reason in one line why it is not to be had."""
        system = next(system for system in systems.ALL if system.package == package)
        try:
            return self._install(system), None
        except RuntimeError as problem:
            return None, str(problem)

    def _install(self, system):
        wanted = pinned()[system.package]
        if self.python(system).exists():
            try:
                found = self.call(system, {"action": "version"}, 1)["version"]
                if found == wanted:
                    return found
            except RuntimeError:
                pass
        else:
            self._run([sys.executable, "-m", "venv", self.folder / system.environment], {})
        build = BUILDS.get(system.package, {"tools": [], "options": [], "variables": {}})
        pip = [self.python(system), "-m", "pip", "install", "--disable-pip-version-check", "-q", "-c", REQUIREMENTS]
        if build["tools"]:
            self._run([*pip, *build["tools"]], {})
        needed = ["numpy", "scipy", f"{system.package}=={wanted}"]
        self._run([*pip, *build["options"], *needed], build["variables"])
        return self.call(system, {"action": "version"}, 1)["version"]

    def _run(self, command, variables):
        path = f"{pathlib.Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"  # a build finds the environment's tools
        printed, errors, code = self._ended(command, {**os.environ, **variables, "PATH": path})
        if code:
            raise RuntimeError(last_line(printed + errors))

    def _ended(self, command, variables, given=""):
        """What a command printed, and its exit code; it and its children are ended when its time is over."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=variables, start_new_session=True)
        try:
            return *process.communicate(given, timeout=self.timeout), process.returncode
        except BaseException as problem:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(problem, subprocess.TimeoutExpired):
                raise RuntimeError(f"took longer than {self.timeout / 60:g} minutes") from None
            raise
