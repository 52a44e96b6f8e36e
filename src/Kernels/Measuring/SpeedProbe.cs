using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Measuring;

/// <summary>
/// Times a device through its worker, by the same calls that serve requests: models of a known shape are written, loaded,
/// timed and removed again. Any engine can be asked; the device should have nothing else to do.
/// </summary>
/// <param name="folder">Where the models are written; one file at a time.</param>
/// <param name="threads">Processor threads lent to the device.</param>
public sealed class SpeedProbe(WorkerClient worker, string folder, int threads, TimeProvider time)
{
    /// <summary>Sequences decoded together where that is timed.</summary>
    public const int Batch = 8;

    private const int PromptTokens = 256;
    private const int DecodedTokens = 24;
    private const int Repetitions = 3;

    private int prompts;

    /// <summary>About how long it takes to time a shape on a device of a known speed.</summary>
    public static double ExpectedSeconds(ProbeShape shape, DeviceSpeed speed)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(speed);
        var prompt =
            speed.PromptSeconds
            + (speed.PromptBlockSeconds * shape.Blocks)
            + (speed.SecondsPerFlop * shape.FlopsPerToken * PromptTokens);
        var token =
            speed.StepSeconds + (speed.BlockSeconds * shape.Blocks) + (speed.SecondsPerByte * shape.ActiveBytes);
        var decoded = Repetitions + (Batch / speed.BatchGain);
        // One prompt warms up, another stands for the kernels that are compiled.
        return (speed.LoadSecondsPerByte * shape.ActiveBytes)
            + ((Repetitions + 2) * prompt)
            + (decoded * DecodedTokens * token);
    }

    /// <summary>Times one shape.</summary>
    /// <exception cref="EngineException">The worker cannot run it, for want of memory, say.</exception>
    public async Task<SpeedSample> MeasureAsync(ProbeShape shape, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(shape.ToString())));
        var path = Path.Combine(folder, $"probe-{hash[..16]}.gguf");
        try
        {
            await using (var stream = File.Create(path))
                ProbeModel.Write(stream, shape);
            var started = time.GetTimestamp();
            var spec = new LoadSpec(path, hash, threads, ProbeModel.ContextTokens, Batch, Exact: false);
            // Not the caller's token: a load that goes on in the worker unseen would be memory nobody counts.
            await worker.LoadAsync(spec, CancellationToken.None);
            var loadSeconds = Since(started);
            try
            {
                return await TimeAsync(shape, hash, loadSeconds, cancellationToken);
            }
            finally
            {
                await worker.UnloadAsync(hash, CancellationToken.None);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task<SpeedSample> TimeAsync(
        ProbeShape shape,
        string hash,
        double loadSeconds,
        CancellationToken cancellationToken
    )
    {
        await worker.WarmUpAsync(hash, cancellationToken);
        // Once for nothing: kernels of this length are compiled, pages are there.
        await GenerateAsync(hash, PromptTokens, 2, cancellationToken);
        var prompt = new List<double>();
        var token = new List<double>();
        for (var i = 0; i < Repetitions; i++)
        {
            prompt.Add((await GenerateAsync(hash, PromptTokens, 1, cancellationToken)).FirstSeconds);
            token.Add((await GenerateAsync(hash, 1, DecodedTokens, cancellationToken)).SecondsPerToken);
        }
        var started = time.GetTimestamp();
        await Task.WhenAll(
            Enumerable.Range(0, Batch).Select(_ => GenerateAsync(hash, 1, DecodedTokens, cancellationToken))
        );
        var batch = Batch * DecodedTokens / Since(started);
        return new SpeedSample(shape, PromptTokens, Median(prompt), Median(token), batch, loadSeconds);
    }

    private async Task<(double FirstSeconds, double SecondsPerToken)> GenerateAsync(
        string hash,
        int promptTokens,
        int maxTokens,
        CancellationToken cancellationToken
    )
    {
        // Every prompt begins with another token: none finds the last one's prefix kept.
        var first = Interlocked.Increment(ref prompts);
        var ids = Enumerable.Range(0, promptTokens).Select(i => 1 + ((first + (7 * i)) % 500)).ToArray();
        var request = new GenerateRequest(hash, new TokenPrompt(ids), new GenerationOptions(maxTokens));
        var started = time.GetTimestamp();
        var (firstAt, tokens) = (0.0, 0);
        await foreach (var _ in worker.GenerateAsync(request, cancellationToken))
        {
            if (tokens++ == 0)
                firstAt = Since(started);
        }
        if (tokens < maxTokens)
            throw new EngineException(
                EngineErrorClass.Internal,
                $"The probe ended after {tokens} of {maxTokens} tokens."
            );
        return (firstAt, tokens > 1 ? (Since(started) - firstAt) / (tokens - 1) : 0);
    }

    private double Since(long started) => time.GetElapsedTime(started).TotalSeconds;

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
