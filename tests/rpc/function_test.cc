// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/function.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "troupe/runtime/rpc/remote_error.h"
#include "troupe/tests/rpc/named_functions.h"

namespace {
int calls = 0;
}  // namespace

std::string stage::say(int count, const std::string& word) {
  std::string text;
  while (count-- > 0) text += word;
  return text;
}
void stage::nothing() noexcept { ++calls; }
int stage::overloaded(int number) { return number + 1; }
int stage::overloaded(double) { return -1; }
long stage::Theatre::seats(std::vector<std::string> rows) { return static_cast<long>(rows.size()); }
template <class T>
std::string stage::Theatre::Box<T>::name(T number) {
  return std::to_string(number);
}
int stage::v2::versioned() { return 2; }
std::string global(std::map<std::string, int> table) { return table.begin()->first; }
extern "C" int with_c_linkage(int number) { return number; }

namespace {

using namespace troupe;

[[maybe_unused]] int never_named(int number) { return number; }
int named_in_dead_code(int number) { return number; }
[[maybe_unused]] void dead_code() { (void)fn<&named_in_dead_code>; }
int throws(int) { throw std::out_of_range("no such seat"); }
std::unique_ptr<int> move_only(std::unique_ptr<int> value, std::string&& text) {
  *value += static_cast<int>(text.size());
  return value;
}
long promoted(long number, double factor) {
  return static_cast<long>(static_cast<double>(number) * factor);
}

template <auto F, class... Args>
ResultOf<F> round_trip(Args&&... args) {
  (void)fn<F>;
  const FunctionEntry* entry = FunctionTable::instance().find(function_key<F>());
  if (!entry) throw std::logic_error("not registered: " + function_key<F>());
  Bytes result;
  entry->thunk(encode_call<F>(std::forward<Args>(args)...), result);
  return decode_result<F>(result);
}

TEST(FunctionKeyTest, IsQualifiedNameAndSignature) { EXPECT_EQ(all_keys(), expected_keys); }

TEST(FunctionKeyTest, IdsDiffer) {
  EXPECT_EQ(function_id<&stage::say>(),
            function_id("stage::say|std::string (int, std::string const&)"));
  EXPECT_NE(function_id<&stage::say>(), function_id<&stage::nothing>());
}

TEST(FunctionTableTest, NamingRegistersEvenInCodeThatIsNeverRun) {
  EXPECT_TRUE(FunctionTable::instance().find(function_key<&named_in_dead_code>()));
  EXPECT_TRUE(FunctionTable::instance().find(function_id<&named_in_dead_code>()));
}

// The tag is a short cut; the key decides.
TEST(FunctionTableTest, ANameIsFoundWhicheverCompilerHasMangledIt) {
  (void)fn<&stage::say>;
  const FunctionTable& table = FunctionTable::instance();
  FunctionName name = function_name<&stage::say>();
  const FunctionEntry* say = table.find(name.key);
  ASSERT_TRUE(say);
  EXPECT_EQ(table.find(name), say);
  EXPECT_EQ(table.find(FunctionName{name.key, "mangled otherwise"}), say);
  EXPECT_FALSE(table.find(FunctionName{"another|int ()", name.tag}));
}

TEST(FunctionTableTest, AKeyAloneRegistersNothing) {
  EXPECT_FALSE(FunctionTable::instance().find(function_key<&never_named>()));
}

TEST(FunctionTableTest, EntriesSayWhatTheyAre) {
  (void)fn<&stage::say>;
  const FunctionEntry* entry = FunctionTable::instance().find(function_key<&stage::say>());
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->name, "stage::say");
  EXPECT_EQ(entry->unqualified, "say");
  EXPECT_EQ(entry->wire_signature, "std::string (int, std::string)");
  EXPECT_EQ(entry->kind, FunctionKind::plain);
  EXPECT_EQ(entry->address, reinterpret_cast<const void*>(&stage::say));
}

