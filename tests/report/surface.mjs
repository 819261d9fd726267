// SPDX-License-Identifier: Apache-2.0
// The surface of a ball is closed, faces outwards, and holds the ball's volume.
import vm from "node:vm";

export const checkSurface = async (code, check) => {
  const context = vm.createContext({ report: {} });
  vm.runInContext(code, context);
  const size = [30, 26, 28];
  const [centre, radius] = [[14.3, 12.6, 13.2], 9];
  const values = new Float32Array(size[0] * size[1] * size[2]);
  for (let i = 0; i < values.length; ++i) {
    const at = [i % size[0], Math.floor(i / size[0]) % size[1], Math.floor(i / size[0] / size[1])];
    values[i] = 100 - Math.hypot(...at.map((x, axis) => x - centre[axis]));
  }
  context.values = values;
  context.size = size;
  const { vertices, triangles } = vm.runInContext(`report.surfaceOf(values, size, ${100 - radius})`, context);
  const edges = new Map();
  let volume = 0;
  const vertex = (index) => [0, 1, 2].map((axis) => vertices[3 * index + axis] - centre[axis]);
  for (let t = 0; t < triangles.length; t += 3) {
    const corners = [triangles[t], triangles[t + 1], triangles[t + 2]];
    corners.forEach((a, k) => {
      const b = corners[(k + 1) % 3];
      edges.set(`${a} ${b}`, (edges.get(`${a} ${b}`) ?? 0) + 1);
    });
    const [p, q, r] = corners.map(vertex);
    volume += (p[0] * (q[1] * r[2] - q[2] * r[1]) + p[1] * (q[2] * r[0] - q[0] * r[2]) + p[2] * (q[0] * r[1] - q[1] * r[0])) / 6;
  }
  const closed = [...edges].every(([edge, count]) => count === 1 && edges.get(edge.split(" ").reverse().join(" ")) === 1);
  await check("the surface is closed", closed && edges.size > 1000, edges.size);
  const truth = (4 / 3) * Math.PI * radius ** 3;
  await check("the surface holds the volume, facing outwards", Math.abs(volume / truth - 1) < 0.02, volume / truth);
  let furthest = 0;
  for (let v = 0; v < vertices.length / 3; ++v) furthest = Math.max(furthest, Math.abs(Math.hypot(...vertex(v)) - radius));
  await check("its vertices lie on the ball", furthest < 0.15, furthest);
};
