namespace EgpuFleet.Cli.Terminal;

/// <summary>What a long command has done so far, one line each with the time since it began.</summary>
internal sealed class Steps(FleetConsole console, TimeProvider clock)
{
    private readonly long _start = clock.GetTimestamp();

    public TimeSpan Elapsed => clock.GetElapsedTime(_start);

    public void Say(string what) => console.Line($"{Elapsed.TotalSeconds, 6:0.0} s  {what}");
}
