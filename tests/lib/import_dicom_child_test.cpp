// SPDX-License-Identifier: Apache-2.0
// file_reading.hpp: DICOM and TIFF files read by a child process, which may crash, hang or lie.

#include <dcmtk/dcmdata/dcrleerg.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "dsasrgs/error.hpp"
#include "dsasrgs/import_dicom.hpp"
#include "files/hdf5_messages.hpp"
#include "import/dicom_message.hpp"
#include "import/tiff_file.hpp"
#include "support/dicom_file.hpp"
#include "support/import_files.hpp"
#include "support/mutation.hpp"
#include "support/reading_child.hpp"
#include "support/temporary_folder.hpp"

using namespace dsasrgs;
using test::DicomFile;
using test::require_error;
using test::TemporaryFolder;

namespace {

constexpr int kFrames = 9, kRows = 12, kColumns = 20;

DicomFile sweep() {
  std::vector<Uint16> pixels = test::noisy_counts(kFrames * kRows * kColumns, 3, 0, 3000);
  for (int f = 0; f < kFrames; ++f) pixels[static_cast<std::size_t>(f) * kRows * kColumns + 10] = 4095;
  DicomFile file(kFrames, kRows, kColumns, pixels);
  file.usual().text(DCM_PositionerPrimaryAngleIncrement, "2.5").text(DCM_BurnedInAnnotation, "YES");
  file.text(DCM_ShutterShape, "CIRCULAR").text(DCM_CenterOfCircularShutter, "6\\10");
  file.text(DCM_RadiusOfCircularShutter, "9").text(DCM_AcquisitionDate, "20260101");
  file.text(DCM_AcquisitionTime, "101112.25").text(DCM_PatientPosition, "FFS");
  DcmItem& mask = file.item(DCM_MaskSubtractionSequence);
  file.text(mask, DCM_MaskOperation, "AVG_SUB").numbers(mask, DCM_MaskFrameNumbers, {1, 2});
  file.reals(mask, DCM_MaskSubPixelShift, {0.5F, -0.25F});
  return file;
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing thrown";
}

template <class T>
std::string bytes_of_struct(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}
std::string answer(const std::string& bytes, Answer::Kind kind = Answer::Kind::answer) {
  return bytes_of_struct(Answer{kind, 0, bytes.size()}) + bytes;
}
template <class... Values>
std::string message(const Values&... values) {
  MessageWriter writer;
  writer(values...);
  return writer.bytes;
}

/// While it lives, children say what lies in `answers`, whatever they are asked.
struct LyingChild {
  explicit LyingChild(const std::string& answers) {
    read_files_through({"sh", "-c", "cat \"$0\" >&3; exec timeout 0.2 cat <&3 >/dev/null", answers});
  }
  ~LyingChild() { read_files_through({}); }
};

}  // namespace

TEST_CASE("dicom child: an acquisition, what was found, warnings and errors are the same as in this process",
          "[import][child]") {
  const TemporaryFolder folder;
  DcmRLEEncoderRegistration::registerCodecs();
  DicomFile file = sweep();
  const std::filesystem::path path = file.save(folder / "run.dcm", EXS_RLELossless);
  DicomImportOptions options;
  options.bin = 2;
  options.tags.table_mm = Vec3d{0.1, 0.2, 0.3};
  options.tags_of["run.dcm"].saturation = 2900;
  const auto import = [&] { return import_dicom({path}, options); };
  const ImportedCase here = import();
  const DicomImportOptions usual;
  const std::filesystem::path cut = folder / "cut.dcm";
  const std::string whole = test::read_bytes(path);
  test::write_bytes(cut, whole.substr(0, whole.size() - 100));
  const auto import_cut = [&] { import_dicom({cut}, usual); };
  const std::string damage = message_of(import_cut);
  REQUIRE(damage.find("cut.dcm: ") != std::string::npos);
  DicomFile lacking = sweep();
  const std::filesystem::path lacking_path = lacking.drop(DCM_DistanceSourceToDetector).save(folder / "lacking.dcm");
  const std::string missing = message_of([&] { import_dicom({lacking_path}, usual); });
  REQUIRE(missing.find("(0018,1110)") != std::string::npos);

  const test::ReadInChild child;
  const ImportedCase there = import();
  CHECK(there.acquisition.projections == here.acquisition.projections);
  CHECK(there.acquisition.valid == here.acquisition.valid);
  REQUIRE(there.acquisition.poses.size() == here.acquisition.poses.size());
  for (std::size_t v = 0; v < there.acquisition.poses.size(); ++v) {
    CHECK(there.acquisition.poses[v].time_s == here.acquisition.poses[v].time_s);
    CHECK(there.acquisition.poses[v].source_mm.x == here.acquisition.poses[v].source_mm.x);
    CHECK(there.acquisition.poses[v].detector_center_mm.y == here.acquisition.poses[v].detector_center_mm.y);
  }
  CHECK(there.found == here.found);
  CHECK(there.warnings == here.warnings);
  CHECK(there.warnings.size() >= 2);
  CHECK(message_of(import_cut) == damage);
  CHECK(message_of([&] { import_dicom({lacking_path}, usual); }) == missing);
  std::stop_source stop;
  stop.request_stop();
  options.stop = stop.get_token();
  CHECK_THROWS_AS(import(), Cancelled);
}

