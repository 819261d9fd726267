// SPDX-License-Identifier: Apache-2.0
// dsasrgs import dicom: X-ray angiography, one rotational run or a folder of single views.

#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/usage_error.hpp"
#include "cli/value_checks.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "dsasrgs/plausibility.hpp"
#include "import/import_job.hpp"
#include "import/import_kinds.hpp"
#include "jobs/moved_masks.hpp"

namespace dsasrgs::program {

namespace {

struct DicomArguments : ImportArguments {
  std::vector<std::string> files, by_hand;
  std::string mask_run, subtraction = "mask";
  std::optional<int> last_frame;
  bool align_masks = false, save_intensity = false;
  MaskAlignmentOptions alignment;
  DicomImportOptions options;
};

/// One "--set [FILE:]NAME=VALUE".
struct Setting {
  std::string text, file, name, value;

  [[noreturn]] void refuse(const std::string& expected, const std::string& found) const {
    throw UsageError("--set " + text + ": expected " + expected + ", found " + found);
  }
  std::vector<double> numbers() const {
    std::vector<double> all;
    std::string_view rest = value;
    while (true) {
      const std::size_t end = rest.find(',');
      const std::string_view one = rest.substr(0, end);
      double number = 0;
      const auto [last, error] = std::from_chars(one.data(), one.data() + one.size(), number);
      if (error != std::errc{} || last != one.data() + one.size() || !std::isfinite(number))
        refuse("numbers with commas between them", '"' + std::string(one) + '"');
      all.push_back(number);
      if (end == std::string_view::npos) return all;
      rest.remove_prefix(end + 1);
    }
  }
  std::vector<double> numbers(std::size_t count) const {
    std::vector<double> all = numbers();
    if (all.size() != count) refuse(std::to_string(count) + " numbers", std::to_string(all.size()));
    return all;
  }
  double number() const { return numbers(1).front(); }
  int integer() const {
    const double found = number();
    if (found != std::floor(found) || std::abs(found) > 1e9) refuse("a whole number", value);
    return static_cast<int>(found);
  }
  bool flag() const {
    if (value != "yes" && value != "no") refuse("yes or no", value);
    return value == "yes";
  }
  /// Frames as "1-3,5".
  std::vector<int> frames() const {
    std::vector<int> all;
    std::string_view rest = value;
    constexpr int kMostFrames = 1 << 20;
    while (true) {
      const std::size_t end = rest.find(',');
      const std::string_view one = rest.substr(0, end);
      const std::size_t dash = one.find('-');
      int first = 0, last = 0;
      const auto read = [&](std::string_view part, int& frame) {
        const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), frame);
        return error == std::errc{} && stop == part.data() + part.size();
      };
      const bool whole = read(one.substr(0, dash), first) &&
                         (dash == std::string_view::npos ? (last = first, true) : read(one.substr(dash + 1), last));
      if (!whole || first < 1 || last < first || last > kMostFrames) refuse("frames from 1 on, as in 1-3,5", value);
      for (int frame = first; frame <= last; ++frame) all.push_back(frame);
      if (end == std::string_view::npos) return all;
      rest.remove_prefix(end + 1);
    }
  }
};

void set_relationship(const Setting& s, DicomTags& tags) {
  if (s.value != "LIN" && s.value != "LOG") s.refuse("LIN or LOG", s.value);
  tags.relationship = s.value == "LIN" ? DicomIntensity::linear : DicomIntensity::logarithmic;
}

