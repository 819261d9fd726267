#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""convolve_reference.py FILE: layers and pixel shuffles as PyTorch computes them, in double, with its own gradients.

tests/kernels/convolve_torch_test.cpp reads them: per case a name, its sizes, then the arrays in the order of that test,
all as text. Inputs are float32 numbers, so that both sides start from the same bits.
"""
import sys

import torch
import torch.nn.functional as functional


def values(*shape):
    return (2 * torch.rand(*shape) - 1).double().requires_grad_()


def write(file, name, sizes, arrays):
    print(name, *sizes, file=file)
    for array in arrays:
        print(*(repr(v) for v in array.detach().flatten().tolist()), file=file)


def main():
    torch.manual_seed(1)
    with open(sys.argv[1], "w") as file:
        for images, inputs, outputs, height, width, relu in [
            (2, 3, 5, 9, 17, 0), (1, 32, 16, 12, 20, 1), (3, 1, 8, 7, 49, 1), (1, 4, 3, 1, 2, 0)
        ]:
            weights, bias = values(outputs, inputs, 3, 3), values(outputs)
            image, grad_output = values(images, inputs, height, width), values(images, outputs, height, width)
            output = functional.conv2d(image, weights, bias, padding=1)
            if relu:
                output = functional.relu(output)
            output.backward(grad_output)
            write(file, "convolve", [images, inputs, outputs, height, width, relu],
                  [weights, bias, image, grad_output, output, image.grad, weights.grad, bias.grad])
        for images, channels, height, width, scale in [(1, 1, 5, 3, 4), (2, 3, 4, 6, 2), (1, 2, 2, 7, 3)]:
            low = values(images, channels * scale * scale, height, width)
            high = functional.pixel_shuffle(low, scale)
            grad_high = values(*high.shape)
            high.backward(grad_high)
            write(file, "pixel_shuffle", [images, channels, height, width, scale], [low, high, grad_high, low.grad])


main()
