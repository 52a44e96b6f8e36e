using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.LlamaCpp.Sampling;

/// <summary>
/// What one generation does to the model's logits before a token is chosen: fixed biases, and penalties for what it has said
/// already. The prompt is not counted.
/// </summary>
internal sealed class LogitRules
{
    private readonly GenerationOptions options;
    private readonly Dictionary<int, int> said = [];

    private LogitRules(GenerationOptions options) => this.options = options;

    /// <returns>Null: the logits stay as they are.</returns>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: a biased token is not of the vocabulary.</exception>
    public static LogitRules? Of(GenerationOptions options, int vocabularySize)
    {
        if (!options.HasLogitRules)
            return null;
        foreach (var (token, _) in options.LogitBiases)
        {
            if (token < 0 || token >= vocabularySize)
                throw new EngineException(
                    EngineErrorClass.InvalidRequest,
                    $"logit_bias names the token {token}; the model has those from 0 to {vocabularySize - 1}."
                );
        }
        return new LogitRules(options);
    }

    /// <summary>Changes logits, one per token of the vocabulary, in their place.</summary>
    public void Apply(Span<float> logits)
    {
        foreach (var (token, bias) in options.LogitBiases)
            logits[token] += (float)bias;
        foreach (var (token, times) in said)
            logits[token] -= (float)((times * options.FrequencyPenalty) + options.PresencePenalty);
    }

    /// <summary>Counts a token of the completion.</summary>
    public void Accept(int token) => CollectionsMarshal.GetValueRefOrAddDefault(said, token, out _)++;
}
