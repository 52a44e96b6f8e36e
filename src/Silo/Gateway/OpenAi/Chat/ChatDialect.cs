using EgpuFleet.Kernels.Formats.Chat.Answers;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary><c>/v1/chat/completions</c>.</summary>
/// <param name="reading">How answers are sorted out; null: they are all text.</param>
public sealed class ChatDialect(long created, string model, AnswerSyntax? reading)
    : Dialect($"chatcmpl-{Guid.NewGuid():N}", created, model)
{
    private const string Assistant = "assistant";

    private readonly Dictionary<int, ChatDeltas> deltas = [];

    public override object Opening(int choice) =>
        Chunk(new ChatChunkChoice(choice, new ChatDelta(Assistant, string.Empty), null, null));

    public override IEnumerable<object> Pieces(ChoiceChunk piece)
    {
        var (choice, chunk) = piece;
        if (!deltas.TryGetValue(choice, out var one))
            deltas[choice] = one = new ChatDeltas(choice, reading);
        return one.Take(chunk).Select(Chunk);
    }

    public override object Counts(Usage usage) =>
        new Answer<ChatChunkChoice>(Id, "chat.completion.chunk", Created, Model, [], usage);

    public override object Whole(IReadOnlyList<WholeChoice> choices, Usage usage) =>
        new Answer<ChatChoice>(Id, "chat.completion", Created, Model, [.. choices.Select(Whole)], usage);

    private ChatChoice Whole(WholeChoice choice, int index)
    {
        var (message, finish) = ChatAnswer.Read(choice.Text, choice.FinishReason, reading);
        return new ChatChoice(index, message, ChatLogProbs.Of(choice.LogProbs), finish);
    }

    private Answer<ChatChunkChoice> Chunk(ChatChunkChoice choice) =>
        new(Id, "chat.completion.chunk", Created, Model, [choice], null);
}
