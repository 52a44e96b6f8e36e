using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>How the answers to one request are worded: as a chat or as a completion, whole or in pieces.</summary>
public abstract class Dialect(string id, long created, string model)
{
    public string Id => id;

    protected long Created => created;

    protected string Model => model;

    /// <summary>An event before the first piece of an answer; null where there is none.</summary>
    public abstract object? Opening(int choice);

    /// <summary>The events of a piece; none where it tells nothing.</summary>
    public abstract IEnumerable<object> Pieces(ChoiceChunk piece);

    public abstract object Counts(Usage usage);

    /// <param name="choices">In the order of their index.</param>
    /// <param name="usage">Of all of them.</param>
    public abstract object Whole(IReadOnlyList<WholeChoice> choices, Usage usage);
}

/// <summary><c>/v1/completions</c>.</summary>
public sealed class CompletionDialect(long created, string model) : Dialect($"cmpl-{Guid.NewGuid():N}", created, model)
{
    private const string Name = "text_completion";

    private readonly Dictionary<int, TextLogProbWriter> writers = [];

    public override object? Opening(int choice) => null;

    public override IEnumerable<object> Pieces(ChoiceChunk piece)
    {
        var (choice, chunk) = piece;
        if (chunk.Text.Length > 0 || chunk.FinishReason is not null)
            yield return Make(
                [new TextChoice(chunk.Text, choice, Written(choice, chunk.LogProbs), chunk.FinishReason)],
                null
            );
    }

    public override object Counts(Usage usage) => Make([], usage);

    public override object Whole(IReadOnlyList<WholeChoice> choices, Usage usage) =>
        Make(
            [
                .. choices.Select(
                    (choice, index) =>
                        new TextChoice(choice.Text, index, Written(index, choice.LogProbs), choice.FinishReason)
                ),
            ],
            usage
        );

    private TextLogProbs? Written(int choice, IReadOnlyList<TokenLogProb>? told)
    {
        if (!writers.TryGetValue(choice, out var writer))
            writers[choice] = writer = new TextLogProbWriter();
        return writer.Write(told);
    }

    private Answer<TextChoice> Make(IReadOnlyList<TextChoice> choices, Usage? usage) =>
        new(Id, Name, Created, Model, choices, usage);
}
