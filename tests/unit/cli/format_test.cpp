#include "cli/format.h"

#include <gtest/gtest.h>

#include <array>

namespace swarm::cli {
namespace {

constexpr std::array kFields = {Field{"Name", "NAME"}, Field{"State", "CURRENT STATE"}};

Listing two_rows() {
  return {.fields = kFields, .rows = {{"web", "up"}, {"a \"b\"", "down"}}};
}

std::string formatted(std::string_view format) {
  const Result<std::string> text = format_listing(two_rows(), format, "{{.Name}}\t{{.State}}");
  return text.ok() ? *text : "error: " + std::string(text.status().message());
}

TEST(Format, TableIsTheDefault) {
  EXPECT_EQ(formatted(""), formatted("table"));
  EXPECT_EQ(formatted(""), "NAME      CURRENT STATE\nweb       up\na \"b\"     down\n");
}

TEST(Format, JsonIsOneObjectALine) {
  EXPECT_EQ(formatted("json"),
            "{\"Name\":\"web\",\"State\":\"up\"}\n{\"Name\":\"a \\\"b\\\"\",\"State\":\"down\"}\n");
}

TEST(Format, MixesFieldsWithLiteralText) {
  EXPECT_EQ(formatted("<{{.Name}}> {{ .State }}!"), "<web> up!\n<a \"b\"> down!\n");
}

TEST(Format, TableWithTemplateHasHeadersOfItsFields) {
  EXPECT_EQ(formatted("table {{.State}}\\t{{.Name}}"),
            "CURRENT STATE   NAME\nup              web\ndown            a \"b\"\n");
}

TEST(Format, EscapesAreTabAndNewline) {
  EXPECT_EQ(formatted("{{.Name}}\\t\\n"), "web\t\n\na \"b\"\t\n\n");
}

TEST(Format, JsonOfAFieldAndOfTheRow) {
  EXPECT_EQ(formatted("{{json .Name}} {{json .}}").substr(0, 38),
            "\"web\" {\"Name\":\"web\",\"State\":\"up\"}\n\"a \\");
}

TEST(Format, UnknownFieldIsAnErrorThatNamesTheFields) {
  EXPECT_EQ(formatted("{{.Colour}}"),
            "error: unknown field \".Colour\" in --format: use .Name .State");
}

TEST(Format, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(formatted("{{range .}}"),
            "error: cannot read \"{{range .}}\" in --format: write fields as {{.Name}} or {{json "
            ".Name}}");
  EXPECT_EQ(formatted("{{.Name"), "error: a \"{{\" in --format has no \"}}\"");
}

TEST(Format, BadUtf8IsReplacedInJson) {
  const Listing listing{.fields = kFields, .rows = {{"\xff", ""}}};
  EXPECT_EQ(*format_listing(listing, "json", ""), "{\"Name\":\"\xef\xbf\xbd\",\"State\":\"\"}\n");
}

}  // namespace
}  // namespace swarm::cli
