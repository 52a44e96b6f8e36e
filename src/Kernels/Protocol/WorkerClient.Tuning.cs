using System.Diagnostics;
using System.Text.Json;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Protocol;

public sealed partial class WorkerClient
{
    /// <summary>Gives tuned kernels for models loaded from now on.</summary>
    public Task<TuningsTaken> UseTuningsAsync(
        IReadOnlyList<KernelOpts> tunings,
        CancellationToken cancellationToken = default
    ) =>
        CallAsync(
            WorkerVerb.UseTunings,
            null,
            ProtocolJson.Default.TuningsTaken,
            cancellationToken,
            JsonSerializer.SerializeToUtf8Bytes(tunings, ProtocolJson.Default.IReadOnlyListKernelOpts)
        );

    /// <summary>Searches faster kernels of a loaded model; when the token fires, the worker is told to stop.</summary>
    /// <exception cref="EngineException">As of <see cref="IModelShard.TuneAsync"/>, and <see cref="EngineErrorClass.WorkerLost"/>.</exception>
    /// <exception cref="OperationCanceledException">At once when <paramref name="cancellationToken"/> fires.</exception>
    public async Task<TuneResult> TuneAsync(
        string contentHash,
        double seconds,
        Action<TuneProgress> progress,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(progress);
        var parameters = Params(new TuneParams(contentHash, seconds), ProtocolJson.Default.TuneParams);
        using var call = Register();
        await SendAsync(new(call.Id, WorkerVerb.Tune, parameters, Activity.Current?.Id), default, cancellationToken);
        try
        {
            while (true)
            {
                var response = await call.NextAsync(cancellationToken);
                if (response.Progress is not { } step)
                    return ProtocolJson.Read(
                        response.Result ?? throw Unexpected(response),
                        ProtocolJson.Default.TuneResult
                    );
                progress(step);
            }
        }
        catch (OperationCanceledException)
        {
            var cancel = Params(new CancelParams(call.Id), ProtocolJson.Default.CancelParams);
            await TellAsync(WorkerVerb.Cancel, cancel);
            throw;
        }
    }
}
