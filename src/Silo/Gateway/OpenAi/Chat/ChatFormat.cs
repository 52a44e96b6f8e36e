using System.Net;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Formats.Chat.Answers;
using EgpuFleet.Kernels.Formats.Grammars;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary>What a chat asks of the form of its answer.</summary>
/// <param name="Tools">What may be called; null: nothing.</param>
/// <param name="Schema">JSON Schema of what is said; null: any text.</param>
/// <param name="Thinking">Whether the model is to think first; null: as it likes.</param>
/// <param name="TellsThoughts">Whether thoughts are told apart from the answer.</param>
public sealed record ChatFormat(ChatTools? Tools, JsonElement? Schema, bool? Thinking, bool TellsThoughts)
{
    public static ChatFormat Read(RequestFields fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        return new ChatFormat(
            ChatTools.Read(fields),
            ResponseFormat.Read(fields),
            ThinkingFields.Read(fields),
            ThinkingFields.TellsThoughts(fields)
        );
    }

    /// <summary>What it is for a model: how its answer is held and read, and what its template is told.</summary>
    /// <exception cref="GatewayException">400: no grammar can be made of a schema.</exception>
    public ModelFormat For(ChatWords? words)
    {
        var think = words?.Think is { } open ? ThinkSyntax.Find(open) : null;
        var syntax = Tools is null ? null : ToolSyntaxes.Find(words?.Tools ?? "") ?? ToolSyntaxes.Hermes;
        var isHeld = Schema is not null || Tools is { IsRequired: true };
        // A grammar leaves no room for thoughts.
        var thinking = isHeld && think is not null ? false : Thinking;
        var begins = thinking is false ? words?.BeginsThinkingOff is true : words?.BeginsThinking is true;
        var prefix = isHeld && begins && think is not null ? $"\n{think.Close}\n\n" : "";
        var reading = new AnswerSyntax(
            syntax,
            TellsThoughts ? think : null,
            begins,
            Tools is null ? null : Tools.IsText,
            IsTool
        );
        return new ModelFormat(
            isHeld ? Grammar(syntax, prefix) : null,
            reading is { Tools: null, Think: null } ? null : reading,
            new ChatSettings(Tools?.Json, thinking)
        );
    }

    private bool IsTool(string name) => Tools?.Callable.Any(tool => tool.Name == name) is true;

    private string Grammar(ToolSyntax? syntax, string prefix)
    {
        try
        {
            return syntax is null || Tools is null
                ? SchemaGrammar.Of(Schema!.Value, prefix)
                : ToolGrammar.Of(syntax, Tools.Callable, Tools.Several, prefix, Tools.IsRequired ? null : Schema);
        }
        catch (SchemaException e)
        {
            throw new GatewayException(HttpStatusCode.BadRequest, e.Code, $"The schema at {e.Message}.")
            {
                Param = Tools is { IsRequired: true } ? "tools" : "response_format",
            };
        }
    }
}

/// <param name="Grammar">GBNF that the answer is held to; null: none.</param>
/// <param name="Reading">How the answer is sorted out; null: it is all text.</param>
/// <param name="Settings">What the model's template is told.</param>
public sealed record ModelFormat(string? Grammar, AnswerSyntax? Reading, ChatSettings Settings)
{
    /// <summary>Control tokens that are markers in the answer.</summary>
    public string[]? Shown =>
        Reading is null
            ? null
            :
            [
                .. (Reading.Tools?.Markers ?? [])
                    .Concat(Reading.Think is { } think ? [think.Open, think.Close] : [])
                    .Distinct(),
            ];
}
