// SPDX-License-Identifier: Apache-2.0
#include "study/run.hpp"

#include <algorithm>
#include <chrono>

#include "cli/machine_facts.hpp"
#include "cli/machine_options.hpp"
#include "cli/progress.hpp"
#include "cli/view_list.hpp"
#include "dsasrgs/baselines.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/resample.hpp"
#include "dsasrgs/version.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/run_labels.hpp"
#include "jobs/run_memory.hpp"
#include "jobs/run_report.hpp"
#include "jobs/training_run.hpp"

namespace dsasrgs::program {

namespace fs = std::filesystem;

namespace {

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw IoError(path.string() + ": cannot write: " + error.message());
}

void score_agreement(RenderScores& scores, const Acquisition& a, const StudyViews& views,
                     const std::vector<std::pair<std::string, PseudoLabels>>& oracles, const ViewImage& image) {
  const ProgressCallback until_interrupted = shown_progress(true);
  const auto consistency = [&](const std::vector<int>& of) -> std::optional<ConsistencyScore> {
    if (of.empty()) return std::nullopt;
    return score_consistency(a, of, a.reference_projections->scale, image, until_interrupted);
  };
  scores.consistency_train = consistency(views.train);
  scores.consistency_test = consistency(views.test);
  const ProjectionTruth truth = ProjectionTruth::reference(a);
  for (const auto& [name, labels] : oracles) {
    const auto label = [&source = labels](int view) {
      return MadeLabel{source.read(view), source.read_false_vessel_mask(view)};
    };
    scores.false_vessel[name] = false_vessel_kept(truth, views.train, label, image, until_interrupted);
  }
}

const RenderScores* scores_of(const StudyResult& result, const std::string& render) {
  for (const auto& [name, scores] : result.renders)
    if (name == render) return &scores;
  return nullptr;
}

}  // namespace

StudyRunner::StudyRunner(Context& ctx, const Study& study, bool quiet)
    : ctx_(&ctx), study_(&study), quiet_(quiet), inputs_(study) {}

std::vector<const StudyLabels*> StudyRunner::oracles_for(const StudyRun& run) const {
  const bool own = !run.labels.empty() && study_->labels_named(run.labels).is_oracle();
  std::vector<const StudyLabels*> sources;
  for (const StudyLabels& source : study_->labels)
    if (source.is_oracle() && (!own || source.name == run.labels)) sources.push_back(&source);
  return sources;
}

StudyRunner::Prepared StudyRunner::prepare(const StudyRun& run) {
  Prepared p;
  const Acquisition& a = inputs_.acquisition(run.case_name, run.views);
  ViewSet train = select_views(a, "train"), test = held_out_views(a);
  require_scorable(a, test);
  require_reportable(a);
  drop_views_without_pixels(a, train);
  drop_views_without_pixels(a, test);
  p.views = {train.views, test.views};

  const StudyMethod& method = study_->method_named(run.method);
  RunIdentity& identity = p.identity;
  identity.training = {inputs_.case_fingerprint(), a.train_views, configuration(run), ""};
  identity.scoring = {a.test_views, method.renders, name_of(method.kind), {}};
  if (!run.labels.empty()) {
    StudyInputs::Labels labels = inputs_.labels(run, study_->labels_named(run.labels));
    const SuperResolutionConfig& sr = run.config.super_resolution;
    if (sr.needs_labels() && sr.scale != labels.file.scale())
      throw BadInput(study_->file.string(), "method " + run.method + " settings.super_resolution.scale",
                     std::to_string(labels.file.scale()) + ", the scale of the labels " + run.labels,
                     std::to_string(sr.scale));
    identity.training.labels_fingerprint = labels.fingerprint;
    p.labels = std::make_shared<const PseudoLabels>(std::move(labels.file));
  }
  for (const StudyLabels* source : oracles_for(run)) {
    StudyInputs::Labels labels = inputs_.labels(run, *source);
    identity.scoring.oracles[source->name] = labels.fingerprint;
    p.oracles.emplace_back(source->name, std::move(labels.file));
  }
  return p;
}

