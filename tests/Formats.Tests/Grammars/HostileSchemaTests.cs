using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Kernels.Formats;
using EgpuFleet.Kernels.Formats.Grammars;
using EgpuFleet.TestKit.Schemas;

namespace EgpuFleet.Formats.Tests.Grammars;

/// <summary>Schemas come from outside: each is made a grammar or refused by name, within bounds.</summary>
public sealed class HostileSchemaTests
{
    [Theory]
    [InlineData("1", SchemaFault.Invalid)]
    [InlineData("null", SchemaFault.Invalid)]
    [InlineData("false", SchemaFault.Impossible)]
    [InlineData("""{"type":"strin"}""", SchemaFault.Invalid)]
    [InlineData("""{"type":3}""", SchemaFault.Invalid)]
    [InlineData("""{"properties":[]}""", SchemaFault.Invalid)]
    [InlineData("""{"type":"string","maxLength":-1}""", SchemaFault.Invalid)]
    [InlineData("""{"type":"string","minLength":2,"maxLength":1}""", SchemaFault.Impossible)]
    [InlineData("""{"type":"string","pattern":"("}""", SchemaFault.Invalid)]
    [InlineData("""{"type":"string","pattern":"(?=a)b"}""", SchemaFault.Unsupported)]
    [InlineData("""{"type":"string","pattern":"(a*)*"}""", SchemaFault.Unsupported)]
    [InlineData("""{"type":"string","pattern":"^\\ud800$"}""", SchemaFault.Unsupported)]
    [InlineData("""{"type":"string","maxLength":1e9}""", SchemaFault.Limit)]
    [InlineData("""{"type":"string","maxLength":1e999}""", SchemaFault.Invalid)]
    [InlineData("""{"$ref":"https://example.org/schema"}""", SchemaFault.Unsupported)]
    [InlineData("""{"$ref":"#/$defs/none"}""", SchemaFault.Invalid)]
    [InlineData("""{"not":{}}""", SchemaFault.Unsupported)]
    [InlineData("""{"type":"array","uniqueItems":true}""", SchemaFault.Unsupported)]
    [InlineData("""{"anyOf":[]}""", SchemaFault.Invalid)]
    [InlineData("""{"oneOf":[{"type":"string"},{"type":"string","maxLength":3}]}""", SchemaFault.Unsupported)]
    [InlineData("""{"enum":[]}""", SchemaFault.Impossible)]
    [InlineData("""{"type":"integer","exclusiveMinimum":1,"exclusiveMaximum":2}""", SchemaFault.Impossible)]
    [InlineData(
        """{"$defs":{"a":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"required":["a"]}},"$ref":"#/$defs/a"}""",
        SchemaFault.Impossible
    )]
    public void What_cannot_be_done_is_refused_by_its_code(string schema, string code) =>
        Assert.Equal(code, Assert.Throws<SchemaException>(() => Grammar(schema)).Code);

