// SPDX-License-Identifier: Apache-2.0
// One point in one level on the CPU: the eight corners of its cell lie across four registers of four floats, so that
// a cell is read once for all points in it that follow each other, and written once. Compiled once per SIMD target, by
// hash_grid_cpu.cpp alone; the same sums as HashGridFormulas, along z, y and x in turn.

#if HWY_TARGET == HWY_SCALAR
struct Quad {
  using Vector [[gnu::vector_size(16)]] = float;
  Vector v;
  Quad() = default;
  explicit Quad(Vector x) : v(x) {}
  Quad(float a, float b, float c, float d) : v(Vector{a, b, c, d}) {}
};
inline Quad zero_quad() { return {0, 0, 0, 0}; }
inline Quad quad_of(float x) { return {x, x, x, x}; }
inline Quad load_pairs(const float* low, const float* high) { return {low[0], low[1], high[0], high[1]}; }
inline Quad load_quad(const float* from) { return load_pairs(from, from + 2); }
inline void store_quad(Quad a, float* to) { std::memcpy(to, &a.v, sizeof a.v); }
inline void store_low(Quad a, float* to) { std::memcpy(to, &a.v, sizeof a.v / 2); }
inline Quad plus(Quad a, Quad b) { return Quad(a.v + b.v); }
inline Quad minus(Quad a, Quad b) { return Quad(a.v - b.v); }
inline Quad multiply(Quad a, Quad b) { return Quad(a.v * b.v); }
inline Quad multiply_add(Quad a, Quad b, Quad c) { return Quad(a.v * b.v + c.v); }
inline Quad lows(Quad a, Quad b) { return {a.v[0], a.v[1], b.v[0], b.v[1]}; }
inline Quad highs(Quad a, Quad b) { return {a.v[2], a.v[3], b.v[2], b.v[3]}; }
inline Quad low_and_high(Quad a, Quad b) { return {a.v[0], a.v[1], b.v[2], b.v[3]}; }
#else
using Quads = hn::FixedTag<float, 4>;
using Quad = hn::Vec<Quads>;
inline Quad zero_quad() { return hn::Zero(Quads()); }
inline Quad quad_of(float x) { return hn::Set(Quads(), x); }
inline Quad load_pairs(const float* low, const float* high) {
  const hn::FixedTag<float, 2> pair;
  return hn::Combine(Quads(), hn::LoadU(pair, high), hn::LoadU(pair, low));
}
inline Quad load_quad(const float* from) { return hn::LoadU(Quads(), from); }
inline void store_quad(Quad a, float* to) { hn::StoreU(a, Quads(), to); }
inline void store_low(Quad a, float* to) { hn::StoreU(hn::LowerHalf(a), hn::FixedTag<float, 2>(), to); }
inline Quad plus(Quad a, Quad b) { return hn::Add(a, b); }
inline Quad minus(Quad a, Quad b) { return hn::Sub(a, b); }
inline Quad multiply(Quad a, Quad b) { return hn::Mul(a, b); }
inline Quad multiply_add(Quad a, Quad b, Quad c) { return hn::MulAdd(a, b, c); }
/// The first halves of two, one behind the other; the second halves; the first of one and the second of the other.
inline Quad lows(Quad a, Quad b) { return hn::ConcatLowerLower(Quads(), b, a); }
inline Quad highs(Quad a, Quad b) { return hn::ConcatUpperUpper(Quads(), b, a); }
inline Quad low_and_high(Quad a, Quad b) { return hn::ConcatUpperLower(Quads(), b, a); }
#endif
inline Quad pair_twice(const float* pair) { return load_pairs(pair, pair); }

/// Points handled together: where they are is worked out by vectors of points, what happens there point by point.
inline constexpr std::size_t kChunk = 128;
static_assert(kChunk % kMaxLanes == 0);

/// How a point's cell relates to that of the point before it.
enum CellKind : std::uint32_t {
  kSameCell = 0,
  kInRows = 1,  ///< another, whose corners along x are neighbours in a dense level
  kApart = 2    ///< another at the volume's far side, where two of its corners are one
};

