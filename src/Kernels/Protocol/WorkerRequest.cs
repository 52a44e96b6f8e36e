using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EgpuFleet.Kernels.Engines;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>One request in work: its verb carried out under the caller's trace, its failure made an error frame.</summary>
internal sealed partial class WorkerRequest(
    WorkerEngine engine,
    RequestHeader header,
    ReadOnlyMemory<byte> body,
    ILogger logger
)
{
    public static ResponseHeader Result<T>(long id, T result, JsonTypeInfo<T> type) =>
        new(id, Result: JsonSerializer.SerializeToElement(result, type));

    /// <summary>The last frame to send, or null where the client is gone.</summary>
    public async Task<ResponseHeader?> RunAsync(FrameStream frames, GenerateCall? generate)
    {
        using var activity = WorkerTelemetry.StartRequest(header.Verb, header.Traceparent);
        try
        {
            return generate is null ? await AnswerAsync()
                : header.Verb.IsTraining() ? await TrainAsync(generate.Cancelled)
                : header.Verb == WorkerVerb.Tune ? await TuneAsync(frames, generate)
                : await StreamAsync(frames, generate, activity);
        }
        catch (EngineException exception)
        {
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            return new ResponseHeader(header.Id, Error: WorkerError.From(exception));
        }
        catch (OperationCanceledException)
        {
            var cancelled = new EngineException(EngineErrorClass.Cancelled, "Cancelled, or the worker is ending.");
            return new ResponseHeader(header.Id, Error: WorkerError.From(cancelled));
        }
        catch (IOException)
        {
            return null;
        }
        // A fault of ours must answer its request: the other requests and the worker go on.
        catch (Exception exception)
        {
            LogFault(header.Verb, exception);
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            var fault = new EngineException(EngineErrorClass.Internal, exception.Message, innerException: exception);
            return new ResponseHeader(header.Id, Error: WorkerError.From(fault));
        }
    }

    private async Task<ResponseHeader> AnswerAsync()
    {
        switch (header.Verb)
        {
            case WorkerVerb.Probe:
                return Result(header.Id, await engine.ProbeAsync(), ProtocolJson.Default.EngineProbe);
            case WorkerVerb.SelfTest:
                return Result(
                    header.Id,
                    await engine.SelfTestAsync(CancellationToken.None),
                    ProtocolJson.Default.SelfTestReport
                );
            case WorkerVerb.Load:
                var spec = ProtocolJson.Read(header.Params, ProtocolJson.Default.LoadSpec);
                // Not tied to the connection: an agent that comes back finds the model.
                var loaded = await engine.LoadAsync(spec, CancellationToken.None);
                return Result(header.Id, loaded, ProtocolJson.Default.ModelInfo);
            case WorkerVerb.WarmUp:
                var warm = await engine.WarmUpAsync(Model().ContentHash, CancellationToken.None);
                return Result(header.Id, warm, ProtocolJson.Default.ModelInfo);
            case WorkerVerb.Unload:
                await engine.UnloadAsync(Model().ContentHash);
                return Result(header.Id, Model(), ProtocolJson.Default.ModelParams);
            case WorkerVerb.Embed:
                var text = ProtocolJson.Read(body.Span, ProtocolJson.Default.EmbedBody).Text;
                var embedding = await engine.EmbedAsync(Model().ContentHash, text, CancellationToken.None);
                return Result(header.Id, embedding, ProtocolJson.Default.Embedding);
            case WorkerVerb.Stats:
                return Result(
                    header.Id,
                    await engine.StatsAsync(CancellationToken.None),
                    ProtocolJson.Default.WorkerStats
                );
            case WorkerVerb.UseTunings:
                var tunings = ProtocolJson.Read(body.Span, ProtocolJson.Default.IReadOnlyListKernelOpts);
                return Result(
                    header.Id,
                    await engine.UseTuningsAsync(tunings, CancellationToken.None),
                    ProtocolJson.Default.TuningsTaken
                );
            case WorkerVerb.Shutdown:
                return Result(header.Id, engine.Stats(), ProtocolJson.Default.WorkerStats);
            default:
                throw new EngineException(EngineErrorClass.ProtocolViolation, $"{header.Verb} is no request.");
        }
    }

    private ModelParams Model() => ProtocolJson.Read(header.Params, ProtocolJson.Default.ModelParams);

    /// <summary>Not tied to any credit: a search tells its progress less often than a client reads.</summary>
    private async Task<ResponseHeader> TuneAsync(FrameStream frames, GenerateCall call)
    {
        var wanted = ProtocolJson.Read(header.Params, ProtocolJson.Default.TuneParams);
        var result = await engine.TuneAsync(
            wanted,
            progress => frames.WriteAsync(new ResponseHeader(header.Id, Progress: progress)),
            call.Cancelled
        );
        return Result(header.Id, result, ProtocolJson.Default.TuneResult);
    }

    private async Task<ResponseHeader?> StreamAsync(FrameStream frames, GenerateCall call, Activity? activity)
    {
        var parameters = ProtocolJson.Read(header.Params, ProtocolJson.Default.GenerateParams);
        var given = ProtocolJson.Read(body.Span, ProtocolJson.Default.GenerateBody);
        var options = parameters.Options with { Grammar = given.Grammar, LogitBiases = given.LogitBiases ?? [] };
        var request = new GenerateRequest(parameters.ContentHash, given.Prompt, options, parameters.Priority);
        activity?.SetTag("egpufleet.model.hash", parameters.ContentHash);
        await foreach (var token in engine.GenerateAsync(request, call.Cancelled))
        {
            await call.SpendAsync();
            var frame = new ResponseHeader(header.Id, Token: token);
            if (token.Usage is not { } usage)
            {
                await frames.WriteAsync(frame);
                continue;
            }
            activity?.SetTag("gen_ai.usage.input_tokens", usage.PromptTokens);
            activity?.SetTag("gen_ai.usage.output_tokens", usage.CompletionTokens);
            activity?.SetTag("gen_ai.response.finish_reason", token.FinishReason?.ToString());
            return frame;
        }
        throw new EngineException(EngineErrorClass.Internal, "The generator ended without a finish reason.");
    }

    [LoggerMessage(LogLevel.Error, "{Verb} failed")]
    private partial void LogFault(WorkerVerb verb, Exception exception);
}
