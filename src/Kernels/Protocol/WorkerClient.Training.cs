using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Protocol;

public sealed partial class WorkerClient
{
    private TrainingClient? training;

    /// <summary>Memory that a session would take, without loading anything.</summary>
    /// <exception cref="EngineException">As of <see cref="IKernelEngine.EstimateTrainingAsync"/>.</exception>
    public Task<TrainEstimate> EstimateTrainingAsync(TrainSpec spec, CancellationToken cancellationToken = default)
    {
        TrainRules.Check(spec);
        return TrainAsync(
            WorkerVerb.TrainEstimate,
            Params(spec, ProtocolJson.Default.TrainSpec),
            ProtocolJson.Default.TrainEstimate,
            default,
            cancellationToken
        );
    }

    /// <summary>
    /// Opens the worker's one training session, in place of the one before. Of a call whose token fires the worker hears at
    /// once and ends it at its next pass; what was done by then nevertheless is answered as usual, so that the caller always
    /// knows what the session has seen.
    /// </summary>
    /// <exception cref="EngineException">As of <see cref="IKernelEngine.OpenTrainingAsync"/>.</exception>
    public async Task<ITrainingSession> OpenTrainingAsync(TrainSpec spec, CancellationToken cancellationToken = default)
    {
        TrainRules.Check(spec);
        training = null;
        var info = await TrainAsync(
            WorkerVerb.TrainOpen,
            Params(spec, ProtocolJson.Default.TrainSpec),
            ProtocolJson.Default.TrainInfo,
            default,
            cancellationToken
        );
        return training = new TrainingClient(this, info);
    }

    /// <summary>Whether a session is the last one opened here: calls of another would reach that one.</summary>
    internal bool IsCurrent(TrainingClient session) => ReferenceEquals(training, session);

    internal static JsonElement TrainParams<T>(T parameters, JsonTypeInfo<T> type) => Params(parameters, type);

    internal async Task<T> TrainAsync<T>(
        WorkerVerb verb,
        JsonElement? parameters,
        JsonTypeInfo<T> type,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    )
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var call = Register();
        await SendAsync(new(call.Id, verb, parameters, Activity.Current?.Id), body, cancellationToken);
        var cancel = Params(new CancelParams(call.Id), ProtocolJson.Default.CancelParams);
        await using var registration = cancellationToken.Register(() => _ = TellAsync(WorkerVerb.Cancel, cancel));
        var response = await call.NextAsync(CancellationToken.None);
        if (response.Error is { ErrorClass: EngineErrorClass.Cancelled })
            cancellationToken.ThrowIfCancellationRequested();
        return ProtocolJson.Read(response.Result ?? throw Unexpected(response), type);
    }
}
