#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the numbers of tests/lib/metrics_test.cpp and volume_metrics_test.cpp that come from outside the library.

structural_similarity below is written from scikit-image's definition (win_size 7, uniform filter,
use_sample_covariance=True, K1 0.01, K2 0.03, mean over the interior) with numpy and scipy. The images come from a
formula that C++ evaluates to the same float32 bits: integers of a linear congruence, scaled by powers of two.
"""
import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter


def structural_similarity(x, y, data_range, win_size=7, k1=0.01, k2=0.03):
    n = win_size ** x.ndim
    ux, uy = uniform_filter(x, win_size), uniform_filter(y, win_size)
    uxx, uyy, uxy = uniform_filter(x * x, win_size), uniform_filter(y * y, win_size), uniform_filter(x * y, win_size)
    f = n / (n - 1)
    vx, vy, vxy = f * (uxx - ux * ux), f * (uyy - uy * uy), f * (uxy - ux * uy)
    c1, c2 = (k1 * data_range) ** 2, (k2 * data_range) ** 2
    s = (2 * ux * uy + c1) * (2 * vxy + c2) / ((ux * ux + uy * uy + c1) * (vx + vy + c2))
    pad = (win_size - 1) // 2
    return s[tuple(slice(pad, -pad) for _ in range(x.ndim))].mean()


def congruence_values(n, seed):
    """n float32 values in [-1/4, 3/4): state = 1664525 state + 1013904223 mod 2^32, its upper 16 bits / 2^16 - 1/4."""
    out, state = np.empty(n), seed
    for i in range(n):
        state = (1664525 * state + 1013904223) % 2 ** 32
        out[i] = (state >> 16) / 65536.0 - 0.25
    return out


def psnr(x, y, data_range):
    return 10 * np.log10(data_range ** 2 / np.mean((x - y) ** 2))


def min_max(x):
    return (x - x.min()) / (x.max() - x.min())


def highpass_correlation(x, y, valid, sigma):
    weight = gaussian_filter(valid, sigma, mode="constant", truncate=4)
    hx, hy = (z - gaussian_filter(z * valid, sigma, mode="constant", truncate=4) / np.maximum(weight, 1e-300)
              for z in (x, y))
    return np.corrcoef(hx[valid > 0], hy[valid > 0])[0, 1]


shape = (21, 34)
reference = congruence_values(shape[0] * shape[1], 7).reshape(shape)
rendered = 0.75 * reference + 0.25 * congruence_values(shape[0] * shape[1], 8).reshape(shape) + 0.125
print("min before clipping", reference.min(), rendered.min())
a, b = np.maximum(rendered, 0), np.maximum(reference, 0)
print(f"fixed, range 0.7: psnr {psnr(a, b, 0.7):.12f} ssim {structural_similarity(a, b, 0.7):.12f}")
na, nb = min_max(a), min_max(b)
print(f"4drgs: psnr {psnr(na, nb, 1.0):.12f} ssim {structural_similarity(na, nb, 1.0):.12f}")
mask = np.ones(shape)
mask[:, 20:] = 0
print(f"4drgs, columns < 20: psnr {psnr(min_max(a[:, :20]), min_max(b[:, :20]), 1.0):.12f} "
      f"ssim {structural_similarity(min_max(a[:, :20]), min_max(b[:, :20]), 1.0):.12f}")
print(f"highpass, sigma 2: {highpass_correlation(a, b, np.ones(shape), 2.0):.12f}")
print(f"highpass, sigma 2, columns < 20: {highpass_correlation(a, b, mask, 2.0):.12f}")

shape = (9, 10, 11)
reference = congruence_values(np.prod(shape), 9).reshape(shape)
volume = 0.75 * reference + 0.25 * congruence_values(np.prod(shape), 10).reshape(shape)
data_range = reference.max()
print(f"volume: psnr {psnr(volume, reference, data_range):.12f} "
      f"ssim {structural_similarity(volume, reference, data_range):.12f}")
