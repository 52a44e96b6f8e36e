using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Measuring;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;
using DeviceSpeed = EgpuFleet.Kernels.Measuring.DeviceSpeed;
using WeightKind = EgpuFleet.Kernels.Measuring.WeightKind;

namespace EgpuFleet.NodeAgent.Measuring;

/// <summary>
/// Measures a new device while it has nothing else to do, one shape at a time. Work never waits for it: the measurement of a
/// shape is given up when any comes, and made again later.
/// </summary>
internal sealed partial class IdleMeasuring(
    DeviceFacts facts,
    WorkerSupervisor supervisor,
    ShapeTimer timer,
    ThroughputMeter meter,
    SpeedBook book,
    TimeProvider time,
    ChangeSignal changes,
    ILogger<IdleMeasuring> log
)
{
    private readonly List<SpeedSample> samples = [];
    private readonly HashSet<WeightKind> givenUp = [];

    /// <summary>Runs until everything is measured, or the token fires.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await MeasureAllAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What was measured is kept; the rest is measured after the next start.
        }
    }

    private async Task MeasureAllAsync(CancellationToken stopping)
    {
        using var looks = new PeriodicTimer(Limits.MeasureAfterIdle, time);
        var tokens = meter.Tokens;
        while (await looks.WaitForNextTickAsync(stopping))
        {
            var wasIdle = meter.Active == 0 && meter.Tokens == tokens;
            tokens = meter.Tokens;
            if (!wasIdle || supervisor.Worker is not { } worker)
                continue;
            var subject = SpeedBook.SubjectOf(worker, facts);
            while (NextKind(subject) is { } kind && meter.Active == 0 && worker.IsUsable)
            {
                if (!await MeasureNextAsync(worker, subject, kind, stopping))
                    break;
            }
            if (NextKind(subject) is null)
                return;
        }
    }

    private WeightKind? NextKind(string subject)
    {
        var known = book.KindsOf(subject);
        foreach (var kind in Enum.GetValues<WeightKind>())
        {
            if (!known.Contains(kind) && !givenUp.Contains(kind))
                return kind;
        }
        return null;
    }

    /// <summary>Measures the next shape of a kind; false when work came, or the worker went.</summary>
    private async Task<bool> MeasureNextAsync(
        WorkerProcess worker,
        string subject,
        WeightKind kind,
        CancellationToken stopping
    )
    {
        samples.RemoveAll(sample => sample.Shape.Kind != kind);
        var shapes = ProbeShape.Quick(kind);
        try
        {
            if (await timer.TimeAsync(shapes[samples.Count], worker, stopping) is not { } sample)
                return false;
            samples.Add(sample);
        }
        catch (EngineException e) when (e.ErrorClass == EngineErrorClass.WorkerLost)
        {
            return false;
        }
        catch (Exception e) when (e is EngineException or IOException)
        {
            // It cannot run such weights, or has no room for them: the nearest kind stands for this one.
            givenUp.Add(kind);
            LogNotMeasured(facts.Device.Name, kind, e.Message);
            return true;
        }
        if (samples.Count < shapes.Count)
            return true;
        book.Keep(subject, DeviceSpeed.Of(samples));
        LogMeasured(facts.Device.Name, kind);
        changes.Raise();
        return true;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Measured {Device} with {Kind} weights")]
    private partial void LogMeasured(string device, WeightKind kind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} was not measured with {Kind} weights: {Reason}")]
    private partial void LogNotMeasured(string device, WeightKind kind, string reason);
}