TEST(FunctionTableTest, WithoutConflictsTheCheckPasses) {
  EXPECT_NO_THROW(FunctionTable::instance().check());
}

TEST(FunctionCallTest, FunctionsOfEveryFormCanBeCalled) {
  EXPECT_EQ(round_trip<&stage::say>(2, "ha"), "haha");
  EXPECT_EQ((round_trip<static_cast<int (*)(int)>(&stage::overloaded)>(1)), 2);
  EXPECT_EQ((round_trip<static_cast<int (*)(double)>(&stage::overloaded)>(1)), -1);
  EXPECT_EQ(round_trip<&stage::twice<std::string>>("x"), "xx");
  EXPECT_EQ((round_trip<&stage::count<3, true>>()), 3);
  EXPECT_EQ(round_trip<&stage::Theatre::seats>(std::vector<std::string>{"a", "b"}), 2);
  EXPECT_EQ(round_trip<&stage::Theatre::Box<int>::name>(7), "7");
  EXPECT_EQ(round_trip<&stage::hidden>(5), 5);
  EXPECT_EQ(round_trip<&stage::takes_hidden>(stage::Hidden{4}).value, 4);
  EXPECT_EQ(round_trip<&file_local>(5), 5);
  EXPECT_EQ(round_trip<&with_c_linkage>(5), 5);
}

TEST(FunctionCallTest, NoexceptFunctionsAndVoidResults) {
  const int before = calls;
  round_trip<&stage::nothing>();
  EXPECT_EQ(calls, before + 1);
  EXPECT_EQ(function_key<&stage::nothing>(),
            function_key<static_cast<void (*)()>(&stage::nothing)>());
}

TEST(FunctionCallTest, ArgumentsConvertAsInACall) {
  EXPECT_EQ(round_trip<&promoted>(3, 2), 6);
  EXPECT_EQ(round_trip<&stage::say>(1.9, std::string("x")), "x");
  const char* text = "pointer to text";
  EXPECT_EQ(round_trip<&stage::twice<std::string>>(text).size(), 30u);
  EXPECT_EQ(round_trip<&global>(std::map<std::string, int>{{"a", 1}}), "a");
}

TEST(FunctionCallTest, MoveOnlyValuesTravel) {
  EXPECT_EQ(*round_trip<&move_only>(std::make_unique<int>(1), "abc"), 4);
}

TEST(FunctionCallTest, TheFunctionsErrorLeavesTheThunk) {
  EXPECT_THROW(round_trip<&throws>(1), std::out_of_range);
}

TEST(FunctionCallTest, ArgumentsThatDoNotDecodeNameTheFunctionAndItsSignature) {
  const Thunk thunk = FunctionTable::instance().find(function_key<&stage::say>())->thunk;
  try {
    Bytes result;
    thunk("xyz", result);
    FAIL();
  } catch (const MsgTypeError& error) {
    EXPECT_EQ(std::string(error.what())
                  .find("the arguments for 'stage::say', which is std::string (int, std::string), "
                        "cannot be "
                        "decoded: the message is truncated"),
              0u)
        << error.what();
  }
  EXPECT_THROW(decode_result<&stage::say>("x"), MsgTypeError);
  EXPECT_THROW(decode_message<int>("x"), MsgTypeError);
}

TEST(FunctionCallTest, CallsByNameStateTheSignatureThatTheyBelieveIn) {
  EXPECT_EQ((wire_signature<std::string, int, const char*>()), "std::string (int, std::string)");
  EXPECT_EQ((wire_signature<std::string, int, const char(&)[3]>()),
            "std::string (int, std::string)");
  EXPECT_EQ(wire_signature<void>(), "void ()");
  EXPECT_EQ(encode_named_call(1, "ab"), encode(1, std::string("ab")));
}

TEST(FnTest, CanBeCalledHere) { EXPECT_EQ(fn<&stage::say>(2, "ab"), "abab"); }

}  // namespace
