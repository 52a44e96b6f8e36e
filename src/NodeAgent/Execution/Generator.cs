using System.Diagnostics;
using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Workers;
using EngineMessage = EgpuFleet.Kernels.Engines.ChatMessage;
using EngineRequest = EgpuFleet.Kernels.Engines.GenerateRequest;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>One generation in the worker, measured.</summary>
internal sealed class Generator(ThroughputMeter meter)
{
    /// <summary>Streams tokens; ends with <see cref="OperationCanceledException"/> when the token fires.</summary>
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
        meter.Begin();
        try
        {
            await foreach (var token in worker.Client.GenerateAsync(request, cancellationToken))
            {
                meter.Token();
                yield return token;
            }
        }
        finally
        {
            meter.End();
        }
    }

    /// <summary>Exactly one of the three is set; none is an empty text, which starts from BOS alone.</summary>
    public static Prompt PromptOf(string? text, int[]? tokenIds, Grains.Interfaces.Serving.ChatMessage[]? messages)
    {
        if (messages is not null)
            return new ChatPrompt([.. messages.Select(message => new EngineMessage(message.Role, message.Content))]);
        return tokenIds is not null ? new TokenPrompt(tokenIds) : new TextPrompt(text ?? string.Empty);
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
        };
}
