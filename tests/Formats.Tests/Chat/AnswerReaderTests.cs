using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Kernels.Formats.Chat.Answers;

namespace EgpuFleet.Formats.Tests.Chat;

/// <summary>What models of several families write when they call a tool, think, or do neither, cut in every place.</summary>
public sealed class AnswerReaderTests
{
    private const string Think = "<think>";

    /// <summary>Syntax, whether thoughts are told apart, text; what is thought, said and called.</summary>
    public static TheoryData<string, string, string, string, string> Recorded =>
        new()
        {
            {
                "hermes",
                "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Köln\", \"days\": 2}}\n</tool_call>",
                "",
                "",
                """weather{"city":"Köln","days":2}"""
            },
            {
                "hermes",
                "<think>\nThe user asks\nfor two.\n</think>\n\nLet me look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"A}]\\\"\"}}\n</tool_call>\n<tool_call>\n{\"arguments\": {}, \"name\": \"clock\"}\n</tool_call>",
                "The user asks\nfor two.",
                "Let me look.",
                """weather{"city":"A}]\u0022"} clock{}"""
            },
            {
                "qwen3_coder",
                "I look.\n<tool_call>\n<function=weather>\n<parameter=city>\n12\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
                "",
                "I look.",
                """weather{"city":"12","days":2}"""
            },
            {
                "glm",
                "\n<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n<arg_key>days</arg_key>\n<arg_value>[1, 2]</arg_value>\n</tool_call>",
                "",
                "",
                """weather{"city":"Rome","days":[1,2]}"""
            },
            {
                "mistral_nemo",
                "[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}, \"id\": \"123456789\"}, {\"name\":\"clock\",\"arguments\":{}}]",
                "",
                "",
                """weather{"city":"Rome"} clock{}"""
            },
            {
                "mistral",
                "Yes. [TOOL_CALLS]weather[ARGS]{\"city\": \"Rome\"}[TOOL_CALLS]clock[ARGS]{}",
                "",
                "Yes.",
                """weather{"city":"Rome"} clock{}"""
            },
            {
                "deepseek_r1",
                "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{\"city\": \"Rome\"}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>clock\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
                "",
                "",
                """weather{"city":"Rome"} clock{}"""
            },
            {
                "deepseek",
                "Let me see.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{\"city\": \"Rome\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
                "",
                "Let me see.",
                """weather{"city":"Rome"}"""
            },
            {
                "command_r7b",
                "<|START_THINKING|>I plan.<|END_THINKING|><|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}}\n]<|END_ACTION|>",
                "I plan.",
                "",
                """weather{"city":"Rome"}"""
            },
            {
                "kimi_k2",
                "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>{\"city\": \"Rome\"}<|tool_call_end|><|tool_calls_section_end|>",
                "",
                "",
                """weather{"city":"Rome"}"""
            },
            {
                "nemotron",
                "<TOOLCALL>[{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\": \\\"Rome\\\"}\"}]</TOOLCALL>",
                "",
                "",
                """weather{"city":"Rome"}"""
            },
            {
                "granite",
                "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\"}}]",
                "",
                "",
                """weather{"city":"Rome"}"""
            },
            {
                "llama3",
                "<|python_tag|>{\"type\": \"function\", \"name\": \"weather\", \"parameters\": {\"city\": \"Rome\"}}; {\"name\": \"clock\", \"parameters\": {}}",
                "",
                "",
                """weather{"city":"Rome"} clock{}"""
            },
            { "llama3", "{\"name\": \"Bob\", \"age\": 3}", "", "{\"name\": \"Bob\", \"age\": 3}", "" },
            { "llama3", "{\"age\": 3}  ", "", "{\"age\": 3}", "" },
            { "hermes", "a < b, <tool> and </tool_call>", "", "a < b, <tool> and </tool_call>", "" },
            { "hermes", "<tool_call>\nnothing", "", "<tool_call>\nnothing", "" },
            { "hermes", "<tool_call>{\"name\": 7}</tool_call>", "", "<tool_call>{\"name\": 7}</tool_call>", "" },
            { "glm", "<tool_call>weather\n<arg_key>ci", "", "<tool_call>weather\n<arg_key>ci", "" },
            { "mistral", "[TOOL_CALLS]weather", "", "[TOOL_CALLS]weather", "" },
            { "hermes", "  Plain.\n\n And <think>no</think> more. ", "", "Plain.\n\n And <think>no</think> more.", "" },
            { "hermes", "<think>cut", "cut", "", "" },
        };

    [Theory]
    [MemberData(nameof(Recorded))]
    public void An_answer_is_sorted_out_wherever_it_is_cut(
        string syntax,
        string text,
        string thought,
        string said,
        string called
    )
    {
        var tools = ToolSyntaxes.Find(syntax)!;
        var think = text.Contains("<|START_THINKING|>", StringComparison.Ordinal)
            ? ThinkSyntax.Find("<|START_THINKING|>")
            : ThinkSyntax.Find(Think);
        var whole = new AnswerSyntax(tools, think, IsText: (_, key) => key == "city", IsTool: IsTool);
        for (var cut = 0; cut <= text.Length; cut++)
        {
            Assert.Equal((thought, said, called), Read(whole, text[..cut], text[cut..]));
        }
        Assert.Equal((thought, said, called), Read(whole, [.. text.Select(one => one.ToString())]));
    }

    [Fact]
    public void Thinking_that_the_template_began_is_thought_to_its_end()
    {
        var syntax = new AnswerSyntax(null, ThinkSyntax.Find(Think), BeginsThinking: true);
        Assert.Equal(("so", "Yes. <tool_call>", ""), Read(syntax, "so</thi", "nk>\n\nYes. ", "<tool_call>"));
    }

    [Fact]
    public void Arguments_are_told_as_they_come()
    {
        var reader = new AnswerReader(new AnswerSyntax(ToolSyntaxes.Hermes, null));
        Assert.Empty(reader.Take("<tool_call>\n{\"name\": \"wea"));
        Assert.Equal(
            [new Called(0, "weather"), new Argued(0, "{\"city\"")],
            reader.Take("ther\", \"arguments\": {\"city\"")
        );
        Assert.Equal([new Argued(0, ": \"Ro")], reader.Take(": \"Ro"));
        Assert.Equal([new Argued(0, "me\"}")], reader.Take("me\"}}"));
        Assert.Empty(reader.End());
        Assert.Equal(1, reader.Calls);
    }

    [Theory]
    [InlineData("Qwen-Qwen3-0.6B", "hermes", Think)]
    [InlineData("Qwen3-Coder", "qwen3_coder", null)]
    [InlineData("GLM-4.6", "glm", Think)]
    [InlineData("mistralai-Mistral-Nemo-Instruct-2407", "mistral_nemo", null)]
    [InlineData("Mistral-Small-3.2-24B-Instruct-2506", "mistral", null)]
    [InlineData("llama-cpp-deepseek-r1", "deepseek_r1", Think)]
    [InlineData("deepseek-ai-DeepSeek-V3.1", "deepseek", Think)]
    [InlineData("CohereForAI-c4ai-command-r7b-12-2024-tool_use", "command_r7b", "<|START_THINKING|>")]
    [InlineData("moonshotai-Kimi-K2", "kimi_k2", null)]
    [InlineData("NVIDIA-Nemotron-Nano-v2", "nemotron", Think)]
    [InlineData("ibm-granite-granite-3.3-2B-Instruct", "granite", Think)]
    [InlineData("meta-llama-Llama-3.1-8B-Instruct", "llama3", null)]
    public async Task A_published_template_tells_what_its_model_writes(string template, string syntax, string? think)
    {
        await using var llama = new Tokenizing.LlamaVocabularies();
        await llama.InitializeAsync();
        var source = await File.ReadAllTextAsync(
            Path.Combine(llama.Templates(), $"{template}.jinja"),
            TestContext.Current.CancellationToken
        );
        Assert.Equal((syntax, think), (ToolSyntaxes.Of(source).Name, ThinkSyntax.Of(source)?.Open));
    }

    private static bool IsTool(string name) => name is "weather" or "clock";

    private static (string, string, string) Read(AnswerSyntax syntax, params string[] parts)
    {
        var reader = new AnswerReader(syntax);
        var pieces = parts.SelectMany(reader.Take).ToList();
        pieces.AddRange(reader.End());
        var calls = pieces
            .OfType<Called>()
            .Select(call =>
                call.Name
                + Canonical(
                    string.Concat(pieces.OfType<Argued>().Where(one => one.Call == call.Call).Select(one => one.Text))
                )
            );
        return (
            string.Concat(pieces.OfType<Thought>().Select(one => one.Text)),
            string.Concat(pieces.OfType<Said>().Select(one => one.Text)),
            string.Join(' ', calls)
        );
    }

    private static readonly JsonSerializerOptions Written = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All),
    };

    private static string Canonical(string json) => JsonNode.Parse(json)!.ToJsonString(Written);
}
