// SPDX-License-Identifier: Apache-2.0
// The formulas of the hash encoding, one text for a CUDA thread, the CPU's vectors of points (where they are; what they
// find there is in hash_grid_corners-inl.hpp) and the tests in double.
// No guard and no namespace: hash_grid_math.hpp includes it in its own, and hash_grid_cpu.cpp once for every SIMD
// target in that target's, because a template is compiled for the instruction set in force where it is written.

/// N names the numbers and their operations (see OnePoint): a Number belongs to a point, an Index is a vertex or an
/// entry, a Pair holds the two features of an entry, a Factor multiplies both.
template <class N>
struct HashGridFormulas {
  using Number = typename N::Number;
  using Index = typename N::Index;
  using Factor = typename N::Factor;
  using Pair = typename N::Pair;
  using Entries = typename N::Entries;

  /// One coordinate of a point in a level.
  struct Cell {
    Index vertex[2];  ///< below and above; past the last vertex both are the last
    Number fraction;  ///< from vertex[0] towards vertex[1], in [0,1)
    Number slope;     ///< d fraction / d coordinate: scale, or 0 where the coordinate was clamped
  };
  DSASRGS_HD static Cell cell(Number coordinate, Number scale, Index last_vertex) {
    const Number inside = N::clamp_to_unit(coordinate);
    const Number scaled = N::multiply_add(inside, scale, Number(0.5f));
    const Index below = N::truncate(scaled);
    return {{N::smaller(below, last_vertex), N::smaller(below + Index(1u), last_vertex)},
            scaled - N::number(below),
            N::zero_unless_equal(inside, coordinate, scale)};
  }

  struct Point {
    Cell x, y, z;
  };
  DSASRGS_HD static Point locate(const HashLevelBlock& level, Number x, Number y, Number z) {
    const Number scale(level.scale);
    const Index last(level.last_vertex);
    return {cell(x, scale, last), cell(y, scale, last), cell(z, scale, last)};
  }

  template <class Bool>
  DSASRGS_HD static Index join(Bool dense, Index a, Index b) {
    return dense ? a + b : a ^ b;
  }
  /// Entries of the eight corners in a time slice; bit 0, 1, 2 of a corner's number say whether it is the upper one in
  /// x, y, z. `dense` is level.dense, as a bool or as a type.
  template <class Bool>
  DSASRGS_HD static void corners(const HashLevelBlock& level, const Point& p, int slice, Bool dense,
                                 Index (&entry)[8]) {
    const Index stride_y(level.stride_y), stride_z(level.stride_z), time(level.slice[slice]), mask(level.mask);
    for (int z = 0; z < 2; ++z)
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 2; ++x) {
          const Index plane = join(dense, p.z.vertex[z] * stride_z, time);
          const Index sum = join(dense, join(dense, plane, p.y.vertex[y] * stride_y), p.x.vertex[x]);
          entry[4 * z + 2 * y + x] = dense ? sum : sum & mask;
        }
  }

  struct Fractions {
    Factor x, y, z;
  };
  DSASRGS_HD static Fractions fractions(const Point& p) {
    return {N::factor(p.x.fraction), N::factor(p.y.fraction), N::factor(p.z.fraction)};
  }
  DSASRGS_HD static Pair lerp(Pair a, Pair b, Factor f) { return N::multiply_add(f, b - a, a); }

  /// An interpolated entry, and its derivatives with respect to the three fractions.
  struct Interpolated {
    Pair value, dx, dy, dz;
  };
  /// Between the eight corners of a slice. Differences of entries come first: where entries are alike they are exact.
  DSASRGS_HD static Interpolated trilinear(const Fractions& f, const Pair (&corner)[8]) {
    Pair plane[2], dx[2], dy[2];
    for (int z = 0; z < 2; ++z) {
      const Pair a = corner[4 * z], c = corner[4 * z + 2];
      const Pair low_row = corner[4 * z + 1] - a, high_row = corner[4 * z + 3] - c;
      const Pair low = N::multiply_add(f.x, low_row, a);
      dx[z] = lerp(low_row, high_row, f.y);
      dy[z] = N::multiply_add(f.x, high_row, c) - low;
      plane[z] = N::multiply_add(f.y, dy[z], low);
    }
    const Pair dz = plane[1] - plane[0];
    return {N::multiply_add(f.z, dz, plane[0]), lerp(dx[0], dx[1], f.z), lerp(dy[0], dy[1], f.z), dz};
  }
  template <class Bool>
  DSASRGS_HD static Interpolated in_slice(const HashLevelBlock& level, Entries entries, const Point& p,
                                          const Fractions& f, int slice, Bool dense) {
    Index entry[8];
    corners(level, p, slice, dense, entry);
    Pair corner[8];
    for (int c = 0; c < 8; ++c) corner[c] = N::load(entries, entry[c]);
    return trilinear(f, corner);
  }
  /// Between the corners of all slices; num_slices is level.num_slices.
  template <class Bool>
  DSASRGS_HD static Interpolated interpolate(const HashLevelBlock& level, Entries entries, const Point& p,
                                             const Fractions& f, int num_slices, Bool dense) {
    const Interpolated a = in_slice(level, entries, p, f, 0, dense);
    if (num_slices == 1) return a;
    const Interpolated b = in_slice(level, entries, p, f, 1, dense);
    const Factor w0(level.slice_weight[0]), w1(level.slice_weight[1]);
    return {N::multiply_add(w1, b.value, w0 * a.value), N::multiply_add(w1, b.dx, w0 * a.dx),
            N::multiply_add(w1, b.dy, w0 * a.dy), N::multiply_add(w1, b.dz, w0 * a.dz)};
  }

  /// sum += d(grad·value) / d(x, y, z).
  DSASRGS_HD static void add_position_gradient(const Point& p, const Interpolated& r, Pair grad, Number (&sum)[3]) {
    sum[0] = N::multiply_add(p.x.slope, N::dot(grad, r.dx), sum[0]);
    sum[1] = N::multiply_add(p.y.slope, N::dot(grad, r.dy), sum[1]);
    sum[2] = N::multiply_add(p.z.slope, N::dot(grad, r.dz), sum[2]);
  }

  DSASRGS_HD static void split(Pair grad, Factor f, Pair& low, Pair& high) {
    high = f * grad;
    low = (Factor(1.0f) - f) * grad;
  }
  /// The corners' shares of grad, d(grad·value) / d corner. Of a grid in time grad is the slice's, times its weight.
  DSASRGS_HD static void spread(const Fractions& f, Pair grad, Pair (&share)[8]) {
    Pair plane[2], row[2];
    split(grad, f.z, plane[0], plane[1]);
    for (int z = 0; z < 2; ++z) {
      split(plane[z], f.y, row[0], row[1]);
      for (int y = 0; y < 2; ++y) split(row[y], f.x, share[4 * z + 2 * y], share[4 * z + 2 * y + 1]);
    }
  }
};
