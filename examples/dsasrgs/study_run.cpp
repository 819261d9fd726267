#include "study_run.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <utility>

#include "dsasrgs/baselines.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/resample.hpp"
#include "dsasrgs/version.hpp"
#include "evaluation.hpp"
#include "machine_facts.hpp"
#include "machine_options.hpp"
#include "run_folder.hpp"
#include "run_report.hpp"
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

/// Adds the entries of `others` whose keys are not taken.
void keep_others(Json& object, const Json& others) {
  for (const auto& [key, value] : others.items())
    if (!object.contains(key)) object[key] = value;
}

void add_agreement(Json& scores, const Acquisition& a, const StudyViews& views,
                   const std::vector<std::pair<std::string, PseudoLabels>>& spoilt, const ViewImage& image) {
  scores["consistency"] = score_consistency(a, views, image);
  scores["false_vessel"] = Json::object();
  for (const auto& [name, labels] : spoilt)
    scores["false_vessel"][name] = score_false_vessel(a, labels, views.train, image);
}

}  // namespace

StudyRunner::StudyRunner(Context& ctx, const Study& study, bool quiet)
    : ctx_(&ctx), study_(&study), quiet_(quiet), inputs_(study) {}

std::vector<const StudyLabels*> StudyRunner::masks_for(const StudyRun& run) const {
  const bool own_is_spoilt = !run.labels.empty() && study_->labels_named(run.labels).oracle;
  std::vector<const StudyLabels*> sources;
  for (const StudyLabels& source : study_->labels)
    if (source.oracle && (!own_is_spoilt || source.name == run.labels)) sources.push_back(&source);
  return sources;
}

StudyRunner::Prepared StudyRunner::prepare(const StudyRun& run) {
  Prepared p;
  const Acquisition& a = inputs_.acquisition(run.case_name, run.views);
  ViewSet train = select_views(a, "train"), test = held_out_views(a);
  require_measurable(a, test);
  drop_views_without_pixels(a, train);
  drop_views_without_pixels(a, test);
  p.views = {train.views, test.views};

  const StudyMethod& method = study_->method_named(run.method);
  Json training, scoring;
  training["case"] = inputs_.case_fingerprint();
  training["train_views"] = a.train_views;
  training["config"] = configuration(run);
  training["labels"] = nullptr;
  scoring["test_views"] = a.test_views;
  scoring["renders"] = method.renders;
  scoring["kind"] = static_cast<int>(method.kind);
  scoring["false_vessel"] = Json::object();
  if (!run.labels.empty()) {
    StudyInputs::Labels labels = inputs_.labels(run, study_->labels_named(run.labels));
    const SuperResolutionConfig& sr = run.config.super_resolution;
    if (sr.needs_labels() && sr.scale != labels.file.scale())
      throw BadInput(study_->file.string(), "method " + run.method + " settings.super_resolution.scale",
                     std::to_string(labels.file.scale()) + ", the scale of the labels " + run.labels,
                     std::to_string(sr.scale));
    training["labels"] = labels.fingerprint;
    p.labels = std::make_shared<const PseudoLabels>(std::move(labels.file));
  }
  for (const StudyLabels* source : masks_for(run)) {
    StudyInputs::Labels labels = inputs_.labels(run, *source);
    scoring["false_vessel"][source->name] = labels.fingerprint;
    p.spoilt.emplace_back(source->name, std::move(labels.file));
  }
  p.identity = {{"training", std::move(training)}, {"scoring", std::move(scoring)}};
  return p;
}

Json StudyRunner::configuration(const StudyRun& run) const {
  return study_->method_named(run.method).kind == MethodKind::train ? Json(to_toml(run.config)) : Json(nullptr);
}

Json StudyRunner::recorded_result(const StudyRun& run) const {
  Json result = read_json(folder(run) / "result.json");
  return result.is_object() && result.contains(Json::json_pointer("/identity/scoring")) ? result : Json(nullptr);
}