using Setter = std::function<void(const Setting&, DicomTags&)>;
const std::map<std::string, Setter>& setters() {
  const auto vec2 = [](const Setting& s) {
    const std::vector<double> v = s.numbers(2);
    return Vec2d{v[0], v[1]};
  };
  static const std::map<std::string, Setter> all{
      {"sod_mm", [](const Setting& s, DicomTags& t) { t.sod_mm = s.number(); }},
      {"sdd_mm", [](const Setting& s, DicomTags& t) { t.sdd_mm = s.number(); }},
      {"primary_deg", [](const Setting& s, DicomTags& t) { t.primary_deg = s.number(); }},
      {"secondary_deg", [](const Setting& s, DicomTags& t) { t.secondary_deg = s.number(); }},
      {"primary_increment_deg", [](const Setting& s, DicomTags& t) { t.primary_increment_deg = s.numbers(); }},
      {"secondary_increment_deg", [](const Setting& s, DicomTags& t) { t.secondary_increment_deg = s.numbers(); }},
      {"pixel_spacing_mm",
       [](const Setting& s, DicomTags& t) {
         const std::vector<double> v = s.numbers();
         if (v.size() > 2) s.refuse("one value, or between columns and between rows", s.value);
         t.pixel_spacing_mm = Vec2d{v.front(), v.back()};
       }},
      {"frame_time_ms", [](const Setting& s, DicomTags& t) { t.frame_time_ms = s.number(); }},
      {"start_s", [](const Setting& s, DicomTags& t) { t.start_s = s.number(); }},
      {"relationship", set_relationship},
      {"sign", [](const Setting& s, DicomTags& t) { t.sign = s.integer(); }},
      {"log_scale", [](const Setting& s, DicomTags& t) { t.log_scale = s.number(); }},
      {"mask_frames", [](const Setting& s, DicomTags& t) { t.mask_frames = s.frames(); }},
      {"mask_shift_px", [vec2](const Setting& s, DicomTags& t) { t.mask_shift_px = vec2(s); }},
      {"table_mm",
       [](const Setting& s, DicomTags& t) {
         const std::vector<double> v = s.numbers(3);
         t.table_mm = Vec3d{v[0], v[1], v[2]};
       }},
      {"isocenter_px", [vec2](const Setting& s, DicomTags& t) { t.isocenter_px = vec2(s); }},
      {"mirror_columns", [](const Setting& s, DicomTags& t) { t.mirror_columns = s.flag(); }},
      {"mirror_rows", [](const Setting& s, DicomTags& t) { t.mirror_rows = s.flag(); }},
      {"saturation", [](const Setting& s, DicomTags& t) { t.saturation = s.number(); }},
  };
  return all;
}

void follow(const std::string& text, std::set<std::string>& followed, DicomImportOptions& options) {
  Setting s{text, {}, {}, {}};
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) s.refuse("[FILE:]NAME=VALUE", text);
  s.name = text.substr(0, equals);
  s.value = text.substr(equals + 1);
  if (const std::size_t colon = s.name.rfind(':'); colon != std::string::npos) {
    s.file = s.name.substr(0, colon);
    s.name = s.name.substr(colon + 1);
  }
  const auto setter = setters().find(s.name);
  if (setter == setters().end()) {
    std::string names;
    for (const auto& [name, unused] : setters()) names += (names.empty() ? "" : ", ") + name;
    s.refuse("one of " + names, s.name);
  }
  if (!followed.insert(text.substr(0, equals)).second)
    s.refuse(s.name + " once for " + (s.file.empty() ? "all files" : s.file), "it twice");
  setter->second(s, s.file.empty() ? options.tags : options.tags_of[s.file]);
}

/// Options that no other subtraction than the file's own mask heeds.
void refuse_unheeded(const DicomArguments& a, const std::set<std::string>& followed) {
  const std::string other = a.subtraction != "mask" ? "--subtraction background" : "--mask-run";
  if (a.subtraction == "mask" && a.mask_run.empty()) return;
  if (a.subtraction != "mask" && !a.mask_run.empty())
    throw UsageError("--mask-run: expected without --subtraction background, found both");
  for (const std::string& setting : followed)
    for (const char* name : {"mask_frames", "mask_shift_px"})
      if (setting == name || setting.ends_with(std::string(":") + name))
        throw UsageError("--set " + setting + ": expected without " + other + ", found both");
}

/// Options of masks that are kept, where none are, or that exclude each other.
void refuse_unheeded_masks(const DicomArguments& a) {
  for (const char* name : {"--largest-px", "--leave-out"})
    if (a.kind->count(name) > 0 && !a.align_masks)
      throw UsageError(std::string(name) + ": expected with --align-masks, found without");
  if (a.align_masks && a.save_intensity)
    throw UsageError(
        "--save-intensity: expected without --align-masks, found both: masks that are kept can be moved "
        "later (dsasrgs align)");
  for (const auto& [name, given] : {std::pair{"--align-masks", a.align_masks}, {"--save-intensity", a.save_intensity}})
    if (given && a.subtraction != "mask")
      throw UsageError(std::string(name) +
                       ": expected without --subtraction background, which has no masks, found both");
}

/// Images that were `before` have become others: so may be what is implausible about them.
void judge_anew(const std::vector<Finding>& before, const Acquisition& a, std::vector<std::string>& warnings) {
  const auto of_images = [](const Finding& f) { return f.field == "/projections"; };
  const auto line = [&](const Finding& f) { return a.name + ": " + f.message; };
  for (const Finding& finding : before)
    if (of_images(finding)) std::erase(warnings, line(finding));
  for (const Finding& finding : implausibilities(a))
    if (of_images(finding)) warnings.push_back(line(finding));
}

