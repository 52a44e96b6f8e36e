using System.ComponentModel;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;

namespace EgpuFleet.Cli.Supervision;

/// <summary>One process of the fleet that is kept up: <c>silo</c>, or the agent of a node.</summary>
internal sealed class Member(string name, Func<ChildProcess> start, TimeProvider clock, Action<Member, string> report)
    : IDisposable
{
    private readonly RestartPolicy _policy = new();
    private readonly CancellationTokenSource _stop = new();

    public string Name { get; } = name;

    /// <summary>The process now; null before the first start.</summary>
    public ProcessIdentity? Identity { get; private set; }

    /// <summary>Completes when the member was stopped; fails when it does not stay up.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    public void Start() => Ended = KeepUpAsync();

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _stop.Dispose();

    private async Task KeepUpAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            using var child = StartChild();
            Identity = child.Identity;
            report(this, $"{Name} started (process {child.Identity.Pid})");
            var code = await RunAsync(child);
            if (_stop.IsCancellationRequested)
                return;
            if (_policy.OnExit(code, clock.GetUtcNow()) is not { } delay)
                throw GivenUp(child, code);
            report(this, $"{Name} ended with status {code}; starting it again in {delay.TotalSeconds:0.##} s");
            await Task.Delay(delay, clock, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private ChildProcess StartChild()
    {
        try
        {
            return start();
        }
        catch (Win32Exception e)
        {
            throw new FleetFailure($"{Name} cannot be started: {e.Message}");
        }
    }

    private async Task<int> RunAsync(ChildProcess child)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = _stop.Token.Register(() => stopped.TrySetResult());
        if (await Task.WhenAny(child.Exited, stopped.Task) == stopped.Task)
            await child.StopAsync(Limits.StopGrace, clock);
        await child.DrainAsync(clock);
        return await child.Exited;
    }

    private FleetFailure GivenUp(ChildProcess child, int code)
    {
        var lines = child.Log.Tail.Select(line => Environment.NewLine + "  | " + line);
        return new FleetFailure(
            $"{Name} does not stay up (last status {code}).{string.Concat(lines)}",
            $"Read its log: {child.Log.Path}"
        );
    }
}
