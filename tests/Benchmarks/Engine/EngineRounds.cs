using EgpuFleet.Benchmarks.Reports;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary>One file, loaded and warm everywhere, measured round by round; who comes first takes turns.</summary>
internal sealed class EngineRounds(
    string name,
    long weightBytes,
    TinygradPeer peer,
    EngineWorker ours,
    EngineWorker? llama
)
{
    private const double Giga = 1e9;

    /// <summary>The model that a worker has loaded with one slot.</summary>
    public static string One { get; } = new('1', 64);

    /// <summary>The model that a worker has loaded with <see cref="EngineSizes.Sequences"/> slots.</summary>
    public static string Several { get; } = new('8', 64);

    public async Task RunAsync(
        int round,
        FigureBook figures,
        MemoryBandwidth memory,
        CancellationToken cancellationToken
    )
    {
        var bandwidth = memory.Measure();
        var (theirs, own) = ((Alone?)null, (Alone?)null);
        if (round % 2 == 0)
            theirs = await AloneAsync(round, peer.GenerateAsync, cancellationToken);
        own = await AloneAsync(
            round,
            (prompt, tokens, token) => ours.GenerateAsync(One, _ => prompt, tokens, 1, token),
            cancellationToken
        );
        theirs ??= await AloneAsync(round, peer.GenerateAsync, cancellationToken);
        var (one, eight) = (own.TokensPerSecond, await TogetherAsync(ours, round, cancellationToken));
        var lonely = await ours.GenerateAsync(
            Several,
            _ => EngineSizes.Prompt(EngineSizes.PromptTokens, round),
            EngineSizes.Tokens,
            1,
            cancellationToken
        );
        figures.Add("memory_gb_s", bandwidth);
        figures.Add($"{name}_decode_1", one);
        figures.Add($"{name}_ratio", one / theirs.TokensPerSecond);
        figures.Add($"{name}_decode_1_of_8", lonely.TokensPerSecond(1));
        figures.Add($"{name}_decode_8", eight);
        figures.Add($"{name}_gain_8", eight / one);
        figures.Add($"{name}_memory_share", one * weightBytes / Giga / bandwidth);
        figures.Add($"{name}_prefill", own.PromptTokensPerSecond);
        figures.Add($"{name}_prefill_ratio", own.PromptTokensPerSecond / theirs.PromptTokensPerSecond);
        figures.Add($"tinygrad_llm.{name}_decode_1", theirs.TokensPerSecond);
        figures.Add($"tinygrad_llm.{name}_prefill", theirs.PromptTokensPerSecond);
        if (llama is not null)
            await LlamaAsync(llama, round, figures, cancellationToken);
    }

    private async Task LlamaAsync(
        EngineWorker llama,
        int round,
        FigureBook figures,
        CancellationToken cancellationToken
    )
    {
        var alone = await AloneAsync(
            round,
            (prompt, tokens, token) => llama.GenerateAsync(One, _ => prompt, tokens, 1, token),
            cancellationToken
        );
        figures.Add($"llama_cpp.{name}_decode_1", alone.TokensPerSecond);
        figures.Add($"llama_cpp.{name}_decode_8", await TogetherAsync(llama, round, cancellationToken));
        figures.Add($"llama_cpp.{name}_prefill", alone.PromptTokensPerSecond);
    }

    private static async Task<Alone> AloneAsync(
        int round,
        Func<int[], int, CancellationToken, Task<Generated>> generate,
        CancellationToken cancellationToken
    )
    {
        var prompt = EngineSizes.Prompt(EngineSizes.PromptTokens, round);
        var text = await generate(prompt, EngineSizes.Tokens, cancellationToken);
        var longPrompt = EngineSizes.Prompt(EngineSizes.LongPromptTokens, round + EngineSizes.RoundsMax);
        var start = await generate(longPrompt, 1, cancellationToken);
        return new Alone(text.TokensPerSecond(1), EngineSizes.LongPromptTokens / start.FirstSeconds);
    }

    private static async Task<double> TogetherAsync(EngineWorker worker, int round, CancellationToken cancellationToken)
    {
        var all = await worker.GenerateAsync(
            Several,
            sequence => EngineSizes.Prompt(EngineSizes.PromptTokens, round, sequence),
            EngineSizes.Tokens,
            EngineSizes.Sequences,
            cancellationToken
        );
        return all.TokensPerSecond(EngineSizes.Sequences);
    }

    /// <summary>What one sequence by itself reached.</summary>
    private sealed record Alone(double TokensPerSecond, double PromptTokensPerSecond);
}