std::string StudyRunner::difference(const StudyRun& run, const RunIdentity& recorded) {
  const auto& [training, scoring] = recorded;
  const StudyMethod& method = study_->method_named(run.method);
  if (training.config != configuration(run)) return "another configuration";
  if (scoring.kind != name_of(method.kind)) return "another kind of method";
  if (scoring.renders != method.renders) return "other renders";
  // What is not there cannot be compared.
  const auto has_other_labels = [&](const StudyLabels& source, const std::string& fingerprint) {
    try {
      return inputs_.labels(run, source).fingerprint != fingerprint;
    } catch (const InputNotMade& e) {
      return e.outdated();
    }
  };
  try {
    const Acquisition& a = inputs_.acquisition(run.case_name, run.views);
    if (training.case_fingerprint != inputs_.case_fingerprint()) return "another case";
    if (training.train_views != a.train_views || scoring.test_views != a.test_views) return "other views";
    if (!run.labels.empty() && has_other_labels(study_->labels_named(run.labels), training.labels_fingerprint))
      return "other labels";
    for (const StudyLabels* source : oracles_for(run))  // one that is missing leaves a column empty
      if (const auto oracle = scoring.oracles.find(source->name);
          oracle != scoring.oracles.end() && has_other_labels(*source, oracle->second))
        return "other labels";
  } catch (const InputNotMade& e) {
    return e.outdated() ? "another case" : "";
  } catch (const Error& e) {
    return std::string("something else: ") + e.what();
  }
  return "";
}

StudyRunner::StoredResult StudyRunner::stored_result(const StudyRun& run) {
  std::optional<StudyResult> result = read_result(result_file(run));
  if (!result) return {};
  std::string made_with = difference(run, result->identity);
  if (!made_with.empty()) result.reset();
  return {std::move(result), std::move(made_with)};
}

bool StudyRunner::is_done(const StudyRun& run) {
  const RunIdentity wanted = prepare(run).identity;
  const std::optional<StudyResult> result = read_result(result_file(run));
  if (!result) return false;
  RunIdentity have = result->identity;
  // Another study that shares the run may have held it against further oracles.
  std::erase_if(have.scoring.oracles, [&](const auto& o) { return !wanted.scoring.oracles.contains(o.first); });
  return have == wanted;
}

void StudyRunner::require_memory(const StudyRun& run) {
  if (!trains(run)) return;
  const Acquisition& a = inputs_.acquisition(run.case_name, run.views);
  require_run_memory(*ctx_, run_memory(a, run.config, ctx_->backend()), true);
}

