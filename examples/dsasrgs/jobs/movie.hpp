// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pictures as a film, made by the program ffmpeg where it is installed.

#include <filesystem>
#include <functional>

namespace dsasrgs::program {

enum class MovieKind { mp4, webp };

/// A frame of a WebP lasts whole milliseconds, and 17 minutes are long enough for one.
inline constexpr double kFewestFramesPerSecond = 1e-3, kMostFramesPerSecond = 1000;

/// Throws UsageError, with the package to install, where there is no ffmpeg to start.
void require_ffmpeg();

/// Makes a film of `frames` pictures of one size: `write_frame(path, i)` writes each as a PNG. MP4 is H.264 of even
/// sides (white is added), nearly lossless; WebP is lossless and repeats. The file is there whole or not at all. Throws
/// Interrupted, and IoError with what ffmpeg says where it fails.
void write_movie(const std::filesystem::path&, MovieKind, int frames, double frames_per_s,
                 const std::function<void(const std::filesystem::path&, int)>& write_frame);

}  // namespace dsasrgs::program
