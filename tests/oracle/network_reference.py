#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""network_reference.py FILE: the whole super-resolution network as PyTorch computes it, in double, with its own gradients.

tests/lib/residual_network_torch_test.cpp reads them, all as text: per network its sizes, then parameters layer by layer
(weights, then biases), image, gradient of the output, output and gradient of the parameters. Inputs are float32 numbers,
so that both sides start from the same bits.
"""
import sys

import torch
import torch.nn.functional as functional


class Block(torch.nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.a = torch.nn.Conv2d(channels, channels, 3, padding=1)
        self.b = torch.nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return x + 0.2 * self.b(functional.relu(self.a(x)))


class Network(torch.nn.Module):
    def __init__(self, scale, channels, blocks, outputs):
        super().__init__()
        self.scale = scale
        self.first = torch.nn.Conv2d(1, channels, 3, padding=1)
        self.body = torch.nn.Sequential(*[Block(channels) for _ in range(blocks)],
                                        torch.nn.Conv2d(channels, channels, 3, padding=1))
        self.last = torch.nn.Conv2d(channels, outputs * scale * scale, 3, padding=1)

    def bicubic(self, x):
        # With antialias, PyTorch's kernel is Keys' with a = -0.5; the border is repeated here, as it would renormalise.
        s = self.scale
        fine = functional.interpolate(functional.pad(x, (2, 2, 2, 2), mode="replicate"), scale_factor=s,
                                      mode="bicubic", antialias=True)
        return fine[..., 2 * s:-2 * s, 2 * s:-2 * s]

    def forward(self, x):
        h = self.first(x)
        y = functional.pixel_shuffle(self.last(h + self.body(h)), self.scale)
        return torch.cat([y[:, :1] + self.bicubic(x), y[:, 1:]], 1)


def single(*shape):
    return torch.rand(*shape, dtype=torch.float32).double()


def main():
    torch.manual_seed(2)
    with open(sys.argv[1], "w") as file:
        for scale, channels, blocks, with_error, images, height, width in [
            (2, 4, 2, 1, 2, 7, 9), (4, 8, 3, 0, 1, 12, 5), (3, 5, 0, 1, 1, 4, 4)
        ]:
            network = Network(scale, channels, blocks, 1 + with_error).float().double()
            image = 2 * single(images, 1, height, width) - 0.5
            output = network(image)
            grad_output = 2 * single(*output.shape) - 1
            output.backward(grad_output)
            parameters = list(network.parameters())  # in the order of their declaration, weights before biases
            print(scale, channels, blocks, with_error, images, height, width, file=file)
            for arrays in [parameters, [image], [grad_output], [output], [p.grad for p in parameters]]:
                print(*(repr(v) for a in arrays for v in a.detach().flatten().tolist()), file=file)


main()