std::vector<RunImages> StudyRunner::model_images(const StudyRun& run, const Model& model) const {
  const auto renderer = std::make_shared<Renderer>(*ctx_, model);
  const Acquisition& a = inputs_.loaded();
  const Detector low = a.detector;
  const int scale = a.reference_projections->scale;
  const auto poses = std::make_shared<const std::vector<Pose>>(a.poses);
  std::vector<RunImages> images;
  for (const std::string& render : study_->method_named(run.method).renders) {
    const bool high = render == kRenderHigh;
    images.push_back({render, [=](int view) {
                        const Pose& pose = (*poses)[static_cast<std::size_t>(view)];
                        if (high) return renderer->render(pose, low.refined(scale)).values;
                        return upsample_image(renderer->render(pose, low).values, low, scale);
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
             return upsample_image(between, a.detector, scale);
           }}};
}

std::vector<RunImages> StudyRunner::images(const StudyRun& run) {
  inputs_.acquisition(run.case_name, run.views);
  if (!trains(run)) return pseudo_images(run);
  const fs::path file = folder(run) / "model.h5";
  if (!fs::exists(file)) throw InputNotMade(file.string() + " is not there", false);
  const auto model = std::make_shared<const Model>(read_model(*ctx_, file));
  std::vector<RunImages> images = model_images(run, *model);
  for (RunImages& i : images) i.image = [model, image = std::move(i.image)](int view) { return image(view); };
  return images;
}

void StudyRunner::train_and_score(const StudyRun& run, const Prepared& p, StudyResult& result) {
  const Acquisition& a = inputs_.loaded();
  RunFolder folder(this->folder(run), RunFolder::Start::over_earlier_run);
  require_run_memory(*ctx_, run_memory(a, run.config, ctx_->backend()), quiet_);
  const auto start = std::chrono::steady_clock::now();
  Reconstructor reconstructor(*ctx_, a, run.config, p.labels);
  RunFacts facts;
  facts.case_file = a.name;
  facts.initialize_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  folder.begin();
  write_text(folder.config(), to_toml(reconstructor.config()));
  refresh_run_labels(*ctx_, a, reconstructor, folder, p.labels, {{}, false, quiet_});
  TrainingRunOptions training;
  training.quiet = quiet_;
  facts.training_seconds = train(reconstructor, folder, training).seconds;
  ScoringOptions scoring;
  scoring.quiet = quiet_;
  Evaluation evaluation = write_run(*ctx_, a, reconstructor, folder, facts, scoring);
  result.training = TrainingFacts{backend_name(*ctx_),        ctx_->threads(),
                                  reconstructor.steps_done(), reconstructor.model().cloud.size(),
                                  facts.initialize_seconds,   facts.training_seconds};
  result.renders = score_renders(model_images(run, reconstructor.model()), p, evaluation.reference);
  evaluation.reference.reset();
  result.evaluation = std::move(evaluation);
  folder.finish(false);
}

std::optional<StudyResult> StudyRunner::score_again(const StudyRun& run, const Prepared& p) const {
  const fs::path file = folder(run) / "model.h5";
  std::optional<StudyResult> result = read_result(result_file(run));
  if (!result || result->identity.training != p.identity.training || !fs::exists(file)) return std::nullopt;
  const StudyResult before = *result;
  const Model model = read_model(*ctx_, file);
  result->renders = score_renders(model_images(run, model), p);
  // What another study that shares the run has scored stays.
  for (auto& [render, scores] : result->renders)
    if (const RenderScores* kept = scores_of(before, render))
      scores.false_vessel.insert(kept->false_vessel.begin(), kept->false_vessel.end());
  result->identity = p.identity;
  const auto& oracles = before.identity.scoring.oracles;
  result->identity.scoring.oracles.insert(oracles.begin(), oracles.end());
  return result;
}

std::vector<std::pair<std::string, RenderScores>> StudyRunner::score_renders(
    const std::vector<RunImages>& renders, const Prepared& p, const std::optional<ViewScores>& high) const {
  const Acquisition& a = inputs_.loaded();
  std::vector<std::pair<std::string, RenderScores>> list;
  for (const auto& [render, image] : renders) {
    RenderScores scores;
    scores.high_resolution = render == kRenderHigh && high ? *high
                                                           : score_views(ProjectionTruth::reference(a), p.views.test,
                                                                         image, shown_progress(quiet_));
    score_agreement(scores, a, p.views, p.oracles, image);
    list.emplace_back(render, std::move(scores));
  }
  return list;
}

void StudyRunner::execute(const StudyRun& run) {
  const Prepared p = prepare(run);
  std::optional<StudyResult> again = trains(run) ? score_again(run, p) : std::nullopt;
  if (again) return write_result(result_file(run), *again);
  fs::remove(result_file(run));  // what it was made with is about to be replaced
  StudyResult result;
  result.program = "dsasrgs " DSASRGS_VERSION_STRING;
  result.case_name = run.case_name;
  result.training_views = static_cast<int>(p.views.train.size());
  result.method = run.method;
  result.labels = run.labels;
  result.seed = run.seed;
  if (trains(run)) {
    train_and_score(run, p, result);
  } else {
    make_folder(folder(run));
    result.renders = score_renders(pseudo_images(run), p);
  }
  result.machine = machine_facts();
  result.identity = p.identity;
  write_result(result_file(run), result);
}

}  // namespace dsasrgs::program
