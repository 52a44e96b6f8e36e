using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Formats.Tests.Grammars;
using EgpuFleet.Kernels.Formats.Chat.Answers;
using EgpuFleet.Kernels.Formats.Grammars;
using EgpuFleet.TestKit.Schemas;

namespace EgpuFleet.Formats.Tests.Chat;

/// <summary>What a grammar of calls makes is read back as calls whose arguments satisfy their schemas.</summary>
public sealed class ToolGrammarTests
{
    private const int Schemas = 40;
    private const string Plain = """
        {"type":"object","properties":{"city":{"type":"string"},"sky":{"enum":["clear","grey"],"type":"string"},
        "days":{"type":"integer"},"more":{"type":"array","items":{"type":"boolean"}}},"required":["city","days"],
        "additionalProperties":false}
        """;

    public static TheoryData<string> InJson =>
        [
            "hermes",
            "mistral",
            "mistral_nemo",
            "deepseek_r1",
            "deepseek",
            "command_r7b",
            "kimi_k2",
            "nemotron",
            "granite",
            "llama3",
        ];

    [Theory]
    [MemberData(nameof(InJson))]
    public async Task Calls_of_random_schemas_are_read_back_and_validate(string syntax)
    {
        var random = new Random(7);
        List<Ajv.Case> cases = [];
        while (cases.Count < Schemas)
        {
            var inner = new RandomSchema(random).Next();
            var schema = new JsonObject
            {
                ["type"] = "object",
                ["$defs"] = (inner as JsonObject)?["$defs"]?.DeepClone() ?? new JsonObject(),
                ["properties"] = new JsonObject { ["a"] = inner },
                ["required"] = new JsonArray("a"),
            };
            try
            {
                cases.Add(new Ajv.Case(schema.ToJsonString(), Arguments(syntax, schema.ToJsonString(), random)));
            }
            catch (SchemaException e) when (e.Code == SchemaFault.Impossible) { }
        }
        var faults = await Ajv.JudgeAsync(cases, TestContext.Current.CancellationToken);
        Assert.True(faults.Count >= Schemas);
        Assert.All(faults, Assert.Empty);
    }

    [Theory]
    [InlineData("qwen3_coder")]
    [InlineData("glm")]
    public async Task Calls_in_tags_are_read_back_and_validate(string syntax)
    {
        var random = new Random(8);
        var texts = Enumerable.Range(0, Schemas).SelectMany(_ => Arguments(syntax, Plain, random)).ToList();
        var faults = await Ajv.JudgeAsync([new Ajv.Case(Plain, texts)], TestContext.Current.CancellationToken);
        Assert.All(faults, Assert.Empty);
    }

    [Fact]
    public void Behind_a_thought_stands_an_answer_or_a_call()
    {
        using var schema = JsonDocument.Parse(
            """{"type":"object","properties":{"ok":{"const":true}},"required":["ok"]}"""
        );
        var tools = new[] { new ToolSignature("f", null) };
        var grammar = ToolGrammar.Of(ToolSyntaxes.Hermes, tools, false, "\n</think>\n\n", schema.RootElement);
        var sampler = new GbnfSampler(GbnfReader.Read(grammar), new Random(3));
        var texts = Enumerable.Range(0, 50).Select(_ => sampler.Sample()).ToList();
        Assert.All(texts, text => Assert.StartsWith("\n</think>\n\n", text, StringComparison.Ordinal));
        Assert.Contains("\n</think>\n\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>", texts);
        Assert.Contains(texts, text => text.Contains("\"ok\"", StringComparison.Ordinal));
    }

    /// <returns>The arguments of all calls of one text.</returns>
    private static List<string> Arguments(string name, string parameters, Random random)
    {
        using var schema = JsonDocument.Parse(parameters);
        var syntax = ToolSyntaxes.Find(name)!;
        var grammar = ToolGrammar.Of(syntax, [new("f-1", schema.RootElement)], several: true);
        var text = new GbnfSampler(GbnfReader.Read(grammar), random).Sample();
        var reader = new AnswerReader(new AnswerSyntax(syntax, null, IsText: (_, key) => key is "city" or "sky"));
        AnswerPiece[] pieces = [.. reader.Take(text), .. reader.End()];
        Assert.DoesNotContain(pieces, piece => piece is Said);
        var calls = pieces.OfType<Called>().ToList();
        Assert.NotEmpty(calls);
        Assert.All(calls, call => Assert.Equal("f-1", call.Name));
        return
        [
            .. calls.Select(call =>
                string.Concat(pieces.OfType<Argued>().Where(one => one.Call == call.Call).Select(one => one.Text))
            ),
        ];
    }
}
