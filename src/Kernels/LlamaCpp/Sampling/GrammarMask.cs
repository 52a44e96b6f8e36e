using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp.Native;

namespace EgpuFleet.Kernels.LlamaCpp.Sampling;

/// <summary>Leaves the tokens that a grammar allows. Holds buffers only.</summary>
internal sealed class GrammarMask(int vocabularySize)
{
    private readonly LlamaTokenData[] candidates = new LlamaTokenData[vocabularySize];
    private readonly float[] masked = new float[vocabularySize];

    /// <returns>The logits, minus infinity where a token is not allowed; the caller's until the next call.</returns>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: no token is.</exception>
    public ReadOnlySpan<float> Of(ReadOnlySpan<float> logits, LlamaGrammar grammar)
    {
        grammar.Mask(logits, candidates, masked);
        return masked.AsSpan().ContainsAnyExcept(float.NegativeInfinity)
            ? masked
            : throw new EngineException(
                EngineErrorClass.InvalidRequest,
                "The grammar asks for a text that the model has no tokens for."
            );
    }
}
