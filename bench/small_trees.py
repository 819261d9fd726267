# SPDX-License-Identifier: Apache-2.0
"""Small simulated trees and their reconstruction, for uncertainty.py, residue.py and sparseness.py. Finished runs are used again."""
import subprocess

CONFIG = """
[training]
clip_negative = false
[gaussians]
initial = 3000
init_percentile = 98.0
[field.grid3d]
log2_entries = 13
[field.grid4d]
log2_entries = 13
[learning_rate]
field = [3e-3, 3e-4]
[density_control]
every = 100
first_step = 200
last_step = 900
max_gaussians = 6000
"""


class SmallTrees:
    def __init__(self, program, folder, steps):
        self.program, self.folder, self.steps = program, folder, steps
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "small.toml").write_text(CONFIG)

    def dsasrgs(self, *arguments):
        subprocess.run([self.program, *map(str, arguments), "--quiet"], check=True)

    def simulate(self, name, seed, photons, *more):
        """The acquisition, of 64 x 64 pixels."""
        file = self.folder / f"{name}.h5"
        if not file.exists():
            self.dsasrgs("simulate", "--output", file, "--seed", seed, "--size", 64, 64, "--pitch-mm", 4.8, "--grid-size", 64,
                         "--grid-spacing-mm", 2.5, "--photons", photons, *more)
        return file

    def reconstruct(self, case, name, *more):
        """The model."""
        run = self.folder / name
        if not (run / "metrics.json").exists():
            self.dsasrgs("reconstruct", case, "--output", run, "--config", self.folder / "small.toml", "--steps", self.steps,
                         "--force", *more)
        return run / "model.h5"
