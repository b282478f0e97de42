// SPDX-License-Identifier: Apache-2.0
#include "troupe/runtime/rpc/function_name.h"

#include <utility>

namespace troupe::detail {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

// Where the bracket that opens at `open` is closed; the end of `text` if it is not.
std::size_t closing(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(' || text[i] == '<') ++depth;
    if ((text[i] == ')' || text[i] == '>') && --depth == 0) return i;
  }
  return text.size();
}

// The last position outside of all brackets where `text` has `what`; npos if there is none.
std::size_t last_outside(std::string_view text, std::string_view what) {
  int depth = 0;
  std::size_t last = std::string_view::npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (depth == 0 && text.substr(i, what.size()) == what) last = i;
    if (text[i] == '(' || text[i] == '<') ++depth;
    if (text[i] == ')' || text[i] == '>') --depth;
  }
  return last;
}

// Drops an argument of templates, ", std::allocator<int>" say, wherever it stands.
void drop_argument(std::string& text, std::string_view what) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    const std::size_t end = closing(text, at + what.size() - 1);
    text.erase(at, end + 1 - at);
  }
  replace_all(text, " >", ">");
}

// "f" of "f(int)"; a function's name is printed with its parameters unless it is a nested name.
std::string_view without_parameters(std::string_view text) {
  if (text.empty() || text.back() != ')') return text;
  const std::size_t open = last_outside(text, "(");
  return open == std::string_view::npos || open == 0 ? text : text.substr(0, open);
}

}  // namespace

std::string tidy_type(std::string text) {
  replace_all(text, "(anonymous namespace)", "{anonymous}");
  replace_all(text, "[abi:cxx11]", "");
  replace_all(text, " >", ">");
  replace_all(text, "std::basic_string<char, std::char_traits<char>, std::allocator<char>>",
              "std::string");
  drop_argument(text, ", std::allocator<");
  drop_argument(text, ", std::default_delete<");
  drop_argument(text, ", std::less<");
  drop_argument(text, ", std::equal_to<");
  drop_argument(text, ", std::hash<");
  return text;
}

std::string function_name(std::string tag) {
  replace_all(tag, "(anonymous namespace)", "{anonymous}");
  const std::size_t open = tag.find('<');
  if (open == std::string::npos) return tag;
  std::string_view text = std::string_view(tag).substr(open + 1);
  text.remove_suffix(text.size() - text.rfind('>'));
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  // clang writes the conversion that a cast asks for: "(int (*)())(&(f()))".
  if (text.starts_with('(') && text.find(")(&") != std::string_view::npos) {
    text.remove_prefix(closing(text, 0) + 2);
    text.remove_suffix(1);
  }
  if (text.starts_with('&')) text.remove_prefix(1);
  if (text.starts_with('(') && closing(text, 0) == text.size() - 1) {
    text = text.substr(1, text.size() - 2);
  }
  text = without_parameters(text);
  // What stands before a blank is the result of an instance of a template.
  if (const std::size_t blank = last_outside(text, " ");
      blank != std::string_view::npos && text.find("operator") == std::string_view::npos) {
    text.remove_prefix(blank + 1);
  }
  return tidy_type(std::string(text));
}

std::string unqualified_name(std::string_view name) {
  const std::size_t colons = last_outside(name, "::");
  return std::string(colons == std::string_view::npos ? name : name.substr(colons + 2));
}

}  // namespace troupe::detail
