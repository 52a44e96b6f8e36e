using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Failures;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>
/// Keeps one worker alive: carries out what <see cref="WorkerLifecycle"/> decides, one phase after the other. Everybody else
/// reads <see cref="Life"/> and <see cref="Worker"/>; every change of phase is signalled.
/// </summary>
internal sealed partial class WorkerSupervisor(
    string device,
    WorkerLife beginning,
    WorkerLauncher launcher,
    DeviceMemory memory,
    BringUp bringUp,
    TimeProvider time,
    ChangeSignal changes,
    ILogger<WorkerSupervisor> log,
    DevicePatience? limits = null,
    CrashGuard? guard = null
)
{
    private readonly WorkerWish wish = new();
    private readonly WorkerWatch watch = new(limits ?? DevicePatience.Standard, time);
    private readonly long origin = time.GetTimestamp();
    private volatile WorkerLife life = beginning;
    private volatile WorkerProcess? worker;
    private volatile bool isEnding;
    private volatile TaskCompletionSource moved = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WorkerLife Life => life;

    /// <summary>The worker that takes work; null unless ready, and from the moment its connection breaks.</summary>
    public WorkerProcess? Worker =>
        life.Phase == WorkerPhase.Ready && worker is { IsUsable: true } usable ? usable : null;

    /// <summary>Ends at the next change of <see cref="Life"/>; for any number of waiters, who take it before they look.</summary>
    public Task Moved => moved.Task;

    /// <summary>The last process there was; 0 before the first.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Called when a worker has died, on the supervisor's own run.</summary>
    public Action? Died { get; set; }

    /// <summary>Called when a worker has passed its test, on the supervisor's own run.</summary>
    public Action<WorkerProcess>? Tested { get; set; }

    /// <summary>Whether a device that is held still has a process that is on its way out.</summary>
    public bool IsEnding => isEnding;

    /// <summary>Keeps the device without a worker, or (null) lets it have one, which is tested first.</summary>
    public void Hold(WorkerHold? wanted) => wish.Hold(wanted);

    /// <summary>Ends a wait or a quarantine: somebody says that what was wrong is mended.</summary>
    public void Clear() => wish.Clear();

    /// <summary>Runs until the token fires; then ends the worker in order and returns.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
                await TurnAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Happened(new WorkerEvent.StopAsked());
            if (worker is { } last)
                await last.EndAsync();
            guard?.Closed(device);
        }
    }

    /// <summary>One phase, or as much of it as there is until others want something else.</summary>
    private async Task TurnAsync(CancellationToken stopping)
    {
        var (hold, isCleared, changed) = wish.Look();
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (isCleared)
            Happened(new WorkerEvent.Cleared());
        var work = hold is null ? StepAsync(turn.Token) : HoldAsync(hold, turn.Token);
        if (await Task.WhenAny(work, changed) != work)
            await turn.CancelAsync();
        try
        {
            await work;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Something else is wanted by now.
        }
    }

    private async Task HoldAsync(WorkerHold hold, CancellationToken cancellationToken)
    {
        isEnding = true;
        Happened(new WorkerEvent.HeldBack(hold));
        LogHeld(device, hold.Reason);
        try
        {
            await EndWorkerAsync(hold);
        }
        finally
        {
            isEnding = false;
            changes.Raise();
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
    }

    private async Task EndWorkerAsync(WorkerHold hold)
    {
        if (worker is { } last)
        {
            worker = null;
            await (
                hold.Kind switch
                {
                    // As a lost link kills it.
                    HoldKind.Rehearsal => last.KillAtOnceAsync(),
                    // Its GPU answers nothing any more.
                    HoldKind.Absent => last.KillAsync(hold.Reason),
                    _ => last.EndAsync(),
                }
            );
        }
        else
        {
            // One that an earlier agent left, or that was just being started.
            await launcher.EndLeftAsync();
        }
        guard?.Closed(device);
    }

    private async Task StepAsync(CancellationToken stopping)
    {
        switch (life.Phase)
        {
            case WorkerPhase.Starting:
                await StartAsync(stopping);
                break;
            case WorkerPhase.Testing:
                await TestAsync(worker!, stopping);
                break;
            case WorkerPhase.Ready:
                var (reason, isHang) = await watch.UntilGoneAsync(worker!, stopping);
                await BuryAsync($"{reason} {launcher.LastLine()}".TrimEnd(), isHang);
                break;
            case WorkerPhase.Held:
                Happened(new WorkerEvent.Released());
                break;
            case WorkerPhase.Waiting or WorkerPhase.Quarantined:
                await Task.Delay(Until(life.RestartAt), time, stopping);
                Happened(new WorkerEvent.Waited());
                break;
            default:
                await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping);
                break;
        }
    }

    private async Task StartAsync(CancellationToken stopping)
    {
        using var phase = bringUp.Begin("starting the worker");
        try
        {
            // Before the device is opened: what follows may take the whole machine down.
            guard?.Opening(device);
            worker = await launcher.StartAsync(stopping);
            ProcessId = worker.ProcessId;
            Happened(new WorkerEvent.Connected());
        }
        catch (Exception e)
            when (e is WorkerStartException or EngineException or IOException or UnauthorizedAccessException)
        {
            await BuryAsync(e.Message);
        }
    }

    private async Task TestAsync(WorkerProcess tested, CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            var probe = await OpenAsync(tested, stopping);
            var test = await SelfTestAsync(tested, limit);
            if (!test.Passed)
            {
                await BuryAsync($"The numeric self-test failed: {test.Text}");
                return;
            }
            LogReady(device, tested.ProcessId, probe.Description, test.Text);
            Happened(new WorkerEvent.Tested());
            Tested?.Invoke(tested);
        }
        catch (EngineException e)
        {
            await BuryAsync(
                $"{e.Message} {launcher.LastLine()}".TrimEnd(),
                isHang: e.ErrorClass == EngineErrorClass.WorkerHung
            );
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            await BuryAsync(
                $"The self-test did not end within {Limits.SelfTestTimeout.TotalSeconds:0} s.",
                isHang: true
            );
        }
    }

    /// <summary>The phase ends with it: a device that says it is ready no longer says that it is being tested.</summary>
    private async Task<SelfTestReport> SelfTestAsync(WorkerProcess tested, CancellationTokenSource limit)
    {
        using var phase = bringUp.Begin("testing the device");
        limit.CancelAfter(Limits.SelfTestTimeout);
        return await tested.Client.SelfTestAsync(limit.Token);
    }

    private async Task<EngineProbe> OpenAsync(WorkerProcess opening, CancellationToken stopping)
    {
        using var phase = bringUp.Begin("opening the device");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(Limits.OpenTimeout);
        try
        {
            var probe = await opening.Client.ProbeAsync(limit.Token);
            memory.Learn(probe.TotalMemoryBytes);
            return probe;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new EngineException(
                EngineErrorClass.WorkerHung,
                $"The device did not open within {Limits.OpenTimeout.TotalMinutes:0} min."
            );
        }
    }

    /// <summary>After any device error the process is replaced, never retried inside; it may still run, so it is ended first.</summary>
    private async Task BuryAsync(string reason, bool isHang = false)
    {
        var dead = worker;
        worker = null;
        var death = WorkerDeath.Explain($"{launcher.LastWords()}\n{reason}");
        if (isHang && !death.IsKnown)
            death = WorkerDeath.OfHang(reason);
        var known = death.IsKnown ? $"{death.Cause} ({reason})" : reason;
        isHang |= death.Class == FailureClass.DeviceHung;
        var trouble = new WorkerTrouble(death, time.GetUtcNow(), isHang);
        Happened(new WorkerEvent.Died(time.GetElapsedTime(origin), known, trouble));
        LogDied(device, life.Phase, reason);
        if (dead is not null)
            await dead.KillAsync(reason);
        guard?.Closed(device);
        Died?.Invoke();
    }

    private void Happened(WorkerEvent happened)
    {
        life = WorkerLifecycle.Apply(life, happened);
        var before = moved;
        moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
        before.SetResult();
        changes.Raise();
    }

    private TimeSpan Until(TimeSpan restartAt)
    {
        if (restartAt == TimeSpan.MaxValue)
            return Timeout.InfiniteTimeSpan;
        var wait = restartAt - time.GetElapsedTime(origin);
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }
}
