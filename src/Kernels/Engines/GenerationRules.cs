namespace EgpuFleet.Kernels.Engines;

/// <summary>What must hold of a generation before an engine sees it; what depends on the model is the engine's to check.</summary>
public static class GenerationRules
{
    private const double HighestTemperature = 2;
    private const double HighestPenalty = 2;
    private const double HighestBias = 100;

    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>.</exception>
    public static void Check(GenerateRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var options = request.Options;
        if (options.MaxTokens is < 1)
            throw Invalid($"max_tokens {options.MaxTokens} is less than 1.");
        if (options.Temperature is not (>= 0 and <= HighestTemperature))
            throw Invalid($"temperature {options.Temperature} is not in 0..{HighestTemperature}.");
        if (options.TopP is not (> 0 and <= 1))
            throw Invalid($"top_p {options.TopP} is not over 0 and at most 1.");
        if (options.TopK < 0)
            throw Invalid($"top_k {options.TopK} is negative.");
        if (options.TopLogProbs is < 0 or > Limits.TopLogProbs)
            throw Invalid($"top_log_probs {options.TopLogProbs} is not in 0..{Limits.TopLogProbs}.");
        if (options.Grammar is { Length: 0 or > Limits.GrammarCharacters } grammar)
            throw Invalid($"A grammar of {grammar.Length} characters is not in 1..{Limits.GrammarCharacters}.");
        CheckStopStrings(options.StopStrings);
        if (options.ShownTokens.Count > Limits.ShownTokens)
            throw Invalid($"{options.ShownTokens.Count} shown tokens are more than {Limits.ShownTokens}.");
        if (options.ShownTokens.Any(name => name is null or "" || name.Length > Limits.StopStringCharacters))
            throw Invalid("The name of a shown token is empty or too long.");
        CheckLogitRules(options);
        if (request.Prompt is ChatPrompt chat)
            ChatRules.Check(chat);
    }

    private static void CheckStopStrings(IReadOnlyList<string> stopStrings)
    {
        if (stopStrings.Count > Limits.StopStrings)
            throw Invalid($"{stopStrings.Count} stop strings are more than {Limits.StopStrings}.");
        if (stopStrings.Any(text => text is null or "" || text.Length > Limits.StopStringCharacters))
            throw Invalid($"A stop string is empty or longer than {Limits.StopStringCharacters} characters.");
    }

    private static void CheckLogitRules(GenerationOptions options)
    {
        if (Math.Abs(options.FrequencyPenalty) is not <= HighestPenalty)
            throw Invalid(
                $"frequency_penalty {options.FrequencyPenalty} is not in -{HighestPenalty}..{HighestPenalty}."
            );
        if (Math.Abs(options.PresencePenalty) is not <= HighestPenalty)
            throw Invalid($"presence_penalty {options.PresencePenalty} is not in -{HighestPenalty}..{HighestPenalty}.");
        var biases = options.LogitBiases;
        if (biases.Count > Limits.LogitBiases)
            throw Invalid($"{biases.Count} biases of logits are more than {Limits.LogitBiases}.");
        if (biases.Any(bias => bias is null || Math.Abs(bias.Bias) is not <= HighestBias))
            throw Invalid($"A bias of a logit is not in -{HighestBias}..{HighestBias}.");
        if (biases.Select(bias => bias.TokenId).Distinct().Count() < biases.Count)
            throw Invalid("A token has two biases.");
    }

    private static EngineException Invalid(string text) => new(EngineErrorClass.InvalidRequest, text);
}
