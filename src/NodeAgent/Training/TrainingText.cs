using System.Text;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>Shows in words what a model says: the beginning of one sample, continued.</summary>
internal sealed class TrainingText(GgufTokenizer tokenizer, TokenSample shown)
{
    private const int PromptTokens = 16;
    private const int AnswerTokens = 48;

    /// <summary>The prompt and what the model makes of it, on one line.</summary>
    public async Task<string> ContinueAsync(ITrainingSession session, CancellationToken cancellationToken)
    {
        var prompt = Prompt();
        var answer = await session.ContinueAsync(
            prompt,
            AnswerTokens,
            [.. tokenizer.EndOfGeneration.Order()],
            cancellationToken
        );
        return $"{Quote(prompt)} -> {Quote(answer)}";
    }

    /// <summary>What comes before the first token that is learnt; of a text that is learnt from its start, its first tokens.</summary>
    private int[] Prompt()
    {
        var learnt = Array.FindIndex(shown.LossMask, counts => counts != 0);
        return shown.Tokens[..Math.Min(learnt > 1 ? learnt : PromptTokens, shown.Tokens.Length)];
    }

    private string Quote(IReadOnlyList<int> tokens)
    {
        byte[] bytes = [.. tokens.SelectMany((token, i) => tokenizer.Piece(token, beginsText: i == 0))];
        return $"\"{Encoding.UTF8.GetString(bytes).ReplaceLineEndings("\\n")}\"";
    }
}
