namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>How many log-probabilities are asked for: a flag and a number in a chat, one number in a completion.</summary>
internal static class LogProbsField
{
    private const string Name = "logprobs";
    private const string Top = "top_logprobs";

    /// <returns>Of how many likely tokens beside the one that came; null: of none, not even that one.</returns>
    /// <exception cref="GatewayException">400.</exception>
    public static int? ReadChat(RequestFields fields)
    {
        var told = fields.Flag(Name);
        var top = (int?)fields.Whole(Top, 0, Limits.ChatTopLogProbs);
        if (top > 0 && !told)
            throw RequestFields.Wrong(Top, $"needs {Name} to be true");
        return told ? top ?? 0 : null;
    }

    /// <inheritdoc cref="ReadChat"/>
    public static int? ReadCompletion(RequestFields fields) =>
        (int?)fields.Whole(Name, 0, Limits.CompletionTopLogProbs);
}
