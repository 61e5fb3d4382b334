#!/usr/bin/env python3
"""What `gpu-check.sh run` does on the machine with the GPU: doctor, the tests of reference values and identities on the CPU of the libtorch
at hand and on the device, timings against torch_peer.py, all in one JSON file that is written anew after each part. Only the base library.

  gpu_check.py [--out FILE] [--device cuda:0] [--minutes 9] [--sizes 70m,160m,410m] [--rows N] [--repeats N]

Ends with 0 where all passed, 1 where something failed, 2 where the GPU or PyTorch is missing.
"""
import argparse
import datetime
import glob
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.join(HERE, "checkout", "bin")
PROJECTS = ("Modeling", "Training", "Auditing", "Attribution")
FITTING = ("2.10.", "2.11.", "2.12.")
# Of the peer's: mean losses of a stage relative, effects against the largest of the three.
LOSS_TOLERANCE, EFFECT_TOLERANCE = 2e-4, 2e-2
DONE, FAILED, MISSING = 0, 1, 2


class Missing(Exception):
    pass


def say(text):
    print(text, flush=True)


def output_of(*command, seconds=150, env=None):
    """What a command writes to standard output, or None where it cannot be run or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=env, stdin=subprocess.DEVNULL)
        return done.stdout.strip() if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired):
        return None


class PeakMemory:
    """The most memory in use on the card during a part, less what was in use before it, as nvidia-smi says it ten times a second."""

    def __init__(self, device):
        self.index = device.partition(":")[2] or "0" if device.startswith("cuda") else None
        self.process, self.first, self.most = None, None, None

    def __enter__(self):
        if self.index is not None and shutil.which("nvidia-smi"):
            query = ["nvidia-smi", f"--id={self.index}", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-lms", "100"]
            self.process = subprocess.Popen(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            self.first = self.read()
            threading.Thread(target=self.follow, daemon=True).start()
        return self

    def read(self):
        line = self.process.stdout.readline().strip()
        return int(line) if line.isdigit() else None

    def follow(self):
        for line in self.process.stdout:
            if line.strip().isdigit():
                self.most = max(self.most or 0, int(line))

    def __exit__(self, *_):
        if self.process:
            self.process.terminate()

    @property
    def mebibytes(self):
        return None if self.first is None or self.most is None else self.most - self.first


class Check:
    def __init__(self, options):
        self.options = options
        self.began = time.monotonic()
        self.end = self.began + options.minutes * 60
        self.result = {
            "schemaVersion": 1, "startedUtc": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "device": options.device, "minutes": options.minutes, "passed": None, "machine": self.machine(), "versions": {}, "tests": {},
            "tolerances": {"lossRelative": LOSS_TOLERANCE, "effectOfLargest": EFFECT_TOLERANCE}, "timings": {}, "failures": [],
            "notReached": []}
        self.env = dict(os.environ, NVIDIA_TF32_OVERRIDE="0", CUBLAS_WORKSPACE_CONFIG=":4096:8", DOTNET_NOLOGO="1")
        if not any(glob.glob(folder + "/libicuuc.so*") for folder in ("/usr/lib", "/usr/lib64", "/usr/lib/*-linux-gnu", "/usr/local/lib")):
            self.env.update(DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="1", DOTNET_SYSTEM_GLOBALIZATION_PREDEFINED_CULTURES_ONLY="false")
            self.result["versions"]["icu"] = "none: cultures are invariant"
        self.python = None

    @property
    def left(self):
        return self.end - time.monotonic()

    def machine(self):
        model = None
        if os.path.exists("/proc/cpuinfo"):
            with open("/proc/cpuinfo") as file:
                model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), None)
        card = output_of("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader") if shutil.which("nvidia-smi") else None
        return {"system": platform.platform(), "processor": model, "processors": os.cpu_count(), "cards": card.splitlines() if card else []}

    def write(self):
        self.result["seconds"] = round(time.monotonic() - self.began, 1)
        partial = self.options.out + ".partial"
        with open(partial, "w") as file:
            json.dump(self.result, file, indent=1)
        os.replace(partial, self.options.out)

    def fail(self, where, what):
        self.result["failures"].append({"where": where, "what": what})
        say(f"FAIL  {where}: {what}")

    def skip(self, what, why):
        self.result["notReached"].append({"what": what, "why": why})
        say(f"--    {what}: {why}")

    def run(self, where, command, seconds):
        """Standard output of a command; None, and a failure noted, where it fails or the time is over."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=max(seconds, 1), env=self.env, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return self.fail(where, f"not done after {seconds:.0f} s")
        if done.returncode == 0:
            return done.stdout
        return self.fail(where, f"exit code {done.returncode}: {' | '.join((done.stderr or done.stdout).strip().splitlines()[-12:])[-1500:]}")

    def find_torch(self):
        """A python with PyTorch, and the folder of libtorch: LIBTORCH, or that PyTorch's."""
        places = [sys.executable, *filter(None, map(shutil.which, ("python3", "python"))), "/usr/bin/python3", "/opt/conda/bin/python3"]
        found = None
        for place in dict.fromkeys(places):
            found = output_of(place, "-c", "import torch; print(torch.__version__, torch.version.cuda, torch.__path__[0], sep='\\n')", env=self.env)
            if found:
                self.python = place
                break
        version, cuda, folder = found.splitlines() if found else (None, None, None)
        self.result["versions"].update(python=platform.python_version(), pythonOfPeer=self.python, torch=version, torchCuda=cuda)
        named = os.environ.get("LIBTORCH")
        if not named and not folder:
            raise Missing("no PyTorch: set LIBTORCH to its torch/lib, or put a python3 with torch on the PATH")
        if not named and not version.startswith(FITTING):
            raise Missing(f"PyTorch {version} in {folder}; expected 2.10, 2.11 or 2.12, or LIBTORCH naming the torch/lib of one")
        self.env["LIBTORCH"] = named or os.path.join(folder, "lib")
        self.result["versions"]["libtorchFolder"] = self.env["LIBTORCH"]

    def doctor(self):
        command = [os.path.join(BIN, "stageaudit"), "doctor", "--json"]
        text = self.run("doctor", command, 120)
        if text is None:
            # PyTorch's own loader looks into the folders of NVIDIA's packages; where the libraries do not say so themselves, say it for them.
            site = os.path.dirname(os.path.dirname(os.path.abspath(self.env["LIBTORCH"].rstrip("/"))))
            folders = glob.glob(os.path.join(site, "nvidia", "*", "lib"))
            if not folders:
                return
            self.env["LD_LIBRARY_PATH"] = ":".join([*folders, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
            text = self.run("doctor, with NVIDIA's packages on LD_LIBRARY_PATH", command, 120)
            if text is None:
                return
            self.result["versions"]["libraryPath"] = self.env["LD_LIBRARY_PATH"]
            self.result["failures"].pop(0)
        doctor = json.loads(text)
        self.result["doctor"] = doctor
        self.result["versions"].update(stageaudit=doctor["toolVersion"], libtorch=doctor["libTorchVersion"], runtime=doctor["runtime"])
        say(f"ok    doctor: libtorch {doctor['libTorchVersion']}, devices {', '.join(doctor['devices'])}")
        if self.options.device not in doctor["devices"]:
            raise Missing(f"no GPU: this libtorch finds {', '.join(doctor['devices'])}, not {self.options.device}")

    def tests(self, device, end):
        """The test projects on a device, one process each, until the time is over."""
        counts = self.result["tests"].setdefault(device, {})
        for place, project in enumerate(PROJECTS):
            # One that takes long leaves something to those after it.
            left = end - time.monotonic()
            where, seconds = f"tests of {project} on {device}", int(min(left, 1.5 * left / (len(PROJECTS) - place)))
            if seconds < 5:
                self.skip(where, "no time left")
                continue
            with tempfile.TemporaryDirectory() as folder:
                file = os.path.join(folder, "counts.json")
                before = len(self.result["failures"])
                try:
                    done = subprocess.run(
                        [os.path.join(BIN, "device-check"), project, str(seconds), file], capture_output=True, text=True, timeout=seconds + 30,
                        env=dict(self.env, STAGEAUDIT_TEST_DEVICE=device, TMPDIR=folder), stdin=subprocess.DEVNULL)
                    code, said = done.returncode, done.stderr
                except subprocess.TimeoutExpired:
                    code, said = None, ""
                if not os.path.exists(file):
                    self.fail(where, f"died, exit code {code}: {' | '.join(said.strip().splitlines()[-8:])[-1500:]}")
                    continue
                with open(file) as written:
                    found = counts[project] = json.load(written)
            for failure in found["failures"]:
                self.fail(where, f"{failure['test']}: {failure['message']}")
            if not found["complete"]:
                self.skip(where, f"cut after {found['seconds']:.0f} s and {found['passed'] + found['failed']} tests")
            mark = "ok   " if before == len(self.result["failures"]) else "FAIL "
            say(f"{mark} {where}: {found['passed']} passed, {found['failed']} failed, {found['skipped']} skipped ({found['seconds']:.0f} s)")

    def timing(self, size, end):
        folder = tempfile.mkdtemp(prefix="gpu-check-")
        try:
            peer = os.path.join(HERE, "torch_peer.py")
            rows = ["--rows", str(self.options.rows)] + (["--probe", str(min(self.options.rows, 400))])
            if self.run(f"{size}: inputs", [self.python, peer, "prepare", folder, "--size", size, *rows], end - time.monotonic()) is None:
                return
            timing = self.result["timings"][size] = {"rowsPerStage": self.options.rows, "runs": []}
            longest = 0.0
            for repeat in range(self.options.repeats):
                left = end - time.monotonic()
                if left < longest * 1.2:
                    self.skip(f"{size}, repeat {repeat + 1} of {self.options.repeats}", "no time left")
                    break
                began = time.monotonic()
                found = self.once(size, folder, peer, end)
                longest = max(longest, time.monotonic() - began)
                if found is None:
                    break
                timing["runs"].append(found)
                self.write()
            if timing["runs"]:
                self.summarize(size, timing)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def once(self, size, folder, peer, end):
        device, program = self.options.device, os.path.join(BIN, "stageaudit")
        run = os.path.join(folder, "run")
        shutil.rmtree(run, ignore_errors=True)
        own, found = {}, {}
        for verb, command in (
            ("train", [program, "train", os.path.join(folder, "run.yaml"), "--out", run]),
            ("attribute", [program, "attribute", run, "--probe", os.path.join(folder, "probe.yaml"), "--gradient", "exact"]),
        ):
            with PeakMemory(device) as peak:
                began = time.monotonic()
                text = self.run(f"{size}: stageaudit {verb}", [*command, "--device", device, "--json", "--quiet"], end - time.monotonic())
                if text is None:
                    return None
                own[verb] = json.loads(text)
                found[verb] = {"wallSeconds": time.monotonic() - began, "peakMebibytes": peak.mebibytes}
        stages = own["train"]["stages"]
        found["train"].update(
            seconds=own["train"]["trainSeconds"], logSeconds=own["train"]["logSeconds"], stageSeconds=[stage["trainSeconds"] for stage in stages])
        found["attribute"]["seconds"] = own["attribute"]["attributeSeconds"]
        file = os.path.join(folder, "peer.json")
        for attention in ("fused", "plain"):
            if attention == "plain" and not self.options.device.startswith("cuda"):
                continue
            with PeakMemory(device) as peak:
                began = time.monotonic()
                command = [self.python, peer, "run", folder, "--device", device, "--attention", attention, "--out", file]
                if self.run(f"{size}: peer, {attention} attention", command, end - time.monotonic()) is None:
                    return None
            with open(file) as written:
                result = json.load(written)
            # A PyTorch without the fused one takes the other.
            name = "peer " + result["attention"]
            found[name] = dict(result, wallSeconds=time.monotonic() - began, peakMebibytes=peak.mebibytes)
            found[name]["agreement"] = self.compare(f"{size}: {name}", own, result)
        return found

    def compare(self, where, own, peer):
        """How far losses and effects lie apart; a failure where that is more than the same arithmetic allows."""
        losses = max(abs(mine[key] - theirs[other]) / abs(theirs[other]) for mine, theirs in zip(own["train"]["stages"], peer["stages"])
                     for key, other in (("lossFirst", "lossFirst"), ("loss", "lossLast"), ("lossMean", "lossMean")))
        largest = max(abs(stage["effect"]) for stage in peer["stages"])
        effects = max(abs(mine["estimate"] - theirs["effect"]) for mine, theirs in zip(own["attribute"]["effects"], peer["stages"])) / largest
        if losses > LOSS_TOLERANCE or effects > EFFECT_TOLERANCE:
            self.fail(where, f"another arithmetic than the peer's: losses differ by {losses:.1e}, effects by {effects:.1e}")
        return {"lossRelative": losses, "effectOfLargest": effects}

    def summarize(self, size, timing):
        runs = timing["runs"]

        def median(pick):
            return statistics.median(map(pick, runs))

        own = {
            "trainSeconds": median(lambda run: run["train"]["seconds"] + run["train"]["logSeconds"]),
            # The first stage holds what is made once, at the first pass.
            "laterStagesSeconds": median(lambda run: sum(run["train"]["stageSeconds"][1:])),
            "attributeSeconds": median(lambda run: run["attribute"]["seconds"]),
            "wallSeconds": median(lambda run: run["train"]["wallSeconds"] + run["attribute"]["wallSeconds"])}
        timing["medians"], timing["ratios"] = {"stageaudit": own}, {}
        for peer in (name for name in runs[0] if name.startswith("peer ")):
            theirs = timing["medians"][peer] = {
                "trainSeconds": median(lambda run: run[peer]["trainAndLogSeconds"]),
                "laterStagesSeconds": median(lambda run: sum(run[peer]["stageSeconds"][1:])),
                "attributeSeconds": median(lambda run: run[peer]["attributeSeconds"]),
                "wallSeconds": median(lambda run: run[peer]["wallSeconds"])}
            # Below 1: stageaudit is faster. Walls hold other work each (the peer trains twice) and are not compared.
            timing["ratios"][peer] = {key: own[key] / theirs[key] for key in own if key != "wallSeconds"}
        peaks = {name: [run[name].get("peakMebibytes") for run in runs] for name in runs[0]}
        timing["peakMebibytes"] = {name: max(values) for name, values in peaks.items() if None not in values}
        ratios = "; ".join(f"{peer}: " + ", ".join(f"{key} x{value:.2f}" for key, value in found.items()) for peer, found in timing["ratios"].items())
        say(f"ok    {size}: train {own['trainSeconds']:.2f} s, attribute {own['attributeSeconds']:.2f} s, {len(runs)} runs; {ratios}")

    def all(self):
        self.find_torch()
        self.doctor()
        self.write()
        if "doctor" not in self.result:
            return
        device = self.options.device
        devices = list(dict.fromkeys([device, "cpu"]))
        share = time.monotonic() + self.left * 0.45
        # Side by side where there are processors for both; the device's are mostly waiting.
        lanes = [threading.Thread(target=self.tests, args=(name, share)) for name in devices]
        together = (os.cpu_count() or 1) >= 8
        for lane in lanes:
            lane.start()
            if not together:
                lane.join()
        for lane in lanes:
            lane.join()
        self.write()
        sizes = self.options.sizes.split(",")
        for place, size in enumerate(sizes):
            if self.python is None:
                self.skip(f"timings of {size}", "no python3 with torch for the peer")
            elif self.left < 20:
                self.skip(f"timings of {size}", "no time left")
            else:
                # A larger model takes more of what is left.
                self.timing(size, time.monotonic() + (self.left - 5) / max(1, len(sizes) - place - 0.3 * (place < len(sizes) - 1)))
            self.write()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="gpu-check.json")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--sizes", help="default: 70m,160m,410m, on the CPU 14m")
    parser.add_argument("--rows", type=int, help="of each of three stages, in batches of 50; default: 2000, on the CPU 200")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if not re.fullmatch(r"cpu|cuda(:\d+)?", options.device):
        parser.error(f"--device {options.device}: expected cpu, cuda or cuda:N")
    if options.device == "cuda":
        options.device = "cuda:0"
    on_cpu = options.device == "cpu"
    options.sizes = options.sizes or ("14m" if on_cpu else "70m,160m,410m")
    options.rows = options.rows or (200 if on_cpu else 2000)
    check = Check(options)
    try:
        if not on_cpu and not check.result["machine"]["cards"]:
            raise Missing("no GPU: nvidia-smi lists none")
        check.all()
    except Missing as missing:
        check.result["passed"] = False
        check.fail("machine", str(missing))
        check.write()
        return MISSING
    failed = bool(check.result["failures"])
    check.result["passed"] = not failed
    check.write()
    counts = [count for found in check.result["tests"].values() for count in found.values()]
    say(f"{sum(count['passed'] for count in counts)} tests passed, {len(check.result['failures'])} failures, "
        f"{len(check.result['notReached'])} parts not reached, {check.result['seconds']:.0f} s: {options.out}")
    return FAILED if failed else DONE


if __name__ == "__main__":
    sys.exit(main())
