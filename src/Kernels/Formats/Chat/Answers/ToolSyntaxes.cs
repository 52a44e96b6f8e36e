namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>The ways of calling tools that are known, and which one a template is written for.</summary>
public static class ToolSyntaxes
{
    private const string DeepSeekOpen = "<｜tool▁call▁begin｜>";
    private const string DeepSeekSeparator = "<｜tool▁sep｜>";
    private const string DeepSeekClose = "<｜tool▁call▁end｜>";

    private const string DeepSeekBefore = "<｜tool▁calls▁begin｜>";
    private const string DeepSeekAfter = "<｜tool▁calls▁end｜>";

    /// <summary>That of Hermes and Qwen; also of models whose templates know no tools, which are told it in words.</summary>
    public static ToolSyntax Hermes { get; } = new("hermes", ToolBody.Json, "<tool_call>", "</tool_call>");

    /// <summary>The first whose words a template has is the one.</summary>
    private static readonly (ToolSyntax Syntax, string[] Words)[] Known =
    [
        (new("qwen3_coder", ToolBody.Parameters, "<tool_call>", "</tool_call>"), ["<tool_call>", "<parameter="]),
        (new("glm", ToolBody.Pairs, "<tool_call>", "</tool_call>"), ["<tool_call>", "<arg_key>"]),
        (Hermes, ["<tool_call>", "</tool_call>"]),
        (new("mistral", ToolBody.NamedJson, "[TOOL_CALLS]", "") { AfterName = "[ARGS]" }, ["[TOOL_CALLS]", "[ARGS]"]),
        (new("mistral_nemo", ToolBody.Json, "[TOOL_CALLS]", "") { IsList = true }, ["[TOOL_CALLS]"]),
        (
            new("deepseek_r1", ToolBody.NamedJson, DeepSeekOpen, DeepSeekClose)
            {
                BeforeName = $"function{DeepSeekSeparator}",
                AfterName = "\n```json\n",
                AfterArguments = "\n```",
                Before = DeepSeekBefore,
                After = DeepSeekAfter,
            },
            [DeepSeekOpen, "```json"]
        ),
        (
            new("deepseek", ToolBody.NamedJson, DeepSeekOpen, DeepSeekClose)
            {
                AfterName = DeepSeekSeparator,
                Before = DeepSeekBefore,
                After = DeepSeekAfter,
            },
            [DeepSeekOpen]
        ),
        (
            new("command_r7b", ToolBody.Json, "<|START_ACTION|>", "<|END_ACTION|>")
            {
                IsList = true,
                Members = ("tool_name", "parameters"),
                Dropped = ["<|START_RESPONSE|>", "<|END_RESPONSE|>"],
            },
            ["<|START_ACTION|>"]
        ),
        (
            new("kimi_k2", ToolBody.NamedJson, "<|tool_call_begin|>", "<|tool_call_end|>")
            {
                BeforeName = "functions.",
                AfterName = "<|tool_call_argument_begin|>",
                Before = "<|tool_calls_section_begin|>",
                After = "<|tool_calls_section_end|>",
            },
            ["<|tool_call_begin|>", "<|tool_call_argument_begin|>"]
        ),
        (new("nemotron", ToolBody.Json, "<TOOLCALL>", "</TOOLCALL>") { IsList = true }, ["<TOOLCALL>"]),
        (new("granite", ToolBody.Json, "<|tool_call|>", "") { IsList = true }, ["<|tool_call|>"]),
        (
            new("llama3", ToolBody.Json, "", "") { Members = ("name", "parameters"), Dropped = ["<|python_tag|>"] },
            ["\"parameters\"", "ipython"]
        ),
    ];

    /// <summary>The syntax of a name that was recorded; null: none of this version.</summary>
    public static ToolSyntax? Find(string name) =>
        Known.Select(one => one.Syntax).FirstOrDefault(one => one.Name == name);

    /// <summary>What a model with this template writes.</summary>
    public static ToolSyntax Of(string template) =>
        Known
            .Where(one => one.Words.All(word => template.Contains(word, StringComparison.Ordinal)))
            .Select(one => one.Syntax)
            .FirstOrDefault()
        ?? Hermes;
}