/// The points of a chunk in one level. A run is as many as follow each other in one cell.
struct Chunk {
  HWY_ALIGN float fraction[3][kChunk], rest[3][kChunk];  ///< rest: 1 − fraction
  HWY_ALIGN float slope[3][kChunk];                      ///< d fraction / d coordinate
  HWY_ALIGN std::uint32_t entry[2][8][kChunk];  ///< [slice][corner]; of a dense level's kInRows only the first corner
  HWY_ALIGN std::uint32_t vertex[3][kMaxLanes + kChunk];  ///< below; room for the point before
  HWY_ALIGN std::uint32_t kind[kChunk];
  std::uint32_t run[kChunk + 1];  ///< first points of the runs, and the end
  std::size_t num_runs;
};

/// The eight corners: row 2·z + y, and in it the features of the corner below and above along x.
struct Cell {
  Quad row[4];
};
HWY_INLINE Cell zero_cell() { return {{zero_quad(), zero_quad(), zero_quad(), zero_quad()}}; }

/// The cells of a chunk in their table.
template <bool kDense, bool kInTime>
struct Corners {
  const HashLevelBlock& level;
  const Chunk& chunk;
  static constexpr std::size_t kSlices = kInTime ? 2 : 1;

  HWY_INLINE bool in_rows(std::size_t p) const { return kDense && chunk.kind[p] == kInRows; }
  /// Where the features of a corner start. Of a cell in rows, corner 2·r + 1 follows corner 2·r.
  HWY_INLINE std::size_t place(std::size_t p, std::size_t slice, std::size_t corner) const {
    if (!in_rows(p)) return kHashFeatures * std::size_t{chunk.entry[slice][corner][p]};
    return kHashFeatures * (std::size_t{chunk.entry[slice][0][p]} + (corner >> 1 & 1) * level.stride_y +
                            (corner >> 2) * level.stride_z + (corner & 1));
  }

  HWY_INLINE Cell read(const float* entries, std::size_t p, std::size_t slice) const {
    Cell cell;
    if (in_rows(p))
      for (std::size_t r = 0; r < 4; ++r) cell.row[r] = load_quad(entries + place(p, slice, 2 * r));
    else
      for (std::size_t r = 0; r < 4; ++r)
        cell.row[r] = load_pairs(entries + place(p, slice, 2 * r), entries + place(p, slice, 2 * r + 1));
    return cell;
  }
  /// The cell of point p, between its slices in time.
  HWY_INLINE Cell read(const float* entries, std::size_t p) const {
    Cell cell = read(entries, p, 0);
    if constexpr (kInTime) {
      const Cell later = read(entries, p, 1);
      const Quad w0 = quad_of(level.slice_weight[0]), w1 = quad_of(level.slice_weight[1]);
      for (std::size_t r = 0; r < 4; ++r) cell.row[r] = multiply_add(w1, later.row[r], multiply(w0, cell.row[r]));
    }
    return cell;
  }

  /// entries of the cell of point p += sums, each slice's share of them
  HWY_INLINE void add(const Cell& sums, std::size_t p, float* entries) const {
    for (std::size_t slice = 0; slice < kSlices; ++slice)
      for (std::size_t r = 0; r < 4; ++r) {
        const Quad share = kInTime ? multiply(quad_of(level.slice_weight[slice]), sums.row[r]) : sums.row[r];
        float* const low = entries + place(p, slice, 2 * r);
        if (in_rows(p)) {
          store_quad(plus(load_quad(low), share), low);
          continue;
        }
        float* const high = entries + place(p, slice, 2 * r + 1);  // may be `low`: one after the other
        store_low(plus(pair_twice(low), share), low);
        store_low(plus(pair_twice(high), highs(share, share)), high);
      }
  }

