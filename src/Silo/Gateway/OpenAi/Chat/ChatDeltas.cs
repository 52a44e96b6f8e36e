using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Formats.Chat.Answers;

namespace EgpuFleet.Silo.Gateway.OpenAi.Chat;

/// <summary>What the chunks of one answer add.</summary>
/// <param name="choice">Index of the answer.</param>
/// <param name="reading">How it is sorted out; null: it is all text.</param>
internal sealed class ChatDeltas(int choice, AnswerSyntax? reading)
{
    private readonly AnswerReader? reader = reading is null ? null : new AnswerReader(reading);
    private readonly List<TokenLogProb> held = [];

    public IEnumerable<ChatChunkChoice> Take(TokenChunk chunk)
    {
        held.AddRange(chunk.LogProbs ?? []);
        if (reader is null)
        {
            if (chunk.Text.Length > 0 || chunk.FinishReason is not null)
                yield return Make(
                    new ChatDelta(Content: chunk.Text.Length > 0 ? chunk.Text : null),
                    chunk.FinishReason
                );
            yield break;
        }
        var pieces = reader.Take(chunk.Text);
        if (chunk.FinishReason is not null)
            pieces = [.. pieces, .. reader.End()];
        foreach (var piece in pieces)
            yield return Make(Delta(piece), null);
        if (chunk.FinishReason is { } reason)
            yield return Make(new ChatDelta(), ChatAnswer.Finish(reason, reader.Calls));
    }

    private static ChatDelta Delta(AnswerPiece piece) =>
        piece switch
        {
            Thought thought => new ChatDelta(ReasoningContent: thought.Text),
            Called called => new ChatDelta(
                ToolCalls: [new ChatToolCallDelta(called.Call, ToolCallIds.Next(), "function", new(called.Name, ""))]
            ),
            Argued argued => new ChatDelta(
                ToolCalls: [new ChatToolCallDelta(argued.Call, null, null, new(null, argued.Text))]
            ),
            _ => new ChatDelta(Content: ((Said)piece).Text),
        };

    private ChatChunkChoice Make(ChatDelta delta, string? finish)
    {
        var told = held.Count == 0 ? null : ChatLogProbs.Of([.. held]);
        held.Clear();
        return new ChatChunkChoice(choice, delta, told, finish);
    }
}
