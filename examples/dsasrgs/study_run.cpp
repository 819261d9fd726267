#include "study_run.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

#include "dsasrgs/baselines.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/resample.hpp"
#include "dsasrgs/version.hpp"
#include "evaluation.hpp"
#include "machine_facts.hpp"
#include "machine_options.hpp"
#include "output_path.hpp"
#include "run_folder.hpp"
#include "run_report.hpp"
#include "subcommands.hpp"
#include "training_run.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

/// Null when the file is not there or no JSON.
Json read_json(const fs::path& path) {
  std::ifstream file(path);
  const Json json = Json::parse(file, nullptr, false);
  return json.is_discarded() ? Json(nullptr) : json;
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw IoError(path.string() + ": cannot write: " + error.message());
}

/// Makes a file with a subcommand of this program unless it is there and was made with the same arguments from the
/// same input; FILE.json records them. `field` of the study holds the options.
void make_file(const Study& study, const std::string& field, const fs::path& file, std::vector<std::string> arguments,
               const std::string& input) {
  const fs::path recipe_file = file.string() + ".json";
  const Json recipe = {{"arguments", arguments}, {"input", input}};
  if (fs::exists(file) && read_json(recipe_file) == recipe) return;
  OutputFolder folder(file.parent_path());
  fs::remove(recipe_file);  // first, so that an old recipe never stands beside a new file
  arguments.insert(arguments.end(), {"--output", file.string(), "--quiet"});
  std::reverse(arguments.begin(), arguments.end());  // the order CLI11 takes a vector in
  CLI::App app;
  add_simulate(app);
  add_labels(app);
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& e) {
    throw BadInput(study.file.string(), field, "options of that subcommand", e.what());
  }
  write_text(recipe_file, recipe.dump(2) + "\n");
  folder.keep();
}

/// Adds the entries of `others` whose keys are not taken.
void keep_others(Json& object, const Json& others) {
  for (const auto& [key, value] : others.items())
    if (!object.contains(key)) object[key] = value;
}

std::string list_text(const std::vector<int>& values) {
  std::string text;
  for (const int v : values) text += (text.empty() ? "" : ",") + std::to_string(v);
  return text;
}

void add_agreement(Json& scores, const Acquisition& a, const StudyViews& views,
                   const std::vector<std::pair<std::string, PseudoLabels>>& spoilt, const ViewImage& image) {
  scores["consistency"] = score_consistency(a, views, image);
  scores["false_vessel"] = Json::object();
  for (const auto& [name, labels] : spoilt)
    scores["false_vessel"][name] = score_false_vessel(a, labels, views.train, image);
}

}  // namespace

StudyRunner::StudyRunner(Context& ctx, const Study& study, bool quiet) : ctx_(&ctx), study_(&study), quiet_(quiet) {}

fs::path StudyRunner::case_file(const StudyCase& c) {
  if (!c.acquisition.empty()) return c.acquisition;
  const fs::path file = study_->work / "cases" / (c.name + ".h5");
  std::vector<std::string> arguments{"simulate"};
  arguments.insert(arguments.end(), c.simulate.begin(), c.simulate.end());
  make_file(*study_, "case " + c.name + " simulate", file, arguments, "");
  return file;
}

const Acquisition& StudyRunner::acquisition(const std::string& case_name, int views) {
  if (loaded_case_ != case_name) {
    loaded_case_.clear();
    const StudyCase& c = study_->case_named(case_name);
    acquisition_ = read_acquisition(case_file(c));
    if (!acquisition_.reference_projections)
      throw BadInput(acquisition_.name, "/reference/projections", "high-resolution truth for a study", "none");
    file_train_ = acquisition_.train_views;
    file_test_ = acquisition_.test_views;
    fingerprints_[case_name] = fingerprint(acquisition_);
    loaded_case_ = case_name;
    loaded_views_ = 0;
  }
  if (loaded_views_ != views) {
    if (views > acquisition_.num_views())
      throw BadInput(study_->file.string(), "views",
                     "at most the " + std::to_string(acquisition_.num_views()) + " views of " + case_name,
                     std::to_string(views));
    acquisition_.train_views = file_train_;
    acquisition_.test_views = file_test_;
    if (views != 0) split_evenly(acquisition_, views);
    loaded_views_ = views;
  }
  return acquisition_;
}

