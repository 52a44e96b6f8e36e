using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>
/// What the doctor says of this machine: looked at when the agent starts, every few minutes, and soon after something has
/// happened to a device. One examination at a time, and never two in quick succession, however many ask.
/// </summary>
/// <param name="examine">Examines the machine without opening a GPU.</param>
internal sealed partial class NodeHealth(
    Func<CancellationToken, Task<DoctorReport>> examine,
    TimeProvider time,
    ChangeSignal changes,
    ILogger<NodeHealth> log
) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private readonly ChangeSignal asked = new();
    private volatile NodeExamination? last;
    private long lastAt;

    /// <summary>Every check of the last examination; empty before the first.</summary>
    public IReadOnlyList<NodeCondition> Checks => last?.Conditions ?? [];

    /// <summary>Asks for an examination soon.</summary>
    public void Ask() => asked.Raise();

    /// <summary>Keeps looking until the token fires.</summary>
    /// <param name="devices">The node's devices now.</param>
    public async Task RunAsync(Func<IReadOnlyList<DeviceFacts>> devices, CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await ExamineAsync(devices(), stopping);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The machine will not be looked at; what was known of it stays, and the devices tell for themselves.
                LogBlind(e);
            }
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            await Task.WhenAny(asked.WaitAsync(either.Token), Task.Delay(Limits.ExamineEvery, time, either.Token));
            await either.CancelAsync();
            await Task.Delay(Limits.ExamineSpacing, time, stopping);
        }
    }

    /// <summary>Examines the machine, or waits for an examination under way; one that has just ended is good enough.</summary>
    public async Task<NodeExamination> ExamineAsync(
        IReadOnlyList<DeviceFacts> devices,
        CancellationToken cancellationToken
    )
    {
        var from = time.GetTimestamp();
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (last is { } known && (lastAt >= from || time.GetElapsedTime(lastAt) < Limits.ExamineSpacing))
                return known;
            var report = await examine(cancellationToken);
            var now = time.GetUtcNow();
            var conditions = NodeConditions.Of(report, devices, Checks, now);
            var isNews = !conditions.SequenceEqual(Checks);
            lastAt = time.GetTimestamp();
            last = new NodeExamination(report.Platform, conditions, now);
            if (isNews)
                changes.Raise();
            return last;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    [LoggerMessage(Level = LogLevel.Warning, Message = "This machine cannot be examined")]
    private partial void LogBlind(Exception exception);
}