  /// Asks for the entries of point p, where a table is too large to be near; to write to them if kToWrite, since a line
  /// that others may hold costs a store as much as one that is not there.
  template <bool kToWrite>
  HWY_INLINE void prefetch(const float* entries, std::size_t p) const {
    constexpr std::uint32_t kNear = 4096;  // entries in the first-level cache
    if (kDense && level.mask < kNear) return;
    for (std::size_t slice = 0; slice < kSlices; ++slice)
      for (std::size_t corner = 0; corner < 8; corner += kDense ? 2 : 1)
        __builtin_prefetch(entries + place(p, slice, corner), kToWrite ? 1 : 0);
  }

  /// Calls ahead(first) for every run some runs before body(first, end).
  template <class Ahead, class Body>
  HWY_INLINE void for_each_run(Ahead&& ahead, Body&& body) const {
    constexpr std::size_t kAhead = 12;
    for (std::size_t r = 0; r < chunk.num_runs + kAhead; ++r) {
      if (r < chunk.num_runs) ahead(chunk.run[r]);
      if (r >= kAhead) body(chunk.run[r - kAhead], chunk.run[r - kAhead + 1]);
    }
  }
};

/// The cell at a point's fractions, in the first half.
HWY_INLINE Quad value_in_cell(const Cell& cell, const Chunk& chunk, std::size_t p) {
  const Quad x = quad_of(chunk.fraction[0][p]), y = quad_of(chunk.fraction[1][p]), z = quad_of(chunk.fraction[2][p]);
  const Quad low = multiply_add(z, minus(cell.row[2], cell.row[0]), cell.row[0]);
  const Quad high = multiply_add(z, minus(cell.row[3], cell.row[1]), cell.row[1]);
  const Quad row = multiply_add(y, minus(high, low), low);
  return multiply_add(x, minus(highs(row, row), row), row);
}

/// Per point d(grad·value)/d fraction, the two features still apart: along x and y, and along z.
struct Slopes {
  HWY_ALIGN float xy[4 * kChunk], z[2 * kChunk];
};
HWY_INLINE void slopes_in_cell(const Cell& cell, const Chunk& chunk, std::size_t p, Quad grad, Slopes& to) {
  const Quad x = quad_of(chunk.fraction[0][p]), y = quad_of(chunk.fraction[1][p]), z = quad_of(chunk.fraction[2][p]);
  // Differences of entries come first: where entries are alike they are exact.
  const Quad dz_low = minus(cell.row[2], cell.row[0]), dz_high = minus(cell.row[3], cell.row[1]);
  const Quad low = multiply_add(z, dz_low, cell.row[0]);
  const Quad dy = minus(multiply_add(z, dz_high, cell.row[1]), low);
  const Quad row = multiply_add(y, dy, low), dz = multiply_add(y, minus(dz_high, dz_low), dz_low);
  // (row, dy) below and above along x: the first is differentiated, the second interpolated.
  const Quad below = lows(row, dy), change = minus(highs(row, dy), below);
  const Quad xy = multiply_add(low_and_high(quad_of(1), x), change, low_and_high(zero_quad(), below));
  store_quad(multiply(xy, grad), to.xy + 4 * p);
  store_low(multiply(multiply_add(x, minus(highs(dz, dz), dz), dz), grad), to.z + 2 * p);
}

/// sums += the corners' shares of a point's gradient.
HWY_INLINE void add_shares(const Chunk& chunk, std::size_t p, Quad grad, Cell& sums) {
  const Quad along_x = multiply(low_and_high(quad_of(chunk.rest[0][p]), quad_of(chunk.fraction[0][p])), grad);
  const Quad low = multiply(quad_of(chunk.rest[1][p]), along_x),
             high = multiply(quad_of(chunk.fraction[1][p]), along_x);
  const Quad below = quad_of(chunk.rest[2][p]), above = quad_of(chunk.fraction[2][p]);
  sums.row[0] = multiply_add(below, low, sums.row[0]);
  sums.row[1] = multiply_add(below, high, sums.row[1]);
  sums.row[2] = multiply_add(above, low, sums.row[2]);
  sums.row[3] = multiply_add(above, high, sums.row[3]);
}