TEST_CASE("dicom and tiff child: crashes and endless loops are errors that name the file", "[import][child]") {
  const TemporaryFolder folder;
  DicomFile file = sweep();
  const std::filesystem::path dicom = file.save(folder / "run.dcm"), tiff = folder / "picture.tif";
  test::write_bytes(tiff, test::float_tiff());
  const std::string greeting = "printf '" + std::string(kGreeting.substr(0, kGreeting.size() - 1)) + "\\n' >&3; ";
  const auto both_say = [&](const std::string& then, const std::string& what) {
    read_files_through({"sh", "-c", greeting + then});
    require_error<BadInput>(
        [&] { import_dicom({dicom}, {}); },
        {"run.dcm: file: expected a DICOM file that can be read, found damage that leads to", what});
    require_error<BadInput>([&] { read_tiff(tiff); },
                            {"picture.tif: file: expected a TIFF file that can be read", what});
  };
  both_say("kill -SEGV $$", "a crash of the ");
  both_say("exit 3", "an end of the process that reads it with code 3");
  for (const char* signal : {"KILL", "TERM"}) {  // by somebody else: it says nothing about the file
    read_files_through({"sh", "-c", greeting + "kill -" + signal + " $$; sleep 5"});
    require_error<IoError>([&] { import_dicom({dicom}, {}); },
                           {"run.dcm: cannot read: the process that reads it was killed ("});
    require_error<IoError>([&] { read_tiff(tiff); },
                           {"picture.tif: cannot read: the process that reads it was killed ("});
  }
  const auto begin = std::chrono::steady_clock::now();
  both_say("while :; do :; done", "an endless loop of the ");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
  const std::string memory = to_message(ReadingRefusal{ReadingRefusal::Kind::out_of_memory, "file", "", "too much"});
  test::write_bytes(folder / "answers", std::string(kGreeting) + answer(memory, Answer::Kind::refusal));
  const LyingChild child(folder / "answers");
  require_error<OutOfMemory>([&] { import_dicom({dicom}, {}); }, {"run.dcm: file: too much"});
  require_error<OutOfMemory>([&] { read_tiff(tiff); }, {"picture.tif: file: too much"});
}

TEST_CASE("dicom child: whatever it answers is checked", "[import][child]") {
  const TemporaryFolder folder;
  DicomFile file = sweep();
  const std::filesystem::path path = file.save(folder / "run.dcm");
  DicomRun run;
  run.rows = 2;
  run.columns = 3;
  run.pixel_spacing_mm = {0.5, 0.5};
  run.frames.resize(2);
  for (DicomFrame& frame : run.frames) frame.sod_mm = 700, frame.sdd_mm = 1000, frame.isocenter_px = {1.5, 1};
  run.frames[1].primary_deg = 40;
  run.masks.emplace_back().mask_frames = {1};
  run.valid.assign(6, 1);
  const std::vector<float> counts{9, 8, 7, 6, 5, 4};
  const std::string frame(reinterpret_cast<const char*>(counts.data()), counts.size() * sizeof(float));
  const std::string head = answer(message(2, 3, 2)),
                    frames = answer(frame) + answer(frame.substr(0, 8)) + answer(frame.substr(8));
  const LyingChild child(folder / "answers");
  const auto import = [&](const std::string& answers) {
    test::write_bytes(folder / "answers", std::string(kGreeting) + answers);
    return import_dicom({path}, {});
  };
  CHECK(import(head + frames + answer(message(run))).acquisition.projections == std::vector<float>(6, 0));
  const auto refused = [&](const std::string& answers) {
    require_error<BadInput>([&] { import(answers); }, {"run.dcm: file", "damage that leads to"});
  };
  refused("");
  refused(head);
  refused(head + frames);
  refused(answer(message(0, 3, 2)));
  refused(answer(message(2, 3, -1)));
  refused(answer(message(60000, 60000, 2)));
  refused(answer(message(2, 3)));
  refused(answer(message(2, 3, 2, 2)));
  refused(bytes_of_struct(Answer{Answer::Kind::answer, 0, std::uint64_t{1} << 50}));
  refused(head + answer(frame + frame));
  refused(head + frames + bytes_of_struct(Answer{Answer::Kind::answer, 0, std::uint64_t{1} << 40}));
  refused(head + frames + answer(message(run) + "more"));
  refused(head + frames + answer(message(run).substr(1)));
  const auto refused_run = [&](const std::function<void(DicomRun&)>& change) {
    DicomRun other = run;
    change(other);
    refused(head + frames + answer(message(other)));
  };
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  refused_run([](DicomRun& r) { r.rows = 3; });
  refused_run([](DicomRun& r) { r.frames.pop_back(); });
  refused_run([](DicomRun& r) { r.valid.push_back(1); });
  refused_run([](DicomRun& r) { r.valid[0] = 2; });
  refused_run([](DicomRun& r) { r.frames[1].sod_mm = 1000; });
  refused_run([](DicomRun& r) { r.frames[1].time_s = kNaN; });
  refused_run([](DicomRun& r) { r.frames[1].primary_deg = -700; });
  refused_run([](DicomRun& r) { r.frames[1].sdd_mm = 1e6; });
  refused_run([](DicomRun& r) { r.frames[1].shutters.emplace_back().polygon = {1}; });
  refused_run([](DicomRun& r) { r.frames[1].mask_shifts.push_back({1, {kNaN, 0}}); });
  refused_run([](DicomRun& r) { r.pixel_spacing_mm.x = 0; });
  refused_run([](DicomRun& r) { r.masks[0].mask_frames.clear(); });
  refused_run([](DicomRun& r) { r.masks[0].contrast_averaging = std::numeric_limits<int>::max(); });
  refused_run([](DicomRun& r) { r.masks[0].operation = DicomMask::Operation::reversed_difference; });
  refused_run([](DicomRun& r) { r.masks[0].operation = static_cast<DicomMask::Operation>(3); });
  refused_run([](DicomRun& r) { r.table_tags = {1}; });
  refused_run([](DicomRun& r) { r.table_mm.z = kNaN; });
  refused_run([](DicomRun& r) { r.intensity = static_cast<DicomIntensity>(2); });
  std::vector<float> infinite = counts;
  infinite[0] = std::numeric_limits<float>::infinity();
  refused(head + answer({reinterpret_cast<const char*>(infinite.data()), frame.size()}));
}

