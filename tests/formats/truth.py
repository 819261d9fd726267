# SPDX-License-Identifier: Apache-2.0
"""What the files must hold, worked out from case.h5 and model.h5 with h5py and numpy alone."""
import h5py
import numpy as np

SECOND = 2.0  # the moment make.sh asks for
THRESHOLD = 2e-5


class Model:
    def __init__(self, path="model.h5"):
        with h5py.File(path) as f:
            g = f["gaussians"]
            self.position, raw, q, self.coefficients = (g[n][:].astype(float) for n in ("position_mm", "raw_scale", "rotation", "attenuation"))
            low, high = g.attrs["scale_min_mm"], g.attrs["scale_max_mm"]
            self.size, self.spacing, self.origin = (np.array(f["volume"].attrs[n]) for n in ("size", "spacing_mm", "origin_mm"))
            self.first, self.last = f["time"].attrs["first_s"], f["time"].attrs["last_s"]
            self.scale_per_mm = f["field"].attrs["density_scale_per_mm"]
        self.scale = low + (high - low) / (1 + np.exp(-raw))
        self.q = q / np.linalg.norm(q, axis=1, keepdims=True)
        w, x, y, z = self.q.T
        self.rotation = np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                                  [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                                  [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]).transpose(2, 0, 1)

    def density(self, second):
        """docs/method.md, attenuation model offset-table."""
        at = 4 * np.clip((second - self.first) / (self.last - self.first), 0, 1)
        low = min(int(at), 3)
        base, table = self.coefficients[:, 0], self.coefficients[:, 1:]
        return self.scale_per_mm * np.logaddexp(0, base + (1 - (at - low)) * table[:, low] + (at - low) * table[:, low + 1])

    def centers(self):
        """[z,y,x,3] LPS mm."""
        axes = [self.origin[a] + (np.arange(self.size[a]) + 0.5) * self.spacing[a] for a in range(3)]
        z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
        return np.stack([x, y, z], axis=-1)

    def volume(self, second):
        """[z,y,x] 1/mm."""
        p = self.centers().reshape(-1, 3)
        values = np.zeros(len(p))
        for mean, rotation, scale, density in zip(self.position, self.rotation, self.scale, self.density(second)):
            d = (((p - mean) @ rotation / scale) ** 2).sum(axis=1)
            values += np.where(d <= 3.5 ** 2, density * np.exp(-d / 2), 0)
        return values.reshape(self.size[::-1])

    def times(self, frames):
        return np.linspace(self.first, self.last, frames)


def worst(what, found, expected, most, unit=""):
    """Prints the largest difference; it must not exceed `most`."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert found.shape == expected.shape, f"{what}: shapes {found.shape} and {expected.shape}"
    difference = np.abs(found - expected).max()
    print(f"{what}: largest error {difference:.2g}{unit}")
    assert difference <= most, f"{what}: expected at most {most}{unit}"
