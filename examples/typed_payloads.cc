// SPDX-License-Identifier: Apache-2.0

// What can cross between actors: plain structs as they stand, and the standard library's values,
// one inside of the other. Prints:
//
//   3 scenes in "Hamlet", the first in Elsinore
//   Ophelia has 58 lines
//   the ghost has no lines
//   the longest scene is number 2
//   nothing is known of "Godot"

#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "troupe/troupe.h"

struct Scene {
  std::string place;
  int lines = 0;
};

struct Play {
  std::string title;
  std::vector<Scene> scenes;                       // structs in a struct
  std::map<std::string, std::optional<int>> cast;  // none: a part without lines
};

using Answer = std::variant<std::string, int>;  // in words, or as a number

Play write_play(const std::string& title) {
  return {title,
          {{"Elsinore", 175}, {"a room of state", 257}, {"a platform", 91}},
          {{"Ophelia", 58}, {"ghost", std::nullopt}}};
}

Answer longest_scene(const Play& play) {
  if (play.scenes.empty()) return "nothing is known of \"" + play.title + "\"";
  const auto longest =
      std::max_element(play.scenes.begin(), play.scenes.end(),
                       [](const Scene& a, const Scene& b) { return a.lines < b.lines; });
  return static_cast<int>(longest - play.scenes.begin()) + 1;
}

inline const auto& author = troupe::module<"author", &write_play, &longest_scene>;

int main(int argc, char** argv) {
  return troupe::run(argc, argv, [] {
    troupe::open_nursery([](troupe::ActorNursery& n) {
      troupe::Portal will = n.start_actor("will", {.enable_modules = {author}});
      const Play play = will.run<&write_play>("Hamlet");
      std::cout << play.scenes.size() << " scenes in \"" << play.title << "\", the first in "
                << play.scenes.front().place << std::endl;
      std::cout << "Ophelia has " << play.cast.at("Ophelia").value() << " lines" << std::endl;
      if (!play.cast.at("ghost")) std::cout << "the ghost has no lines" << std::endl;
      const Answer number = will.run<&longest_scene>(play);
      std::cout << "the longest scene is number " << std::get<int>(number) << std::endl;
      const Answer words = will.run<&longest_scene>(Play{"Godot", {}, {}});
      std::cout << std::get<std::string>(words) << std::endl;
      will.cancel_actor();
    });
  });
}