std::string StudyRunner::difference(const StudyRun& run, const Json& identity) {
  const auto differs = [&](const char* pointer, const Json& wanted) {
    const Json::json_pointer at(pointer);
    return !identity.contains(at) || identity[at] != wanted;
  };
  const StudyMethod& method = study_->method_named(run.method);
  if (differs("/training/config", configuration(run))) return "another configuration";
  if (differs("/scoring/kind", static_cast<int>(method.kind))) return "another kind of method";
  if (differs("/scoring/renders", method.renders)) return "other renders";
  // What is not there cannot be compared.
  const auto has_other_labels = [&](const StudyLabels& source, const Json& recorded) {
    try {
      return inputs_.labels(run, source).fingerprint != recorded;
    } catch (const InputNotMade& e) {
      return e.outdated();
    }
  };
  try {
    const Acquisition& a = inputs_.acquisition(run.case_name, run.views);
    if (differs("/training/case", inputs_.case_fingerprint())) return "another case";
    if (differs("/training/train_views", a.train_views) || differs("/scoring/test_views", a.test_views))
      return "other views";
    if (!run.labels.empty() &&
        has_other_labels(study_->labels_named(run.labels), identity["training"].value("labels", Json(nullptr))))
      return "other labels";
    const Json masks = identity["scoring"].value("false_vessel", Json::object());
    for (const StudyLabels* source : masks_for(run))  // one that is missing leaves a column empty
      if (masks.contains(source->name) && has_other_labels(*source, masks[source->name])) return "other labels";
  } catch (const InputNotMade& e) {
    return e.outdated() ? "another case" : "";
  } catch (const Error& e) {
    return std::string("something else: ") + e.what();
  }
  return "";
}

StudyRunner::StoredResult StudyRunner::stored_result(const StudyRun& run) {
  Json result = recorded_result(run);
  if (result.is_null()) return {};
  std::string made_with = difference(run, result["identity"]);
  if (!made_with.empty()) result = nullptr;
  return {std::move(result), std::move(made_with)};
}

Json StudyRunner::current_result(const StudyRun& run) {
  Json wanted = prepare(run).identity;
  const Json result = recorded_result(run);
  if (result.is_null()) return nullptr;
  Json have = result["identity"];
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
  const Acquisition& a = inputs_.loaded();
  const Detector low = a.detector;
  const int scale = a.reference_projections->scale;
  const auto poses = std::make_shared<const std::vector<Pose>>(a.poses);
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
             const Acquisition& a = inputs_.loaded();
             const int scale = a.reference_projections->scale;
             if (measured) return upsample_image(a.projection(view), a.detector, scale);
             const std::vector<float> between = interpolate_views(a, view);
             return upsample_image(view_of(between), a.detector, scale);
           }}};
}

std::vector<RunImages> StudyRunner::images(const StudyRun& run) {
  inputs_.acquisition(run.case_name, run.views);
  if (study_->method_named(run.method).kind != MethodKind::train) return pseudo_images(run);
  const fs::path model = folder(run) / "model.h5";
  if (!fs::exists(model)) throw InputNotMade(model.string() + " is not there", false);
  return model_images(run, std::make_shared<const Model>(read_model(*ctx_, model)));
}

Json StudyRunner::train_and_score(const StudyRun& run, const Prepared& p) {
  const Acquisition& a = inputs_.loaded();
  RunFolder folder(this->folder(run), RunFolder::Start::over_earlier_run);
  const auto start = std::chrono::steady_clock::now();
  Reconstructor reconstructor(*ctx_, a, run.config, p.labels);
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
                 {"gaussians", reconstructor.model().cloud.size()},
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
  Json json = recorded_result(run);
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
                                    : score_against_reference(inputs_.loaded(), p.views, images.image, quiet_);
    add_agreement(scores, inputs_.loaded(), p.views, p.spoilt, images.image);
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
