// SPDX-License-Identifier: Apache-2.0
"use strict";
// The surface where a volume crosses a level, by naive surface nets (Gibson 1998, "Constrained elastic surface nets"):
// one vertex in each cell that the surface passes, at the mean of its crossings with the cell's edges, and two
// triangles around each edge of the grid that crosses.

/** Values [z, y, x] and a level → vertices in voxels from voxel (0, 0, 0)'s centre, and triangles that face outwards. */
report.surfaceOf = (values, [nx, ny, nz], level) => {
  const strides = [1, nx, nx * ny];
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((c) => (c & 1) + ((c >> 1) & 1) * nx + (c >> 2) * nx * ny);
  const edges = [];
  for (let c = 0; c < 8; ++c) for (const bit of [1, 2, 4]) if (!(c & bit)) edges.push([c, c | bit]);

  const vertexOfCell = new Int32Array(values.length).fill(-1);
  const vertices = [];
  for (let z = 0; z + 1 < nz; ++z)
    for (let y = 0; y + 1 < ny; ++y)
      for (let x = 0, cell = z * strides[2] + y * nx; x + 1 < nx; ++x, ++cell) {
        let inside = 0;
        for (let c = 0; c < 8; ++c) if (values[cell + corners[c]] >= level) inside |= 1 << c;
        if (inside === 0 || inside === 255) continue;
        let count = 0;
        const sum = [0, 0, 0];
        for (const [a, b] of edges) {
          if (((inside >> a) & 1) === ((inside >> b) & 1)) continue;
          const [from, to] = [values[cell + corners[a]], values[cell + corners[b]]];
          const part = (level - from) / (to - from);
          for (let axis = 0; axis < 3; ++axis) {
            const at = (a >> axis) & 1;
            sum[axis] += at + part * (((b >> axis) & 1) - at);
          }
          ++count;
        }
        vertexOfCell[cell] = vertices.length / 3;
        vertices.push(x + sum[0] / count, y + sum[1] / count, z + sum[2] / count);
      }

  const triangles = [];
  const size = [nx, ny, nz];
  for (let z = 1; z + 1 < nz; ++z)
    for (let y = 1; y + 1 < ny; ++y)
      for (let x = 1; x + 1 < nx; ++x) {
        const at = z * strides[2] + y * nx + x;
        const inside = values[at] >= level;
        for (let axis = 0; axis < 3; ++axis) {
          if ([x, y, z][axis] + 1 >= size[axis] || values[at + strides[axis]] >= level === inside) continue;
          const [u, v] = [strides[(axis + 1) % 3], strides[(axis + 2) % 3]];
          const [a, b, c, d] = [at, at - u, at - u - v, at - v].map((cell) => vertexOfCell[cell]);
          if (inside) triangles.push(a, b, c, a, c, d);
          else triangles.push(a, c, b, a, d, c);
        }
      }
  return { vertices: Float32Array.from(vertices), triangles: Uint32Array.from(triangles) };
};
