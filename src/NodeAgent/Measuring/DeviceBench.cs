using System.Threading.Channels;
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
/// Measures a device at its owner's wish: the shapes of <see cref="IdleMeasuring"/>, and blocks of large models where the
/// device has the room and the time for them. Work does not wait for it: it ends when any comes.
/// </summary>
/// <param name="longest">For one shape of a large model, by what the narrower ones took.</param>
internal sealed partial class DeviceBench(
    DeviceFacts facts,
    WorkerSupervisor supervisor,
    ShapeTimer timer,
    ThroughputMeter meter,
    SpeedBook book,
    TimeSpan longest,
    TimeProvider time,
    ChangeSignal changes,
    ILogger<DeviceBench> log
)
{
    private readonly Channel<WorkerProcess> asked = Channel.CreateBounded<WorkerProcess>(1);
    private readonly Lock gate = new();
    private BenchStatus? now;

    /// <summary>The measurement under way, or the last one; null before the first.</summary>
    public BenchStatus? Now
    {
        get
        {
            lock (gate)
                return now;
        }
    }

    /// <summary>Begins a measurement of a device that has nothing to do.</summary>
    /// <returns>In one sentence, why not; null: it begins.</returns>
    public string? Start()
    {
        if (supervisor.Worker is not { IsUsable: true } worker)
            return "It has no worker that is ready.";
        if (meter.Active > 0)
            return "It is generating: ask again when it is idle.";
        lock (gate)
        {
            if (now is { State: BenchState.Running })
                return "It is being measured already.";
            var total = Enum.GetValues<WeightKind>().Sum(kind => ProbeShape.Full(kind).Count);
            now = new BenchStatus(BenchState.Running, time.GetUtcNow(), "waiting for its turn", total, [], []);
        }
        asked.Writer.TryWrite(worker);
        changes.Raise();
        return null;
    }

    /// <summary>Measures whenever it is asked for, until the token fires.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (var worker in asked.Reader.ReadAllAsync(stopping))
                End(await MeasureAllAsync(worker, stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            End("The agent is stopping.");
        }
    }

    /// <summary>Why it was interrupted; null: it was not.</summary>
    private async Task<string?> MeasureAllAsync(WorkerProcess worker, CancellationToken stopping)
    {
        foreach (var kind in Enum.GetValues<WeightKind>())
        {
            if (await MeasureAsync(kind, worker, stopping) is { } interruption)
                return interruption;
        }
        return null;
    }

    private async Task<string?> MeasureAsync(WeightKind kind, WorkerProcess worker, CancellationToken stopping)
    {
        var samples = new List<SpeedSample>();
        var needed = ProbeShape.Quick(kind).Count;
        foreach (var shape in ProbeShape.Full(kind))
        {
            if (samples.Count >= needed && WhyTooSlow(shape, DeviceSpeed.Of(samples)) is { } slow)
            {
                Skip(slow);
                continue;
            }
            Say($"{SpeedBook.ToFleet(kind)}, hidden {shape.Hidden}, {shape.Blocks} blocks");
            try
            {
                if (meter.Active > 0 || await timer.TimeAsync(shape, worker, stopping) is not { } sample)
                    return "Work came.";
                samples.Add(sample);
                Add(sample);
            }
            catch (EngineException e) when (e.ErrorClass == EngineErrorClass.WorkerLost)
            {
                return "Its worker ended.";
            }
            catch (Exception e) when (e is EngineException or IOException)
            {
                Skip($"{SpeedBook.ToFleet(kind)}, hidden {shape.Hidden}: {e.Message}");
                LogSkipped(facts.Device.Name, kind, shape.Hidden, e.Message);
                // Without the narrow shapes nothing can be said of the kind.
                if (samples.Count < needed)
                    break;
            }
        }
        if (samples.Count >= needed)
            book.Keep(SpeedBook.SubjectOf(worker, facts), DeviceSpeed.Of(samples));
        changes.Raise();
        return null;
    }

    /// <summary>In one sentence, why a shape would take too long by what the narrower ones took; null where it would not.</summary>
    private string? WhyTooSlow(ProbeShape shape, DeviceSpeed speed)
    {
        var seconds = SpeedProbe.ExpectedSeconds(shape, speed);
        return seconds <= longest.TotalSeconds
            ? null
            : $"{SpeedBook.ToFleet(shape.Kind)}, hidden {shape.Hidden}: it would take about {seconds:0} s.";
    }

    private void Say(string what) => Change(status => status with { Now = what });

    private void Skip(string what) =>
        Change(status => status with { Skipped = [.. status.Skipped, Limits.Clip(what)] });

    private void Add(SpeedSample sample) =>
        Change(status => status with { Samples = [.. status.Samples, ToFleet(sample)] });

    private void End(string? interruption)
    {
        if (Now is not { State: BenchState.Running })
            return;
        Change(status =>
            status with
            {
                State = interruption is null ? BenchState.Done : BenchState.Interrupted,
                Now = interruption,
            }
        );
        LogEnd(facts.Device.Name, interruption ?? "all was measured");
    }

    private void Change(Func<BenchStatus, BenchStatus> to)
    {
        lock (gate)
        {
            if (now is { State: BenchState.Running })
                now = to(now);
        }
        changes.Raise();
    }

    private static BenchSample ToFleet(SpeedSample sample) =>
        new(
            SpeedBook.ToFleet(sample.Shape.Kind),
            sample.Shape.Hidden,
            sample.Shape.Blocks,
            sample.PromptTokens / sample.PromptSeconds,
            1 / sample.TokenSeconds,
            sample.BatchTokensPerSecond
        );

    [LoggerMessage(Level = LogLevel.Information, Message = "The measurement of {Device} ended: {Reason}")]
    private partial void LogEnd(string device, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Device} was not measured with {Kind} weights of width {Hidden}: {Reason}"
    )]
    private partial void LogSkipped(string device, WeightKind kind, int hidden, string reason);
}
