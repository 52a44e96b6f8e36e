using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What is printed about a fleet that runs.</summary>
internal static class FleetReport
{
    public static void Ready(Invocation invocation, UpOptions options, TimeSpan elapsed)
    {
        var console = invocation.Console;
        if (console.IsJson)
        {
            console.Json(FleetFile.Read(invocation.Paths.FleetFile));
            return;
        }
        console.Line();
        console.Line($"The fleet is ready after {Format.Seconds(elapsed)}.");
        console.Line($"  Gateway    {options.Url}");
        console.Line($"  Dashboard  {options.Url}/");
        console.Line($"  Nodes      {string.Join(", ", options.Nodes)} (threads each: {options.ThreadsPerAgent})");
        console.Line($"  Data       {options.Data}");
        console.Line();
    }

    /// <summary>Another supervisor holds the directory: that is what was asked for, so it is no failure.</summary>
    public static int AlreadyRunning(Invocation invocation)
    {
        var state = FleetFile.Read(invocation.Paths.FleetFile);
        if (invocation.Console.IsJson)
            invocation.Console.Json(state);
        else
            invocation.Console.Line(
                $"A fleet already runs on {invocation.Data}: {state?.Url ?? "it is just starting"}"
            );
        return ExitCodes.Ok;
    }
}
