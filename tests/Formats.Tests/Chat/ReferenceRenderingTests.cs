using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Formats.Tests.Tokenizing;
using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests.Chat;

/// <summary>Published templates with tools, calls and thoughts, against the npm library run by node.</summary>
public sealed class ReferenceRenderingTests(LlamaVocabularies llama, ITestOutputHelper output)
    : IClassFixture<LlamaVocabularies>
{
    private const string Tools = """
        [{"type":"function","function":{"name":"weather","description":"Tells the weather, \"now\" <b>.",
        "parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}}}]
        """;

    private static readonly TemplateMessage[] Conversation =
    [
        new("system", "Be brief."),
        new("user", "Is it dry in Köln?"),
        new("assistant", "")
        {
            Reasoning = "I have to look.",
            ToolCalls = [new("callABCD1", "weather", """{"city":"Köln","days":2}""")],
        },
        new("tool", """{"rain":0.5}""") { ToolCallId = "callABCD1" },
        new("assistant", "No."),
        new("user", "Thanks"),
    ];

    /// <summary>Long ones take the renderer in a renderer seconds.</summary>
    private const int LongestChars = 8_000;

    [Fact]
    public async Task Templates_with_tools_render_as_the_library_under_node_renders_them()
    {
        var cases = Directory
            .EnumerateFiles(llama.Templates(), "*.jinja")
            .Order(StringComparer.Ordinal)
            .Select(path => (Name: Path.GetFileName(path), Source: File.ReadAllText(path)))
            .Where(one => one.Source.Length <= LongestChars)
            .SelectMany(one =>
                new[] { true, false }.Select(asObjects => new Case(
                    $"{one.Name} {asObjects}",
                    one.Source,
                    Input(asObjects)
                ))
            )
            .ToList();
        var expected = await ReferenceAsync(cases);

        var differences = cases
            .Zip(expected)
            .Where(pair => Ours(pair.First) != pair.Second)
            .Select(pair => pair.First.Name);
        var rendered = expected.Count(text => text is not null);
        output.WriteLine($"{cases.Count} renderings, {rendered} of them texts");
        Assert.Empty(differences);
        Assert.True(rendered >= 40, $"only {rendered} texts");
    }

    [Theory]
    [InlineData(
        "Qwen-Qwen3-0.6B",
        "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Köln\", \"days\": 2}}"
    )]
    [InlineData("llama-cpp-deepseek-r1", "{\"city\": \"Köln\", \"days\": 2}")]
    [InlineData("mistralai-Mistral-Nemo-Instruct-2407", "[TOOL_CALLS][{\"name\": \"weather\"")]
    [InlineData("microsoft-Phi-3.5-mini-instruct", "<tool_response>\n{\"rain\":0.5}")]
    public void A_conversation_with_tools_is_written_as_its_model_has_learnt_it(string template, string part)
    {
        var source = File.ReadAllText(Path.Combine(llama.Templates(), $"{template}.jinja"));
        var text = new ConversationText(ChatTemplate.Parse(source, new TemplateTokens("<s>", "</s>")));
        Assert.Contains(part, text.Render(Conversation, new TemplateSettings(Tools)), StringComparison.Ordinal);
    }

    private static JsonObject Input(bool asObjects)
    {
        var input = TemplateInput.Of(Conversation, new TemplateSettings(Tools, Thinking: true), asObjects);
        (input["bos_token"], input["eos_token"]) = ("<s>", "</s>");
        return input;
    }

    private static string? Ours(Case one)
    {
        try
        {
            return ChatTemplate.Parse(one.Source, new TemplateTokens("<s>", "</s>")).Render(one.Input);
        }
        catch (ChatTemplateException)
        {
            return null;
        }
    }

    private static async Task<List<string?>> ReferenceAsync(IReadOnlyList<Case> cases)
    {
        using var folder = new Safetensors.TemporaryFolder();
        var (library, lines) = (Path.Combine(folder.Path, "jinja.cjs"), Path.Combine(folder.Path, "cases.jsonl"));
        await using (var embedded = typeof(ChatTemplate).Assembly.GetManifestResourceStream("jinja.cjs")!)
        await using (var file = File.Create(library))
            await embedded.CopyToAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(
            lines,
            cases.Select(one =>
                new JsonObject { ["source"] = one.Source, ["input"] = one.Input.ToJsonString() }.ToJsonString()
            ),
            TestContext.Current.CancellationToken
        );
        var script = RepositoryPaths.At("tests", "Formats.Tests", "Chat", "render_reference.cjs");
        var start = new ProcessStartInfo("node", [script, library, lines])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var node = Process.Start(start)!;
        var text = await node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await node.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, node.ExitCode);
        return [.. text.Split('\n')[..^1].Select(line => JsonSerializer.Deserialize<string?>(line))];
    }

    private sealed record Case(string Name, string Source, JsonObject Input);
}