TEST_CASE("tiff child: a picture and errors are the same as in this process, and answers are checked",
          "[import][child]") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "picture.tif", cut = folder / "cut.tif";
  test::write_bytes(path, test::float_tiff());
  test::write_bytes(cut, test::float_tiff().substr(0, 40));
  const Image here = read_tiff(path);
  const std::string damage = message_of([&] { read_tiff(cut); });
  {
    const test::ReadInChild child;
    CHECK(read_tiff(path) == here);
    CHECK(message_of([&] { read_tiff(cut); }) == damage);
  }
  const LyingChild child(folder / "answers");
  const auto read = [&](const std::string& answers) {
    test::write_bytes(folder / "answers", std::string(kGreeting) + answers);
    return read_tiff(path);
  };
  const std::vector<float> values{1, 2};
  const std::string bytes(reinterpret_cast<const char*>(values.data()), 8);
  CHECK(read(answer(message(2, 1)) + answer(bytes)) == Image{2, 1, values});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const std::string& answers :
       {std::string(), answer(message(2)), answer(message(0, 1)), answer(message(1 << 30, 1 << 30)),
        answer(message(-2, -1)) + answer(bytes), answer(message(2, 1)) + answer(bytes + bytes),
        answer(message(2, 1)) + answer(bytes.substr(4)), answer(message(1, 1)) + answer(bytes_of_struct(nan))})
    require_error<BadInput>([&] { read(answers); }, {"picture.tif: file", "damage that leads to"});
}

// [long]: a process takes 50 ms to start.
TEST_CASE("dicom and tiff child: damage anywhere is an error or read", "[import][child][long]") {
  const TemporaryFolder folder;
  DicomFile file = sweep();
  const std::string dicom = test::read_bytes(file.save(folder / "run.dcm", EXS_RLELossless)), tiff = test::float_tiff();
  const test::ReadInChild child;
  std::mt19937 random(1);
  constexpr int kFiles = 40;
  int read = 0, refused = 0;
  const auto attempt = [&](const std::function<void()>& f) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      f();
      ++read;
    } catch (const Error& e) {
      INFO(e.what());
      CHECK((dynamic_cast<const BadInput*>(&e) != nullptr || dynamic_cast<const OutOfMemory*>(&e) != nullptr));
      ++refused;
    }
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(4));
  };
  for (int k = 0; k < kFiles; ++k) {
    test::write_bytes(folder / "run.dcm", test::mutated(dicom, random));
    test::write_bytes(folder / "picture.tif", test::mutated(tiff, random));
    attempt([&] { import_dicom({folder / "run.dcm"}, {}); });
    attempt([&] { read_tiff(folder / "picture.tif"); });
  }
  CHECK(read + refused == 2 * kFiles);
  CHECK(refused > 0);
}
