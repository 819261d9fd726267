#pragma once
/// @file
/// The whole public interface.

#include "dsasrgs/acquisition.hpp"
#include "dsasrgs/attenuation_field.hpp"
#include "dsasrgs/baselines.hpp"
#include "dsasrgs/buffer.hpp"
#include "dsasrgs/config.hpp"
#include "dsasrgs/context.hpp"
#include "dsasrgs/error.hpp"
#include "dsasrgs/fingerprint.hpp"
#include "dsasrgs/gaussians.hpp"
#include "dsasrgs/geometry.hpp"
#include "dsasrgs/io.hpp"
#include "dsasrgs/math.hpp"
#include "dsasrgs/metrics.hpp"
#include "dsasrgs/model.hpp"
#include "dsasrgs/pseudo_labels.hpp"
#include "dsasrgs/reconstructor.hpp"
#include "dsasrgs/renderer.hpp"
#include "dsasrgs/resample.hpp"
#include "dsasrgs/simulator.hpp"
#include "dsasrgs/version.hpp"
