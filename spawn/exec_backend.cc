// SPDX-License-Identifier: Apache-2.0
#include "troupe/spawn/exec_backend.h"

#include "troupe/spawn/image.h"
#include "troupe/spawn/newborn.h"
#include "troupe/spawn/self_image.h"

namespace troupe {

namespace detail {

std::unique_ptr<Child> spawn_image(const std::string& path, const SpawnSpec& spec) {
  Newborn newborn(spec);
  Image image;
  image.path = path;
  image.argv = spec.argv.empty() ? original_argv() : spec.argv;
  image.environment = marked_environment(spec);
  return newborn.adopt(start_image(spec, newborn, image));
}

}  // namespace detail

std::unique_ptr<Child> spawn_exec(const SpawnSpec& spec) {
  return detail::spawn_image(detail::self_image_path(), spec);
}

}  // namespace troupe