fs::path StudyRunner::label_file(const StudyRun& run, const StudyLabels& labels) {
  if (labels.make.empty()) return labels.files.at(run.case_name);
  const Acquisition& a = acquisition(run.case_name, run.views);
  std::string name = run.case_name + "_" + views_name(run.views) + "_" + labels.name;
  const std::string case_path = case_file(study_->case_named(run.case_name)).string();
  std::vector<std::string> arguments{"labels", case_path};
  arguments.insert(arguments.end(), labels.make.begin(), labels.make.end());
  arguments.insert(arguments.end(), {"--scale", std::to_string(a.reference_projections->scale), "--views",
                                     list_text(select_views(a, "train").views)});
  if (labels.oracle) {
    const std::string seed = std::to_string(run.seed.value_or(study_->seeds.front()));
    name += "_seed-" + seed;
    arguments.insert(arguments.end(), {"--seed", seed});
  }
  const fs::path file = study_->work / "labels" / (name + ".h5");
  make_file(*study_, "labels " + labels.name + " options", file, arguments, fingerprints_.at(run.case_name));
  return file;
}

StudyRunner::Prepared StudyRunner::prepare(const StudyRun& run) {
  Prepared p;
  const Acquisition& a = acquisition(run.case_name, run.views);
  ViewSet train = select_views(a, "train"), test = held_out_views(a);
  require_measurable(a, test);
  drop_views_without_pixels(a, train);
  drop_views_without_pixels(a, test);
  p.views = {train.views, test.views};

  const auto open = [&](const StudyLabels& source) {
    const fs::path file = label_file(run, source);
    PseudoLabels labels = PseudoLabels::open(file, a);
    std::string& print = fingerprints_[file.string()];
    if (print.empty()) print = fingerprint(labels, select_views(a, "train").views);
    return std::pair{std::move(labels), print};
  };
  const StudyMethod& method = study_->method_named(run.method);
  Json training, scoring;
  training["case"] = fingerprints_.at(run.case_name);
  training["train_views"] = a.train_views;
  training["config"] = configuration(run);
  training["labels"] = nullptr;
  scoring["test_views"] = a.test_views;
  scoring["renders"] = method.renders;
  scoring["kind"] = static_cast<int>(method.kind);
  scoring["false_vessel"] = Json::object();
  bool own_is_spoilt = false;
  if (!run.labels.empty()) {
    const StudyLabels& source = study_->labels_named(run.labels);
    auto [labels, print] = open(source);
    training["labels"] = print;
    p.labels.emplace(std::move(labels));
    own_is_spoilt = source.oracle;
  }
  // A run with spoilt labels is held against them; any other against all of them, as what to expect without.
  for (const StudyLabels& source : study_->labels) {
    if (!source.oracle || (own_is_spoilt && source.name != run.labels)) continue;
    auto [labels, print] = open(source);
    scoring["false_vessel"][source.name] = print;
    p.spoilt.emplace_back(source.name, std::move(labels));
  }
  p.identity = {{"training", std::move(training)}, {"scoring", std::move(scoring)}};
  return p;
}

Json StudyRunner::configuration(const StudyRun& run) const {
  return study_->method_named(run.method).kind == MethodKind::train ? Json(to_toml(run.config)) : Json(nullptr);
}

Json StudyRunner::stored_result(const StudyRun& run) const {
  Json result = read_json(folder(run) / "result.json");
  const Json::json_pointer made_with("/identity/training/config");
  return result.is_object() && result.contains(made_with) && result[made_with] == configuration(run) ? result
                                                                                                     : Json(nullptr);
}

Json StudyRunner::current_result(const StudyRun& run) {
  const Json result = stored_result(run);
  if (result.is_null()) return nullptr;
  Json wanted = prepare(run).identity, have = result["identity"];
  Json &masks = wanted["scoring"]["false_vessel"], &known = have["scoring"]["false_vessel"];
  // Masks of another study that shares the run may be there too.
  const bool has_masks = std::all_of(masks.items().begin(), masks.items().end(), [&](const auto& mask) {
    return known.contains(mask.key()) && known[mask.key()] == mask.value();
  });
  masks = known = nullptr;
  return has_masks && wanted == have ? result : Json(nullptr);
}

std::vector<RunImages> StudyRunner::model_images(const StudyRun& run, std::shared_ptr<const Model> model) const {
  const auto renderer = std::make_shared<Renderer>(*ctx_, *model);
  const Detector low = acquisition_.detector;
  const int scale = acquisition_.reference_projections->scale;
  const auto poses = std::make_shared<const std::vector<Pose>>(acquisition_.poses);
  std::vector<RunImages> images;
  for (const std::string& render : study_->method_named(run.method).renders) {
    const bool high = render == kRenderHigh;
    images.push_back({render, [=](int view) {
                        const Pose& pose = (*poses)[static_cast<std::size_t>(view)];
                        static_cast<void>(model);  // the renderer points to it
                        if (high) return renderer->render(pose, low.refined(scale));
                        const std::vector<float> image = renderer->render(pose, low);
                        return upsample_image(view_of(image), low, scale);
                      }});
  }
  return images;
}

