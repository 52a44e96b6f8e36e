using System.Text.Json;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary>
/// Whether a model thinks before it answers, and whether its thoughts are told apart: <c>reasoning_effort</c> as OpenAI has
/// it, <c>chat_template_kwargs</c> as vLLM and <c>reasoning_format</c> as llama.cpp's server.
/// </summary>
internal static class ThinkingFields
{
    private static readonly string[] Efforts = ["none", "minimal", "low", "medium", "high", "xhigh"];

    /// <returns>Null: not said.</returns>
    public static bool? Read(RequestFields fields)
    {
        if (fields.Value("chat_template_kwargs") is { } given)
        {
            if (given.ValueKind != JsonValueKind.Object)
                throw RequestFields.Wrong("chat_template_kwargs", "must be an object");
            var told = new RequestFields(given, "chat_template_kwargs");
            if (told.Value("enable_thinking") is not null)
                return told.Flag("enable_thinking");
        }
        return fields.Text("reasoning_effort") switch
        {
            null => null,
            // There are no degrees of it here.
            { } effort when Efforts.Contains(effort) => effort == "none" ? false : null,
            _ => throw RequestFields.Wrong("reasoning_effort", $"must be one of {string.Join(", ", Efforts)}"),
        };
    }

    public static bool TellsThoughts(RequestFields fields) =>
        fields.Text("reasoning_format") switch
        {
            null or "auto" or "deepseek" => true,
            "none" => false,
            _ => throw RequestFields.Wrong("reasoning_format", "must be auto, deepseek or none"),
        };
}
