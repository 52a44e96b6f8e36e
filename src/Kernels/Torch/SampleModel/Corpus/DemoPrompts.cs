using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EgpuFleet.Kernels.Torch.SampleModel.Corpus;

/// <summary>
/// Lines of a batch input file: two of five prompts are the first words of a text, the others are conversations with
/// one question. No prompt comes twice.
/// </summary>
public static class DemoPrompts
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The lines, each one JSON object without its line end.</summary>
    public static IEnumerable<string> Generate(int count, int seed)
    {
        var chooser = new Chooser(new Random(seed));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (seen.Count < count)
        {
            var isBeginning = seen.Count % 5 is 1 or 3;
            var text = isBeginning ? Beginning(chooser) : Questions.Any(chooser).Question;
            if (!seen.Add(text))
                continue;
            var id = $"demo-{seen.Count:000}";
            var line = isBeginning ? new Line(id, text, null) : new Line(id, null, [new Message("user", text)]);
            yield return JsonSerializer.Serialize(line, Json);
        }
    }

    private static string Beginning(Chooser chooser)
    {
        var text = chooser.Number(0, 9) switch
        {
            < 6 => Stories.Long(chooser),
            < 8 => Facts.Report(chooser),
            < 9 => Facts.Explain(chooser),
            _ => Facts.Weather(chooser),
        };
        return string.Join(' ', text.Split(' ')[..chooser.Number(3, 7)]);
    }

    private sealed record Line(string CustomId, string? Prompt, Message[]? Messages);

    private sealed record Message(string Role, string Content);
}