std::vector<RunImages> StudyRunner::pseudo_images(const StudyRun& run) const {
  const bool measured = study_->method_named(run.method).kind == MethodKind::measured_upsampled;
  return {{kRenderHigh, [this, measured](int view) {
             const Acquisition& a = acquisition_;
             const int scale = a.reference_projections->scale;
             if (measured) return upsample_image(a.projection(view), a.detector, scale);
             const std::vector<float> between = interpolate_views(a, view);
             return upsample_image(view_of(between), a.detector, scale);
           }}};
}

std::vector<RunImages> StudyRunner::images(const StudyRun& run) {
  acquisition(run.case_name, run.views);
  if (study_->method_named(run.method).kind != MethodKind::train) return pseudo_images(run);
  return model_images(run, std::make_shared<const Model>(read_model(*ctx_, folder(run) / "model.h5")));
}

Json StudyRunner::train_and_score(const StudyRun& run, const Prepared& p) {
  const Acquisition& a = acquisition_;
  RunFolder folder(this->folder(run), RunFolder::Start::over_earlier_run);
  const auto start = std::chrono::steady_clock::now();
  Reconstructor reconstructor(*ctx_, a, run.config, p.labels ? &*p.labels : nullptr);
  RunFacts facts;
  facts.case_file = a.name;
  facts.initialize_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  folder.begin();
  write_text(folder.config(), to_toml(reconstructor.config()));
  TrainingRunOptions training;
  training.quiet = quiet_;
  facts.training_seconds = train(reconstructor, folder, training);
  EvaluationOptions evaluation;
  evaluation.quiet = quiet_;
  Json json = write_run(*ctx_, a, reconstructor, folder, facts, evaluation);
  const Json high = std::move(json["high_resolution"]);
  json.erase("high_resolution");
  json["run"] = {{"backend", backend_name(*ctx_)},
                 {"threads", ctx_->threads()},
                 {"steps", reconstructor.steps_done()},
                 {"kernels", reconstructor.model().cloud.size()},
                 {"initialization_seconds", facts.initialize_seconds},
                 {"training_seconds", facts.training_seconds}};
  // The model lives in the reconstructor, which outlives these images.
  const std::shared_ptr<const Model> model(&reconstructor.model(), [](const Model*) {});
  json["renders"] = score_renders(model_images(run, model), p, high);
  folder.finish();
  return json;
}

Json StudyRunner::score_again(const StudyRun& run, const Prepared& p) const {
  const fs::path model = folder(run) / "model.h5";
  Json json = stored_result(run);
  if (json.is_null() || json["identity"]["training"] != p.identity["training"] || !fs::exists(model)) return nullptr;
  const Json before = json["renders"];
  Json& renders = json["renders"];
  renders = score_renders(model_images(run, std::make_shared<const Model>(read_model(*ctx_, model))), p, nullptr);
  for (auto& [name, scores] : renders.items())
    if (before.contains(name)) keep_others(scores["false_vessel"], before[name]["false_vessel"]);
  return json;
}

Json StudyRunner::score_renders(const std::vector<RunImages>& renders, const Prepared& p, const Json& high) const {
  Json json;
  for (const RunImages& images : renders) {
    Json& scores = json[images.render];
    scores["high_resolution"] = images.render == kRenderHigh && !high.is_null()
                                    ? high
                                    : score_against_reference(acquisition_, p.views, images.image, quiet_);
    add_agreement(scores, acquisition_, p.views, p.spoilt, images.image);
  }
  return json;
}

void StudyRunner::execute(const StudyRun& run) {
  const Prepared p = prepare(run);
  const fs::path result_file = folder(run) / "result.json";
  const bool trains = study_->method_named(run.method).kind == MethodKind::train;
  Json json = trains ? score_again(run, p) : nullptr;
  Json identity = p.identity;
  if (!json.is_null()) {
    keep_others(identity["scoring"]["false_vessel"], json["identity"]["scoring"]["false_vessel"]);
  } else {
    fs::remove(result_file);  // what it was made with is about to be replaced
    json["format"] = "dsasrgs.study_result";
    json["program"] = "dsasrgs " DSASRGS_VERSION_STRING;
    json["case"] = run.case_name;
    json["training_views"] = p.views.train.size();
    json["method"] = run.method;
    json["labels"] = run.labels;
    json["seed"] = run.seed ? Json(*run.seed) : Json(nullptr);
    if (trains) {
      json.update(train_and_score(run, p));
    } else {
      make_folder(folder(run));
      json["renders"] = score_renders(pseudo_images(run), p, nullptr);
    }
    json["machine"] = machine_as_json();
  }
  json["identity"] = std::move(identity);
  write_text(result_file, json.dump(2) + "\n");
}

}  // namespace dsasrgs::program