    [Fact]
    public void A_refusal_says_where()
    {
        var refusal = Assert.Throws<SchemaException>(() => Grammar("""{"properties":{"a":{"items":{"not":{}}}}}"""));
        Assert.Equal("#/properties/a/items", refusal.Path);
        Assert.Contains("not", refusal.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Bombs =>
        new(
            // Two references each, thirty times over.
            Doubling("prefixItems"),
            Doubling("allOf"),
            Doubling("anyOf"),
            """{"type":"string","pattern":"^((((a{900}){900}){900}){900})$"}""",
            """{"type":"string","pattern":"^(((a|b){1,900}){1,900}c){1,900}$"}""",
            """{"type":"array","minItems":16000,"items":{"type":"array","minItems":16000,"items":{"type":"array","minItems":16000}}}""",
            "{\"enum\":[" + Many(40_000, nth => $"{nth}") + "]}",
            "{\"properties\":{" + Many(8_000, nth => $"\"p{nth}\":{{}}") + "}}",
            "{\"properties\":{\"" + new string('x', 100_000) + "\":{}},\"additionalProperties\":true}",
            "{\"oneOf\":[" + Many(9_000, nth => $"{{\"const\":{nth}}}") + "]}",
            "{\"allOf\":[" + Many(9_000, nth => $"{{\"minimum\":{nth}}}") + "]}",
            Nested("{\"items\":", "{}", "}", 60),
            Nested("{\"anyOf\":[{\"type\":\"null\"},", "{}", "]}", 30),
            Nested("{\"items\":", "{}", "}", 5000),
            "{\"type\":\"string\",\"pattern\":\"" + Nested("(", "", ")", 2000) + "\"}"
        );

    private static string Many(int count, Func<int, string> one) =>
        string.Join(',', Enumerable.Range(0, count).Select(one));

    private static string Nested(string open, string inner, string close, int depth) =>
        string.Concat(Enumerable.Repeat(open, depth)) + inner + string.Concat(Enumerable.Repeat(close, depth));

    private static string Doubling(string keyword) =>
        "{\"$ref\":\"#/$defs/d0\",\"$defs\":{"
        + Many(30, nth => $"\"d{nth}\":{{\"{keyword}\":[{Reference(nth + 1)},{Reference(nth + 1)}]}}")
        + ",\"d30\":{\"type\":\"null\"}}}";

    private static string Reference(int nth) => $"{{\"$ref\":\"#/$defs/d{nth}\"}}";

    /// <summary>A bound that is missing shows as a test that does not end, or as one that takes all memory.</summary>
    [Theory]
    [MemberData(nameof(Bombs))]
    public void A_bomb_makes_a_bounded_grammar_or_none(string schema)
    {
        try
        {
            var grammar = Grammar(schema);
            Assert.InRange(grammar.Length, 1, Limits.GrammarChars + 100_000);
            Assert.NotEmpty(GbnfReader.Read(grammar));
        }
        catch (SchemaException e)
        {
            Assert.Contains(e.Code, new[] { SchemaFault.Limit, SchemaFault.Unsupported, SchemaFault.Invalid });
        }
    }

    [Fact]
    public void A_schema_with_any_part_replaced_is_made_a_grammar_or_refused()
    {
        string[] parts =
        [
            "null",
            "-1",
            "1e400",
            "\"x\"",
            "[]",
            "{}",
            "[[]]",
            "true",
            "\"#\"",
            "\"#/properties\"",
            "[null]",
            "{\"type\":null}",
            "\"\\ud800\"",
        ];
        for (var seed = 0; seed < 3000; seed++)
        {
            var random = new Random(seed);
            var schema = Replaced(new RandomSchema(random).Next(), random, parts[random.Next(parts.Length)]);
            try
            {
                Assert.NotEmpty(GbnfReader.Read(Grammar(schema)));
            }
            catch (SchemaException) { }
        }
    }

    private const string Mark = "REPLACED";

    /// <summary>The schema with one of its parts, wherever, replaced by a text that need not be JSON of any schema.</summary>
    private static string Replaced(JsonNode node, Random random, string part)
    {
        var root = node;
        while (true)
        {
            List<JsonNode?> children = node is JsonObject pairs
                ? [.. pairs.Select(pair => pair.Value)]
                : [.. node.AsArray()];
            if (children.Count == 0)
                return part;
            var nth = random.Next(children.Count);
            if (children[nth] is JsonObject or JsonArray && random.Next(3) > 0)
            {
                node = children[nth]!;
                continue;
            }
            if (node is JsonObject inside)
                inside[inside.ElementAt(nth).Key] = Mark;
            else
                node[nth] = Mark;
            return root.ToJsonString().Replace($"\"{Mark}\"", part, StringComparison.Ordinal);
        }
    }

    private static string Grammar(string schema)
    {
        using var document = JsonDocument.Parse(schema, new JsonDocumentOptions { MaxDepth = 10_000 });
        return SchemaGrammar.Of(document.RootElement);
    }
}