/// What became of the masks that were kept.
WrittenWith use_masks(const DicomArguments& a, ImportedCase& imported) {
  WrittenWith with;
  MaskedAcquisition masked{std::move(imported.acquisition), std::move(imported.log_masks)};
  if (a.align_masks) {
    std::vector<int> views(masked.acquisition.poses.size());
    std::iota(views.begin(), views.end(), 0);
    const std::vector<Finding> before = implausibilities(masked.acquisition);
    with.beside = move_masks(Context::cpu(), masked, views, a.alignment, a.quiet);
    judge_anew(before, masked.acquisition, imported.warnings);
  } else {
    with.raw = intensities_of(masked);
  }
  imported.acquisition = std::move(masked.acquisition);
  return with;
}

void run(DicomArguments& a) {
  const std::vector<std::filesystem::path> sources(a.files.begin(), a.files.end() - 1);
  a.output = a.files.back();
  for (const std::filesystem::path& source : sources) {
    std::error_code ignored;
    if (!std::filesystem::exists(source, ignored))
      throw UsageError("files: expected files or folders that are there, found none: " + source.string());
  }
  std::vector<std::filesystem::path> inputs = sources;
  if (!a.mask_run.empty()) {
    inputs.emplace_back(a.mask_run);
    a.options.mask_run = a.mask_run;
  }
  require_import_output(a, inputs);
  follow_arguments(a, a.options);
  if (a.duration_s)
    throw UsageError("--duration-s: expected without: DICOM files have times (--set frame_time_ms=… gives others)");
  std::set<std::string> followed;
  for (const std::string& text : a.by_hand) follow(text, followed, a.options);
  refuse_unheeded(a, followed);
  a.options.subtraction = a.subtraction == "mask" ? DicomSubtraction::mask : DicomSubtraction::background;
  a.options.last_frame = a.last_frame;
  refuse_unheeded_masks(a);
  a.options.keep_masks = a.align_masks || a.save_intensity;
  a.options.linear_only = a.save_intensity;
  a.typed_words = {{"options.tags_of", "--set"},
                   {"options.keep_masks", a.align_masks ? "--align-masks" : "--save-intensity"},
                   {"options.linear_only", "--save-intensity"},
                   {"/mask_projections", "mask"}};
  for (const auto& [name, unused] : setters()) a.typed_words["tags." + name] = "--set " + name;
  const auto import = [&] { return import_dicom(sources, a.options); };
  if (a.options.keep_masks)
    write_import(a, import, [&](ImportedCase& imported) { return use_masks(a, imported); });
  else
    write_import(a, import);
}

}  // namespace

void add_import_dicom(CLI::App& import) {
  auto arguments = std::make_shared<DicomArguments>();
  DicomArguments& a = *arguments;
  CLI::App* sub =
      import.add_subcommand("dicom", "X-ray angiography (XA, Enhanced XA): a rotational run or single views");
  sub->add_option("files", a.files,
                  "DICOM files, or folders of them, and last the acquisition file to write: SRC... CASE.h5 "
                  "(docs/guides/bring-your-own-dicom.md)")
      ->required()
      ->expected(2, CLI::detail::expected_max_vector_size)
      ->check(not_empty());
  add_shared_import_options(*sub, a);
  sub->add_option("--set", a.by_hand,
                  "[FILE:]NAME=VALUE: what tags do not say, or say wrongly, of all files or of one: sod_mm, sdd_mm, "
                  "primary_deg, secondary_deg, table_mm, relationship, … (again for more)")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  sub->add_option("--subtraction", a.subtraction,
                  "mask (the file's, --mask-run or --set mask_frames=1-3), or background: each image's own median, for "
                  "images that are subtracted already")
      ->check(CLI::IsMember({"mask", "background"}))
      ->capture_default_str();
  sub->add_option("--mask-run", a.mask_run, "DICOM file of the same sweep without contrast")->check(existing_file());
  sub->add_option("--first-frame", a.options.first_frame, "frames before it are left out (from 1)")
      ->check(positive_integer());
  sub->add_option("--last-frame", a.last_frame, "frames after it are left out")->check(positive_integer());
  sub->add_flag("--average", a.options.average_frames, "one view per file, the mean of its frames: nothing moves");
  sub->add_option("--bin", a.options.bin, "pixels of N x N stored ones")->check(positive_integer());
  sub->add_flag(
      "--align-masks", a.align_masks,
      "move each view's mask onto its image first, as dsasrgs align does: a head that moved leaves less bone");
  add_alignment_options(*sub, a.alignment);
  sub->add_flag("--save-intensity", a.save_intensity,
                "store intensities and masks instead of line integrals, for dsasrgs align");
  sub->callback([arguments] { run(*arguments); });
}

}  // namespace dsasrgs::program
