using System.Diagnostics;
using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Workers;
using EngineBias = EgpuFleet.Kernels.Engines.LogitBias;
using EngineRequest = EgpuFleet.Kernels.Engines.GenerateRequest;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// One generation in the worker, measured and watched: a worker may answer probes while its device hangs, and then no token
/// ever comes. Such a worker is given up and replaced.
/// </summary>
internal sealed class Generator(ThroughputMeter meter, LiveSpeeds speeds, TimeProvider time)
{
    /// <summary>Streams tokens; ends with <see cref="OperationCanceledException"/> when the token fires.</summary>
    /// <exception cref="EngineException">As of the worker, and <see cref="EngineErrorClass.WorkerHung"/>.</exception>
    public async IAsyncEnumerable<GeneratedToken> RunAsync(
        WorkerProcess worker,
        string sha256,
        Prompt prompt,
        GenerationParameters parameters,
        GenerationPriority priority,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var request = new EngineRequest(sha256, prompt, Options(parameters), priority);
        using var silence = new CancellationTokenSource(Limits.FirstTokenTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        using var run = speeds.Begin(sha256);
        meter.Begin();
        try
        {
            await using var tokens = worker.Client.GenerateAsync(request, either.Token).GetAsyncEnumerator(default);
            while (await NextAsync(tokens, worker, silence, cancellationToken))
            {
                // A reader may take its time; only the worker's silence counts.
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
                meter.Token();
                run.Token();
                yield return tokens.Current;
                silence.CancelAfter(Limits.TokenTimeout);
            }
        }
        finally
        {
            meter.End();
        }
    }

    /// <summary>The fleet's word for why a text ended.</summary>
    public static string FinishText(FinishReason reason) =>
        reason switch
        {
            FinishReason.Stop => "stop",
            FinishReason.Length => "length",
            FinishReason.Cancelled => "cancelled",
            _ => throw new UnreachableException($"No such finish reason: {reason}"),
        };

    private static async ValueTask<bool> NextAsync(
        IAsyncEnumerator<GeneratedToken> tokens,
        WorkerProcess worker,
        CancellationTokenSource silence,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await tokens.MoveNextAsync();
        }
        catch (OperationCanceledException)
            when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            const string Reason = "The worker answers, but no token came for too long: its device hangs.";
            worker.Condemn(Reason);
            throw new EngineException(EngineErrorClass.WorkerHung, Reason);
        }
    }

    private static GenerationOptions Options(GenerationParameters parameters) =>
        new(
            parameters.MaxTokens,
            parameters.Temperature,
            parameters.TopP,
            parameters.TopK,
            unchecked((ulong)parameters.Seed)
        )
        {
            StopStrings = parameters.Stop,
            Grammar = parameters.Grammar,
            FrequencyPenalty = parameters.FrequencyPenalty,
            PresencePenalty = parameters.PresencePenalty,
            TopLogProbs = parameters.TopLogProbs,
            ShownTokens = parameters.Shown ?? [],
            LogitBiases = [.. (parameters.Biases ?? []).Select(one => new EngineBias(one.TokenId, one.Bias))],
        };
}
