"""What the benchmarks share: the build they measure, and small tables of medians and ratios."""

import argparse
import os
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

SOURCE = Path(__file__).resolve().parents[1]


def arguments(description, **defaults):
    """BUILD and one integer option for each default, like `--trials 10`."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="the build folder, like build/release")
    for name, value in defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value,
                            help=f"default {value}")
    options = parser.parse_args()
    if not (options.build / "CMakeCache.txt").exists():
        parser.error(f"{options.build} is not a build folder")
    print(f"{options.build}: {build_type(options.build)}, {os.cpu_count()} processors, "
          f"load {os.getloadavg()[0]:.1f}", flush=True)
    return options


def build_type(build):
    for line in (build / "CMakeCache.txt").read_text().splitlines():
        if line.startswith("CMAKE_BUILD_TYPE:"):
            return line.split("=", 1)[1]
    return "unknown build type"


def table(title, rows, baseline=None, unit="ms"):
    """Prints {name: samples} as median, min, max; with `baseline` also the ratio of medians to it."""
    print(f"\n{title} ({unit})")
    print(f"  {'':<44}{'median':>10}{'min':>10}{'max':>10}{'n':>5}"
          + (f"{'ratio':>9}" if baseline else ""))
    for name, samples in rows.items():
        if not samples:
            continue
        median = statistics.median(samples)
        ratio = f"{median / statistics.median(rows[baseline]):>9.2f}" if baseline else ""
        print(f"  {name:<44}{median:>10.1f}{min(samples):>10.1f}{max(samples):>10.1f}"
              f"{len(samples):>5}{ratio}")
    sys.stdout.flush()
