// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/module.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "troupe/runtime/base/error.h"
#include "troupe/runtime/rpc/remote_error.h"

namespace drama {

std::string question() { return "to be?"; }
int answer(int number) { return number; }
namespace other {
int answer(int number) { return -number; }
}  // namespace other

inline const auto& theatre = troupe::module<"theatre", &question, &answer>;
inline const auto& confusing = troupe::module<"confusing", &answer, &other::answer>;

}  // namespace drama

namespace {

using namespace troupe;

// Copied while static initialisation is still going on.
const std::vector<Module> enabled = {drama::theatre, "by_name"};

int only_here(int number) { return number; }

TEST(ModuleTest, NamesItsFunctions) {
  EXPECT_EQ(drama::theatre.name(), "theatre");
  EXPECT_EQ(drama::theatre.names(), (std::vector<FunctionName>{function_name<&drama::question>(),
                                                               function_name<&drama::answer>()}));
  EXPECT_EQ(drama::theatre.names()[1].key, "drama::answer|int (int)");
  EXPECT_TRUE(drama::theatre.contains(function_key<&drama::answer>()));
  EXPECT_FALSE(drama::theatre.contains(function_key<&only_here>()));
  ASSERT_EQ(drama::theatre.functions().size(), 2u);
  EXPECT_EQ(drama::theatre.functions()[1]->name, "drama::answer");
}

TEST(ModuleTest, RegistersItselfAndItsFunctions) {
  EXPECT_TRUE(FunctionTable::instance().find(function_key<&drama::question>()));
  EXPECT_EQ(Module::find("theatre"), drama::theatre);
  EXPECT_TRUE(Module::find("unheard_of").is_reference());
}

TEST(ModuleTest, IsThereBeforeMain) {
  EXPECT_EQ(enabled[0], drama::theatre);
  EXPECT_EQ(enabled[0].functions().size(), 2u);
  EXPECT_TRUE(enabled[1].is_reference());
  EXPECT_EQ(enabled[1].name(), "by_name");
}

TEST(ModuleTest, FindsFunctionsByUnqualifiedName) {
  EXPECT_EQ(drama::theatre.function("answer").name, "drama::answer");
  EXPECT_THROW(drama::theatre.function("drama::answer"), ModuleNotExposed);
  EXPECT_THROW(drama::theatre.function("nobody"), ModuleNotExposed);
}

TEST(ModuleTest, ANameThatIsNotUniqueInItsModuleIsRefused) {
  try {
    drama::confusing.function("answer");
    FAIL();
  } catch (const ModuleNotExposed& error) {
    EXPECT_STREQ(
        error.what(),
        "module 'confusing' has more than one function 'answer': 'drama::answer|int (int)' and "
        "'drama::other::answer|int (int)'; a call by name needs a unique one");
  }
}

TEST(ModuleTest, KnowsWhichModulesNameAFunction) {
  EXPECT_EQ(Module::naming(function_key<&drama::question>()), std::vector<Module>{drama::theatre});
  EXPECT_EQ(Module::naming(function_key<&drama::answer>()).size(), 2u);
  EXPECT_TRUE(Module::naming("nobody|void ()").empty());
}

TEST(ModuleTest, FunctionsMakeAModuleWithoutAName) {
  const Module module = functions<&only_here, &drama::answer>();
  EXPECT_EQ(module.name(), "");
  EXPECT_FALSE(module.is_reference());
  EXPECT_EQ(module.names().size(), 2u);
  EXPECT_TRUE(FunctionTable::instance().find(function_key<&only_here>()));
  EXPECT_TRUE(Module::find("").is_reference());
}

TEST(FunctionPathTest, IsModuleDotFunction) {
  const FunctionPath path = FunctionPath::parse("theatre.hi");
  EXPECT_EQ(path.module, "theatre");
  EXPECT_EQ(path.function, "hi");
  EXPECT_EQ(FunctionPath::parse("city.theatre.hi").module, "city.theatre");
  for (const char* bad : {"", "hi", ".hi", "theatre."}) {
    EXPECT_THROW(FunctionPath::parse(bad), UsageError) << bad;
  }
}

}  // namespace
